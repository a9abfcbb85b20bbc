"""What is decided when something changes under an update's feet?"""

import pytest

from tests.plan.decided import Decided, Row, decided, given
from tests.plan.given import deleting, paused, replica_set, rollout, stable, stamp, updating

ROWS = (
    Row(
        "steps edited in mid-update: it begins again at the first step, on the same ReplicaSet",
        given(
            paused(rollout("app:2", steps=[{"setWeight": 60}, {"pause": {}}]), currentStepHash="old"),
            replica_set("app:1", 3),
            replica_set("app:2", 2, revision=2),
        ),
        Decided(
            does=("update ReplicaSet web-76d57f768c (revision 2): 2 to 3 pods",),
            status={
                "canary": None,
                "controllerPause": None,
                "currentStepHash": "59785d6645",
                "currentStepIndex": 0,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:20Z", "totalManualPauseDurationSeconds": 5},
                "message": "more replicas need to be updated",
                "pauseConditions": None,
                "phase": "Progressing",
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "True ReplicaSetUpdated"},
            },
            because=("the steps have changed: back to step 1", "the canary is being scaled from 2 to 3 pods"),
        ),
    ),
    Row(
        "steps edited on a healthy Rollout: nothing begins",
        given(
            stable(rollout(steps=[{"setWeight": 60}]), currentStepIndex=5, currentStepHash="old"),
            replica_set("app:1", 5),
        ),
        Decided(
            status={"currentStepHash": "9c77f7b97", "currentStepIndex": 1},
            because=("the steps have changed: nothing is being updated",),
        ),
    ),
    Row(
        "minReadySeconds is changed: the ReplicaSet follows",
        given(stable(rollout(minReadySeconds=10)), replica_set("app:1", 5)),
        Decided(does=("update ReplicaSet web-78766d5789 (revision 1): minReadySeconds=10",)),
    ),
    Row(
        "an annotation of the Rollout is new: its ReplicaSet carries it, too",
        given(
            stable({**rollout(), "metadata": {"name": "web", "annotations": {"team": "shop"}}}), replica_set("app:1", 5)
        ),
        Decided(does=("update ReplicaSet web-78766d5789 (revision 1): team=shop",)),
    ),
    Row(
        "stable's ReplicaSet was deleted in mid-update: everything becomes the canary's",
        given(updating(total=1), replica_set("app:2", 1, revision=2)),
        Decided(
            does=("update ReplicaSet web-76d57f768c (revision 2): 1 to 5 pods",),
            status={"conditions": {"Available": "False AvailableReason"}},
            waits=True,
            wakes=691.0,
            because=(
                "status.stableRS, 78766d5789, names no ReplicaSet: the current template gets all pods",
                "step 1 of 5 (setWeight: 20): the canary is being scaled from 1 to 5 pods",
            ),
        ),
    ),
    Row(
        "the canary's ReplicaSet was deleted: it is made again",
        given(paused(), replica_set("app:1", 3)),
        Decided(
            does=("create ReplicaSet web-76d57f768c (revision 2) with 2 pods",),
            status={
                "HPAReplicas": 3,
                "availableReplicas": 3,
                "readyReplicas": 3,
                "replicas": 3,
                "updatedReplicas": 0,
                "conditions": {"Available": "False AvailableReason"},
            },
            waits=True,
            because=(
                "step 4 of 5 (pause): the pause has no duration: promote to go on",
                "the canary's ReplicaSet does not exist yet",
            ),
        ),
    ),
    Row(
        "the canary's ReplicaSet is still being deleted: wait until its name is free",
        given(paused(), replica_set("app:1", 3), deleting(replica_set("app:2", 2, revision=2))),
        Decided(
            status={
                "HPAReplicas": 3,
                "availableReplicas": 3,
                "readyReplicas": 3,
                "replicas": 3,
                "updatedReplicas": 0,
                "conditions": {"Available": "False AvailableReason"},
            },
            waits=True,
            because=(
                "step 4 of 5 (pause): the pause has no duration: promote to go on",
                "the canary's ReplicaSet does not exist yet",
            ),
        ),
    ),
    Row(
        "a Rollout that is being deleted is left alone",
        given(deleting(updating()), replica_set("app:1", 5)),
        Decided(because=("the Rollout is being deleted",)),
    ),
    Row(
        "somebody moves the index of a finished update: it goes back to the end",
        given(stable(currentStepIndex=0), replica_set("app:1", 5)),
        Decided(status={"currentStepIndex": 5}),
    ),
    Row(
        "somebody writes a pause into a finished update: it goes",
        given(stable(pauseConditions=[{"reason": "CanaryPauseStep", "startTime": stamp(50)}]), replica_set("app:1", 5)),
        Decided(status={"pauseConditions": None}),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_change(row: Row) -> None:
    assert decided(row.here, row.now) == row.decided
