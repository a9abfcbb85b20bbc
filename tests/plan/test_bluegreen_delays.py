"""How long does a version of a blue-green rollout that is out of use keep its pods?"""

import pytest

from tests.plan.decided import Decided, Row, decided, given
from tests.plan.given import (
    ONE,
    THREE,
    TWO,
    blue_green,
    pointing,
    previewing,
    replica_set,
    stamp,
    switched,
)

BOTH = (replica_set("app:1", 5), replica_set("app:2", 5, revision=2, created=50))
BY_HAND = {"autoPromotionEnabled": False}

SMALL = {"previewReplicaCount": 2}
UNTIL_120 = {"scale-down-deadline": stamp(120)}

ROWS = (
    Row(
        "promoted: the version before gets its time",
        given(switched(), *BOTH, services=pointing(TWO, TWO)),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 1): scale-down-deadline=2026-01-01T00:02:10Z",),
            wakes=130.0,
            because=("web-78766d5789 keeps its pods until 2026-01-01T00:02:10Z",),
        ),
    ),
    Row(
        "while the active Service isn't ours yet, its clients reach every version: one that has pods available stays",
        given(
            switched(blueGreen={"previewSelector": TWO}),
            replica_set("app:1", 5, annotations=UNTIL_120),
            replica_set("app:2", 5, 0, revision=2, created=50),
            services=pointing(None, TWO, managed=False),
        ),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 1): without scale-down-deadline",),
            status={
                "HPAReplicas": 10,
                "message": "active service cutover pending",
                "phase": "Progressing",
                "conditions": {"Healthy": "False RolloutHealthy", "Progressing": "True ReplicaSetNotAvailable"},
            },
            because=(
                "the current version has 0 of 5 pods available",
                "Service active is not ours yet: it is switched once enough pods of 76d57f768c are available",
            ),
        ),
        now=130,
    ),
    Row(
        "its time isn't over",
        given(switched(), replica_set("app:1", 5, annotations=UNTIL_120), BOTH[1], services=pointing(TWO, TWO)),
        Decided(wakes=120.0, because=("web-78766d5789 keeps its pods until 2026-01-01T00:02:00Z",)),
    ),
    Row(
        "its time is over",
        given(switched(), replica_set("app:1", 5, annotations=UNTIL_120), BOTH[1], services=pointing(TWO, TWO)),
        Decided(does=("update ReplicaSet web-78766d5789 (revision 1): 5 to 0 pods, without scale-down-deadline",)),
        now=120,
    ),
    Row(
        "a deadline that nobody can read is over",
        given(
            switched(),
            replica_set("app:1", 5, annotations={"scale-down-deadline": "soon"}),
            BOTH[1],
            services=pointing(TWO, TWO),
        ),
        Decided(does=("update ReplicaSet web-78766d5789 (revision 1): 5 to 0 pods, without scale-down-deadline",)),
    ),
    Row(
        "scaleDownDelaySeconds 0: it goes at once",
        given(switched(blue_green("app:2", strategy={"scaleDownDelaySeconds": 0})), *BOTH, services=pointing(TWO, TWO)),
        Decided(does=("update ReplicaSet web-78766d5789 (revision 1): 5 to 0 pods",)),
    ),
    Row(
        "never while the active Service selects it, whatever else is said",
        given(
            switched(blue_green("app:2", strategy={"scaleDownDelaySeconds": 0})),
            replica_set("app:1", 5, annotations={"scale-down-deadline": stamp(50)}),
            BOTH[1],
            services=pointing(ONE, TWO),
        ),
        Decided(
            does=(
                "update ReplicaSet web-78766d5789 (revision 1): without scale-down-deadline",
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
        "a new size: the version on its way out follows",
        given(
            switched(blue_green("app:2", replicas=8)),
            replica_set("app:1", 5, annotations=UNTIL_120),
            BOTH[1],
            services=pointing(TWO, TWO),
        ),
        Decided(
            does=(
                "update ReplicaSet web-76d57f768c (revision 2): 5 to 8 pods, desired-replicas=8",
                "update ReplicaSet web-78766d5789 (revision 1): 5 to 8 pods, desired-replicas=8",
            ),
            status={
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "conditions": {"Healthy": "False RolloutHealthy", "Progressing": "True ReplicaSetNotAvailable"},
            },
            wakes=120.0,
            because=(
                "the current version is being scaled from 5 to 8 pods",
                "web-78766d5789 keeps its pods until 2026-01-01T00:02:00Z",
            ),
        ),
    ),
    Row(
        "scaled to nothing: everything goes",
        given(
            switched(blue_green("app:2", replicas=0)),
            replica_set("app:1", 5, annotations=UNTIL_120),
            BOTH[1],
            services=pointing(TWO, TWO),
        ),
        Decided(
            does=(
                "update ReplicaSet web-76d57f768c (revision 2): 5 to 0 pods, desired-replicas=0",
                (
                    "update ReplicaSet web-78766d5789 (revision 1): 5 to 0 pods, without scale-down-deadline, "
                    "desired-replicas=0"
                ),
            ),
            status={"conditions": {"Healthy": "False RolloutHealthy", "Progressing": "True ReplicaSetNotAvailable"}},
            because=("the current version is being scaled from 5 to 0 pods",),
        ),
    ),
    Row(
        "scaleDownDelayRevisionLimit 1: only the latest version before keeps its time",
        given(
            switched(
                blue_green("app:3", strategy={"scaleDownDelayRevisionLimit": 1}),
                revision=3,
                currentPodHash=THREE,
                stableRS=THREE,
                replicas=15,
                blueGreen={"activeSelector": THREE, "previewSelector": THREE},
            ),
            replica_set("app:1", 5, annotations=UNTIL_120),
            replica_set("app:2", 5, revision=2, created=50, annotations=UNTIL_120),
            replica_set("app:3", 5, revision=3, created=90),
            services=pointing(THREE, THREE),
        ),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 1): 5 to 0 pods, without scale-down-deadline",),
            wakes=120.0,
            because=("web-76d57f768c keeps its pods until 2026-01-01T00:02:00Z",),
        ),
    ),
    Row(
        "overtaken: a preview that never grew stays as small until its time is over",
        given(
            previewing(
                blue_green("app:3", strategy=SMALL),
                currentPodHash=THREE,
                replicas=9,
                updatedReplicas=2,
                message="more replicas need to be updated",
                blueGreen={"activeSelector": ONE, "previewSelector": THREE},
            ),
            BOTH[0],
            replica_set("app:2", 2, revision=2, created=50),
            replica_set("app:3", 2, 1, revision=3, created=90),
            services=pointing(ONE, THREE),
        ),
        Decided(
            does=(
                "update ReplicaSet web-76d57f768c (revision 2): scale-down-deadline=2026-01-01T00:02:10Z",
                "patch the Rollout: revision=3",
            ),
            wakes=130.0,
            because=(
                "the preview has 1 of 2 pods available",
                "web-76d57f768c keeps its pods until 2026-01-01T00:02:10Z",
            ),
        ),
    ),
    Row(
        "the preview Service still selects it: it stays without a deadline",
        given(
            previewing(
                blue_green("app:3", strategy={"previewSwitch": "available"}),
                currentPodHash=THREE,
                replicas=15,
                blueGreen={"activeSelector": ONE, "previewSelector": TWO},
            ),
            *BOTH,
            replica_set("app:3", 5, 1, revision=3, created=90),
            services=pointing(ONE, TWO),
        ),
        Decided(
            does=("patch the Rollout: revision=3",),
            wakes=691.0,
            because=(
                "the preview has 1 of 5 pods available",
                "Service preview still selects 76d57f768c: it is switched once all pods of 5f4f454678 are available",
            ),
        ),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_delays(row: Row) -> None:
    assert decided(row.here, row.now) == row.decided
