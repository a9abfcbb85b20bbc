"""Is the example of an A/B test sound, does it send whom it says, and does it go on after so many rounds?"""

import re
from datetime import timedelta
from pathlib import Path

import yaml

from rollouts.cli.checks import findings
from rollouts.cli.manifests import read_documents
from rollouts.plan.analysis.templates import TemplateKey
from rollouts.ports import Reference
from rollouts.sim.measuring import Measuring
from rollouts.sim.metrics import Curve, Metrics
from rollouts.sim.scenario import Change, Scenario, create, set_image
from rollouts.sim.simulation import Pass, Simulation
from rollouts.sim.world import World
from rollouts.traffic.cookies import with_value
from tests.docs.pages import ROOT, first_yaml
from tests.docs.test_router_pages import KIT
from tests.plan.given import START

PAGE = ROOT / "docs" / "how-to" / "ab-testing.md"
ROUTE = Reference("gateway.networking.k8s.io", "HTTPRoute", "default", "web")
ROLLOUT, TEMPLATE, *SERVICES, HTTP_ROUTE = yaml.safe_load_all(first_yaml(PAGE))
ROUNDS = TEMPLATE["spec"]["metrics"][0]["count"]


def played(result: str, until: float = 24 * 3600) -> tuple[World, list[Pass]]:
    """Play a first deploy and an update, of which the metric says this."""
    world = World(START, followers=(Measuring(KIT, Metrics({"buys": {"": Curve.read([result])}})),))
    world.templates |= {TemplateKey("buys"): TEMPLATE["spec"]}
    for each in SERVICES:
        world.create_service(each)
    made = Change(0, "the route is created", lambda found: found.create_object(ROUTE, HTTP_ROUTE))
    story = Scenario(world, (made, create(0, ROLLOUT), set_image(100, "web", "web:2.0")), until)
    return world, [each for each in Simulation(story, KIT).run() if isinstance(each, Pass)]


def test_the_example_is_sound(tmp_path: Path) -> None:
    file = tmp_path / "web.yaml"
    file.write_text(first_yaml(PAGE))
    assert [str(each) for each in findings(list(read_documents(str(file))))] == []


def test_insiders_are_those_with_the_cookie() -> None:
    world, passes = played("0.05", until=1000)
    del world
    rules = [each.after.objects[ROUTE]["spec"]["rules"] for each in passes if ROUTE in each.after.objects]
    (header,) = rules[-1][0]["matches"][0]["headers"]
    assert header == {"type": "RegularExpression", "name": "Cookie", "value": with_value("insider", ["yes"])}
    assert re.fullmatch(header["value"], "a=b; insider=yes; c=d")
    assert not re.fullmatch(header["value"], "insider=yesterday")


def test_insiders_get_the_next_version_and_nobody_else_until_all_rounds_are_over() -> None:
    world, passes = played("0.05")
    rules = [each.after.objects[ROUTE]["spec"]["rules"] for each in passes if ROUTE in each.after.objects]
    weights = [[{to["name"]: to.get("weight") for to in rule["backendRefs"]} for rule in each] for each in rules]
    everybody: dict[str, int | None] = {"web-stable": None}
    begin = weights.index([{"web-canary": 1}, everybody])
    after = next(index for index, each in enumerate(weights[begin:], begin) if each[-1] != everybody)
    assert all(each[0] == {"web-canary": 1} for each in weights[begin:after]), "insiders are never without it"
    assert passes[after].now - passes[begin].now >= (ROUNDS - 1) * timedelta(minutes=10)
    assert world.rollouts["web"]["status"]["phase"] == "Healthy"
    assert len(weights[-1]) == 1


def test_too_many_failures_send_insiders_back() -> None:
    world, _ = played("0.01")
    assert world.rollouts["web"]["status"]["phase"] == "Degraded"
    assert len((world.objects.live[ROUTE] or {})["spec"]["rules"]) == 1
