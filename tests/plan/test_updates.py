"""What is decided at each turn of an update, from the first deploy to the promotion?"""

import pytest

from tests.plan.decided import Decided, Row, decided, given
from tests.plan.given import ONE, THREE, TWO, live, replica_set, rollout, stable, updating

PLAIN = {"maxSurge": 1, "maxUnavailable": 1}

ROWS = (
    Row(
        "a new Rollout gets its ReplicaSet at full size",
        given(live(rollout())),
        Decided(
            does=("create ReplicaSet web-78766d5789 (revision 1) with 5 pods", "patch the Rollout: revision=1"),
            status={
                "HPAReplicas": 0,
                "availableReplicas": 0,
                "currentPodHash": "78766d5789",
                "currentStepHash": "584dd7b464",
                "currentStepIndex": 0,
                "duration": {"rolloutStartedAt": "2026-01-01T00:00:00Z"},
                "message": "more replicas need to be updated",
                "observedGeneration": "1",
                "phase": "Progressing",
                "readyReplicas": 0,
                "replicas": 0,
                "selector": "app=web",
                "updatedReplicas": 0,
                "conditions": {
                    "Available": "False AvailableReason",
                    "Completed": "False RolloutCompleted",
                    "Progressing": "True NewReplicaSetCreated",
                },
            },
            because=("the canary's ReplicaSet does not exist yet",),
        ),
        now=0,
    ),
    Row(
        "a Rollout without a size gets one first",
        given(live(rollout(replicas=None))),
        Decided(does=("patch the Rollout: spec.replicas=1",), because=("spec.replicas is not set: it becomes 1",)),
        now=0,
    ),
    Row(
        "the first revision is stable at once, without waiting for pods",
        given(updating(rollout(), currentPodHash=ONE, stableRS=None, updated=0, total=0), replica_set("app:1", 5, 0)),
        Decided(
            does=("patch the Rollout: revision=1",),
            status={
                "HPAReplicas": 5,
                "currentStepIndex": 5,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:20Z", "completionStatus": "Promoted"},
                "message": "updated replicas are still becoming available",
                "replicas": 5,
                "stableRS": "78766d5789",
                "updatedReplicas": 5,
                "conditions": {"Available": "False AvailableReason", "Completed": "True RolloutCompleted"},
            },
            because=("the first revision is stable from the start", "stable has 0 of 5 pods available"),
        ),
    ),
    Row(
        "a Rollout of no pods is complete with none",
        given(
            updating(rollout(replicas=0), currentPodHash=ONE, stableRS=ONE, index=5, updated=0, total=0),
            replica_set("app:1", 0, desired=0),
        ),
        Decided(
            does=("patch the Rollout: revision=1",),
            status={
                "message": None,
                "phase": "Healthy",
                "conditions": {
                    "Completed": "True RolloutCompleted",
                    "Healthy": "True RolloutHealthy",
                    "Progressing": "True NewReplicaSetAvailable",
                },
            },
            wakes=691.0,
        ),
    ),
    Row(
        "a healthy Rollout needs nothing",
        given(stable(), replica_set("app:1", 5)),
        Decided(),
    ),
    Row(
        "a new image: its ReplicaSet is created at the size of the first step, the step is not judged yet",
        given(stable(rollout("app:2")), replica_set("app:1", 5)),
        Decided(
            does=("create ReplicaSet web-76d57f768c (revision 2) with 1 pods", "patch the Rollout: revision=2"),
            status={
                "currentPodHash": "76d57f768c",
                "currentStepIndex": 0,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:40Z"},
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "updatedReplicas": 0,
                "conditions": {
                    "Completed": "False RolloutCompleted",
                    "Healthy": "False RolloutHealthy",
                    "Progressing": "True NewReplicaSetCreated",
                },
            },
            because=("the update begins at step 1", "the canary's ReplicaSet does not exist yet"),
        ),
    ),
    Row(
        "a new image, pods may be unavailable: stable keeps its pods until the ReplicaSet is there",
        given(stable(rollout("app:2", canary=PLAIN)), replica_set("app:1", 5)),
        Decided(
            does=("create ReplicaSet web-76d57f768c (revision 2) with 1 pods", "patch the Rollout: revision=2"),
            status={
                "currentPodHash": "76d57f768c",
                "currentStepIndex": 0,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:40Z"},
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "updatedReplicas": 0,
                "conditions": {
                    "Completed": "False RolloutCompleted",
                    "Healthy": "False RolloutHealthy",
                    "Progressing": "True NewReplicaSetCreated",
                },
            },
            because=("the update begins at step 1", "the canary's ReplicaSet does not exist yet"),
        ),
    ),
    Row(
        "canary pods on their way: wait, until the deadline",
        given(
            updating(total=6, availableReplicas=5, readyReplicas=5),
            replica_set("app:1", 5),
            replica_set("app:2", 1, 0, revision=2),
        ),
        Decided(wakes=691.0, because=("step 1 of 5 (setWeight: 20): the canary has 0 of 1 pods available",)),
    ),
    Row(
        "canary pods are ready but not yet for minReadySeconds: wait",
        given(
            updating(total=6, availableReplicas=5),
            replica_set("app:1", 5),
            replica_set("app:2", 1, 0, ready=1, revision=2),
        ),
        Decided(wakes=691.0, because=("step 1 of 5 (setWeight: 20): the canary has 0 of 1 pods available",)),
    ),
    Row(
        "canary pods are there: stable gives some up",
        given(updating(total=6), replica_set("app:1", 5), replica_set("app:2", 1, revision=2)),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 1): 5 to 4 pods",),
            wakes=691.0,
            because=("step 1 of 5 (setWeight: 20): stable has 5 pods on its way to 4",),
        ),
    ),
    Row(
        "stable's pods still have to go: the step is not complete",
        given(updating(total=6), replica_set("app:1", 4, 5, replicas=5), replica_set("app:2", 1, revision=2)),
        Decided(wakes=691.0, because=("step 1 of 5 (setWeight: 20): stable has 5 pods on its way to 4",)),
    ),
    Row(
        "all sizes are reached: the step is complete, and the pause begins with the same write",
        given(updating(), replica_set("app:1", 4), replica_set("app:2", 1, revision=2)),
        Decided(
            status={
                "canary": {"pausedStepIndex": 1},
                "controllerPause": True,
                "currentStepIndex": 1,
                "message": "CanaryPauseStep",
                "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-01-01T00:01:40Z"}],
                "phase": "Paused",
                "conditions": {"Paused": "True RolloutPaused", "Progressing": "Unknown RolloutPaused"},
            },
            wakes=105.0,
            because=("step 1 of 5 (setWeight: 20) is complete", "the pause of 5s ends at 2026-01-01T00:01:45Z"),
        ),
    ),
    Row(
        "a weight completes a step, the next one is a weight: it is not acted on before the next pass",
        given(
            updating(rollout("app:2", steps=[{"setWeight": 20}, {"setWeight": 80}])),
            replica_set("app:1", 4),
            replica_set("app:2", 1, revision=2),
        ),
        Decided(status={"currentStepIndex": 1}, because=("step 1 of 2 (setWeight: 20) is complete",)),
    ),
    Row(
        "stable's pods need not be available for a step to be complete",
        given(
            updating(total=5, availableReplicas=3, readyReplicas=3),
            replica_set("app:1", 4, 2),
            replica_set("app:2", 1, revision=2),
        ),
        Decided(
            status={
                "canary": {"pausedStepIndex": 1},
                "controllerPause": True,
                "currentStepIndex": 1,
                "message": "CanaryPauseStep",
                "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-01-01T00:01:40Z"}],
                "phase": "Paused",
                "conditions": {
                    "Available": "False AvailableReason",
                    "Paused": "True RolloutPaused",
                    "Progressing": "Unknown RolloutPaused",
                },
            },
            wakes=105.0,
            because=("step 1 of 5 (setWeight: 20) is complete", "the pause of 5s ends at 2026-01-01T00:01:45Z"),
        ),
    ),
    Row(
        "a step with pods of older revisions about is not complete",
        given(
            updating(rollout("app:3"), currentPodHash=THREE, total=6),
            replica_set("app:1", 4),
            replica_set("app:2", 1, revision=2),
            replica_set("app:3", 1, revision=3),
        ),
        Decided(
            does=("update ReplicaSet web-76d57f768c (revision 2): 1 to 0 pods", "patch the Rollout: revision=3"),
            wakes=691.0,
            because=("step 1 of 5 (setWeight: 20): older revisions still have 1 pod available",),
        ),
    ),
    Row(
        "after the last step the canary takes everything, one pod of surge at a time",
        given(updating(index=5, updated=4), replica_set("app:1", 1), replica_set("app:2", 4, revision=2)),
        Decided(
            does=("update ReplicaSet web-76d57f768c (revision 2): 4 to 5 pods",),
            wakes=691.0,
            because=("the canary is being scaled from 4 to 5 pods",),
        ),
    ),
    Row(
        "all pods of the canary are available: it becomes stable, and the old stable pods go",
        given(updating(index=5, updated=5, total=6), replica_set("app:1", 1), replica_set("app:2", 5, revision=2)),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 1): 1 to 0 pods",),
            status={
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:20Z",
                    "finishedAt": "2026-01-01T00:01:40Z",
                    "completionStatus": "Promoted",
                },
                "message": "old replicas are pending termination",
                "stableRS": "76d57f768c",
                "conditions": {"Completed": "True RolloutCompleted"},
            },
            because=(
                "all steps are done and all pods are available: the canary becomes stable",
                "the previous stable ReplicaSet still has 1 pod",
            ),
        ),
    ),
    Row(
        "one pod of the canary is missing: it doesn't become stable",
        given(
            updating(index=5, updated=5, total=6, availableReplicas=5, readyReplicas=5),
            replica_set("app:1", 1),
            replica_set("app:2", 5, 4, revision=2),
        ),
        Decided(
            status={"message": "old replicas are pending termination"},
            waits=True,
            wakes=691.0,
            because=("the canary has 4 of 5 pods available",),
        ),
    ),
    Row(
        "the last step and the promotion may come in one pass",
        given(
            updating(rollout("app:2", steps=[{"setWeight": 100}]), updated=5),
            replica_set("app:1", 0),
            replica_set("app:2", 5, revision=2),
        ),
        Decided(
            status={
                "currentStepIndex": 1,
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:20Z",
                    "finishedAt": "2026-01-01T00:01:40Z",
                    "completionStatus": "Promoted",
                },
                "message": None,
                "phase": "Healthy",
                "stableRS": "76d57f768c",
                "conditions": {
                    "Completed": "True RolloutCompleted",
                    "Healthy": "True RolloutHealthy",
                    "Progressing": "True NewReplicaSetAvailable",
                },
            },
            because=("all steps are done and all pods are available: the canary becomes stable",),
        ),
    ),
    Row(
        "pods of the old stable go after the promotion",
        given(
            updating(stableRS=TWO, index=5, updated=5, total=6),
            replica_set("app:1", 1),
            replica_set("app:2", 5, revision=2),
        ),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 1): 1 to 0 pods",),
            status={
                "message": "old replicas are pending termination",
                "conditions": {"Completed": "True RolloutCompleted"},
            },
            wakes=691.0,
            because=("older revisions still have 1 pod available",),
        ),
    ),
    Row(
        "the last of the old pods is gone: Healthy",
        given(updating(stableRS=TWO, index=5, updated=5), replica_set("app:1", 0), replica_set("app:2", 5, revision=2)),
        Decided(
            status={
                "message": None,
                "phase": "Healthy",
                "conditions": {
                    "Completed": "True RolloutCompleted",
                    "Healthy": "True RolloutHealthy",
                    "Progressing": "True NewReplicaSetAvailable",
                },
            },
            wakes=691.0,
        ),
    ),
    Row(
        "without steps: pods are replaced within surge",
        given(stable(rollout("app:2", steps=None)), replica_set("app:1", 5)),
        Decided(
            does=("create ReplicaSet web-76d57f768c (revision 2) with 1 pods", "patch the Rollout: revision=2"),
            status={
                "currentPodHash": "76d57f768c",
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:40Z"},
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "updatedReplicas": 0,
                "conditions": {
                    "Completed": "False RolloutCompleted",
                    "Healthy": "False RolloutHealthy",
                    "Progressing": "True NewReplicaSetCreated",
                },
            },
            because=("the canary's ReplicaSet does not exist yet",),
        ),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_next_turn(row: Row) -> None:
    assert decided(row.here, row.now) == row.decided
