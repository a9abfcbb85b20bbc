"""What does a change of spec.replicas do in each phase? An autoscaler doesn't wait for a good moment."""

import pytest

from rollouts.api import keys
from tests.plan.decided import Decided, Row, decided, given
from tests.plan.given import Raw, aborted, paused, replica_set, rollout, stable, updating

HALF = (replica_set("app:1", 3), replica_set("app:2", 2, revision=2))


def unobserved(raw: Raw) -> Raw:
    """Return a ReplicaSet whose status is about an earlier size."""
    return {**raw, "metadata": {**raw["metadata"], "generation": 3}}


ROWS = (
    Row(
        "what a ReplicaSet said before it was scaled down and up again frees no pod of another one",
        given(
            updating(index=4, updated=4, total=6),
            replica_set("app:1", 2),
            unobserved(replica_set("app:2", 4, revision=2)),
        ),
        Decided(wakes=691.0, because=("step 5 of 5 (setWeight: 80): stable has 2 pods on its way to 1",)),
    ),
    Row(
        "healthy, more pods",
        given(stable(rollout(replicas=8)), replica_set("app:1", 5)),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 1): 5 to 8 pods, desired-replicas=8",),
            status={
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "conditions": {
                    "Available": "False AvailableReason",
                    "Healthy": "False RolloutHealthy",
                    "Progressing": "True ReplicaSetNotAvailable",
                },
            },
            because=("stable is being scaled from 5 to 8 pods",),
        ),
    ),
    Row(
        "healthy, fewer pods",
        given(stable(rollout(replicas=2)), replica_set("app:1", 5)),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 1): 5 to 2 pods, desired-replicas=2",),
            status={"conditions": {"Healthy": "False RolloutHealthy", "Progressing": "True ReplicaSetNotAvailable"}},
            because=("stable is being scaled from 5 to 2 pods",),
        ),
    ),
    Row(
        "healthy, no pods at all",
        given(stable(rollout(replicas=0)), replica_set("app:1", 5)),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 1): 5 to 0 pods, desired-replicas=0",),
            status={"conditions": {"Healthy": "False RolloutHealthy", "Progressing": "True ReplicaSetNotAvailable"}},
            because=("stable is being scaled from 5 to 0 pods",),
        ),
    ),
    Row(
        "paused at a step: both follow, in the share of the step",
        given(paused(rollout("app:2", replicas=10)), *HALF),
        Decided(
            does=(
                "update ReplicaSet web-76d57f768c (revision 2): 2 to 4 pods, desired-replicas=10",
                "update ReplicaSet web-78766d5789 (revision 1): 3 to 6 pods, desired-replicas=10",
            ),
            status={"conditions": {"Available": "False AvailableReason"}},
            waits=True,
            because=(
                "step 4 of 5 (pause): the pause has no duration: promote to go on",
                "the canary is being scaled from 2 to 4 pods",
            ),
        ),
    ),
    Row(
        "paused at a step, fewer pods",
        given(paused(rollout("app:2", replicas=2)), *HALF),
        Decided(
            does=(
                "update ReplicaSet web-76d57f768c (revision 2): 2 to 1 pods, desired-replicas=2",
                "update ReplicaSet web-78766d5789 (revision 1): 3 to 2 pods, desired-replicas=2",
            ),
            because=(
                "step 4 of 5 (pause): the pause has no duration: promote to go on",
                "the canary is being scaled from 2 to 1 pod",
            ),
        ),
    ),
    Row(
        "spec.paused: sizes follow all the same",
        given(paused(rollout("app:2", replicas=10, paused=True)), *HALF),
        Decided(
            does=(
                "update ReplicaSet web-76d57f768c (revision 2): 2 to 4 pods, desired-replicas=10",
                "update ReplicaSet web-78766d5789 (revision 1): 3 to 6 pods, desired-replicas=10",
            ),
            status={"message": "manually paused", "conditions": {"Available": "False AvailableReason"}},
            waits=True,
            because=("spec.paused is true: no step completes; sizes only follow spec.replicas",),
        ),
    ),
    Row(
        "spec.paused and no change of size: a lost pod share is not corrected",
        given(updating(rollout("app:2", paused=True), index=4, updated=2), *HALF),
        Decided(
            status={
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:20Z",
                    "manualPauseStartedAt": "2026-01-01T00:01:40Z",
                },
                "message": "manually paused",
                "phase": "Paused",
                "conditions": {"Paused": "True RolloutPaused", "Progressing": "Unknown RolloutPaused"},
            },
            because=("spec.paused is true: no step completes and nothing is scaled",),
        ),
    ),
    Row(
        "aborted: stable follows, the canary stays away",
        given(aborted(rollout("app:2", replicas=8)), replica_set("app:1", 5), replica_set("app:2", 0, revision=2)),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 1): 5 to 8 pods, desired-replicas=8",),
            status={"conditions": {"Available": "False AvailableReason"}},
            waits=True,
            because=(
                "the update is aborted: everything goes back to stable; retry, or change the template",
                "stable has 5 pods on its way to 8",
            ),
        ),
    ),
    Row(
        "full promotion: the canary follows",
        given(
            updating(rollout("app:2", replicas=8), promoteFull=True, index=5, updated=5, total=6),
            replica_set("app:1", 1),
            replica_set("app:2", 5, revision=2),
        ),
        Decided(
            does=(
                "update ReplicaSet web-76d57f768c (revision 2): 5 to 8 pods, desired-replicas=8",
                "update ReplicaSet web-78766d5789 (revision 1): desired-replicas=8",
            ),
            status={"conditions": {"Available": "False AvailableReason"}},
            waits=True,
            wakes=691.0,
            because=("full promotion was requested: steps are skipped", "the canary is being scaled from 5 to 8 pods"),
        ),
    ),
    Row(
        "at a weight: the step is not complete at the old size",
        given(updating(rollout("app:2", replicas=10)), replica_set("app:1", 4), replica_set("app:2", 1, revision=2)),
        Decided(
            does=(
                "update ReplicaSet web-76d57f768c (revision 2): 1 to 2 pods, desired-replicas=10",
                "update ReplicaSet web-78766d5789 (revision 1): 4 to 8 pods, desired-replicas=10",
            ),
            status={"conditions": {"Available": "False AvailableReason"}},
            waits=True,
            wakes=691.0,
            because=("step 1 of 5 (setWeight: 20): the canary is being scaled from 1 to 2 pods",),
        ),
    ),
    Row(
        "desired-replicas is refreshed even if the size is right by chance",
        given(paused(rollout("app:2", replicas=4)), *HALF),
        Decided(
            does=(
                "update ReplicaSet web-76d57f768c (revision 2): desired-replicas=4",
                "update ReplicaSet web-78766d5789 (revision 1): desired-replicas=4",
            ),
            because=("step 4 of 5 (pause): the pause has no duration: promote to go on",),
        ),
    ),
    Row(
        "a desired-replicas that is rubbish is refreshed",
        given(stable(), replica_set("app:1", 5, annotations={keys.DESIRED_REPLICAS: "many"})),
        Decided(does=("update ReplicaSet web-78766d5789 (revision 1): desired-replicas=5",)),
    ),
    Row(
        "an empty old ReplicaSet keeps its note: nothing is written about it",
        given(stable(rollout(replicas=8)), replica_set("app:1", 5, revision=2), replica_set("app:2", 0)),
        Decided(
            does=(
                "update ReplicaSet web-78766d5789 (revision 2): 5 to 8 pods, desired-replicas=8",
                "patch the Rollout: revision=2",
            ),
            status={
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "conditions": {
                    "Available": "False AvailableReason",
                    "Healthy": "False RolloutHealthy",
                    "Progressing": "True ReplicaSetNotAvailable",
                },
            },
            because=("stable is being scaled from 5 to 8 pods",),
        ),
    ),
    Row(
        "scaled by hand behind our back: back to the size of the spec",
        given(stable(), replica_set("app:1", 3)),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 1): 3 to 5 pods",),
            status={
                "HPAReplicas": 3,
                "availableReplicas": 3,
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "readyReplicas": 3,
                "replicas": 3,
                "updatedReplicas": 3,
                "conditions": {
                    "Available": "False AvailableReason",
                    "Healthy": "False RolloutHealthy",
                    "Progressing": "True ReplicaSetNotAvailable",
                },
            },
            because=("stable is being scaled from 3 to 5 pods",),
        ),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_change_of_size(row: Row) -> None:
    assert decided(row.here, row.now) == row.decided


def test_paused_before_the_canary_has_begun_all_of_the_new_size_is_stables() -> None:
    raw = updating(rollout("app:2", replicas=10, paused=True), index=0, updated=0)
    turn = decided(given(raw, replica_set("app:1", 5), replica_set("app:2", 0, revision=2)))

    assert turn.does == ("update ReplicaSet web-78766d5789 (revision 1): 5 to 10 pods, desired-replicas=10",)
