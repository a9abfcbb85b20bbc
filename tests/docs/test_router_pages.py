"""Is there a page for each traffic router, do its manifests work together, and is what it shows what they become?"""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from rollouts.api.base import parse
from rollouts.api.canary import CanaryStrategy
from rollouts.plan.validate_routed import routed_problems
from rollouts.ports import Kit, Objects
from rollouts.registry import load_kit
from rollouts.sim.scenario import Change, Scenario, create, set_image
from rollouts.sim.simulation import Pass, Simulation
from rollouts.sim.world import World
from tests.docs.pages import links
from tests.docs.router_pages import HOW_TO, PAGES, WEIGHT, Example, differences, examples, reference_to
from tests.docs.routers import declared
from tests.plan.given import START

KIT = replace(load_kit(), routers=declared())
PLUGIN = "argoproj-labs/gatewayAPI"
"""Has the settings of another controller's plugin; the page about the Gateway API tells of it."""

ROLLOUT = {"name": "web", "namespace": "default", "uid": "uid-web"}
EXAMPLES = list(examples())
EACH = pytest.mark.parametrize("example", EXAMPLES, ids=str)


def test_each_router_has_a_page() -> None:
    assert {each.router for each in EXAMPLES} == declared().keys() - {PLUGIN}
    assert {each.page for each in EXAMPLES} == set(PAGES)


def test_the_overview_leads_to_each_page() -> None:
    overview = HOW_TO / "traffic-routers.md"
    reached = {(overview.parent / target.partition("#")[0]).resolve() for target in links(overview)}
    assert set(PAGES) <= reached


@EACH
def test_its_manifests_have_no_problems(example: Example) -> None:
    canary = parse(CanaryStrategy, example.canary)
    objects: Objects = {reference_to(raw): raw for raw in example.objects}
    kit = Kit(steps={}, routers=declared())
    assert list(routed_problems(canary, ROLLOUT, kit, objects)) == []


@EACH
def test_its_objects_are_as_the_page_shows_them(example: Example) -> None:
    world = played(example, set_image(100, "web", "web:2.0"))
    (canary, *_) = example.canary["steps"]
    assert canary == {"setWeight": WEIGHT}
    assert world.rollouts["web"]["status"]["phase"] == "Paused"
    for shown in example.at_weight:
        assert list(differences(shown, world.objects.live.get(reference_to(shown)))) == []


def played(example: Example, *script: Change) -> World:
    """Play a first deploy and an update; return the world at the end."""
    begin = (*(_creation(raw) for raw in (*example.services, *example.objects)), create(0, example.rollout))
    scenario = Scenario(World(START, {}), (*begin, *script))
    passes: Sequence[Pass] = [each for each in Simulation(scenario, KIT).run() if isinstance(each, Pass)]
    assert passes
    return scenario.world


def _creation(raw: dict[str, object]) -> Change:
    reference = reference_to(raw)

    def do(world: World) -> None:
        if reference.kind == "Service":
            world.create_service(raw)
        else:
            world.create_object(reference, raw)

    return Change(0, f"{reference} is created", do)
