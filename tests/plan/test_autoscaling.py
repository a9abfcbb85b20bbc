"""What does an autoscaler see, and what do its changes do in the middle of things?

It takes the pods from status.selector and their number from status.HPAReplicas: both must be about the same pods, all
of the Rollout's, in every phase. A load measured over some of the pods only, but counted for all, scales wrongly.
"""

import pytest

from rollouts.api.selectors import parse_selector
from tests.plan.decided import Decided, Row, decided, given, planned
from tests.plan.given import ONE, THREE, TWO, Raw, aborted, paused, replica_set, rollout, stable, updating

HALF = (replica_set("app:1", 3), replica_set("app:2", 2, revision=2))
ALL_THREE = (*HALF, replica_set("app:3", 1, revision=3))
ON_THREE: Raw = {"currentPodHash": THREE, "updated": 1, "total": 6}

ROWS = (
    Row(
        "in one change with the template: the first sizes are those of the new one",
        given(stable(rollout("app:2", replicas=8)), replica_set("app:1", 5)),
        Decided(
            does=(
                "create ReplicaSet web-76d57f768c (revision 2) with 2 pods",
                "update ReplicaSet web-78766d5789 (revision 1): 5 to 7 pods, desired-replicas=8",
                "patch the Rollout: revision=2",
            ),
            status={
                "currentPodHash": "76d57f768c",
                "currentStepIndex": 0,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:40Z"},
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "updatedReplicas": 0,
                "conditions": {
                    "Available": "False AvailableReason",
                    "Completed": "False RolloutCompleted",
                    "Healthy": "False RolloutHealthy",
                    "Progressing": "True NewReplicaSetCreated",
                },
            },
            because=("the update begins at step 1", "the canary's ReplicaSet does not exist yet"),
        ),
    ),
    Row(
        "in a timed pause: both follow in the share of its step, and the pause goes on",
        given(
            paused(rollout("app:2", replicas=10), index=1, since=98, updatedReplicas=1),
            replica_set("app:1", 4),
            replica_set("app:2", 1, revision=2),
        ),
        Decided(
            does=(
                "update ReplicaSet web-76d57f768c (revision 2): 1 to 2 pods, desired-replicas=10",
                "update ReplicaSet web-78766d5789 (revision 1): 4 to 8 pods, desired-replicas=10",
            ),
            status={
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:20Z", "totalManualPauseDurationSeconds": 2},
                "conditions": {"Available": "False AvailableReason"},
            },
            wakes=103.0,
            because=(
                "step 2 of 5 (pause: 5s): the pause of 5s ends at 2026-01-01T00:01:43Z",
                "the canary is being scaled from 1 to 2 pods",
            ),
        ),
    ),
    Row(
        "to none in a pause: both go, and the pause stays",
        given(paused(rollout("app:2", replicas=0)), *HALF),
        Decided(
            does=(
                "update ReplicaSet web-76d57f768c (revision 2): 2 to 0 pods, desired-replicas=0",
                "update ReplicaSet web-78766d5789 (revision 1): 3 to 0 pods, desired-replicas=0",
            ),
            because=(
                "step 4 of 5 (pause): the pause has no duration: promote to go on",
                "the canary is being scaled from 2 to 0 pods",
            ),
        ),
    ),
    Row(
        "up from none in a pause: both come back in the share of the step",
        given(
            paused(rollout("app:2"), updatedReplicas=0, total=0),
            replica_set("app:1", 0, desired=0),
            replica_set("app:2", 0, revision=2, desired=0),
        ),
        Decided(
            does=(
                "update ReplicaSet web-76d57f768c (revision 2): 0 to 2 pods, desired-replicas=5",
                "update ReplicaSet web-78766d5789 (revision 1): 0 to 3 pods, desired-replicas=5",
            ),
            status={"conditions": {"Available": "False AvailableReason"}},
            waits=True,
            because=(
                "step 4 of 5 (pause): the pause has no duration: promote to go on",
                "the canary is being scaled from 0 to 2 pods",
            ),
        ),
    ),
    Row(
        "more, while an older revision is still there: stable takes the room first",
        given(updating(rollout("app:3", replicas=10), **ON_THREE), *ALL_THREE),
        Decided(
            does=(
                "update ReplicaSet web-5f4f454678 (revision 3): desired-replicas=10",
                "update ReplicaSet web-78766d5789 (revision 1): 3 to 8 pods, desired-replicas=10",
                "update ReplicaSet web-76d57f768c (revision 2): desired-replicas=10",
                "patch the Rollout: revision=3",
            ),
            status={"conditions": {"Available": "False AvailableReason"}},
            waits=True,
            wakes=691.0,
            because=(
                "step 1 of 5 (setWeight: 20): the canary is being scaled from 1 to 2 pods",
                "maxSurge (1) and maxUnavailable (0) hold it back: at most 11 pods in all, at least 10 available",
            ),
        ),
    ),
    Row(
        "fewer, while an older revision is still there: that one goes first",
        given(updating(rollout("app:3", replicas=2), **ON_THREE), *ALL_THREE),
        Decided(
            does=(
                "update ReplicaSet web-5f4f454678 (revision 3): desired-replicas=2",
                "update ReplicaSet web-78766d5789 (revision 1): desired-replicas=2",
                "update ReplicaSet web-76d57f768c (revision 2): 2 to 0 pods, desired-replicas=2",
                "patch the Rollout: revision=3",
            ),
            wakes=691.0,
            because=("step 1 of 5 (setWeight: 20): stable has 3 pods on its way to 2",),
        ),
    ),
    Row(
        "fewer, while an abort is on its way",
        given(
            aborted(rollout("app:2", replicas=2), updatedReplicas=1),
            replica_set("app:1", 4),
            replica_set("app:2", 1, revision=2),
        ),
        Decided(
            does=(
                "update ReplicaSet web-76d57f768c (revision 2): 1 to 0 pods, desired-replicas=2",
                "update ReplicaSet web-78766d5789 (revision 1): 4 to 3 pods, desired-replicas=2",
            ),
            because=(
                "the update is aborted: everything goes back to stable; retry, or change the template",
                "the canary is being scaled from 1 to 0 pods",
            ),
        ),
    ),
    Row(
        "fewer, in a full promotion: that makes the canary complete",
        given(
            updating(rollout("app:2", replicas=2), promoteFull=True, index=5, updated=3),
            replica_set("app:1", 2),
            replica_set("app:2", 3, revision=2),
        ),
        Decided(
            does=(
                "update ReplicaSet web-76d57f768c (revision 2): 3 to 2 pods, desired-replicas=2",
                "update ReplicaSet web-78766d5789 (revision 1): 2 to 1 pods, desired-replicas=2",
            ),
            status={
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:20Z",
                    "finishedAt": "2026-01-01T00:01:40Z",
                    "completionStatus": "FastPromoted",
                },
                "message": "old replicas are pending termination",
                "promoteFull": None,
                "stableRS": "76d57f768c",
                "conditions": {"Completed": "True RolloutCompleted"},
            },
            because=(
                "all steps are done and all pods are available: the canary becomes stable",
                "the previous stable ReplicaSet still has 2 pods",
            ),
        ),
    ),
    Row(
        "more, on the way back within the window",
        given(
            updating(
                rollout("app:1", replicas=8, rollbackWindow={"revisions": 1}),
                currentPodHash=ONE,
                stableRS=TWO,
                index=5,
                updated=2,
            ),
            replica_set("app:1", 2, revision=3),
            replica_set("app:2", 3, revision=2, created=50),
        ),
        Decided(
            does=(
                "update ReplicaSet web-78766d5789 (revision 3): 2 to 6 pods, desired-replicas=8",
                "update ReplicaSet web-76d57f768c (revision 2): desired-replicas=8",
                "patch the Rollout: revision=3",
            ),
            status={"conditions": {"Available": "False AvailableReason"}},
            waits=True,
            wakes=691.0,
            because=(
                "back to a revision within spec.rollbackWindow: no steps are needed",
                "the canary is being scaled from 2 to 8 pods",
            ),
        ),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_change_of_size_in_mid_update(row: Row) -> None:
    assert decided(row.here, row.now) == row.decided


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_autoscaler_sees_all_pods_and_their_number(row: Row) -> None:
    plan = planned(row.here, row.now)
    status = row.here.raw["status"] if plan.status is None else plan.status
    pods = [each.template["metadata"]["labels"] for each in row.here.replica_sets]
    assert all(parse_selector(status["selector"]).matches(labels) for labels in pods)
    assert status["HPAReplicas"] == status["replicas"] == sum(each.replicas for each in row.here.replica_sets)
