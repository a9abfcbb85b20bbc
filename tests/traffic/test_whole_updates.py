"""Do whole updates pass through each router, with one write for each change of the weight?"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from rollouts.plan.actions import CreateObject, DeleteObject, PatchObject
from rollouts.ports import Ability, Reference
from rollouts.registry import load_kit
from rollouts.sim.scenario import Change, Scenario, abort, create, patch_spec, scale, set_image
from rollouts.sim.simulation import Pass, Simulation
from rollouts.sim.world import World
from tests.docs.router_pages import examples
from tests.docs.routers import declared
from tests.plan.given import START, rollout
from tests.routing import create_services

KIT = replace(load_kit(), routers=declared())
WRITES = (CreateObject, PatchObject, DeleteObject)
STEPS = [{"setWeight": 20}, {"setWeight": 60}]


MANIFESTS = [(each.router, [each.canary, *each.objects]) for each in examples()]


def passes(canary: dict[str, Any], objects: list[Any], *script: Change, steps: Sequence[Any] = STEPS) -> list[Pass]:
    """Play a first deploy, and what comes after it."""
    made = [_creation(raw) for raw in objects]
    pair = canary.get("pingPong", {}).values()
    services = [canary[key] for key in ("stableService", "canaryService") if key in canary]
    begin = (*create_services(*services, *pair), *made, create(0, rollout(steps=steps, canary=canary)))
    scenario = Scenario(World(START, {}), (*begin, *script))
    return [each for each in Simulation(scenario, KIT).run() if isinstance(each, Pass)]


def _creation(raw: Any) -> Change:
    group, _, _ = raw["apiVersion"].rpartition("/")
    reference = Reference(group, raw["kind"], "default", raw["metadata"]["name"])
    return Change(0, f"{reference} is created", lambda world: world.create_object(reference, raw))


def written(every: list[Pass], since: float) -> Counter[str]:
    """Count the writes of each object from a moment on."""
    late = (each for each in every if (each.now - START).total_seconds() >= since)
    actions = (action for each in late for action in each.plan.actions)
    return Counter(str(action.reference) for action in actions if isinstance(action, WRITES))


BY_ROUTER = pytest.mark.parametrize("manifest", [each for _, each in MANIFESTS], ids=[key for key, _ in MANIFESTS])


@BY_ROUTER
def test_an_update_writes_once_for_each_weight(manifest: list[Any]) -> None:
    every = passes(manifest[0], manifest[1:], set_image(100, "web", "app:2"))
    assert phase(every[-1]) == "Healthy"
    assert max(written(every, 100).values()) == len([*STEPS, "all", "none"])


@BY_ROUTER
def test_an_abort_is_one_write_at_once(manifest: list[Any]) -> None:
    held = [{"setWeight": 20}, {"pause": {}}]
    every = passes(manifest[0], manifest[1:], set_image(100, "web", "app:2"), abort(200, "web"), steps=held)
    assert phase(every[-1]) == "Degraded"
    assert max(written(every, 200).values()) == 1
    first = next(each.now for each in every if written([each], 200))
    assert (first - START).total_seconds() == 200


@BY_ROUTER
def test_nothing_is_written_while_the_weight_stays(manifest: list[Any]) -> None:
    held = [{"setWeight": 20}, {"pause": {}}]
    slower = patch_spec(300, "web", "pods get a minute", minReadySeconds=60)
    more = (scale(200, "web", 12), slower, scale(400, "web", 4))
    every = passes(manifest[0], manifest[1:], set_image(100, "web", "app:2"), *more, steps=held)
    assert phase(every[-1]) == "Paused"
    assert any((each.now - START).total_seconds() >= 400 for each in every)
    assert written(every, 200) == Counter()


PAIRS = [key for key, _ in MANIFESTS if Ability.PING_PONG in KIT.routers[key].abilities]


@pytest.mark.parametrize("key", dict.fromkeys(PAIRS))
def test_a_pair_takes_turns_and_nothing_moves_at_the_end(key: str) -> None:
    canary, *objects = of_a_pair(next(manifest for each, manifest in MANIFESTS if each == key))
    every = passes(canary, objects, set_image(100, "web", "app:2"), set_image(2000, "web", "app:3"))
    assert phase(every[-1]) == "Healthy"
    weights = len([*STEPS, "all"])
    mark = 1 if key in {"gatewayAPI", "linkerd"} else 0  # the route says that it isn't in progress any more
    assert max(written(every, 2000).values()) == weights + mark


def of_a_pair(manifest: list[Any]) -> list[Any]:
    """Return a manifest with a ping-pong pair instead of its two Services."""
    text = json.dumps(manifest).replace("web-stable", "ping").replace("web-canary", "pong")
    canary, *objects = json.loads(text)
    rest = {name: value for name, value in canary.items() if name not in {"stableService", "canaryService"}}
    return [{**rest, "pingPong": {"pingService": "ping", "pongService": "pong"}}, *objects]


def phase(last: Pass) -> str:
    found: str = last.after.rollouts["web"]["status"]["phase"]
    return found
