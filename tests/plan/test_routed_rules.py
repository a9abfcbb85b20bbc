"""Which rules of the API hold for which of its routers? Each is broken once for each router that it is for."""

from collections.abc import Mapping
from typing import Any

import pytest

from rollouts.api.rollout import parse_rollout
from rollouts.plan.validate import problems
from rollouts.registry import load_kit
from tests.plan.given import rollout

Routing = dict[str, Any]

SERVICES = {"canaryService": "c", "stableService": "s"}
NODES = {"canaryVirtualNodeRef": {"name": "a"}, "stableVirtualNodeRef": {"name": "b"}}
ROUTERS: dict[str, Routing] = {
    "alb": {"ingress": "web", "servicePort": 80},
    "ambassador": {"mappings": ["web"]},
    "apisix": {"route": {"name": "web", "rules": ["main"]}},
    "appMesh": {"virtualService": {"name": "web"}, "virtualNodeGroup": NODES},
    "istio": {"virtualService": {"name": "web"}},
    "nginx": {"stableIngress": "web"},
    "smi": {},
    "traefik": {"weightedTraefikServiceName": "web"},
}
RULE = {"name": "web", "canarySubsetName": "canary", "stableSubsetName": "stable"}
SUBSETS = {"virtualService": {"name": "web"}, "destinationRule": RULE}
BETA = {"name": "beta", "match": [{"headerName": "X-Version", "headerValue": {"exact": "beta"}}]}
COPY = {"name": "beta", "match": [{"method": {"exact": "GET"}}]}
SHARE = {"templates": [{"name": "baseline", "specRef": "stable", "weight": 5}]}
CASES: dict[str, dict[str, Any]] = {
    "no Services": {},
    "a pair": {"pingPong": {"pingService": "ping", "pongService": "pong"}},
    "a greater whole": {**SERVICES, "whole": 500},
    "a header route": {**SERVICES, "steps": [{"setHeaderRoute": BETA}]},
    "a mirror": {**SERVICES, "steps": [{"setMirrorRoute": COPY}]},
    "a share for an experiment": {**SERVICES, "steps": [{"experiment": SHARE}]},
}
EVERYBODY = frozenset(ROUTERS)
REFUSED: Mapping[str, tuple[frozenset[str], str]] = {
    "no Services": (EVERYBODY, "set canaryService and stableService"),
    "a pair": (EVERYBODY - {"alb", "apisix", "istio", "traefik"}, "can't do pingPong"),
    "a greater whole": (EVERYBODY - {"alb", "apisix", "nginx", "smi", "traefik"}, "maxTrafficWeight"),
    "a header route": (EVERYBODY - {"alb", "apisix", "istio"}, "can't do that"),
    "a mirror": (EVERYBODY - {"istio"}, "can't do that"),
    "a share for an experiment": (EVERYBODY - {"alb", "istio", "smi"}, "can't send traffic to the pods of experiments"),
}


def said(router: str, spec: Routing, case: dict[str, Any]) -> list[str]:
    """Return all problems as text."""
    settings = dict(case)
    steps, whole = settings.pop("steps", None), settings.pop("whole", None)
    routing = {router: spec, "managedRoutes": [{"name": "beta"}], **({"maxTrafficWeight": whole} if whole else {})}
    raw: dict[str, Any] = dict(rollout(steps=steps, canary={**settings, "trafficRouting": routing}))
    raw["spec"]["template"]["spec"]["containers"][0]["ports"] = [{"containerPort": 8080}]
    if "alb" in routing and "pingPong" in settings:
        routing["alb"] = {**spec, "rootService": "root"}
    return [str(each) for each in problems(parse_rollout(raw), raw, load_kit(), templates=lambda _: None)]


@pytest.mark.parametrize("router", ROUTERS)
@pytest.mark.parametrize("case", CASES)
def test_a_router_is_told_that_it_can_not_do_it_or_does_it(case: str, router: str) -> None:
    who, wanted = REFUSED[case]
    found = said(router, ROUTERS[router], CASES[case])
    if router not in who:
        assert found == []
    else:
        assert any(wanted in each for each in found), found
        assert all(each.startswith("spec.strategy.canary.") for each in found)


def test_subsets_need_no_services() -> None:
    assert said("istio", SUBSETS, {}) == []


@pytest.mark.parametrize("comparison", ["prefix", "regex"])
def test_alb_compares_headers_as_a_whole_only(comparison: str) -> None:
    match = {"headerName": "X-Version", "headerValue": {comparison: "beta"}}
    (problem,) = said("alb", ROUTERS["alb"], {**SERVICES, "steps": [{"setHeaderRoute": {**BETA, "match": [match]}}]})
    assert f"headerValue.{comparison}: alb can't compare headers like that: use exact" in problem


def test_a_pair_needs_a_root_service_behind_alb() -> None:
    raw = rollout(canary={**CASES["a pair"], "trafficRouting": {"alb": ROUTERS["alb"]}})
    (problem,) = problems(parse_rollout(raw), raw, load_kit())
    assert "alb.rootService: must be set with pingPong" in str(problem)


@pytest.mark.parametrize("value", [{}, {"exact": "a", "prefix": "b"}])
def test_a_header_is_compared_in_exactly_one_way(value: dict[str, str]) -> None:
    match = {"headerName": "X-Version", "headerValue": value}
    step = {"setHeaderRoute": {**BETA, "match": [match]}}
    (problem,) = said("istio", ROUTERS["istio"], {**SERVICES, "steps": [step]})
    assert "set exactly one of exact, prefix, regex" in problem


def test_a_header_route_without_matches_removes_it() -> None:
    for router in ("alb", "apisix", "istio"):
        assert said(router, ROUTERS[router], {**SERVICES, "steps": [{"setHeaderRoute": {"name": "beta"}}]}) == []
