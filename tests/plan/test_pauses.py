"""Who ends a pause, and where does it go on? The protocol of pauseConditions, controllerPause and currentStepIndex."""

import pytest

from tests.plan.decided import BOUNDED, Decided, Row, decided, given
from tests.plan.given import paused, replica_set, rollout, stable, stamp, updating

# At the pause: 40 percent are updated.
HALF = (replica_set("app:1", 3), replica_set("app:2", 2, revision=2))

ROWS = (
    Row(
        "a new image that begins with a pause: no pods yet",
        given(stable(rollout("app:2", steps=[{"pause": {}}])), replica_set("app:1", 5)),
        Decided(
            does=("create ReplicaSet web-76d57f768c (revision 2) with 0 pods", "patch the Rollout: revision=2"),
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
        "an update that begins with a pause pauses",
        given(
            updating(rollout("app:2", steps=[{"pause": {}}]), updated=0),
            replica_set("app:1", 5),
            replica_set("app:2", 0, revision=2),
        ),
        Decided(
            status={
                "canary": {"pausedStepIndex": 0},
                "controllerPause": True,
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:20Z",
                    "manualPauseStartedAt": "2026-01-01T00:01:40Z",
                },
                "message": "CanaryPauseStep",
                "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-01-01T00:01:40Z"}],
                "phase": "Paused",
                "conditions": {"Paused": "True RolloutPaused", "Progressing": "Unknown RolloutPaused"},
            },
            because=("step 1 of 1 (pause): the pause has no duration: promote to go on",),
        ),
    ),
    Row(
        "a pause without end waits for people, without a write",
        given(paused(), *HALF),
        Decided(because=("step 4 of 5 (pause): the pause has no duration: promote to go on",)),
    ),
    Row(
        "pauseConditions cleared: the pause is complete",
        given(paused(pauseConditions=None), *HALF),
        Decided(
            status={
                "canary": None,
                "controllerPause": None,
                "currentStepIndex": 4,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:20Z", "totalManualPauseDurationSeconds": 5},
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "True ReplicaSetUpdated"},
            },
            because=("step 4 of 5 (pause) is complete",),
        ),
    ),
    Row(
        "pauseConditions and controllerPause cleared: that resumes nothing, the pause begins anew",
        given(paused(pauseConditions=None, controllerPause=None), *HALF),
        Decided(
            status={
                "controllerPause": True,
                "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-01-01T00:01:40Z"}],
            },
            because=("step 4 of 5 (pause): the pause has no duration: promote to go on",),
        ),
    ),
    Row(
        "a pause set by another controller (without pausedStepIndex) is resumed all the same",
        given(paused(pauseConditions=None, canary=None), *HALF),
        Decided(
            status={
                "controllerPause": None,
                "currentStepIndex": 4,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:20Z", "totalManualPauseDurationSeconds": 5},
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "True ReplicaSetUpdated"},
            },
            because=("step 4 of 5 (pause) is complete",),
        ),
    ),
    Row(
        "cleared and moved to another pause: that pause holds",
        given(paused(pauseConditions=None, currentStepIndex=1), *HALF),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 1): 3 to 4 pods",),
            status={
                "canary": {"pausedStepIndex": 1},
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:20Z", "totalManualPauseDurationSeconds": 5},
                "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-01-01T00:01:40Z"}],
            },
            wakes=105.0,
            because=(
                "step 2 of 5 (pause: 5s): the pause of 5s ends at 2026-01-01T00:01:45Z",
                "the canary is being scaled from 2 to 1 pod",
                BOUNDED,
            ),
        ),
    ),
    Row(
        "cleared and moved to a weight: its pods come",
        given(paused(pauseConditions=None, currentStepIndex=4), *HALF),
        Decided(
            does=("update ReplicaSet web-76d57f768c (revision 2): 2 to 3 pods",),
            status={
                "canary": None,
                "controllerPause": None,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:20Z", "totalManualPauseDurationSeconds": 5},
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "Unknown RolloutResumed"},
            },
            because=("step 5 of 5 (setWeight: 80): the canary is being scaled from 2 to 4 pods",),
        ),
    ),
    Row(
        "cleared and moved to the end: everything is updated, and no trace of the pause is left",
        given(paused(pauseConditions=None, currentStepIndex=5), *HALF),
        Decided(
            does=("update ReplicaSet web-76d57f768c (revision 2): 2 to 3 pods",),
            status={
                "canary": None,
                "controllerPause": None,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:20Z", "totalManualPauseDurationSeconds": 5},
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "Unknown RolloutResumed"},
            },
            because=("the canary is being scaled from 2 to 5 pods",),
        ),
    ),
    Row(
        "an index beyond the steps means the end",
        given(paused(pauseConditions=None, currentStepIndex=99), *HALF),
        Decided(
            does=("update ReplicaSet web-76d57f768c (revision 2): 2 to 3 pods",),
            status={
                "canary": None,
                "controllerPause": None,
                "currentStepIndex": 5,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:20Z", "totalManualPauseDurationSeconds": 5},
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "True ReplicaSetUpdated"},
            },
            because=("the canary is being scaled from 2 to 5 pods",),
        ),
    ),
    Row(
        "a negative index means the first step",
        given(paused(pauseConditions=None, currentStepIndex=-3), *HALF),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 1): 3 to 4 pods",),
            status={
                "canary": None,
                "controllerPause": None,
                "currentStepIndex": 0,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:20Z", "totalManualPauseDurationSeconds": 5},
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "True ReplicaSetUpdated"},
            },
            because=("step 1 of 5 (setWeight: 20): the canary is being scaled from 2 to 1 pod", BOUNDED),
        ),
    ),
    Row(
        "moved to a timed pause, the old one still there: its time counts from now",
        given(paused(since=50, currentStepIndex=1), *HALF),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 1): 3 to 4 pods",),
            status={
                "canary": {"pausedStepIndex": 1},
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:20Z", "totalManualPauseDurationSeconds": 50},
                "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-01-01T00:01:40Z"}],
            },
            wakes=105.0,
            because=(
                "step 2 of 5 (pause: 5s): the pause of 5s ends at 2026-01-01T00:01:45Z",
                "the canary is being scaled from 2 to 1 pod",
                BOUNDED,
            ),
        ),
    ),
    Row(
        "no index at all: the update begins at its first step",
        given(paused(pauseConditions=None, currentStepIndex=None), *HALF),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 1): 3 to 4 pods",),
            status={
                "canary": None,
                "controllerPause": None,
                "currentStepIndex": 0,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:20Z", "totalManualPauseDurationSeconds": 5},
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "True ReplicaSetUpdated"},
            },
            because=("step 1 of 5 (setWeight: 20): the canary is being scaled from 2 to 1 pod", BOUNDED),
        ),
    ),
    Row(
        "a timed pause waits for its end",
        given(paused(index=1, since=98), replica_set("app:1", 4), replica_set("app:2", 1, revision=2)),
        Decided(
            status={
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:20Z", "totalManualPauseDurationSeconds": 2},
                "updatedReplicas": 1,
            },
            wakes=103.0,
            because=("step 2 of 5 (pause: 5s): the pause of 5s ends at 2026-01-01T00:01:43Z",),
        ),
    ),
    Row(
        "a timed pause is over at its end",
        given(paused(index=1, since=95), replica_set("app:1", 4), replica_set("app:2", 1, revision=2)),
        Decided(
            status={
                "canary": None,
                "controllerPause": None,
                "currentStepIndex": 2,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:20Z", "totalManualPauseDurationSeconds": 5},
                "message": "more replicas need to be updated",
                "pauseConditions": None,
                "phase": "Progressing",
                "updatedReplicas": 1,
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "True ReplicaSetUpdated"},
            },
            because=("step 2 of 5 (pause: 5s) is complete",),
        ),
    ),
    Row(
        "a timed pause can be resumed before its end",
        given(
            paused(index=1, since=98, pauseConditions=None),
            replica_set("app:1", 4),
            replica_set("app:2", 1, revision=2),
        ),
        Decided(
            status={
                "canary": None,
                "controllerPause": None,
                "currentStepIndex": 2,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:20Z", "totalManualPauseDurationSeconds": 2},
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "updatedReplicas": 1,
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "True ReplicaSetUpdated"},
            },
            because=("step 2 of 5 (pause: 5s) is complete",),
        ),
    ),
    Row(
        "a pause in rubbish that somebody wrote is not cleared: it begins again",
        given(paused(pauseConditions=[{"reason": "CanaryPauseStep", "startTime": "soon"}]), *HALF),
        Decided(
            status={"pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-01-01T00:01:40Z"}]},
            because=(
                "step 4 of 5 (pause): the pause has no duration: promote to go on",
                "status part ignored: status.pauseConditions[0]: {'reason': 'CanaryPauseStep', 'startTime': 'soon'}",
            ),
        ),
    ),
    Row(
        "an analysis could not decide: everything stays, until somebody does",
        given(
            paused(
                pauseConditions=[{"reason": "InconclusiveAnalysisRun", "startTime": stamp(95)}],
                index=4,
                message="InconclusiveAnalysisRun",
            ),
            *HALF,
        ),
        Decided(
            because=("a measurement was inconclusive: nothing is scaled until somebody promotes or aborts",),
        ),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_pause(row: Row) -> None:
    assert decided(row.here, row.now) == row.decided
