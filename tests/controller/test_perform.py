import asyncio
from typing import Any

import pytest

from rollouts.controller.outcome import Outcome
from rollouts.controller.perform import Seen, perform
from rollouts.kube.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    ServerError,
    TooManyRequests,
    Unreachable,
)
from rollouts.plan.actions import (
    Action,
    AdoptReplicaSet,
    CreateReplicaSet,
    DeleteReplicaSet,
    EvictPod,
    PatchPod,
    PatchRollout,
    ReleaseReplicaSet,
    SwitchService,
    UpdateReplicaSet,
)
from tests.controller.world import Object, World, error, replica_set, rollout

STATUS = {"phase": "Progressing"}


@pytest.fixture
def world() -> World:
    return World()


def seen(world: World) -> Seen:
    """Return everything that the caches show."""
    stores = (world.lookups.replica_sets, world.lookups.services)
    return {(each["kind"], each["metadata"]["name"]): each for store in stores for each in store.items()}


async def run(world: World, *actions: Action, status: Object | None = None, limit: float = 30) -> Outcome:
    raw = world.lookups.rollouts.get("default", "web")
    assert raw is not None
    return await perform(world.api, raw, seen(world), actions, status, limit=limit)


def creation(world: World, pod_hash: str = "a") -> CreateReplicaSet:
    body = replica_set(world.lookups.rollouts.get("default", "web"), pod_hash)
    return CreateReplicaSet(f"web-{pod_hash}", pod_hash, "digest", 1, 2, body)


def update(raw: Object, **changes: Any) -> UpdateReplicaSet:
    metadata = raw["metadata"]
    return UpdateReplicaSet(metadata["name"], metadata["uid"], 1, raw["spec"]["replicas"], **changes)


async def test_actions_are_acknowledged_in_the_order_of_the_plan(world: World) -> None:
    world.put(rollout())
    actions = (creation(world, "b"), PatchRollout(annotations={"x": "1"}), creation(world, "a"))
    outcome = await run(world, *actions, status=STATUS)
    assert outcome.acknowledged == list(actions)
    assert outcome.status_is_written
    assert [each["kind"] for each in outcome.written].count("ReplicaSet") == 2
    assert world.get_now("ReplicaSet", "web-a")["spec"]["replicas"] == 2


async def test_the_status_follows_the_rollouts_own_patch_with_the_version_that_it_returned(world: World) -> None:
    world.put(rollout())
    outcome = await run(world, PatchRollout(annotations={"x": "1"}), status=STATUS)
    assert world.requests == ["patch Rollout web", "patch Rollout web/status"]
    assert [each["metadata"]["resourceVersion"] for each in outcome.written] == ["102", "103"]
    assert world.get_now("Rollout", "web")["status"] == STATUS


async def test_a_status_that_is_there_already_is_not_written(world: World) -> None:
    world.put({**rollout(), "status": STATUS})
    outcome = await run(world, status=STATUS)
    assert world.requests == []
    assert not outcome.status_is_written
    assert not outcome.has_written


async def test_a_user_who_was_faster_wins(world: World) -> None:
    world.put(rollout())
    world.change("Rollout", "web", {"status": {"abort": True}}, deliver=False)
    outcome = await run(world, PatchRollout(annotations={"x": "1"}), status=STATUS)
    assert [each["metadata"]["resourceVersion"] for each in outcome.outdated] == ["101"]
    assert not outcome.has_written
    assert world.get_now("Rollout", "web")["status"] == {"abort": True}


async def test_a_user_between_our_two_writes_wins_too(world: World) -> None:
    world.put(rollout())

    def speak() -> Object:
        return world.change("Rollout", "web", {"status": {"abort": True}}, deliver=False)

    def speak_before_the_next_one() -> None:
        world.before["patch", "Rollout"] = speak

    world.before["patch", "Rollout"] = speak_before_the_next_one
    outcome = await run(world, PatchRollout(annotations={"x": "1"}), status=STATUS)
    assert [type(each) for each in outcome.acknowledged] == [PatchRollout]
    assert not outcome.status_is_written
    assert [each["metadata"]["resourceVersion"] for each in outcome.outdated] == ["102"]
    assert world.get_now("Rollout", "web")["status"] == {"abort": True}


async def test_a_rollout_that_is_gone_is_no_error(world: World) -> None:
    world.put(rollout())
    world.remove("Rollout", "web", deliver=False)
    outcome = await run(world, status=STATUS)
    assert outcome.owner_is_gone
    assert outcome.errors == []


async def test_creating_what_we_created_before_is_success(world: World) -> None:
    owner = world.put(rollout())
    made = world.put(replica_set(owner, "a", 7), deliver=False)
    outcome = await run(world, creation(world))
    assert len(outcome.acknowledged) == 1
    assert outcome.written == [made]


async def test_one_of_ours_without_the_label_that_it_is_found_by_gets_it_back(world: World) -> None:
    hidden = replica_set(world.put(rollout()), "a", 7)
    hidden["metadata"]["labels"] = {"app": "web"}
    world.put(hidden, deliver=False)
    outcome = await run(world, creation(world))
    (written,) = outcome.written
    assert written["metadata"]["labels"] == {"app": "web", "rollouts-pod-template-hash": "a"}
    assert len(outcome.acknowledged) == 1


