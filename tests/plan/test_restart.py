"""Which pods does spec.restartAt replace, and how many at a time?"""

import pytest

from rollouts.plan.observed import Pod
from tests.plan.decided import Decided, Row, decided, given
from tests.plan.given import after, condition, paused, replica_set, rollout, stable, stamp


def pods(image: str, *created: float, available: bool = True, deleting: bool = False) -> list[Pod]:
    """Return pods of an image, by the seconds at which they were created."""
    return [
        Pod(f"{image}-{second}", f"uid-{second}", f"uid-{image}", after(second), available, deleting)
        for second in created
    ]


SOON = rollout(restartAt=stamp(50))

ROWS = (
    Row(
        "in the future: look again then",
        given(stable(rollout(restartAt=stamp(500))), replica_set("app:1", 5)),
        Decided(
            status={"message": "rollout is restarting", "phase": "Progressing"},
            wakes=500.0,
            because=("a restart is asked for at 2026-01-01T00:08:20Z",),
        ),
    ),
    Row(
        "due, but pods are not listed yet: wait for them",
        given(stable(SOON), replica_set("app:1", 5)),
        Decided(
            status={"message": "rollout is restarting", "phase": "Progressing"},
            because=("a restart is due: its pods have not been listed yet",),
        ),
    ),
    Row(
        "due: one pod goes although none may be unavailable, the oldest first",
        given(stable(SOON), replica_set("app:1", 5), pods=pods("app:1", 1, 2, 3, 4, 5)),
        Decided(
            does=("evict pod app:1-1",),
            status={"message": "rollout is restarting", "phase": "Progressing"},
            wakes=130.0,
            because=("restarting: 5 pods are older than spec.restartAt",),
        ),
    ),
    Row(
        "as many go as may be unavailable",
        given(
            stable(rollout(restartAt=stamp(50), canary={"maxUnavailable": 2})),
            replica_set("app:1", 5),
            pods=pods("app:1", 1, 2, 3, 4, 5),
        ),
        Decided(
            does=("evict pod app:1-1", "evict pod app:1-2"),
            status={"message": "rollout is restarting", "phase": "Progressing"},
            wakes=130.0,
            because=("restarting: 5 pods are older than spec.restartAt",),
        ),
    ),
    Row(
        "pods that somebody else owns don't stand in for ours, whatever their labels",
        given(
            stable(SOON),
            replica_set("app:1", 5),
            pods=[*pods("app:1", 1, 2, 3, 4, 5), *pods("of a Deployment", 11, 12, 13, 14, 15)],
        ),
        Decided(
            does=("evict pod app:1-1",),
            status={"message": "rollout is restarting", "phase": "Progressing"},
            wakes=130.0,
            because=("restarting: 5 pods are older than spec.restartAt",),
        ),
    ),
    Row(
        "one is on its way: the next waits until it is back",
        given(
            stable(SOON),
            replica_set("app:1", 5, 4),
            pods=[*pods("app:1", 1, 2, 3, 4), *pods("app:1", 60, available=False)],
        ),
        Decided(
            status={
                "availableReplicas": 4,
                "message": "rollout is restarting",
                "phase": "Progressing",
                "readyReplicas": 4,
                "conditions": {
                    "Available": "False AvailableReason",
                    "Healthy": "False RolloutHealthy",
                    "Progressing": "True ReplicaSetNotAvailable",
                },
            },
            wakes=130.0,
            because=("stable has 4 of 5 pods available", "restarting: 4 pods are older than spec.restartAt"),
        ),
    ),
    Row(
        "a pod that is being deleted already is left to it",
        given(
            stable(SOON),
            replica_set("app:1", 5),
            pods=[*pods("app:1", 1, available=False, deleting=True), *pods("app:1", 60, 61, 62, 63, 64)],
        ),
        Decided(
            status={"message": "rollout is restarting", "phase": "Progressing"},
            wakes=130.0,
            because=("restarting: 1 pod is older than spec.restartAt",),
        ),
    ),
    Row(
        "pods created in that very second are new enough",
        given(stable(SOON), replica_set("app:1", 5), pods=pods("app:1", 50, 51, 52, 53, 54)),
        Decided(status={"restartedAt": "2026-01-01T00:00:50Z"}),
    ),
    Row(
        "all are new: it is done, and noted",
        given(stable(SOON), replica_set("app:1", 5), pods=pods("app:1", 60, 61, 62, 63, 64)),
        Decided(status={"restartedAt": "2026-01-01T00:00:50Z"}),
    ),
    Row(
        "done before: nothing happens",
        given(stable(SOON, restartedAt=stamp(50)), replica_set("app:1", 5)),
        Decided(),
    ),
    Row(
        "another restart later",
        given(stable(SOON, restartedAt=stamp(40)), replica_set("app:1", 5), pods=pods("app:1", 60, 61, 62, 63, 64)),
        Decided(status={"restartedAt": "2026-01-01T00:00:50Z"}),
    ),
    Row(
        "in mid-update stable's pods go before the canary's",
        given(
            paused(rollout("app:2", restartAt=stamp(50), canary={"maxUnavailable": 2})),
            replica_set("app:1", 3),
            replica_set("app:2", 2, revision=2),
            pods=[*pods("app:2", 10, 11), *pods("app:1", 20, 21, 22)],
        ),
        Decided(
            does=("evict pod app:1-20", "evict pod app:1-21"),
            wakes=130.0,
            because=(
                "step 4 of 5 (pause): the pause has no duration: promote to go on",
                "restarting: 5 pods are older than spec.restartAt",
            ),
        ),
    ),
    Row(
        "a new template makes new pods: the restart is done with it",
        given(
            stable(rollout("app:2", restartAt=stamp(50))), replica_set("app:1", 5), pods=pods("app:1", 1, 2, 3, 4, 5)
        ),
        Decided(
            does=("create ReplicaSet web-76d57f768c (revision 2) with 1 pods", "patch the Rollout: revision=2"),
            status={
                "currentPodHash": "76d57f768c",
                "currentStepIndex": 0,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:40Z"},
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "restartedAt": "2026-01-01T00:00:50Z",
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
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_restart(row: Row) -> None:
    assert decided(row.here, row.now) == row.decided


@pytest.mark.parametrize(("newest", "turns"), [(150, None), (70, "False ProgressDeadlineExceeded")])
def test_a_restart_that_goes_on_is_progress_however_long_it_takes(newest: float, turns: str | None) -> None:
    slow = rollout(restartAt=stamp(50), progressDeadlineSeconds=100)
    moving = (condition("Progressing", "True", "ReplicaSetNotAvailable", since=60),)
    here = given(
        stable(slow, conditions=list(moving), availableReplicas=4, readyReplicas=4),
        replica_set("app:1", 5, 4),
        pods=[*pods("app:1", 1, 2), *pods("app:1", 60, 65), *pods("app:1", newest, available=False)],
    )
    assert decided(here, 200).status.get("conditions", {}).get("Progressing") == turns
