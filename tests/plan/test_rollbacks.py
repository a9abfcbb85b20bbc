"""Which way back needs no steps? spec.rollbackWindow says how far back."""

from typing import Any

import pytest

from rollouts.plan.narrate import narrate
from rollouts.registry import load_kit
from tests.plan.decided import BOUNDED, Decided, Row, decided, given, planned
from tests.plan.given import ONE, TWO, Raw, paused, replica_set, rollout, stable, updating

SKIPS = "back to a revision within spec.rollbackWindow: no steps are needed"


def within(revisions: int | None, image: str = "app:1", **spec: Any) -> Raw:
    """Return a Rollout with a rollback window."""
    return rollout(image, rollbackWindow={"revisions": revisions} if revisions is not None else {}, **spec)


def on_two(raw: Raw, **changes: Any) -> Raw:
    """Return a Rollout whose app:2 is stable, and whose spec asks for something else."""
    return stable(raw, **{"currentPodHash": TWO, "stableRS": TWO, **changes})


def back(raw: Raw, **changes: Any) -> Raw:
    """Return a Rollout on its way back from app:2 to app:1."""
    return updating(raw, **{"currentPodHash": ONE, "stableRS": TWO, **changes})


def pair(one: int = 0, two: int = 5) -> tuple[Raw, Raw]:
    """Return the ReplicaSets of app:1, the older one, and app:2."""
    return replica_set("app:1", one, revision=3), replica_set("app:2", two, revision=2, created=50)


BETWEEN = replica_set("app:4", 0, revision=2, created=20)
BEGUN: Raw = {
    "currentPodHash": ONE,
    "duration": {"rolloutStartedAt": "2026-01-01T00:01:40Z"},
    "phase": "Progressing",
    "message": "more replicas need to be updated",
    "updatedReplicas": 0,
    "conditions": {
        "Completed": "False RolloutCompleted",
        "Healthy": "False RolloutHealthy",
        "Progressing": "True ReplicaSetUpdated",
    },
}

