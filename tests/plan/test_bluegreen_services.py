"""Which version do the clients of a blue-green rollout reach, whatever happens to its Services?"""

import pytest

from rollouts.plan import Refusal, observe_rollout
from tests.plan.decided import Decided, Row, decided, given
from tests.plan.given import (
    ONE,
    TWO,
    Raw,
    blue_green,
    given_up,
    green,
    pointing,
    previewing,
    replica_set,
    stamp,
    switched,
    waiting,
)

BOTH = (replica_set("app:1", 5), replica_set("app:2", 5, revision=2, created=50))
BY_HAND = {"autoPromotionEnabled": False}

BACK: Raw = {"currentPodHash": ONE, "stableRS": TWO, "blueGreen": {"activeSelector": TWO, "previewSelector": ONE}}
UNTIL_120 = {"scale-down-deadline": stamp(120)}
OLD = replica_set("app:1", 5, revision=3, annotations=UNTIL_120)
FORMER: Raw = {"metadata": {"name": "former", "uid": "uid-former", "resourceVersion": "5"}, "spec": {}}
FORBIDDEN = Refusal("switch", "Service", "active", "Forbidden", "services is forbidden")
NONE_AT_ALL = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 0)

ROWS = (
    Row(
        "a Service that serves a Deployment is taken over by a whole version",
        given(
            green(blueGreen={"previewSelector": ONE}, message="active service cutover pending", phase="Progressing"),
            replica_set("app:1", 5),
            services=pointing(None, ONE, managed=False),
        ),
        Decided(
            does=("switch Service active from '' to '78766d5789'",),
            status={"conditions": {"Healthy": "False RolloutHealthy", "Progressing": "True ReplicaSetNotAvailable"}},
        ),
    ),
    Row(
        "a pod is missing: it is left alone",
        given(
            green(blueGreen={"previewSelector": ONE}, message="active service cutover pending", phase="Progressing"),
            replica_set("app:1", 5, 4),
            services=pointing(None, ONE, managed=False),
        ),
        Decided(
            status={
                "availableReplicas": 4,
                "message": "updated replicas are still becoming available",
                "readyReplicas": 4,
                "conditions": {
                    "Available": "False AvailableReason",
                    "Healthy": "False RolloutHealthy",
                    "Progressing": "True ReplicaSetNotAvailable",
                },
            },
            because=(
                "the current version has 4 of 5 pods available",
                "Service active is not ours yet: it is switched once enough pods of 78766d5789 are available",
            ),
        ),
    ),
    Row(
        "of no pods at all: a Service that isn't ours is left alone",
        given(
            green(
                blue_green(replicas=0),
                replicas=0,
                updatedReplicas=0,
                readyReplicas=0,
                availableReplicas=0,
                blueGreen={"previewSelector": ONE},
            ),
            replica_set("app:1", 0, desired=0),
            services=pointing(None, ONE, managed=False),
        ),
        Decided(
            because=("Service active is not ours yet: it is switched once enough pods of 78766d5789 are available",)
        ),
    ),
    Row(
        "no pods wanted: an update is only a switch",
        given(
            previewing(
                blue_green("app:2", replicas=0), replicas=0, updatedReplicas=0, readyReplicas=0, availableReplicas=0
            ),
            replica_set("app:1", 0, desired=0),
            replica_set("app:2", 0, desired=0, revision=2, created=50),
            services=pointing(),
        ),
        Decided(
            does=("switch Service active from '78766d5789' to '76d57f768c'",),
            wakes=691.0,
            because=("the preview is available: the active Service is switched once all pods are",),
        ),
    ),
    Row(
        "created anew in mid-update: it selects the preview, too, and goes back to stable",
        given(waiting(blueGreen={"previewSelector": TWO}), *BOTH, services=pointing(None, TWO, managed=False)),
        Decided(
            does=("switch Service active from '' to '78766d5789'",),
            status={"HPAReplicas": 10, "availableReplicas": 10, "readyReplicas": 10},
            waits=True,
            because=("autoPromotionEnabled is false: promote to switch the active Service",),
        ),
    ),
    Row(
        "edited by hand to a version that is on its way out: that stays, and the Service goes back",
        given(switched(revision=4), OLD, replica_set("app:2", 5, revision=4, created=50), services=pointing(ONE, TWO)),
        Decided(
            does=(
                "update ReplicaSet web-78766d5789 (revision 3): without scale-down-deadline",
                "switch Service active from '78766d5789' to '76d57f768c'",
            ),
            status={
                "blueGreen": {"activeSelector": "78766d5789", "previewSelector": "76d57f768c"},
                "message": "active service cutover pending",
                "phase": "Progressing",
                "selector": "app=web,rollouts-pod-template-hash=78766d5789",
                "conditions": {"Healthy": "False RolloutHealthy", "Progressing": "True ReplicaSetNotAvailable"},
            },
        ),
    ),
    Row(
        "edited by hand to nothing: back at once",
        given(green(), replica_set("app:1", 5), services=pointing("gone", ONE)),
        Decided(
            does=("switch Service active from 'gone' to '78766d5789'",),
            status={
                "blueGreen": {"activeSelector": "gone", "previewSelector": "78766d5789"},
                "message": "active service cutover pending",
                "phase": "Progressing",
                "selector": "app=web,rollouts-pod-template-hash=gone",
                "conditions": {"Healthy": "False RolloutHealthy", "Progressing": "True ReplicaSetNotAvailable"},
            },
        ),
    ),
    Row(
        "edited by hand, and stable has fewer pods than the Service reaches: it waits",
        given(
            switched(revision=4), OLD, replica_set("app:2", 5, 3, revision=4, created=50), services=pointing(ONE, TWO)
        ),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 3): without scale-down-deadline",),
            status={
                "blueGreen": {"activeSelector": "78766d5789", "previewSelector": "76d57f768c"},
                "message": "active service cutover pending",
                "phase": "Progressing",
                "selector": "app=web,rollouts-pod-template-hash=78766d5789",
                "conditions": {"Healthy": "False RolloutHealthy", "Progressing": "True ReplicaSetNotAvailable"},
            },
            because=(
                "the current version has 3 of 5 pods available",
                "Service active still selects 78766d5789: it is switched once enough pods of 76d57f768c are available",
            ),
        ),
    ),
    Row(
        "edited by hand to the preview: that is a promotion",
        given(waiting(), *BOTH, services=pointing(TWO, TWO)),
        Decided(
            status={
                "blueGreen": {"activeSelector": "76d57f768c", "previewSelector": "76d57f768c"},
                "controllerPause": None,
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:20Z",
                    "finishedAt": "2026-01-01T00:01:40Z",
                    "totalManualPauseDurationSeconds": 5,
                    "completionStatus": "Promoted",
                },
                "message": None,
                "pauseConditions": None,
                "phase": "Healthy",
                "selector": "app=web,rollouts-pod-template-hash=76d57f768c",
                "stableRS": "76d57f768c",
                "conditions": {
                    "Completed": "True RolloutCompleted",
                    "Healthy": "True RolloutHealthy",
                    "Paused": "False RolloutPaused",
                    "Progressing": "True NewReplicaSetAvailable",
                },
            },
            because=("the active Service selects the new version: it becomes stable",),
        ),
    ),
    Row(
        "a Service that the spec names no longer is given back before anything else",
        observe_rollout(
            previewing(),
            BOTH,
            pointing(),
            left=[FORMER],
        ),
        Decided(
            does=("release Service former",),
            because=("the spec no longer names these Services, they are let go first: former",),
        ),
    ),
    Row(
        "the mark is missing: it is written, without a word",
        given(green(), replica_set("app:1", 5), services=pointing(ONE, ONE, managed=False)),
        Decided(does=("switch Service active from '78766d5789' to '78766d5789'",)),
    ),
    Row(
        "given up after the switch: back to stable",
        given(given_up(blueGreen={"activeSelector": TWO, "previewSelector": TWO}), *BOTH, services=pointing(TWO, TWO)),
        Decided(
            does=("switch Service active from '76d57f768c' to '78766d5789'",),
            because=("the update is aborted: the active Service goes back to stable; retry, or change the template",),
        ),
    ),
    Row(
        "given up, and stable has one pod: that will do",
        given(
            given_up(blueGreen={"activeSelector": TWO, "previewSelector": TWO}),
            replica_set("app:1", 5, 1),
            BOTH[1],
            services=pointing(TWO, TWO),
        ),
        Decided(
            does=("switch Service active from '76d57f768c' to '78766d5789'",),
            because=("the update is aborted: the active Service goes back to stable; retry, or change the template",),
        ),
    ),
    Row(
        "given up, and stable has none: clients stay where pods are",
        given(
            given_up(blueGreen={"activeSelector": TWO, "previewSelector": TWO}),
            replica_set("app:1", 5, 0),
            BOTH[1],
            services=pointing(TWO, TWO),
        ),
        Decided(
            because=(
                "the update is aborted: the active Service goes back to stable; retry, or change the template",
                "Service active still selects 76d57f768c: it is switched once enough pods of 78766d5789 are available",
            )
        ),
    ),
    Row(
        "back to a version that is still up: no pause, and the deadline remembers it",
        given(
            waiting(blue_green(strategy=BY_HAND), pauseConditions=None, controllerPause=None, **BACK),
            OLD,
            BOTH[1],
            services=pointing(TWO, ONE),
        ),
        Decided(
            does=("switch Service active from '76d57f768c' to '78766d5789'", "patch the Rollout: revision=3"),
            status={
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:20Z", "totalManualPauseDurationSeconds": 5},
                "message": "active service cutover pending",
                "phase": "Progressing",
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "Unknown RolloutResumed"},
            },
            wakes=120.0,
            because=(
                "back to a version that is still up: no pause is needed",
                "web-78766d5789 keeps its pods until 2026-01-01T00:02:00Z",
            ),
        ),
    ),
    Row(
        "its time is over before its pods are there: an update like any other",
        given(
            waiting(blue_green(strategy=BY_HAND), pauseConditions=None, controllerPause=None, **BACK),
            OLD,
            BOTH[1],
            services=pointing(TWO, ONE),
        ),
        Decided(
            does=(
                "update ReplicaSet web-78766d5789 (revision 3): without scale-down-deadline",
                "patch the Rollout: revision=3",
            ),
            status={
                "controllerPause": True,
                "pauseConditions": [{"reason": "BlueGreenPause", "startTime": "2026-01-01T00:02:01Z"}],
            },
            because=("autoPromotionEnabled is false: promote to switch the active Service",),
        ),
        now=121,
    ),
    Row(
        "stable is gone: the only version left serves without a pause",
        given(waiting(), BOTH[1], services=pointing()),
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
                "replicas": 5,
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "True ReplicaSetUpdated"},
            },
            because=(
                "status.stableRS, 78766d5789, names no ReplicaSet: the current template gets all pods",
                "the stable ReplicaSet is gone: no pause is needed",
            ),
        ),
    ),
    Row(
        "the API server refuses the switch: people hear why nothing moves",
        given(previewing(), *BOTH, services=pointing(), refusals=[FORBIDDEN]),
        Decided(
            does=("switch Service active from '78766d5789' to '76d57f768c'",),
            wakes=691.0,
            because=(
                "the API server refuses to switch Service active: services is forbidden",
                "the preview is available: the active Service is switched once all pods are",
            ),
        ),
    ),
    Row(
        "scaled to none, with a preview that never had any pods: nothing is left to wait for",
        given(
            previewing(blue_green("app:2", replicas=0), **NONE_AT_ALL),
            replica_set("app:1", 0, desired=0),
            replica_set("app:2", 0, revision=2, created=50, desired=5),
            services=pointing(),
        ),
        Decided(
            does=("switch Service active from '78766d5789' to '76d57f768c'",),
            wakes=691.0,
            because=("the preview is available: the active Service is switched once all pods are",),
        ),
    ),
    Row(
        "scaled a moment ago: its status counts pods from before",
        given(
            previewing(),
            BOTH[0],
            {**BOTH[1], "metadata": {**BOTH[1]["metadata"], "generation": 2}},
            services=pointing(),
        ),
        Decided(wakes=691.0, because=("the preview has just been scaled: its pods are counted anew",)),
    ),
    Row(
        "without a preview Service there is one switch fewer",
        given(
            previewing(blue_green("app:2", strategy={"previewService": None}), blueGreen={"activeSelector": ONE}),
            *BOTH,
            services={"active": pointing()["active"]},
        ),
        Decided(
            does=("switch Service active from '78766d5789' to '76d57f768c'",),
            wakes=691.0,
            because=("the preview is available: the active Service is switched once all pods are",),
        ),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_services(row: Row) -> None:
    assert decided(row.here, row.now) == row.decided
