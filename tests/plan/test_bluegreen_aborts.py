"""What becomes of the preview of a blue-green update that is given up?"""

import pytest

from tests.plan.decided import Decided, Row, decided, given
from tests.plan.given import TWO, blue_green, given_up, pointing, previewing, replica_set, stamp, switched, waiting

BOTH = (replica_set("app:1", 5), replica_set("app:2", 5, revision=2, created=50))
BY_HAND = {"autoPromotionEnabled": False}

UNTIL_120 = {"scale-down-deadline": stamp(120)}

ROWS = (
    Row(
        "given up: the preview gets its time",
        given(given_up(), *BOTH, services=pointing()),
        Decided(
            does=("update ReplicaSet web-76d57f768c (revision 2): scale-down-deadline=2026-01-01T00:02:10Z",),
            wakes=130.0,
            because=(
                "the update is aborted: clients stay with stable; retry, or change the template",
                "web-76d57f768c keeps its pods until 2026-01-01T00:02:10Z",
            ),
        ),
    ),
    Row(
        "not before stable is whole",
        given(
            given_up(readyReplicas=4, availableReplicas=4, HPAReplicas=5, conditions=[]),
            replica_set("app:1", 5, 4),
            BOTH[1],
            services=pointing(),
        ),
        Decided(
            status={
                "conditions": {
                    "Available": "False AvailableReason",
                    "Completed": "False RolloutCompleted",
                    "Progressing": "False RolloutAborted",
                }
            },
            because=(
                "the update is aborted: clients stay with stable; retry, or change the template",
                "web-76d57f768c keeps its pods until all pods of stable are available",
            ),
        ),
    ),
    Row(
        "nor while the active Service selects it",
        given(given_up(blueGreen={"activeSelector": TWO, "previewSelector": TWO}), *BOTH, services=pointing(TWO, TWO)),
        Decided(
            does=("switch Service active from '76d57f768c' to '78766d5789'",),
            because=("the update is aborted: the active Service goes back to stable; retry, or change the template",),
        ),
    ),
    Row(
        "its time is over",
        given(
            given_up(),
            BOTH[0],
            replica_set("app:2", 5, revision=2, created=50, annotations=UNTIL_120),
            services=pointing(),
        ),
        Decided(
            does=("update ReplicaSet web-76d57f768c (revision 2): 5 to 0 pods, without scale-down-deadline",),
            because=("the update is aborted: clients stay with stable; retry, or change the template",),
        ),
        now=120,
    ),
    Row(
        "abortScaleDownDelaySeconds 0: it stays for ever",
        given(given_up(blue_green("app:2", strategy={"abortScaleDownDelaySeconds": 0})), *BOTH, services=pointing()),
        Decided(
            because=(
                "the update is aborted: clients stay with stable; retry, or change the template",
                "web-76d57f768c keeps its pods: abortScaleDownDelaySeconds is 0",
            )
        ),
    ),
    Row(
        "given up, and stable is deleted: clients get the only pods that there are",
        given(
            given_up(replicas=5, stableRS="gone", blueGreen={"activeSelector": "gone", "previewSelector": TWO}),
            BOTH[1],
            services=pointing("gone"),
        ),
        Decided(
            does=("switch Service active from 'gone' to '76d57f768c'",),
            because=(
                "status.stableRS, gone, names no ReplicaSet: the current template gets all pods",
                "the update is aborted: stable is gone, so clients get what there is; retry, or change the template",
            ),
        ),
    ),
    Row(
        "tried again: the pause is needed anew, the deadline goes",
        given(
            given_up(blue_green("app:2", strategy=BY_HAND), abort=False),
            BOTH[0],
            replica_set("app:2", 5, revision=2, created=50, annotations=UNTIL_120),
            services=pointing(),
        ),
        Decided(
            does=("update ReplicaSet web-76d57f768c (revision 2): without scale-down-deadline",),
            status={
                "abort": None,
                "abortedAt": None,
                "controllerPause": True,
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:40Z",
                    "manualPauseStartedAt": "2026-01-01T00:01:40Z",
                },
                "message": "BlueGreenPause",
                "pauseConditions": [{"reason": "BlueGreenPause", "startTime": "2026-01-01T00:01:40Z"}],
                "phase": "Paused",
                "conditions": {"Paused": "True RolloutPaused", "Progressing": "Unknown RolloutPaused"},
            },
            because=("autoPromotionEnabled is false: promote to switch the active Service",),
        ),
    ),
    Row(
        "in a pause a new size counts at once",
        given(waiting(blue_green("app:2", replicas=8, strategy=BY_HAND)), *BOTH, services=pointing()),
        Decided(
            does=(
                "update ReplicaSet web-76d57f768c (revision 2): 5 to 8 pods, desired-replicas=8",
                "update ReplicaSet web-78766d5789 (revision 1): 5 to 8 pods, desired-replicas=8",
            ),
            because=(
                "autoPromotionEnabled is false: promote to switch the active Service",
                "the preview is being scaled from 5 to 8 pods",
            ),
        ),
    ),
    Row(
        "spec.paused: deadlines stand still, and are kept",
        given(
            switched(blue_green("app:2", paused=True)),
            replica_set("app:1", 5, annotations=UNTIL_120),
            BOTH[1],
            services=pointing(TWO, TWO),
        ),
        Decided(
            status={
                "message": "manually paused",
                "phase": "Paused",
                "conditions": {"Healthy": "False RolloutHealthy", "Paused": "True RolloutPaused"},
            },
            because=(
                "spec.paused is true: no step completes and nothing is scaled",
                "web-78766d5789 keeps its pods until 2026-01-01T00:02:00Z",
            ),
        ),
        now=130,
    ),
    Row(
        "spec.paused: a new size counts nevertheless",
        given(previewing(blue_green("app:2", replicas=8, paused=True)), *BOTH, services=pointing()),
        Decided(
            does=(
                "update ReplicaSet web-76d57f768c (revision 2): 5 to 8 pods, desired-replicas=8",
                "update ReplicaSet web-78766d5789 (revision 1): 5 to 8 pods, desired-replicas=8",
            ),
            status={
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:20Z",
                    "manualPauseStartedAt": "2026-01-01T00:01:40Z",
                },
                "message": "manually paused",
                "phase": "Paused",
                "conditions": {"Paused": "True RolloutPaused", "Progressing": "Unknown RolloutPaused"},
            },
            because=("spec.paused is true: no step completes; sizes only follow spec.replicas",),
        ),
    ),
    Row(
        "no pod of the preview gets ready: it is reported",
        given(previewing(), BOTH[0], replica_set("app:2", 5, 0, revision=2, created=50), services=pointing()),
        Decided(
            status={
                "message": 'ProgressDeadlineExceeded: ReplicaSet "web-76d57f768c" has timed out progressing.',
                "phase": "Degraded",
                "conditions": {"Progressing": "False ProgressDeadlineExceeded"},
            },
            because=("the preview has 0 of 5 pods available",),
        ),
        now=700,
    ),
    Row(
        "with progressDeadlineAbort it is given up",
        given(
            previewing(blue_green("app:2", progressDeadlineAbort=True)),
            BOTH[0],
            replica_set("app:2", 5, 0, revision=2, created=50),
            services=pointing(),
        ),
        Decided(
            status={
                "abort": True,
                "abortedAt": "2026-01-01T00:11:40Z",
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:20Z",
                    "finishedAt": "2026-01-01T00:11:40Z",
                    "completionStatus": "Aborted",
                },
                "message": (
                    "RolloutAborted: Rollout aborted update to revision 2: "
                    'ReplicaSet "web-76d57f768c" has timed out progressing.'
                ),
                "phase": "Degraded",
                "conditions": {"Progressing": "False RolloutAborted"},
            },
            because=(
                'aborted: ReplicaSet "web-76d57f768c" has timed out progressing.',
                "the update is aborted: clients stay with stable; retry, or change the template",
            ),
        ),
        now=700,
    ),
    Row(
        "the deadline stands still while people are asked",
        given(
            waiting(blue_green("app:2", strategy={"autoPromotionEnabled": False}, progressDeadlineAbort=True)),
            *BOTH,
            services=pointing(),
        ),
        Decided(because=("autoPromotionEnabled is false: promote to switch the active Service",)),
        now=5000,
    ),
    Row(
        "a version on its way out has no deadline",
        given(switched(), *BOTH, services=pointing(TWO, TWO)),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 1): scale-down-deadline=2026-01-01T01:23:50Z",),
            wakes=5030.0,
            because=("web-78766d5789 keeps its pods until 2026-01-01T01:23:50Z",),
        ),
        now=5000,
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_abort(row: Row) -> None:
    assert decided(row.here, row.now) == row.decided
