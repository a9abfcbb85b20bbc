"""What do people ask for by patching the status, and what is decided about it?"""

import pytest

from tests.plan.decided import BOUNDED, Decided, Row, decided, given
from tests.plan.given import aborted, paused, replica_set, rollout, stable, updating

# At the pause: 40 percent are updated.
HALF = (replica_set("app:1", 3), replica_set("app:2", 2, revision=2))
ABORTED = "the update is aborted: everything goes back to stable; retry, or change the template"

ROWS = (
    Row(
        "abort: stable grows first, as far as surge allows",
        given(paused(abort=True), *HALF),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 1): 3 to 4 pods",),
            status={
                "abortedAt": "2026-01-01T00:01:40Z",
                "canary": None,
                "controllerPause": None,
                "currentStepIndex": 0,
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:20Z",
                    "finishedAt": "2026-01-01T00:01:40Z",
                    "totalManualPauseDurationSeconds": 5,
                    "completionStatus": "Aborted",
                },
                "message": "RolloutAborted: Rollout aborted update to revision 2",
                "pauseConditions": None,
                "phase": "Degraded",
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "False RolloutAborted"},
            },
            because=(
                ABORTED,
                "the canary is being scaled from 2 to 0 pods",
                BOUNDED,
            ),
        ),
    ),
    Row(
        "abort, once stable has grown: the canary shrinks",
        given(aborted(), replica_set("app:1", 4), replica_set("app:2", 2, revision=2)),
        Decided(
            does=("update ReplicaSet web-76d57f768c (revision 2): 2 to 1 pods",),
            status={"HPAReplicas": 6, "availableReplicas": 6, "readyReplicas": 6, "replicas": 6, "updatedReplicas": 2},
            waits=True,
            because=(
                ABORTED,
                "the canary is being scaled from 2 to 0 pods",
            ),
        ),
    ),
    Row(
        "abort, all pods back: nothing is left to do",
        given(aborted(), replica_set("app:1", 5), replica_set("app:2", 0, revision=2)),
        Decided(because=(ABORTED,)),
    ),
    Row(
        "abort removes crashing canary pods although stable is not complete",
        given(aborted(), replica_set("app:1", 4), replica_set("app:2", 2, 0, revision=2)),
        Decided(
            does=("update ReplicaSet web-76d57f768c (revision 2): 2 to 1 pods",),
            status={
                "HPAReplicas": 6,
                "availableReplicas": 4,
                "readyReplicas": 4,
                "replicas": 6,
                "updatedReplicas": 2,
                "conditions": {"Available": "False AvailableReason"},
            },
            waits=True,
            because=(
                ABORTED,
                "the canary is being scaled from 2 to 0 pods",
            ),
        ),
    ),
    Row(
        "abort while nothing is updated is dropped",
        given(stable(abort=True), replica_set("app:1", 5)),
        Decided(status={"abort": None}),
    ),
    Row(
        "promoteFull while nothing is updated is dropped",
        given(stable(promoteFull=True), replica_set("app:1", 5)),
        Decided(status={"promoteFull": None}),
    ),
    Row(
        "retry by false: the first step begins again",
        given(aborted(abort=False), replica_set("app:1", 5), replica_set("app:2", 0, revision=2)),
        Decided(
            does=("update ReplicaSet web-76d57f768c (revision 2): 0 to 1 pods",),
            status={
                "abort": None,
                "abortedAt": None,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:40Z"},
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "conditions": {"Progressing": "Unknown RolloutRetry"},
            },
            because=("step 1 of 5 (setWeight: 20): the canary is being scaled from 0 to 1 pod",),
        ),
    ),
    Row(
        "retry by null: the same",
        given(aborted(abort=None), replica_set("app:1", 5), replica_set("app:2", 0, revision=2)),
        Decided(
            does=("update ReplicaSet web-76d57f768c (revision 2): 0 to 1 pods",),
            status={
                "abortedAt": None,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:40Z"},
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "conditions": {"Progressing": "Unknown RolloutRetry"},
            },
            because=("step 1 of 5 (setWeight: 20): the canary is being scaled from 0 to 1 pod",),
        ),
    ),
    Row(
        "promoteFull in a pause: the canary grows, as far as surge allows",
        given(paused(promoteFull=True), *HALF),
        Decided(
            does=("update ReplicaSet web-76d57f768c (revision 2): 2 to 3 pods",),
            status={
                "canary": None,
                "controllerPause": None,
                "currentStepIndex": 5,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:20Z", "totalManualPauseDurationSeconds": 5},
                "message": "more replicas need to be updated",
                "pauseConditions": None,
                "phase": "Progressing",
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "True ReplicaSetUpdated"},
            },
            because=("full promotion was requested: steps are skipped", "the canary is being scaled from 2 to 5 pods"),
        ),
    ),
    Row(
        "promoteFull, all pods updated: the canary becomes stable",
        given(
            updating(promoteFull=True, index=5, updated=5, total=6),
            replica_set("app:1", 1),
            replica_set("app:2", 5, revision=2),
        ),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 1): 1 to 0 pods",),
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
                "the previous stable ReplicaSet still has 1 pod",
            ),
        ),
    ),
    Row(
        "promoteFull and a new abort: the abort wins",
        given(paused(promoteFull=True, abort=True), *HALF),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 1): 3 to 4 pods",),
            status={
                "abortedAt": "2026-01-01T00:01:40Z",
                "canary": None,
                "controllerPause": None,
                "currentStepIndex": 0,
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:20Z",
                    "finishedAt": "2026-01-01T00:01:40Z",
                    "totalManualPauseDurationSeconds": 5,
                    "completionStatus": "Aborted",
                },
                "message": "RolloutAborted: Rollout aborted update to revision 2",
                "pauseConditions": None,
                "phase": "Degraded",
                "promoteFull": None,
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "False RolloutAborted"},
            },
            because=(
                ABORTED,
                "the canary is being scaled from 2 to 0 pods",
                BOUNDED,
            ),
        ),
    ),
    Row(
        "an abort that was carried out before, then promoteFull: the promotion wins",
        given(aborted(promoteFull=True), replica_set("app:1", 5), replica_set("app:2", 0, revision=2)),
        Decided(
            does=("update ReplicaSet web-76d57f768c (revision 2): 0 to 1 pods",),
            status={
                "abort": None,
                "abortedAt": None,
                "currentStepIndex": 5,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:40Z"},
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "conditions": {"Progressing": "True ReplicaSetUpdated"},
            },
            because=("full promotion was requested: steps are skipped", "the canary is being scaled from 0 to 5 pods"),
        ),
    ),
    Row(
        "spec.paused: nothing moves",
        given(updating(rollout("app:2", paused=True)), replica_set("app:1", 5), replica_set("app:2", 1, revision=2)),
        Decided(
            status={
                "HPAReplicas": 6,
                "availableReplicas": 6,
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:20Z",
                    "manualPauseStartedAt": "2026-01-01T00:01:40Z",
                },
                "message": "manually paused",
                "phase": "Paused",
                "readyReplicas": 6,
                "replicas": 6,
                "conditions": {"Paused": "True RolloutPaused", "Progressing": "Unknown RolloutPaused"},
            },
            because=("spec.paused is true: no step completes and nothing is scaled",),
        ),
    ),
    Row(
        "spec.paused: a resumed pause is remembered until it is false again",
        given(paused(rollout("app:2", paused=True), pauseConditions=None), *HALF),
        Decided(
            status={"message": "manually paused"},
            waits=True,
            because=("spec.paused is true: no step completes and nothing is scaled",),
        ),
    ),
    Row(
        "spec.paused doesn't keep an abort from being noted; pods stay",
        given(paused(rollout("app:2", paused=True), abort=True), *HALF),
        Decided(
            status={
                "abortedAt": "2026-01-01T00:01:40Z",
                "canary": None,
                "controllerPause": None,
                "currentStepIndex": 0,
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:20Z",
                    "manualPauseStartedAt": "2026-01-01T00:01:35Z",
                    "finishedAt": "2026-01-01T00:01:40Z",
                    "completionStatus": "Aborted",
                },
                "message": "RolloutAborted: Rollout aborted update to revision 2",
                "pauseConditions": None,
                "phase": "Degraded",
                "conditions": {"Progressing": "False RolloutAborted"},
            },
            because=(
                "spec.paused is true: no step completes and nothing is scaled",
                ABORTED.replace("to stable", "to stable once spec.paused is false"),
            ),
        ),
    ),
    Row(
        "spec.paused: a new template gets its ReplicaSet, without pods",
        given(stable(rollout("app:2", paused=True)), replica_set("app:1", 5)),
        Decided(
            does=("create ReplicaSet web-76d57f768c (revision 2) with 0 pods", "patch the Rollout: revision=2"),
            status={
                "currentPodHash": "76d57f768c",
                "currentStepIndex": 0,
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:40Z",
                    "manualPauseStartedAt": "2026-01-01T00:01:40Z",
                },
                "message": "manually paused",
                "phase": "Paused",
                "updatedReplicas": 0,
                "conditions": {
                    "Completed": "False RolloutCompleted",
                    "Healthy": "False RolloutHealthy",
                    "Paused": "True RolloutPaused",
                    "Progressing": "Unknown RolloutPaused",
                },
            },
            because=("spec.paused is true: no step completes and nothing is scaled", "the update begins at step 1"),
        ),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_request_is_carried_out(row: Row) -> None:
    assert decided(row.here, row.now) == row.decided
