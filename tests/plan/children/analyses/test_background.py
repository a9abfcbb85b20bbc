"""When does a canary have an analysis run in the background, and what ends it?"""

from collections.abc import Mapping
from typing import Any

import pytest

from rollouts.plan import Refusal
from tests.plan.children.analyses.given import (
    BACK,
    BACKGROUND_RUN,
    RETRY,
    SMALLER,
    STEP_RUN,
    WATCHED,
    WHY,
    at,
    at_step,
    background_run,
    canary,
    failed,
    here,
    in_background,
    run,
)
from tests.plan.decided import Decided, Row, decided
from tests.plan.given import (
    ONE,
    PAUSED_CONDITIONS,
    STABLE_CONDITIONS,
    TWO,
    replica_set,
    stable,
    stamp,
)

ALL_NEW = (replica_set("app:1", 0), replica_set("app:2", 5, revision=2))
STEP = "step 2 of 3 (analysis)"
WATCHING = canary(**WATCHED)
LATE = canary(analysis={**WATCHED["analysis"], "startingStep": 1})
INCONCLUSIVE: Mapping[str, Any] = {
    "pauseConditions": [{"reason": "InconclusiveAnalysisRun", "startTime": stamp(95)}],
    "controllerPause": True,
    "phase": "Paused",
    "message": "InconclusiveAnalysisRun",
    "conditions": PAUSED_CONDITIONS,
    "duration": {"rolloutStartedAt": stamp(80), "manualPauseStartedAt": stamp(95)},
}
STUCK = at_step(status="Inconclusive", message="no idea")
UNSURE = run(STEP_RUN, "Inconclusive", "no idea")
PAUSING = canary(steps=({"setWeight": 20}, {"pause": {}}), **WATCHED)
REFUSED = Refusal("create", "AnalysisRun", BACKGROUND_RUN, "Forbidden", "quota exceeded")
UNMADE = f"analysis run {BACKGROUND_RUN} can't be made yet: the API server refuses it: quota exceeded"


