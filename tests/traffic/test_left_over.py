"""What becomes of routes of an object that a router goes on using, once the spec names others of its routes?"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest

from rollouts.plan import plan_rollout
from rollouts.plan.actions import CreateObject, DeleteObject, PatchObject
from rollouts.ports import Reference
from rollouts.registry import load_kit
from rollouts.sim.scenario import Change, Scenario, create, patch_spec, resume, set_image
from rollouts.sim.simulation import Pass, Simulation
from rollouts.sim.world import World
from tests.plan.given import START, rollout
from tests.routing import create_services
from tests.traffic.gateway_api import backend
from tests.traffic.istio import rule, to

Json = dict[str, Any]
KIT = load_kit()
HELD = [{"setWeight": 20}, {"pause": {}}]
ISTIO = Reference("networking.istio.io", "VirtualService", "default", "web")
GATEWAY = Reference("gateway.networking.k8s.io", "HTTPRoute", "default", "web")


@dataclass(frozen=True)
class Case:
    """A router whose object has several routes, of which the spec names some."""

    place: Reference
    field: str
    body: Json

    def routing(self, *names: str) -> Json:
        if self.place is ISTIO:
            return {"istio": {"virtualService": {"name": "web", "routes": list(names)}}}
        return {"gatewayAPI": {"httpRoutes": [{"name": "web", "rules": list(names)}]}}

    def shares(self, raw: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
        """Return what stable and the canary get of each route."""
        return {each["name"]: self._shares(each) for each in raw["spec"][self.field]}

    def _shares(self, each: Json) -> tuple[int, int]:
        if self.place is ISTIO:
            found = {one["destination"]["host"]: one.get("weight", 0) for one in each["route"]}
        else:
            found = {one["name"]: one.get("weight", 1) for one in each["backendRefs"]}
        return found.get("s", 0), found.get("c", 0)

    def __str__(self) -> str:
        return self.place.kind


CASES = pytest.mark.parametrize(
    "case",
    [
        Case(
            ISTIO,
            "http",
            {
                "hosts": ["shop.example.com"],
                "http": [rule(to("s", 100), to("c", 0), name=name) for name in ("one", "two", "theirs")],
            },
        ),
        Case(
            GATEWAY,
            "rules",
            {
                "rules": [
                    {"name": name, "backendRefs": [backend("s", 100), backend("c", 0)]}
                    for name in ("one", "two", "theirs")
                ]
            },
        ),
    ],
    ids=str,
)


def play(case: Case, names: tuple[str, ...], *script: Change, **canary: Any) -> tuple[World, list[Pass]]:
    """Play a first deploy, and what comes after it."""
    raw = {"kind": case.place.kind, "metadata": {"name": "web"}, "spec": deepcopy(case.body)}
    canary = {
        "canaryService": "c",
        "stableService": "s",
        "steps": HELD,
        **canary,
        "trafficRouting": {**case.routing(*names), **canary.get("trafficRouting", {})},
    }
    steps = canary.pop("steps")
    made = Change(0, "a route", lambda world: world.create_object(case.place, raw))
    begin = (*create_services("s", "c"), made, create(0, rollout(steps=steps, canary=canary)))
    simulation = Simulation(Scenario(World(START, {}), (*begin, *script)), KIT)
    records = [each for each in simulation.run() if isinstance(each, Pass)]
    return simulation.world, records


def renamed(case: Case, after: float, *names: str) -> Change:
    return patch_spec(after, "web", "other routes", strategy={"canary": {"trafficRouting": case.routing(*names)}})


def writes(every: list[Pass], since: float) -> int:
    late = [each for each in every if (each.now - START).total_seconds() >= since]
    actions = [action for each in late for action in each.plan.actions]
    return sum(isinstance(action, CreateObject | PatchObject | DeleteObject) for action in actions)


def live(world: World, case: Case) -> Mapping[str, Any]:
    raw = world.objects.live[case.place]
    assert raw is not None
    return raw


def assert_forgotten(world: World, case: Case, *names: str) -> None:
    """Check that only what is in use is remembered, and that a lost status has nothing written again."""
    (known,) = world.rollouts["web"]["status"]["routedBy"]
    assert known["spec"] == next(iter(case.routing(*names).values()))
    before = {**known, "spec": next(iter(case.routing("one", "two").values())), "managedRoutes": ["beta"]}
    world.patch_status("web", {"routedBy": [before, known]})
    plan = plan_rollout(world.observe("web"), world.now, KIT)
    assert plan.actions == ()
    assert plan.status is not None
    assert plan.status["routedBy"] == [known]


@CASES
def test_another_route_in_mid_canary(case: Case) -> None:
    world, every = play(case, ("one",), set_image(100, "web", "app:2"), renamed(case, 300, "two"))
    assert case.shares(live(world, case)) == {"one": (100, 0), "two": (80, 20), "theirs": (100, 0)}
    assert writes(every, 300) == 2, "what is in use first, then what is left over"
    assert_forgotten(world, case, "two")


@CASES
def test_fewer_routes_in_mid_canary(case: Case) -> None:
    world, every = play(case, ("one", "two"), set_image(100, "web", "app:2"), renamed(case, 300, "two"))
    assert case.shares(live(world, case)) == {"one": (100, 0), "two": (80, 20), "theirs": (100, 0)}
    assert writes(every, 300) == 1
    assert_forgotten(world, case, "two")


@CASES
def test_more_routes_in_mid_canary(case: Case) -> None:
    world, every = play(case, ("two",), set_image(100, "web", "app:2"), renamed(case, 300, "one", "two"))
    assert case.shares(live(world, case)) == {"one": (80, 20), "two": (80, 20), "theirs": (100, 0)}
    assert writes(every, 300) == 1
    assert_forgotten(world, case, "one", "two")


@CASES
def test_other_routes_at_rest(case: Case) -> None:
    world, every = play(case, ("one",), renamed(case, 300, "two"))
    assert writes(every, 300) == 0
    assert_forgotten(world, case, "two")


@CASES
def test_at_rest_a_share_that_is_left_over_goes(case: Case) -> None:
    def leave_over(world: World) -> None:
        rules = deepcopy(live(world, case)["spec"][case.field])
        for one, weight in zip(rules[0].get("route") or rules[0]["backendRefs"], (80, 20), strict=True):
            one["weight"] = weight
        world.patch_object(case.place, {"spec": {case.field: rules}})
        world.patch_rollout("web", {"spec": {"strategy": {"canary": {"trafficRouting": case.routing("two")}}}})

    world, every = play(case, ("one",), Change(300, "other routes, and a share", leave_over))
    assert case.shares(live(world, case)) == {"one": (100, 0), "two": (100, 0), "theirs": (100, 0)}
    assert writes(every, 300) == 1
    assert_forgotten(world, case, "two")


@CASES
def test_not_before_stable_can_carry_it(case: Case) -> None:
    resumed = resume(600, "web")
    script = (set_image(100, "web", "app:2"), renamed(case, 300, "two"))
    dynamic = {"dynamicStableScale": True, "steps": [{"setWeight": 50}, {"pause": {}}]}
    world, _ = play(case, ("one",), *script, **dynamic)
    assert case.shares(live(world, case)) == {"one": (50, 50), "two": (50, 50), "theirs": (100, 0)}
    assert len(world.rollouts["web"]["status"]["routedBy"]) == 2
    world, _ = play(case, ("one",), *script, resumed, **dynamic)
    assert case.shares(live(world, case)) == {"one": (100, 0), "two": (100, 0), "theirs": (100, 0)}
    assert_forgotten(world, case, "two")


@CASES
def test_other_names_of_managed_routes(case: Case) -> None:
    def by_header(name: str) -> Json:
        match = [{"headerName": "x", "headerValue": {"exact": "1"}}]
        return {
            "trafficRouting": {**case.routing("one"), "managedRoutes": [{"name": name}]},
            "steps": [{"setWeight": 20}, {"setHeaderRoute": {"name": name, "match": match}}, {"pause": {}}],
        }

    def rename(world: World) -> None:
        world.patch_rollout("web", {"spec": {"strategy": {"canary": by_header("gamma")}}})

    script = (set_image(100, "web", "app:2"), Change(300, "another name", rename))
    world, _ = play(case, ("one",), *script, **by_header("beta"))
    assert "beta" not in str(live(world, case))
    assert "gamma" in str(live(world, case)["spec"])
    assert case.shares(live(world, case))["one"] == (80, 20)
    assert_forgotten(world, case, "one")
