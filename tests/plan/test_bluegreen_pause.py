"""Who ends the pause before the switch of a blue-green update, and when?"""

import pytest

from tests.plan.decided import Decided, Row, decided, given
from tests.plan.given import ONE, TWO, blue_green, pointing, previewing, replica_set, stamp, waiting

BOTH = (replica_set("app:1", 5), replica_set("app:2", 5, revision=2, created=50))
BY_HAND = {"autoPromotionEnabled": False}

ROWS = (
    Row(
        "autoPromotionEnabled is false: it pauses",
        given(previewing(blue_green("app:2", strategy=BY_HAND)), *BOTH, services=pointing()),
        Decided(
            status={
                "controllerPause": True,
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:20Z",
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
        "no pause before the preview is available",
        given(
            previewing(blue_green("app:2", strategy=BY_HAND)),
            BOTH[0],
            replica_set("app:2", 5, 4, revision=2, created=50),
            services=pointing(),
        ),
        Decided(wakes=691.0, because=("the preview has 4 of 5 pods available",)),
    ),
    Row(
        "it waits for people, without a write",
        given(waiting(), *BOTH, services=pointing()),
        Decided(because=("autoPromotionEnabled is false: promote to switch the active Service",)),
    ),
    Row(
        "a pod of the preview fails meanwhile: it goes on waiting",
        given(waiting(), BOTH[0], replica_set("app:2", 5, 4, revision=2, created=50), services=pointing()),
        Decided(
            because=(
                "autoPromotionEnabled is false: promote to switch the active Service",
                "the preview has 4 of 5 pods available",
            )
        ),
    ),
    Row(
        "promoted: the active Service is switched",
        given(waiting(pauseConditions=None), *BOTH, services=pointing()),
        Decided(
            does=("switch Service active from '78766d5789' to '76d57f768c'",),
            status={
                "blueGreen": {
                    "activeSelector": "78766d5789",
                    "previewSelector": "76d57f768c",
                    "scaleUpPreviewCheckPoint": True,
                },
                "controllerPause": None,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:20Z", "totalManualPauseDurationSeconds": 5},
                "message": "active service cutover pending",
                "phase": "Progressing",
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "Unknown RolloutResumed"},
            },
            because=("somebody has promoted the preview",),
        ),
    ),
    Row(
        "promoted while a pod is missing: the word is kept",
        given(
            waiting(pauseConditions=None),
            BOTH[0],
            replica_set("app:2", 5, 4, revision=2, created=50),
            services=pointing(),
        ),
        Decided(
            status={
                "blueGreen": {
                    "activeSelector": "78766d5789",
                    "previewSelector": "76d57f768c",
                    "scaleUpPreviewCheckPoint": True,
                },
                "controllerPause": None,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:20Z", "totalManualPauseDurationSeconds": 5},
                "message": "active service cutover pending",
                "phase": "Progressing",
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "Unknown RolloutResumed"},
            },
            because=("somebody has promoted the preview", "the preview has 4 of 5 pods available"),
        ),
    ),
    Row(
        "and the switch follows once it is there",
        given(
            previewing(
                blue_green("app:2", strategy=BY_HAND),
                blueGreen={"activeSelector": ONE, "previewSelector": TWO, "scaleUpPreviewCheckPoint": True},
            ),
            *BOTH,
            services=pointing(),
        ),
        Decided(
            does=("switch Service active from '78766d5789' to '76d57f768c'",),
            wakes=691.0,
            because=("the preview is promoted: the active Service is switched once all pods are available",),
        ),
    ),
    Row(
        "autoPromotionSeconds: it pauses for a while",
        given(previewing(blue_green("app:2", strategy={"autoPromotionSeconds": 30})), *BOTH, services=pointing()),
        Decided(
            status={
                "controllerPause": True,
                "message": "BlueGreenPause",
                "pauseConditions": [{"reason": "BlueGreenPause", "startTime": "2026-01-01T00:01:40Z"}],
                "phase": "Paused",
                "conditions": {"Paused": "True RolloutPaused", "Progressing": "Unknown RolloutPaused"},
            },
            wakes=130.0,
            because=("autoPromotionSeconds: the preview is promoted at 2026-01-01T00:02:10Z",),
        ),
    ),
    Row(
        "the time isn't over",
        given(
            waiting(
                blue_green("app:2", strategy={"autoPromotionSeconds": 30}), duration={"rolloutStartedAt": stamp(80)}
            ),
            *BOTH,
            services=pointing(),
        ),
        Decided(wakes=125.0, because=("autoPromotionSeconds: the preview is promoted at 2026-01-01T00:02:05Z",)),
        now=110,
    ),
    Row(
        "the time is over: the active Service is switched",
        given(
            waiting(
                blue_green("app:2", strategy={"autoPromotionSeconds": 30}), duration={"rolloutStartedAt": stamp(80)}
            ),
            *BOTH,
            services=pointing(),
        ),
        Decided(
            does=("switch Service active from '78766d5789' to '76d57f768c'",),
            status={
                "blueGreen": {
                    "activeSelector": "78766d5789",
                    "previewSelector": "76d57f768c",
                    "scaleUpPreviewCheckPoint": True,
                },
                "controllerPause": None,
                "message": "active service cutover pending",
                "pauseConditions": None,
                "phase": "Progressing",
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "Unknown RolloutResumed"},
            },
            because=("autoPromotionSeconds are over: the active Service is switched once all pods are available",),
        ),
        now=125,
    ),
    Row(
        "autoPromotionEnabled false makes autoPromotionSeconds mean nothing",
        given(
            waiting(blue_green("app:2", strategy={**BY_HAND, "autoPromotionSeconds": 3})), *BOTH, services=pointing()
        ),
        Decided(because=("autoPromotionEnabled is false: promote to switch the active Service",)),
    ),
    Row(
        "somebody allows automatic promotion in mid-pause",
        given(waiting(blue_green("app:2")), *BOTH, services=pointing()),
        Decided(
            does=("switch Service active from '78766d5789' to '76d57f768c'",),
            status={
                "blueGreen": {
                    "activeSelector": "78766d5789",
                    "previewSelector": "76d57f768c",
                    "scaleUpPreviewCheckPoint": True,
                },
                "controllerPause": None,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:20Z", "totalManualPauseDurationSeconds": 5},
                "message": "active service cutover pending",
                "pauseConditions": None,
                "phase": "Progressing",
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "Unknown RolloutResumed"},
            },
            because=("the preview is available: the active Service is switched once all pods are",),
        ),
    ),
    Row(
        "full promotion needs no pause",
        given(waiting(promoteFull=True), *BOTH, services=pointing()),
        Decided(
            does=("switch Service active from '78766d5789' to '76d57f768c'",),
            status={
                "controllerPause": None,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:20Z", "totalManualPauseDurationSeconds": 5},
                "message": "active service cutover pending",
                "pauseConditions": None,
                "phase": "Progressing",
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "Unknown RolloutResumed"},
            },
            because=("full promotion was requested: no pause is needed",),
        ),
    ),
    Row(
        "but all of its pods",
        given(
            waiting(promoteFull=True), BOTH[0], replica_set("app:2", 5, 4, revision=2, created=50), services=pointing()
        ),
        Decided(
            status={
                "controllerPause": None,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:20Z", "totalManualPauseDurationSeconds": 5},
                "message": "active service cutover pending",
                "pauseConditions": None,
                "phase": "Progressing",
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "Unknown RolloutResumed"},
            },
            because=("full promotion was requested: no pause is needed", "the preview has 4 of 5 pods available"),
        ),
    ),
    Row(
        "previewReplicaCount is lowered as the pause ends: pods that are needed at once stay",
        given(waiting(blue_green("app:2", strategy={"previewReplicaCount": 1})), *BOTH, services=pointing()),
        Decided(
            does=("switch Service active from '78766d5789' to '76d57f768c'",),
            status={
                "blueGreen": {
                    "activeSelector": "78766d5789",
                    "previewSelector": "76d57f768c",
                    "scaleUpPreviewCheckPoint": True,
                },
                "controllerPause": None,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:20Z", "totalManualPauseDurationSeconds": 5},
                "message": "active service cutover pending",
                "pauseConditions": None,
                "phase": "Progressing",
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "Unknown RolloutResumed"},
            },
            because=("the preview is available: the active Service is switched once all pods are",),
        ),
    ),
    Row(
        "it is lowered in the pause: the preview shrinks",
        given(
            waiting(blue_green("app:2", strategy={"autoPromotionEnabled": False, "previewReplicaCount": 1})),
            *BOTH,
            services=pointing(),
        ),
        Decided(
            does=("update ReplicaSet web-76d57f768c (revision 2): 5 to 1 pods",),
            because=(
                "autoPromotionEnabled is false: promote to switch the active Service",
                "the preview is being scaled from 5 to 1 pod",
            ),
        ),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_pause(row: Row) -> None:
    assert decided(row.here, row.now) == row.decided