ROWS = (
    Row(
        "the background's run begins with the steps, and runs beside them",
        here(at(raw=WATCHING, index=0)),
        Decided(
            status={"canary": {**in_background(), **at_step()}, "currentStepIndex": 1},
            because=("step 1 of 3 (setWeight: 20) is complete",),
        ),
    ),
    Row(
        "not before startingStep",
        here(at(raw=LATE, index=0), sets=(replica_set("app:1", 5), replica_set("app:2", 0, revision=2))),
        Decided(
            does=(f"update ReplicaSet web-{TWO} (revision 2): 0 to 1 pods",),
            status={"updatedReplicas": 0},
            waits=True,
            because=("step 1 of 3 (setWeight: 20): the canary is being scaled from 0 to 1 pod",),
        ),
    ),
    Row(
        "at startingStep",
        here(at(at_step(status="Running"), raw=LATE), run(STEP_RUN, "Running")),
        Decided(
            status={"canary": {**at_step(status="Running"), **in_background()}},
            because=(f"{STEP}: analysis run {STEP_RUN} has not measured anything yet",),
        ),
    ),
    Row(
        "moved back before startingStep, it is ended",
        here(
            at(in_background(status="Running"), raw=LATE, index=0),
            background_run(),
            sets=(replica_set("app:1", 5), replica_set("app:2", 0, revision=2)),
        ),
        Decided(
            does=(
                f"update ReplicaSet web-{TWO} (revision 2): 0 to 1 pods",
                f"terminate AnalysisRun {BACKGROUND_RUN}",
            ),
            status={"canary": None, "updatedReplicas": 0},
            because=(
                "step 1 of 3 (setWeight: 20): the canary is being scaled from 0 to 1 pod",
                f"analysis run {BACKGROUND_RUN} is told to end: nothing waits for it any more",
            ),
        ),
    ),
    Row(
        "a failure in the background aborts the update, and a step's run isn't begun any more",
        here(
            at({**in_background(status="Running"), **at_step()}, raw=WATCHING),
            background_run(BACKGROUND_RUN, "Failed", WHY),
        ),
        Decided(
            does=BACK,
            status=failed(
                f"Background analysis phase error/failed: {WHY}",
                status={
                    "canary": {**in_background(status="Failed", message=WHY), **at_step()},
                    "currentStepIndex": 0,
                },
            ),
            because=(
                f"aborted: Background analysis phase error/failed: {WHY}",
                f"the update is aborted: everything goes back to stable; {RETRY}",
                *SMALLER,
            ),
        ),
    ),
    Row(
        "one that the API server refuses holds the update: no step is left unwatched",
        here(at(in_background(), raw=WATCHING, index=0), refusals=[REFUSED]),
        Decided(wakes=691, because=(f"step 1 of 3 (setWeight: 20): {UNMADE}",)),
    ),
    Row(
        "somebody's word that a pause is over isn't lost meanwhile",
        here(
            at(in_background(), raw=PAUSING, controllerPause=True, pauseConditions=None, index=1),
            refusals=[REFUSED],
        ),
        Decided(wakes=691, because=(f"step 2 of 2 (pause): {UNMADE}",)),
    ),
    Row(
        "nor is the version promoted unwatched",
        here(at(in_background(), raw=WATCHING, index=3, updatedReplicas=5), refusals=[REFUSED], sets=ALL_NEW),
        Decided(status={"message": "waiting for all steps to complete"}, waits=True, wakes=691, because=(UNMADE,)),
    ),
    Row(
        "the background's run has ended well: the steps go on, and no other one is made",
        here(
            at({**in_background(status="Successful"), **at_step(status="Running")}, raw=WATCHING),
            background_run(BACKGROUND_RUN, "Successful"),
            run(STEP_RUN, "Running"),
        ),
        Decided(
            because=(
                f"{STEP}: analysis run {STEP_RUN} has not measured anything yet",
                f"analysis run {BACKGROUND_RUN} is Successful",
            )
        ),
    ),
    Row(
        "promotion ends the background's run",
        here(
            stable(canary(**WATCHED), currentPodHash=TWO, stableRS=TWO, conditions=STABLE_CONDITIONS),
            background_run(),
            sets=ALL_NEW,
        ),
        Decided(
            does=(f"terminate AnalysisRun {BACKGROUND_RUN}", "patch the Rollout: revision=2"),
            because=(f"analysis run {BACKGROUND_RUN} is told to end: nothing waits for it any more",),
        ),
    ),
    Row(
        "full promotion ends all of them",
        here(
            at({**in_background(status="Running"), **at_step(status="Running")}, raw=WATCHING, promoteFull=True),
            background_run(),
            run(STEP_RUN, "Running"),
        ),
        Decided(
            does=(
                f"update ReplicaSet web-{TWO} (revision 2): 1 to 2 pods",
                f"terminate AnalysisRun {BACKGROUND_RUN}",
                f"terminate AnalysisRun {STEP_RUN}",
            ),
            status={"canary": None, "currentStepIndex": 3},
            because=(
                "full promotion was requested: steps are skipped",
                f"analysis run {BACKGROUND_RUN} is told to end: nothing waits for it any more",
                f"analysis run {STEP_RUN} is told to end: nothing waits for it any more",
                "the canary is being scaled from 1 to 5 pods",
            ),
        ),
    ),
    Row(
        "back to the stable template, none is needed",
        here(at(in_background(status="Running"), raw=canary("app:1", **WATCHED), index=0), background_run()),
        Decided(
            does=(
                f"update ReplicaSet web-{ONE} (revision 3): 4 to 5 pods, revision=3, revision-history=1",
                f"terminate AnalysisRun {BACKGROUND_RUN}",
                "patch the Rollout: revision=3",
            ),
            status={
                "canary": None,
                "currentPodHash": ONE,
                "currentStepIndex": 3,
                "duration": {"rolloutStartedAt": stamp(100), "completionStatus": "FastRolledBack"},
                "updatedReplicas": 4,
                "conditions": {"Completed": "True RolloutCompleted"},
            },
            because=(
                "back to the stable template: no steps are needed",
                f"analysis run {BACKGROUND_RUN} is told to end: nothing waits for it any more",
                "stable is being scaled from 4 to 5 pods",
            ),
        ),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_run_in_the_background(row: Row) -> None:
    assert decided(row.here, row.now) == row.decided


def test_a_first_deploy_needs_none() -> None:
    first = at(raw=canary("app:1", **WATCHED), index=0, stableRS=None, currentPodHash=ONE)
    told = decided(here(first, sets=(replica_set("app:1", 5),)))
    assert not any("AnalysisRun" in each for each in told.does)
    assert "canary" not in told.status