async def test_a_name_that_somebody_else_has_is_a_refusal(world: World) -> None:
    world.put(rollout())
    world.put(replica_set(None, "a"), deliver=False)
    (refused,) = (await run(world, creation(world))).refused
    refusal = refused.refusal
    assert (refusal.verb, refusal.kind, refusal.subject) == ("create", "ReplicaSet", "web-a")
    assert (refusal.reason, refusal.digest) == ("AlreadyExists", "digest")


async def test_our_own_one_of_that_name_that_is_being_deleted_is_waited_for(world: World) -> None:
    owner = world.put(rollout())
    dying = replica_set(owner, "a")
    dying["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    world.put(dying, deliver=False)
    outcome = await run(world, creation(world))
    assert [each.reason for each in outcome.errors] == ["Terminating"]


@pytest.mark.parametrize(
    "failure",
    [
        error(Forbidden, 403, "Forbidden", "exceeded quota"),
        error(Invalid, 422, "Invalid", "no such field"),
    ],
)
async def test_what_the_server_refuses_for_good_is_a_refusal(world: World, failure: ApiError) -> None:
    world.put(rollout())
    world.fail["create", "ReplicaSet"] = [failure]
    outcome = await run(world, creation(world), status=STATUS)
    (refused,) = outcome.refused
    assert (refused.refusal.reason, refused.refusal.message) == (failure.reason, failure.message)
    assert outcome.status_is_written


@pytest.mark.parametrize(
    "failure", [error(Unreachable, 0, "Unreachable"), error(ServerError, 500, "InternalError"), TimeoutError()]
)
async def test_what_may_go_right_the_next_time_is_an_error_and_hurts_no_other_action(
    world: World, failure: Exception
) -> None:
    world.put(rollout())
    world.fail["create", "ReplicaSet"] = [failure]
    outcome = await run(world, creation(world, "a"), creation(world, "b"), status=STATUS)
    assert [each.reason for each in outcome.errors] == [getattr(failure, "reason", "Timeout")]
    assert [each.name for each in outcome.acknowledged if isinstance(each, CreateReplicaSet)] == ["web-b"]
    assert outcome.status_is_written


@pytest.mark.looptime
async def test_an_action_without_an_answer_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put(rollout())

    async def never(*_: Any, **__: Any) -> Object:
        await asyncio.sleep(3600)
        return {}

    monkeypatch.setattr(world, "create", never)
    outcome = await run(world, creation(world), status=STATUS)
    assert [str(each) for each in outcome.errors] == ["Timeout: CreateReplicaSet got no answer within 30 s"]
    assert asyncio.get_running_loop().time() == pytest.approx(30)


async def test_scaling_succeeds_although_the_status_has_moved_on(world: World) -> None:
    raw = world.put(replica_set(world.put(rollout()), "a"))
    world.change("ReplicaSet", "web-a", {"status": {"replicas": 2}}, deliver=False)
    outcome = await run(world, update(raw, size=4))
    assert len(outcome.acknowledged) == 1
    assert world.get_now("ReplicaSet", "web-a")["spec"]["replicas"] == 4


async def test_scaling_conflicts_when_somebody_else_has_scaled(world: World) -> None:
    raw = world.put(replica_set(world.put(rollout()), "a"))
    world.change("ReplicaSet", "web-a", {"spec": {"replicas": 9}}, deliver=False)
    outcome = await run(world, update(raw, size=4))
    assert [each["metadata"]["name"] for each in outcome.outdated] == ["web-a"]
    assert outcome.acknowledged == []
    assert world.get_now("ReplicaSet", "web-a")["spec"]["replicas"] == 9


async def test_scaling_what_is_gone_tells_that_it_is_gone(world: World) -> None:
    raw = world.put(replica_set(world.put(rollout()), "a"))
    world.remove("ReplicaSet", "web-a", deliver=False)
    outcome = await run(world, update(raw, size=4))
    assert [each["metadata"]["name"] for each in outcome.gone] == ["web-a"]
    assert outcome.errors == []


async def test_an_old_one_is_deleted_only_as_it_was_seen(world: World) -> None:
    metadata = world.put(replica_set(world.put(rollout()), "a", 0))["metadata"]
    delete = DeleteReplicaSet("web-a", metadata["uid"], metadata["resourceVersion"])
    world.change("ReplicaSet", "web-a", {"spec": {"replicas": 1}}, deliver=False)
    outcome = await run(world, delete)
    assert [each["metadata"]["name"] for each in outcome.outdated] == ["web-a"]
    world.deliver()
    metadata = world.get_now("ReplicaSet", "web-a")["metadata"]
    outcome = await run(world, DeleteReplicaSet("web-a", metadata["uid"], metadata["resourceVersion"]))
    assert [each["metadata"]["name"] for each in outcome.deleted] == ["web-a"]
    assert len(outcome.acknowledged) == 1


async def test_an_orphan_is_adopted_after_a_live_read(world: World) -> None:
    owner = world.put(rollout())
    raw = world.put(replica_set(None, "a"))
    outcome = await run(world, AdoptReplicaSet("web-a", raw["metadata"]["uid"]))
    assert world.requests == ["get Rollout web", "patch ReplicaSet web-a"]
    assert len(outcome.acknowledged) == 1
    (reference,) = world.get_now("ReplicaSet", "web-a")["metadata"]["ownerReferences"]
    assert reference["uid"] == owner["metadata"]["uid"]
    assert reference["controller"]


@pytest.mark.parametrize("change", [{"uid": "another"}, {"deletionTimestamp": "2026-01-01T00:00:00Z"}])
async def test_no_orphan_is_adopted_for_a_rollout_that_is_another_or_dying(
    world: World, change: dict[str, str]
) -> None:
    world.put(rollout())
    raw = world.put(replica_set(None, "a"))
    world.change("Rollout", "web", {"metadata": change}, deliver=False)
    outcome = await run(world, AdoptReplicaSet("web-a", raw["metadata"]["uid"]))
    assert world.requests == ["get Rollout web"]
    assert outcome.acknowledged == []
    assert [each["kind"] for each in outcome.outdated] == ["Rollout"]


async def test_a_replica_set_is_released(world: World) -> None:
    raw = world.put(replica_set(world.put(rollout()), "a"))
    outcome = await run(world, ReleaseReplicaSet("web-a", raw["metadata"]["uid"]))
    assert len(outcome.acknowledged) == 1
    assert "ownerReferences" not in world.get_now("ReplicaSet", "web-a")["metadata"]


async def test_a_service_is_switched_only_as_it_was_seen(world: World) -> None:
    world.put(rollout())
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}}}
    metadata = world.put(service)["metadata"]
    action = SwitchService("web", metadata["uid"], "a", "", metadata["resourceVersion"])
    assert len((await run(world, action)).acknowledged) == 1
    selector = world.get_now("Service", "web")["spec"]["selector"]
    assert selector == {"app": "web", "rollouts-pod-template-hash": "a"}
    outcome = await run(world, action)
    assert [each["kind"] for each in outcome.outdated] == ["Service"]


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (error(TooManyRequests, 429, "TooManyRequests", "the budget says no"), "can't be evicted now"),
        (error(NotFound, 404, "NotFound"), "gone by itself"),
        (error(Conflict, 409, "Conflict"), "gone by itself"),
        (None, None),
    ],
)
async def test_evictions_may_be_refused_for_now(world: World, failure: ApiError | None, why: str | None) -> None:
    world.put(rollout())
    world.put({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "uid": "u-p"}})
    world.fail["evict", "Pod"] = [failure] if failure else []
    outcome = await run(world, EvictPod("p", "u-p"))
    assert outcome.errors == []
    assert len(outcome.acknowledged) == (failure is None)
    assert [why in each for each in outcome.postponed if why] == ([True] if why else [])


