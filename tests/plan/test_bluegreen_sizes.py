"""How many pods has each version of a blue-green rollout, and until when?"""

import pytest

from tests.plan.decided import Decided, Row, decided, given
from tests.plan.given import (
    ONE,
    TWO,
    blue_green,
    green,
    pointing,
    previewing,
    replica_set,
    stamp,
)

BOTH = (replica_set("app:1", 5), replica_set("app:2", 5, revision=2, created=50))
BY_HAND = {"autoPromotionEnabled": False}

SMALL = {"previewReplicaCount": 2}
UNTIL_120 = {"scale-down-deadline": stamp(120)}

ROWS = (
    Row(
        "previewReplicaCount: a small preview",
        given(green(blue_green("app:2", strategy=SMALL)), replica_set("app:1", 5), services=pointing(ONE, ONE)),
        Decided(
            does=("create ReplicaSet web-76d57f768c (revision 2) with 2 pods", "patch the Rollout: revision=2"),
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
        "more than spec.replicas is as many",
        given(
            green(blue_green("app:2", strategy={"previewReplicaCount": 9})),
            replica_set("app:1", 5),
            services=pointing(ONE, ONE),
        ),
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
        "the small preview is available: the check point",
        given(
            previewing(
                blue_green("app:2", strategy=SMALL),
                replicas=7,
                updatedReplicas=2,
                message="more replicas need to be updated",
            ),
            BOTH[0],
            replica_set("app:2", 2, revision=2, created=50),
            services=pointing(),
        ),
        Decided(
            status={
                "blueGreen": {
                    "activeSelector": "78766d5789",
                    "previewSelector": "76d57f768c",
                    "scaleUpPreviewCheckPoint": True,
                }
            },
            wakes=691.0,
            because=("the preview is available: the active Service is switched once all pods are",),
        ),
    ),
    Row(
        "past it the preview grows",
        given(
            previewing(
                blue_green("app:2", strategy=SMALL),
                replicas=7,
                updatedReplicas=2,
                message="more replicas need to be updated",
                blueGreen={"activeSelector": ONE, "previewSelector": TWO, "scaleUpPreviewCheckPoint": True},
            ),
            BOTH[0],
            replica_set("app:2", 2, revision=2, created=50),
            services=pointing(),
        ),
        Decided(
            does=("update ReplicaSet web-76d57f768c (revision 2): 2 to 5 pods",),
            wakes=691.0,
            because=(
                "the preview is promoted: the active Service is switched once all pods are available",
                "the preview is being scaled from 2 to 5 pods",
            ),
        ),
    ),
    Row(
        "full promotion needs no small preview",
        given(
            previewing(
                blue_green("app:2", strategy=SMALL),
                replicas=7,
                updatedReplicas=2,
                message="more replicas need to be updated",
                promoteFull=True,
            ),
            BOTH[0],
            replica_set("app:2", 2, revision=2, created=50),
            services=pointing(),
        ),
        Decided(
            does=("update ReplicaSet web-76d57f768c (revision 2): 2 to 5 pods",),
            wakes=691.0,
            because=(
                "full promotion was requested: no pause is needed",
                "the preview is being scaled from 2 to 5 pods",
            ),
        ),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_sizes(row: Row) -> None:
    assert decided(row.here, row.now) == row.decided
