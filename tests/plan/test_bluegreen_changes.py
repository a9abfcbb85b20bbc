"""What do a pause, another template and another strategy make of a blue-green update?"""

import pytest

from tests.plan.decided import Decided, Row, decided, given
from tests.plan.given import ONE, blue_green, pointing, previewing, replica_set, stamp, waiting

BOTH = (replica_set("app:1", 5), replica_set("app:2", 5, revision=2, created=50))
BY_HAND = {"autoPromotionEnabled": False}

ROWS = (
    Row(
        "spec.paused: nothing is switched",
        given(
            waiting(blue_green("app:2", strategy=BY_HAND, paused=True), pauseConditions=None),
            *BOTH,
            services=pointing(ONE, ONE),
        ),
        Decided(
            status={
                "blueGreen": {"activeSelector": "78766d5789", "previewSelector": "78766d5789"},
                "message": "manually paused",
            },
            because=("spec.paused is true: no step completes and nothing is scaled",),
        ),
    ),
    Row(
        "back to the stable image: nothing to preview",
        given(waiting(blue_green(strategy=BY_HAND)), *BOTH, services=pointing()),
        Decided(
            does=(
                "update ReplicaSet web-78766d5789 (revision 3): revision=3, revision-history=1",
                "switch Service preview from '76d57f768c' to '78766d5789'",
                "patch the Rollout: revision=3",
            ),
            status={
                "controllerPause": None,
                "currentPodHash": "78766d5789",
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:40Z",
                    "finishedAt": "2026-01-01T00:01:40Z",
                    "completionStatus": "FastRolledBack",
                },
                "message": None,
                "pauseConditions": None,
                "phase": "Healthy",
                "conditions": {
                    "Completed": "True RolloutCompleted",
                    "Paused": "False RolloutPaused",
                    "Progressing": "True ReplicaSetUpdated",
                },
            },
            because=("back to the stable template: nothing is to be previewed",),
        ),
    ),
    Row(
        "a third image: the update begins anew",
        given(waiting(blue_green("app:3", strategy=BY_HAND)), *BOTH, services=pointing()),
        Decided(
            does=("create ReplicaSet web-5f4f454678 (revision 3) with 5 pods", "patch the Rollout: revision=3"),
            status={
                "controllerPause": None,
                "currentPodHash": "5f4f454678",
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:40Z"},
                "message": "more replicas need to be updated",
                "pauseConditions": None,
                "phase": "Progressing",
                "updatedReplicas": 0,
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "True NewReplicaSetCreated"},
            },
            because=(
                "the update begins: the new version comes up beside the active one",
                "the preview's ReplicaSet does not exist yet",
            ),
        ),
    ),
    Row(
        "from canary: what its steps have left goes",
        given(
            previewing(
                currentStepHash="5ffbfbbd64",
                currentStepIndex=2,
                canary={"pausedStepIndex": 1},
                pauseConditions=[{"reason": "CanaryPauseStep", "startTime": stamp(90)}],
                controllerPause=True,
            ),
            *BOTH,
            services=pointing(),
        ),
        Decided(
            status={
                "canary": None,
                "controllerPause": None,
                "currentStepHash": None,
                "currentStepIndex": None,
                "pauseConditions": None,
            },
            because=("the update begins: the new version comes up beside the active one",),
        ),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_changes(row: Row) -> None:
    assert decided(row.here, row.now) == row.decided
