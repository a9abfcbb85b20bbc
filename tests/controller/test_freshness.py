import pytest

from rollouts.controller.freshness import PATIENCE, PATIENCE_AFTER_CONFLICT, Freshness
from rollouts.controller.key import Key
from tests.controller.world import World, replica_set, rollout

KEY = Key("default", "web")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def freshness(world: World) -> Freshness:
    return Freshness(world.lookups.find)


def test_nothing_is_owed_at_first(freshness: Freshness) -> None:
    assert freshness.owed(KEY) == []


def test_a_change_is_owed_until_the_cache_shows_it(world: World, freshness: Freshness) -> None:
    world.put(rollout())
    freshness.wrote(KEY, world.change("Rollout", "web", {"spec": {"replicas": 2}}, deliver=False), 0)
    assert [str(each) for each in freshness.owed(KEY)] == ["Rollout default/web at resourceVersion 102 or newer"]
    world.deliver()
    assert freshness.owed(KEY) == []


def test_versions_are_numbers(world: World, freshness: Freshness) -> None:
    old = world.put(rollout())
    freshness.wrote(KEY, {**old, "metadata": {**old["metadata"], "resourceVersion": "99"}}, 0)
    assert freshness.owed(KEY) == []


def test_something_newer_will_do(world: World, freshness: Freshness) -> None:
    world.put(rollout())
    freshness.wrote(KEY, world.change("Rollout", "web", {"spec": {"replicas": 2}}, deliver=False), 0)
    world.change("Rollout", "web", {"spec": {"replicas": 3}})
    assert freshness.owed(KEY) == []


def test_a_new_object_is_owed_until_it_is_there(world: World, freshness: Freshness) -> None:
    owner = world.put(rollout())
    freshness.wrote(KEY, world.put(replica_set(owner, "a"), deliver=False), 0)
    assert len(freshness.owed(KEY)) == 1
    world.deliver()
    assert freshness.owed(KEY) == []


def test_a_deletion_is_owed_until_the_object_is_gone(world: World, freshness: Freshness) -> None:
    owner = world.put(rollout())
    freshness.deleted(KEY, world.put(replica_set(owner, "a")), 0)
    assert [str(each) for each in freshness.owed(KEY)] == ["ReplicaSet default/web-a to be gone"]
    world.remove("ReplicaSet", "web-a")
    assert freshness.owed(KEY) == []


def test_a_namesake_shows_that_the_deleted_object_is_gone(world: World, freshness: Freshness) -> None:
    owner = world.put(rollout())
    freshness.deleted(KEY, world.put(replica_set(owner, "a")), 0)
    world.remove("ReplicaSet", "web-a", deliver=False)
    world.put(replica_set(owner, "a"))
    assert freshness.owed(KEY) == []


def test_what_was_created_and_deleted_again_is_not_waited_for(world: World, freshness: Freshness) -> None:
    owner = world.put(rollout())
    created = world.put(replica_set(owner, "a"))
    changed = world.change("ReplicaSet", "web-a", {"spec": {"replicas": 9}}, deliver=False)
    freshness.wrote(KEY, changed, 0)
    world.remove("ReplicaSet", "web-a")
    assert len(freshness.owed(KEY)) == 1
    freshness.vanished(KEY, created)
    assert freshness.owed(KEY) == []


def test_after_a_conflict_something_newer_is_owed_but_not_for_long(world: World, freshness: Freshness) -> None:
    seen = world.put(rollout())
    freshness.outdated(KEY, seen, 100)
    (owed,) = freshness.owed(KEY)
    assert owed.until == 100 + PATIENCE_AFTER_CONFLICT < 100 + PATIENCE
    world.change("Rollout", "web", {"spec": {"replicas": 3}})
    assert freshness.owed(KEY) == []


def test_expectations_of_one_object_are_merged_and_those_of_several_kept(world: World, freshness: Freshness) -> None:
    owner = world.put(rollout())
    child = world.put(replica_set(owner, "a"))
    first = world.change("Rollout", "web", {"spec": {"replicas": 2}}, deliver=False)
    second = world.change("Rollout", "web", {"spec": {"replicas": 3}}, deliver=False)
    freshness.wrote(KEY, second, 0)
    freshness.wrote(KEY, first, 0)
    freshness.deleted(KEY, child, 0)
    assert [(each.kind, each.version) for each in freshness.owed(KEY)] == [("Rollout", 104), ("ReplicaSet", 0)]


def test_own_writes_are_told_from_those_of_others(world: World, freshness: Freshness) -> None:
    world.put(rollout())
    ours = world.change("Rollout", "web", {"spec": {"replicas": 2}}, deliver=False)
    theirs = world.change("Rollout", "web", {"spec": {"replicas": 3}}, deliver=False)
    assert not freshness.is_own_write(KEY, ours)
    freshness.wrote(KEY, ours, 0)
    assert freshness.is_own_write(KEY, ours)
    assert not freshness.is_own_write(KEY, theirs)


def test_settling_forgetting_and_postponing(world: World, freshness: Freshness) -> None:
    seen = world.put(rollout())
    freshness.outdated(KEY, seen, 0)
    (owed,) = freshness.owed(KEY)
    freshness.postpone(KEY, owed, 77)
    assert [each.until for each in freshness.owed(KEY)] == [77]
    freshness.settle(KEY, owed)
    assert freshness.owed(KEY) == []
    freshness.outdated(KEY, seen, 0)
    freshness.forget(KEY)
    assert freshness.owed(KEY) == []


def test_kinds_of_the_same_name_are_told_apart_by_their_groups(freshness: Freshness) -> None:
    metadata = {"name": "web", "namespace": "default", "uid": "u", "resourceVersion": "7"}
    for version in ("v1", "serving.knative.dev/v1", "apps/v1"):
        freshness.wrote(KEY, {"apiVersion": version, "kind": "Service", "metadata": metadata}, 0)
    assert [each.kind for each in freshness.owed(KEY)] == ["Service", "Service.serving.knative.dev"]
    freshness.dismiss(KEY, "Service.serving.knative.dev", "web")
    assert [each.kind for each in freshness.owed(KEY)] == ["Service"]
