"""Do whole updates pass through each router, with one write for each change of the weight?"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
import yaml

from rollouts.plan.actions import CreateObject, DeleteObject, PatchObject
from rollouts.ports import Reference
from rollouts.registry import load_kit
from rollouts.sim.scenario import Change, Scenario, abort, create, set_image
from rollouts.sim.simulation import Pass, Simulation
from rollouts.sim.world import World
from tests.docs.pages import ROOT, blocks
from tests.docs.routers import declared
from tests.plan.given import START, rollout
from tests.routing import create_services

PAGE = ROOT / "docs" / "how-to" / "traffic-routers.md"
KIT = replace(load_kit(), routers=declared())
WRITES = (CreateObject, PatchObject, DeleteObject)
STEPS = [{"setWeight": 20}, {"setWeight": 60}]


def manifests() -> Iterator[tuple[str, list[Any]]]:
    """Yield each block of the page, by its router."""
    for block in blocks(PAGE):
        fragment, *objects = yaml.safe_load_all(block.text)
        keys = fragment["strategy"]["canary"]["trafficRouting"].keys() - {"managedRoutes"}
        yield next(iter(keys)), [fragment["strategy"]["canary"], *objects]


MANIFESTS = list(manifests())


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


def phase(last: Pass) -> str:
    found: str = last.after.rollouts["web"]["status"]["phase"]
    return found