ROWS = (
    Row(
        "two versions made within one second: the first revision that each of them had tells which is older",
        given(
            on_two(within(1)),
            replica_set("app:1", 0, revision=3, annotations={"rollout.argoproj.io/revision-history": "1"}),
            replica_set("app:2", 5, revision=2),
        ),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 3): 0 to 1 pods", "patch the Rollout: revision=3"),
            status=BEGUN,
            because=(SKIPS, "the canary is being scaled from 0 to 5 pods"),
        ),
    ),
    Row(
        "back to the revision before: all steps count as done, and pods are exchanged within the bounds",
        given(on_two(within(1)), *pair()),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 3): 0 to 1 pods", "patch the Rollout: revision=3"),
            status=BEGUN,
            because=(SKIPS, "the canary is being scaled from 0 to 5 pods"),
        ),
    ),
    Row(
        "another revision in between is one too many for a window of 1",
        given(on_two(within(1)), *pair(), BETWEEN),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 3): 0 to 1 pods", "patch the Rollout: revision=3"),
            status={**BEGUN, "currentStepIndex": 0},
            because=("the update begins at step 1", "the canary is being scaled from 0 to 1 pod"),
        ),
    ),
    Row(
        "and not for one of 2",
        given(on_two(within(2)), *pair(), BETWEEN),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 3): 0 to 1 pods", "patch the Rollout: revision=3"),
            status=BEGUN,
            because=(SKIPS, "the canary is being scaled from 0 to 5 pods"),
        ),
    ),
    Row(
        "a window of 0 is none",
        given(on_two(within(0)), *pair()),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 3): 0 to 1 pods", "patch the Rollout: revision=3"),
            status={**BEGUN, "currentStepIndex": 0},
            because=("the update begins at step 1", "the canary is being scaled from 0 to 1 pod"),
        ),
    ),
    Row(
        "a window that is widened while the rollback is paused ends the pause",
        given(
            paused(within(1), currentPodHash=ONE, stableRS=TWO),
            *pair(2, 3),
        ),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 3): 2 to 3 pods", "patch the Rollout: revision=3"),
            status={
                "canary": None,
                "controllerPause": None,
                "currentStepIndex": 5,
                "pauseConditions": None,
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:20Z",
                    "totalManualPauseDurationSeconds": 5,
                },
                "phase": "Progressing",
                "message": "more replicas need to be updated",
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "True ReplicaSetUpdated"},
            },
            because=(SKIPS, "the canary is being scaled from 2 to 5 pods"),
        ),
    ),
    Row(
        "a window that is taken away while the steps are skipped gives none of them back",
        given(back(rollout("app:1"), index=5, updated=3, total=6), *pair(3, 3)),
        Decided(
            does=("update ReplicaSet web-76d57f768c (revision 2): 3 to 2 pods", "patch the Rollout: revision=3"),
            wakes=691.0,
            because=("the canary is being scaled from 3 to 5 pods", BOUNDED),
        ),
    ),
    Row(
        "complete: promoted, and told as a fast rollback",
        given(back(within(1), index=5, updated=5, total=6), *pair(5, 1)),
        Decided(
            does=("update ReplicaSet web-76d57f768c (revision 2): 1 to 0 pods", "patch the Rollout: revision=3"),
            status={
                "stableRS": ONE,
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:20Z",
                    "completionStatus": "FastRolledBack",
                    "finishedAt": "2026-01-01T00:01:40Z",
                },
                "message": "old replicas are pending termination",
                "conditions": {"Completed": "True RolloutCompleted"},
            },
            because=(
                "this rollback needs no steps and all pods are available: the canary becomes stable",
                "the previous stable ReplicaSet still has 1 pod",
            ),
        ),
    ),
    Row(
        "an abort stops a rollback, too",
        given(back(within(1), index=5, updated=3, total=6, abort=True), *pair(3, 3)),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 3): 3 to 2 pods", "patch the Rollout: revision=3"),
            status={
                "abortedAt": "2026-01-01T00:01:40Z",
                "currentStepIndex": 0,
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:20Z",
                    "completionStatus": "Aborted",
                    "finishedAt": "2026-01-01T00:01:40Z",
                },
                "phase": "Degraded",
                "message": "RolloutAborted: Rollout aborted update to revision 3",
                "conditions": {"Progressing": "False RolloutAborted"},
            },
            because=(
                "the update is aborted: everything goes back to stable; retry, or change the template",
                "the canary is being scaled from 3 to 0 pods",
            ),
        ),
    ),
    Row(
        "forward again is no rollback: steps are run",
        given(stable(within(1, "app:2"), currentPodHash=ONE, stableRS=ONE), *pair(5, 0)),
        Decided(
            does=(
                "update ReplicaSet web-76d57f768c (revision 4): 0 to 1 pods, revision=4, revision-history=2",
                "patch the Rollout: revision=4",
            ),
            status={**BEGUN, "currentPodHash": TWO, "currentStepIndex": 0},
            because=("the update begins at step 1", "the canary is being scaled from 0 to 1 pod"),
        ),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_way_back(row: Row) -> None:
    assert decided(row.here, row.now) == row.decided


def told(here: Any) -> list[str]:
    """Return the events of a pass whose writes all succeed, without those about sizes and revisions."""
    plan = planned(here)
    events = narrate(here, plan, plan.actions, status_written=True, kit=load_kit())
    about = {"SkipSteps", "RolloutCompleted", "RolloutStepCompleted", "RolloutSuperseded"}
    return [f"{each.reason}: {each.message}" for each in events if each.reason in about]


TOLD: tuple[tuple[str, Any, list[str]], ...] = (
    (
        "a rollback within the window",
        given(on_two(within(1)), *pair()),
        ["SkipSteps: Rollback to ReplicaSets within RollbackWindow"],
    ),
    (
        "one to a ReplicaSet that still has pods",
        given(on_two(within(1)), *pair(1)),
        ["SkipSteps: Rollback to active ReplicaSets within RollbackWindow"],
    ),
    ("a pass in the middle of it", given(back(within(1), index=5, updated=3, total=6), *pair(3, 3)), []),
    (
        "a window that is widened at the last step: it isn't complete, it is skipped",
        given(back(within(1), index=4, updated=3, total=6), *pair(3, 3)),
        ["SkipSteps: Rollback to active ReplicaSets within RollbackWindow"],
    ),
    (
        "its end",
        given(back(within(1), index=5, updated=5, total=6), *pair(5, 1)),
        [f"RolloutCompleted: Rollout completed update to revision 3 ({ONE}): Rollback within window"],
    ),
    (
        "back to stable in mid-update",
        given(updating(rollout("app:1"), index=2, updated=2), *pair(3, 2)),
        [
            f"RolloutSuperseded: Update to revision 2 ({TWO}) was superseded before it was complete",
            "SkipSteps: Rollback to stable ReplicaSets",
        ],
    ),
    (
        "a third template in mid-update",
        given(updating(rollout("app:3"), index=2, updated=2), *pair(3, 2)),
        [f"RolloutSuperseded: Update to revision 2 ({TWO}) was superseded before it was complete"],
    ),
    (
        "another template after an abort: that update has had its end",
        given(updating(rollout("app:3"), abort=True, updated=0), *pair(5, 0)),
        [],
    ),
)


@pytest.mark.parametrize(("here", "events"), [row[1:] for row in TOLD], ids=[row[0] for row in TOLD])
def test_what_is_told_of_it(here: Any, events: list[str]) -> None:
    assert told(here) == events


def test_an_update_made_within_the_second_of_the_version_before_it_is_no_way_back() -> None:
    here = given(on_two(within(1, "app:3")), replica_set("app:2", 5, revision=2), replica_set("app:3", 0, revision=3))
    assert SKIPS not in planned(here).because
