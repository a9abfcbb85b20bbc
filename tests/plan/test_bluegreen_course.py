"""How does a blue-green update go, from the first pod to its promotion?"""

import pytest

from tests.plan.decided import Decided, Row, decided, given
from tests.plan.given import (
    ONE,
    TWO,
    blue_green,
    green,
    live,
    pointing,
    previewing,
    replica_set,
    waiting,
)

BOTH = (replica_set("app:1", 5), replica_set("app:2", 5, revision=2, created=50))
BY_HAND = {"autoPromotionEnabled": False}

ROWS = (
    Row(
        "a first deploy: all pods at once",
        given(live(blue_green()), services=pointing(None, None, managed=False)),
        Decided(
            does=("create ReplicaSet web-78766d5789 (revision 1) with 5 pods", "patch the Rollout: revision=1"),
            status={
                "HPAReplicas": 0,
                "availableReplicas": 0,
                "currentPodHash": "78766d5789",
                "duration": {"rolloutStartedAt": "2026-01-01T00:00:00Z"},
                "message": "more replicas need to be updated",
                "observedGeneration": "1",
                "phase": "Progressing",
                "readyReplicas": 0,
                "replicas": 0,
                "selector": "app=web",
                "updatedReplicas": 0,
                "conditions": {"Available": "False AvailableReason", "Progressing": "True NewReplicaSetCreated"},
            },
            because=("the current version's ReplicaSet does not exist yet",),
        ),
        now=0,
    ),
    Row(
        "its first version is stable from the start, and goes into preview",
        given(
            live(blue_green(), revision=1, currentPodHash=ONE, observedGeneration="1"),
            replica_set("app:1", 5, 0),
            services=pointing(None, None, managed=False),
        ),
        Decided(
            does=("switch Service preview from '' to '78766d5789'",),
            status={
                "HPAReplicas": 5,
                "availableReplicas": 0,
                "message": "updated replicas are still becoming available",
                "phase": "Progressing",
                "readyReplicas": 0,
                "replicas": 5,
                "selector": "app=web",
                "stableRS": "78766d5789",
                "updatedReplicas": 5,
                "conditions": {
                    "Available": "False AvailableReason",
                    "Completed": "True RolloutCompleted",
                    "Progressing": "True FoundNewReplicaSet",
                },
            },
            because=(
                "the first revision is stable from the start",
                "the current version has 0 of 5 pods available",
                "Service active is not ours yet: it is switched once enough pods of 78766d5789 are available",
            ),
        ),
        now=1,
    ),
    Row("healthy: nothing is written", given(green(), replica_set("app:1", 5), services=pointing(ONE, ONE)), Decided()),
    Row(
        "a new image: all pods beside the active ones",
        given(green(blue_green("app:2")), replica_set("app:1", 5), services=pointing(ONE, ONE)),
        Decided(
            does=("create ReplicaSet web-76d57f768c (revision 2) with 5 pods", "patch the Rollout: revision=2"),
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
            because=(
                "the update begins: the new version comes up beside the active one",
                "the preview's ReplicaSet does not exist yet",
            ),
        ),
    ),
    Row(
        "the preview Service goes to the new version, before it has pods",
        given(previewing(), BOTH[0], replica_set("app:2", 5, 0, revision=2, created=50), services=pointing(ONE, ONE)),
        Decided(
            does=("switch Service preview from '78766d5789' to '76d57f768c'",),
            status={"blueGreen": {"activeSelector": "78766d5789", "previewSelector": "78766d5789"}},
            because=("the preview has 0 of 5 pods available",),
        ),
    ),
    Row(
        "with previewSwitch it waits for them",
        given(
            previewing(blue_green("app:2", strategy={"previewSwitch": "available"})),
            BOTH[0],
            replica_set("app:2", 5, 4, revision=2, created=50),
            services=pointing(ONE, ONE),
        ),
        Decided(
            status={"blueGreen": {"activeSelector": "78766d5789", "previewSelector": "78766d5789"}},
            because=(
                "the preview has 4 of 5 pods available",
                "Service preview still selects 78766d5789: it is switched once all pods of 76d57f768c are available",
            ),
        ),
    ),
    Row(
        "and goes once all are there",
        given(
            waiting(blue_green("app:2", strategy={**BY_HAND, "previewSwitch": "available"})),
            *BOTH,
            services=pointing(ONE, ONE),
        ),
        Decided(
            does=("switch Service preview from '78766d5789' to '76d57f768c'",),
            status={"blueGreen": {"activeSelector": "78766d5789", "previewSelector": "78766d5789"}},
            because=("autoPromotionEnabled is false: promote to switch the active Service",),
        ),
    ),
    Row(
        "the preview is available: the active Service is switched",
        given(previewing(), *BOTH, services=pointing()),
        Decided(
            does=("switch Service active from '78766d5789' to '76d57f768c'",),
            wakes=691.0,
            because=("the preview is available: the active Service is switched once all pods are",),
        ),
    ),
    Row(
        "one pod is missing: it stays",
        given(previewing(), BOTH[0], replica_set("app:2", 5, 4, revision=2, created=50), services=pointing()),
        Decided(wakes=691.0, because=("the preview has 4 of 5 pods available",)),
    ),
    Row(
        "it has been switched: the new version is stable",
        given(previewing(), *BOTH, services=pointing(TWO, TWO)),
        Decided(
            status={
                "blueGreen": {"activeSelector": "76d57f768c", "previewSelector": "76d57f768c"},
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:20Z",
                    "finishedAt": "2026-01-01T00:01:40Z",
                    "completionStatus": "Promoted",
                },
                "message": None,
                "phase": "Healthy",
                "selector": "app=web,rollouts-pod-template-hash=76d57f768c",
                "stableRS": "76d57f768c",
                "conditions": {
                    "Completed": "True RolloutCompleted",
                    "Healthy": "True RolloutHealthy",
                    "Progressing": "True NewReplicaSetAvailable",
                },
            },
            because=("the active Service selects the new version: it becomes stable",),
        ),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_course(row: Row) -> None:
    assert decided(row.here, row.now) == row.decided
