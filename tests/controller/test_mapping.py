from typing import Any

import pytest

from rollouts.controller.freshness import Freshness
from rollouts.controller.key import Key
from tests.controller.world import Object, World, replica_set, rollout

WEB = Key("default", "web")


class Told:
    """Remembers who was told what."""

    def __init__(self) -> None:
        self.added: list[str] = []
        self.others: list[str] = []
        self.echoes: list[str] = []
        self.gone: list[str] = []

    def add(self, key: Key) -> None:
        self.added.append(key.name)

    def changed(self, key: Key) -> None:
        self.others.append(key.name)

    def echoed(self, key: Key) -> None:
        self.echoes.append(key.name)

    def deleted(self, key: Key, rollout: Any) -> None:
        assert rollout["metadata"]["name"] == key.name
        self.gone.append(key.name)

    def clear(self) -> None:
        self.__init__()  # type: ignore[misc]


class Stage:
    """A world that somebody listens to."""

    def __init__(self) -> None:
        self.world = World()
        self.told = Told()
        self.freshness = Freshness(self.world.lookups.find)
        self.world.listeners = dict(self.world.changes(self.freshness, self.told).listeners)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def service(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"selector": {"app": "web"}}}


def test_a_rollout_concerns_itself(stage: Stage) -> None:
    stage.world.put(rollout())
    assert stage.told.others == ["web"]
    stage.world.change("Rollout", "web", {"spec": {"replicas": 2}})
    assert stage.told.others == ["web", "web"]
    stage.world.remove("Rollout", "web")
    assert stage.told.gone == ["web"]


def test_our_own_writes_are_no_news_from_others(stage: Stage) -> None:
    stage.world.put(rollout())
    stage.told.clear()
    stage.freshness.wrote(WEB, stage.world.change("Rollout", "web", {"spec": {"replicas": 2}}, deliver=False), 0)
    stage.world.deliver()
    assert (stage.told.added, stage.told.others) == (["web"], [])


def test_a_replica_set_concerns_its_controller(stage: Stage) -> None:
    stage.world.put(replica_set(stage.world.put(rollout()), "a"))
    stage.world.put(rollout("bystander"))
    stage.told.clear()
    stage.world.change("ReplicaSet", "web-a", {"status": {"replicas": 1}})
    assert stage.told.added == ["web"]
    stage.world.remove("ReplicaSet", "web-a")
    assert stage.told.added == ["web", "web"]


def test_our_own_scaling_comes_back_as_an_echo_and_its_effect_is_the_news(stage: Stage) -> None:
    stage.world.put(replica_set(stage.world.put(rollout()), "a"))
    stage.told.clear()
    stage.freshness.wrote(WEB, stage.world.change("ReplicaSet", "web-a", {"spec": {"replicas": 3}}, deliver=False), 0)
    stage.world.deliver()
    assert (stage.told.echoes, stage.told.added) == (["web"], [])
    stage.world.change("ReplicaSet", "web-a", {"status": {"replicas": 3}})
    assert (stage.told.echoes, stage.told.added) == (["web"], ["web"])


def test_somebody_elses_scaling_is_no_echo(stage: Stage) -> None:
    stage.world.put(replica_set(stage.world.put(rollout()), "a"))
    stage.told.clear()
    stage.world.change("ReplicaSet", "web-a", {"spec": {"replicas": 3}})
    assert (stage.told.echoes, stage.told.added) == ([], ["web"])


def test_a_replica_set_that_changes_hands_concerns_both(stage: Stage) -> None:
    stage.world.put(replica_set(stage.world.put(rollout()), "a"))
    blue = stage.world.put(rollout("blue"))
    stage.told.clear()
    owners = replica_set(blue, "a")["metadata"]["ownerReferences"]
    stage.world.change("ReplicaSet", "web-a", {"metadata": {"ownerReferences": owners}})
    assert sorted(stage.told.added) == ["blue", "web"]


def test_an_orphan_concerns_those_who_may_adopt_it(stage: Stage) -> None:
    stage.world.put(rollout())
    stage.world.put(rollout("bystander"))
    broken = rollout("broken")
    broken["spec"]["selector"] = {"matchExpressions": [{"key": "app", "operator": "Near"}]}
    stage.world.put(broken)
    boundless = rollout("boundless")
    boundless["spec"]["selector"] = {}
    stage.world.put(boundless)
    by_expression = rollout("by-expression")
    by_expression["spec"]["selector"] = {"matchExpressions": [{"key": "app", "operator": "Exists"}]}
    stage.world.put(by_expression)
    by_two = rollout("by-two")
    by_two["spec"]["selector"]["matchLabels"]["tier"] = "front"
    stage.world.put(by_two)
    stage.told.clear()
    stage.world.put(replica_set(None, "a"))
    assert sorted(stage.told.added) == ["by-expression", "web"]


def test_somebody_elses_replica_set_concerns_nobody(stage: Stage) -> None:
    other = replica_set(stage.world.put(rollout()), "a")
    other["metadata"]["ownerReferences"][0]["kind"] = "Deployment"
    stage.told.clear()
    stage.world.put(other)
    assert stage.told.added == []


def test_a_service_concerns_those_who_name_it_before_it_is_there_and_after_it_is_gone(stage: Stage) -> None:
    stage.world.put(rollout(canaryService="canary", stableService="stable"))
    stage.world.put(rollout("bystander"))
    stage.told.clear()
    stage.world.put(service("canary"))
    stage.world.put(service("other"))
    stage.world.change("Service", "canary", {"spec": {"selector": {"x": "y"}}})
    stage.world.remove("Service", "canary")
    assert stage.told.added == ["web", "web", "web"]


def test_what_was_deleted_is_not_waited_for(stage: Stage) -> None:
    raw = stage.world.put(replica_set(stage.world.put(rollout()), "a"))
    stage.freshness.outdated(WEB, raw, 0)
    stage.world.remove("ReplicaSet", "web-a")
    assert stage.freshness.owed(WEB) == []