PATCH = PatchPod("p", "u-p", {"role": "stable", "old": None}, {"watch": None})


async def test_a_pods_metadata_is_patched_in_place(world: World) -> None:
    world.put(rollout())
    labels = {"app": "web", "old": "x"}
    world.put({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "uid": "u-p", "labels": labels}})
    outcome = await run(world, PATCH)
    assert outcome.acknowledged == [PATCH]
    assert outcome.written == [], "no cache of ours will show a pod"
    assert world.get_now("Pod", "p")["metadata"]["labels"] == {"app": "web", "role": "stable"}


@pytest.mark.parametrize(
    ("failure", "comes_to"),
    [
        (error(Forbidden, 403, "Forbidden", "a webhook says no"), "refused"),
        (error(Invalid, 422, "Invalid"), "refused"),
        (error(ServerError, 500, "InternalError", "failed calling webhook"), "refused"),
        (error(NotFound, 404, "NotFound"), "postponed"),
        (error(Unreachable, 0, "Unreachable"), "errors"),
    ],
)
async def test_whatever_is_said_against_a_pods_metadata_the_rollout_goes_on(
    world: World, failure: ApiError, comes_to: str
) -> None:
    world.put(rollout())
    world.put({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "uid": "u-p"}})
    world.fail["patch", "Pod"] = [failure]
    outcome = await run(world, PATCH, creation(world), status=STATUS)
    assert outcome.status_is_written
    assert len(outcome.acknowledged) == 1
    counts = {name: len(getattr(outcome, name)) for name in ("refused", "postponed", "errors")}
    assert counts == {**dict.fromkeys(counts, 0), comes_to: 1}


async def test_losing_a_race_to_create_is_settled_by_a_read(world: World) -> None:
    world.put(rollout())
    world.fail["create", "ReplicaSet"] = [error(AlreadyExists, 409, "AlreadyExists")]
    outcome = await run(world, creation(world))
    assert outcome.acknowledged == []
    assert [each.reason for each in outcome.errors] == ["NotFound"]
