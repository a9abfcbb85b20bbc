"""Which ReplicaSet belongs to which template? Adoption, release, collisions, rollbacks, and what is thrown away."""

from dataclasses import replace

import pytest

from rollouts.api import keys
from rollouts.plan import Refusal
from rollouts.plan.hashing import pod_hash, template_digest
from tests.plan.decided import Decided, Row, decided, given
from tests.plan.given import ONE, TWO, deleting, paused, replica_set, rollout, stable, template

FOREIGN = {"app": "web", keys.POD_TEMPLATE_HASH: "other"}
TAKEN = Refusal(
    "create", "ReplicaSet", f"web-{TWO}", "AlreadyExists", "already exists", template_digest(template("app:2"))
)
TAKEN_TOO = Refusal(
    "create", "ReplicaSet", f"web-{pod_hash(TAKEN.digest, 1)}", "AlreadyExists", "already exists", TAKEN.digest
)
UNTOUCHABLE = Refusal("adopt", "ReplicaSet", replica_set("app:0", 2)["metadata"]["name"], "Forbidden", "not this one")
SQUATTER = replica_set("app:3", 0)
SQUATTER["metadata"]["name"] = f"web-{TWO}"

ROWS = (
    Row(
        "an orphan that the selector matches is adopted before anything else",
        given(stable(), replica_set("app:1", 5, owner=None)),
        Decided(does=("adopt ReplicaSet web-78766d5789",), because=("ReplicaSets change hands first: web-78766d5789",)),
    ),
    Row(
        "an orphan that we may not adopt keeps nobody waiting",
        given(stable(), replica_set("app:1", 5), replica_set("app:0", 2, owner=None), refusals=[UNTOUCHABLE]),
        Decided(because=("the API server refuses to adopt ReplicaSet web-f5cdb89f5: not this one",)),
    ),
    Row(
        "stable itself is waited for: without it we would work on half of the facts",
        given(stable(), replica_set("app:1", 5, owner=None), refusals=[replace(UNTOUCHABLE, subject=f"web-{ONE}")]),
        Decided(does=("adopt ReplicaSet web-78766d5789",), because=("ReplicaSets change hands first: web-78766d5789",)),
    ),
    Row(
        "somebody else's ReplicaSet is left alone",
        given(stable(), replica_set("app:1", 5), replica_set("app:2", 3, owner="uid-else")),
        Decided(),
    ),
    Row(
        "a ReplicaSet that the selector doesn't match any more is released",
        given(
            stable(),
            replica_set("app:1", 5),
            replica_set("app:2", 1, labels={"app": "else", keys.POD_TEMPLATE_HASH: TWO}),
        ),
        Decided(
            does=("release ReplicaSet web-76d57f768c",), because=("ReplicaSets change hands first: web-76d57f768c",)
        ),
    ),
    Row(
        "an orphan that is being deleted isn't adopted",
        given(stable(), replica_set("app:1", 5), deleting(replica_set("app:2", 0, owner=None))),
        Decided(),
    ),
    Row(
        "without a digest the hash label tells, and the digest is added",
        given(stable(), replica_set("app:1", 5, annotations={keys.TEMPLATE_DIGEST: None})),
        Decided(does=("update ReplicaSet web-78766d5789 (revision 1): template-digest=3ab5e90e...",)),
    ),
    Row(
        "without digest and hash of ours the same template tells: nothing is deployed again, and its hash stays",
        given(
            stable(currentPodHash="other", stableRS="other"),
            replica_set("app:1", 5, labels=FOREIGN, annotations={keys.TEMPLATE_DIGEST: None}),
        ),
        Decided(does=("update ReplicaSet web-78766d5789 (revision 1): template-digest=3ab5e90e...",)),
    ),
    Row(
        "back to an earlier template: its ReplicaSet gets a new, higher revision, and remembers the old one",
        given(
            stable(currentPodHash=TWO, stableRS=TWO),
            replica_set("app:1", 0, revision=1),
            replica_set("app:2", 5, revision=2),
        ),
        Decided(
            does=(
                "update ReplicaSet web-78766d5789 (revision 3): 0 to 1 pods, revision=3, revision-history=1",
                "patch the Rollout: revision=3",
            ),
            status={
                "currentPodHash": "78766d5789",
                "currentStepIndex": 0,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:40Z"},
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "updatedReplicas": 0,
                "conditions": {
                    "Completed": "False RolloutCompleted",
                    "Healthy": "False RolloutHealthy",
                    "Progressing": "True ReplicaSetUpdated",
                },
            },
            because=("the update begins at step 1", "the canary is being scaled from 0 to 1 pod"),
        ),
    ),
    Row(
        "the second time back: the history grows",
        given(
            stable(currentPodHash=TWO, stableRS=TWO),
            replica_set("app:1", 0, revision=3, annotations={keys.REVISION_HISTORY: "1"}),
            replica_set("app:2", 5, revision=4),
        ),
        Decided(
            does=(
                "update ReplicaSet web-78766d5789 (revision 5): 0 to 1 pods, revision=5, revision-history=1,3",
                "patch the Rollout: revision=5",
            ),
            status={
                "currentPodHash": "78766d5789",
                "currentStepIndex": 0,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:40Z"},
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "updatedReplicas": 0,
                "conditions": {
                    "Completed": "False RolloutCompleted",
                    "Healthy": "False RolloutHealthy",
                    "Progressing": "True ReplicaSetUpdated",
                },
            },
            because=("the update begins at step 1", "the canary is being scaled from 0 to 1 pod"),
        ),
    ),
    Row(
        "back to stable in mid-update: no step is needed",
        given(paused(rollout()), *(replica_set("app:1", 3), replica_set("app:2", 2, revision=2))),
        Decided(
            does=(
                "update ReplicaSet web-78766d5789 (revision 3): 3 to 4 pods, revision=3, revision-history=1",
                "patch the Rollout: revision=3",
            ),
            status={
                "canary": None,
                "controllerPause": None,
                "currentPodHash": "78766d5789",
                "currentStepIndex": 5,
                "duration": {"rolloutStartedAt": "2026-01-01T00:01:40Z", "completionStatus": "FastRolledBack"},
                "message": "more replicas need to be updated",
                "pauseConditions": None,
                "phase": "Progressing",
                "updatedReplicas": 3,
                "conditions": {
                    "Completed": "True RolloutCompleted",
                    "Paused": "False RolloutPaused",
                    "Progressing": "True ReplicaSetUpdated",
                },
            },
            because=("back to the stable template: no steps are needed", "stable is being scaled from 3 to 5 pods"),
        ),
    ),
    Row(
        "the name is taken, as the API server says: the collision is counted, and another hash is tried",
        given(stable(rollout("app:2")), replica_set("app:1", 5), refusals=[TAKEN]),
        Decided(
            does=("create ReplicaSet web-84fb4b69cc (revision 2) with 1 pods", "patch the Rollout: revision=2"),
            status={
                "collisionCount": 1,
                "currentPodHash": "84fb4b69cc",
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
        "the name is taken by one of our own with another template: the same",
        given(stable(rollout("app:2")), replica_set("app:1", 5), SQUATTER),
        Decided(
            does=("create ReplicaSet web-84fb4b69cc (revision 2) with 1 pods", "patch the Rollout: revision=2"),
            status={
                "collisionCount": 1,
                "currentPodHash": "84fb4b69cc",
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
        "a collision that was counted before is no new one: the ReplicaSet is created under the next hash",
        given(stable(rollout("app:2"), collisionCount=1), replica_set("app:1", 5), refusals=[TAKEN]),
        Decided(
            does=("create ReplicaSet web-84fb4b69cc (revision 2) with 1 pods", "patch the Rollout: revision=2"),
            status={
                "currentPodHash": "84fb4b69cc",
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
        "that name is taken, too: it counts on",
        given(stable(rollout("app:2"), collisionCount=1), replica_set("app:1", 5), refusals=[TAKEN_TOO]),
        Decided(
            does=("create ReplicaSet web-65689c57c8 (revision 2) with 1 pods", "patch the Rollout: revision=2"),
            status={
                "collisionCount": 2,
                "currentPodHash": "65689c57c8",
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
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_replica_set_has_its_place(row: Row) -> None:
    assert decided(row.here, row.now) == row.decided
