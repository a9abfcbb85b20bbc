"""What becomes of ReplicaSets that are refused, outdated or left over?"""

import pytest

from rollouts.api import keys
from rollouts.plan import Refusal
from rollouts.plan.hashing import template_digest
from tests.plan.decided import BOUNDED, Decided, Row, decided, given
from tests.plan.given import (
    MOVING_CONDITIONS,
    THREE,
    TWO,
    aborted,
    condition,
    replica_set,
    rollout,
    stable,
    stamp,
    template,
    updating,
)

QUOTA = Refusal("create", "ReplicaSet", f"web-{TWO}", "Forbidden", "exceeded quota", template_digest(template("app:2")))
EARLIER = tuple(replica_set(f"app:{number}", 0, revision=number, created=number) for number in (4, 5, 6))
UNSEEN = replica_set("app:4", 0, revision=4)
UNSEEN["metadata"]["generation"] = 2

ROWS = (
    Row(
        "creation is refused for good: it says why, doesn't try again, and stable keeps its pods",
        given(
            updating(rollout("app:2", canary={"maxUnavailable": 2}), updated=0),
            replica_set("app:1", 5),
            refusals=[QUOTA],
        ),
        Decided(
            status={"conditions": {"Progressing": "False ReplicaSetCreateError"}},
            wakes=691.0,
            because=(
                "the API server refuses the ReplicaSet: exceeded quota",
                "step 1 of 5 (setWeight: 20): the canary's ReplicaSet does not exist yet",
            ),
        ),
    ),
    Row(
        "creation was refused for a template that is gone: it counts no more",
        given(updating(rollout("app:3"), updated=0), replica_set("app:1", 5), refusals=[QUOTA]),
        Decided(
            does=("create ReplicaSet web-5f4f454678 (revision 2) with 1 pods",),
            status={
                "currentPodHash": "5f4f454678",
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:40Z"},
                "conditions": {"Progressing": "True NewReplicaSetCreated"},
            },
            because=("the update begins at step 1", "the canary's ReplicaSet does not exist yet"),
        ),
    ),
    Row(
        "a refusal is known already: nothing is written again",
        given(
            updating(
                updated=0,
                conditions=[
                    *MOVING_CONDITIONS[:2],
                    condition(
                        "Progressing",
                        "False",
                        "ReplicaSetCreateError",
                        f'Failed to create new replica set "web-{TWO}": exceeded quota',
                        since=95,
                    ),
                ],
            ),
            replica_set("app:1", 5),
            refusals=[QUOTA],
        ),
        Decided(
            wakes=696.0,
            because=(
                "the API server refuses the ReplicaSet: exceeded quota",
                "step 1 of 5 (setWeight: 20): the canary's ReplicaSet does not exist yet",
            ),
        ),
    ),
    Row(
        "trying again after a refusal is no progress: nothing is written before it succeeds",
        given(
            updating(
                updated=0,
                conditions=[
                    *MOVING_CONDITIONS[:2],
                    condition("Progressing", "False", "ReplicaSetCreateError", since=95),
                ],
            ),
            replica_set("app:1", 5),
        ),
        Decided(
            does=("create ReplicaSet web-76d57f768c (revision 2) with 1 pods",),
            wakes=696.0,
            because=("step 1 of 5 (setWeight: 20): the canary's ReplicaSet does not exist yet",),
        ),
    ),
    Row(
        "more old ReplicaSets than the limit: the oldest empty ones are deleted",
        given(stable(rollout(revisionHistoryLimit=1)), *EARLIER, replica_set("app:1", 5, revision=7, created=7)),
        Decided(
            does=(
                "delete ReplicaSet web-75c8c4964c",
                "delete ReplicaSet web-7cd98757c",
                "patch the Rollout: revision=7",
            )
        ),
    ),
    Row(
        "a limit of 0 keeps none; canary and stable don't count",
        given(
            updating(rollout("app:2", revisionHistoryLimit=0)),
            replica_set("app:1", 4, revision=7),
            replica_set("app:2", 1, revision=8),
            *EARLIER[:1],
        ),
        Decided(
            does=("delete ReplicaSet web-75c8c4964c", "patch the Rollout: revision=8"),
            status={
                "canary": {"pausedStepIndex": 1},
                "controllerPause": True,
                "currentStepIndex": 1,
                "message": "CanaryPauseStep",
                "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-01-01T00:01:40Z"}],
                "phase": "Paused",
                "conditions": {"Paused": "True RolloutPaused", "Progressing": "Unknown RolloutPaused"},
            },
            wakes=105.0,
            because=("step 1 of 5 (setWeight: 20) is complete", "the pause of 5s ends at 2026-01-01T00:01:45Z"),
        ),
    ),
    Row(
        "an old ReplicaSet that still has pods is not deleted",
        given(
            stable(rollout(revisionHistoryLimit=0)),
            replica_set("app:1", 5, revision=7),
            replica_set("app:4", 0, replicas=1, revision=4),
        ),
        Decided(
            does=("patch the Rollout: revision=7",),
            status={
                "HPAReplicas": 6,
                "message": "old replicas are pending termination",
                "phase": "Progressing",
                "replicas": 6,
                "conditions": {"Healthy": "False RolloutHealthy", "Progressing": "True ReplicaSetNotAvailable"},
            },
            because=("older revisions still have 1 pod terminating",),
        ),
    ),
    Row(
        "one whose last status is about an earlier size isn't either: it may have pods",
        given(
            stable(rollout(revisionHistoryLimit=0)),
            replica_set("app:1", 5, revision=7),
            UNSEEN,
        ),
        Decided(does=("patch the Rollout: revision=7",)),
    ),
    Row(
        "a third template: pods of the second go first, as far as availability allows",
        given(
            updating(rollout("app:3"), currentPodHash=THREE, updated=0),
            replica_set("app:1", 4),
            replica_set("app:2", 2, revision=2),
            replica_set("app:3", 0, revision=3),
        ),
        Decided(
            does=("update ReplicaSet web-76d57f768c (revision 2): 2 to 1 pods", "patch the Rollout: revision=3"),
            status={"HPAReplicas": 6, "availableReplicas": 6, "readyReplicas": 6, "replicas": 6},
            waits=True,
            because=("step 1 of 5 (setWeight: 20): the canary is being scaled from 0 to 1 pod", BOUNDED),
        ),
    ),
    Row(
        "unavailable pods of older revisions go at once",
        given(
            updating(rollout("app:3"), currentPodHash=THREE, updated=0),
            replica_set("app:1", 5),
            replica_set("app:2", 1, 0, revision=2),
            replica_set("app:3", 0, revision=3),
        ),
        Decided(
            does=("update ReplicaSet web-76d57f768c (revision 2): 1 to 0 pods", "patch the Rollout: revision=3"),
            status={"HPAReplicas": 6, "replicas": 6},
            waits=True,
            wakes=691.0,
            because=("step 1 of 5 (setWeight: 20): the canary is being scaled from 0 to 1 pod", BOUNDED),
        ),
    ),
    Row(
        "a scale-down deadline is a leftover of another strategy, and goes",
        given(stable(), replica_set("app:1", 5, annotations={keys.SCALE_DOWN_DEADLINE: stamp(200)})),
        Decided(does=("update ReplicaSet web-78766d5789 (revision 1): without scale-down-deadline",)),
    ),
    Row(
        "so does one that doesn't parse",
        given(stable(), replica_set("app:1", 5, annotations={keys.SCALE_DOWN_DEADLINE: ""})),
        Decided(does=("update ReplicaSet web-78766d5789 (revision 1): without scale-down-deadline",)),
    ),
    Row(
        "aborted, with pods of another version about: a crashing canary pod goes, it held the place of a stable one",
        given(
            aborted(rollout("app:3", replicas=6, canary={"maxSurge": 0, "maxUnavailable": 1}), currentPodHash=THREE),
            replica_set("app:1", 0, desired=6),
            replica_set("app:2", 5, revision=2, desired=6),
            replica_set("app:3", 1, 0, revision=3, desired=6),
        ),
        Decided(
            does=("update ReplicaSet web-5f4f454678 (revision 3): 1 to 0 pods", "patch the Rollout: revision=3"),
            status={
                "HPAReplicas": 6,
                "replicas": 6,
                "updatedReplicas": 1,
                "conditions": {"Available": "False AvailableReason"},
            },
            waits=True,
            because=(
                "the update is aborted: everything goes back to stable; retry, or change the template",
                "the canary is being scaled from 1 to 0 pods",
            ),
        ),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_leftover(row: Row) -> None:
    assert decided(row.here, row.now) == row.decided
