"""Which rules are added to a route for header routes and mirrors?"""

from dataclasses import replace
from typing import Any

import pytest

from rollouts.api.base import parse
from rollouts.api.canary import RouteMatch, SetHeaderRoute, SetMirrorRoute
from tests.traffic.gateway_api import backend, canary, live, reference, rule, rules, spec, stable, weights, written
from tests.traffic.routers import OWNER, Json, route

SHARED = rule(stable(100), canary(0))
BETA = {"name": "beta", "match": [{"headerName": "X-Version", "headerValue": {"exact": "beta"}}]}
COPY = {"name": "copy", "percentage": 30, "match": [{"path": {"prefix": "/api"}}]}
ROOT = {"type": "PathPrefix", "value": "/"}
TO_CANARY = [{"group": "", "kind": "Service", "port": 80, "name": "web-canary", "weight": 1}]


def header(value: Json, name: str = "X-Version") -> Json:
    return {"name": "beta", "match": [{"headerName": name, "headerValue": value}]}


def asked(type_: str, value: str, name: str = "X-Version") -> Json:
    return {"type": type_, "name": name, "value": value}


def test_a_header_route_stands_before_all_others() -> None:
    first, *others = rules(written(live(SHARED), route(0, headers=[BETA])))
    assert first == {
        "name": "beta",
        "matches": [{"path": ROOT, "headers": [asked("Exact", "beta")]}],
        "backendRefs": TO_CANARY,
    }
    assert others == [SHARED]


@pytest.mark.parametrize(
    ("value", "match"),
    [
        ({"exact": "beta"}, asked("Exact", "beta")),
        ({"regex": "be.a"}, asked("RegularExpression", "be.a")),
        ({"prefix": "v1.2"}, asked("RegularExpression", r"^v1\.2.*$")),
    ],
)
def test_values_of_headers(value: Json, match: Json) -> None:
    first, _ = rules(written(live(SHARED), route(0, headers=[header(value)])))
    assert first["matches"][0]["headers"] == [match]


def test_there_is_one_for_each_rule_and_each_keeps_what_its_rule_says() -> None:
    filters = [{"type": "URLRewrite", "urlRewrite": {"hostname": "shop.example.com"}}]
    shop = {**SHARED, "matches": [{"path": {"type": "Exact", "value": "/shop"}}, {"method": "GET"}], "filters": filters}
    first, second, *_ = rules(written(live(SHARED, rule(backend("docs")), shop), route(5, headers=[BETA])))
    assert [first["name"], second["name"]] == ["beta", "beta-2"]
    assert second["filters"] == filters
    assert second["matches"] == [
        {"path": {"type": "Exact", "value": "/shop"}, "headers": [asked("Exact", "beta")]},
        {"method": "GET", "headers": [asked("Exact", "beta")]},
    ]


def test_a_session_can_not_keep_matched_requests_from_the_canary() -> None:
    first, second = rules(written(live({**SHARED, "sessionPersistence": {"type": "Cookie"}}), route(5, headers=[BETA])))
    assert "sessionPersistence" not in first
    assert "sessionPersistence" in second


def test_a_rule_that_asks_something_else_of_the_header_gets_none() -> None:
    other = {**SHARED, "matches": [{"headers": [asked("Exact", "alpha", "x-version")]}]}
    assert rules(written(live(other), route(0, headers=[BETA]))) == [other]
    same = {**SHARED, "matches": [{"headers": [asked("Exact", "beta", "x-version")]}]}
    assert rules(written(live(same), route(0, headers=[BETA])))[0]["matches"] == same["matches"]


def test_names_that_are_taken_and_names_that_the_api_does_not_take() -> None:
    settings = route(0, headers=[{**BETA, "name": "My Beta"}])
    before = {**SHARED, "name": "my-beta"}
    assert [each["name"] for each in rules(written(live(before), settings))] == ["my-beta-2", "my-beta"]


def test_routes_that_are_to_have_none() -> None:
    settings = spec(httpRoutes=[{"name": "web", "useHeaderRoutes": False}])
    assert rules(written(live(SHARED), route(0, headers=[BETA]), settings)) == [SHARED]
    streams = live(SHARED, at=reference("TCPRoute"))
    after = written(streams, route(0, headers=[BETA], mirrors=[COPY]), spec(tcpRoutes=[{"name": "web"}]))
    assert rules(after, reference("TCPRoute")) == [SHARED]


def test_calls_have_headers_too() -> None:
    calls = reference("GRPCRoute")
    method = {"service": "shop.Cart", "method": "Add"}
    before = live({**SHARED, "matches": [{"method": method}]}, at=calls)
    settings = spec(grpcRoutes=[{"name": "web"}])
    first, _ = rules(written(before, route(0, headers=[BETA]), settings), calls)
    assert first["matches"] == [{"method": method, "headers": [asked("Exact", "beta")]}]
    assert rules(written(live(SHARED, at=calls), route(0, headers=[BETA]), settings), calls)[0]["matches"] == [
        {"headers": [asked("Exact", "beta")]}
    ]


def test_a_mirror_has_the_weights_of_its_rule() -> None:
    first, second = rules(written(live(SHARED), route(20, mirrors=[COPY])))
    target = {"group": "", "kind": "Service", "port": 80, "name": "web-canary"}
    assert first["filters"] == [{"type": "RequestMirror", "requestMirror": {"backendRef": target, "percent": 30}}]
    assert first["matches"] == [{"path": {"type": "PathPrefix", "value": "/api"}}]
    assert weights(first) == weights(second) == {"web-stable": 80, "web-canary": 20}


def test_a_mirror_of_everything_needs_no_percentage() -> None:
    first, _ = rules(written(live(SHARED), route(20, mirrors=[{**COPY, "percentage": 100}])))
    assert "percent" not in first["filters"][0]["requestMirror"]


EXACT: Json = {"type": "Exact", "value": "/api/cart"}
API: Json = {"type": "PathPrefix", "value": "/api"}
PATHS: dict[str, tuple[Json, Any, Json | None]] = {
    "the mirror's is narrower": (API, {"exact": "/api/cart"}, EXACT),
    "the rule's is narrower": (EXACT, {"prefix": "/api"}, EXACT),
    "the same": (API, {"prefix": "/api"}, API),
    "whole elements count": (API, {"exact": "/apis"}, None),
    "none can be both": (EXACT, {"exact": "/api/shop"}, None),
    "an expression within everything": (ROOT, {"regex": "/v[0-9]"}, {"type": "RegularExpression", "value": "/v[0-9]"}),
    "nobody can tell": (API, {"regex": "/v[0-9]"}, None),
    "no wish": (API, None, API),
}


@pytest.mark.parametrize("name", PATHS)
def test_paths_of_mirrors(name: str) -> None:
    path, wish, both = PATHS[name]
    match = {"headers": {"X-Test": {"exact": "1"}}, **({"path": wish} if wish else {})}
    before = {**SHARED, "matches": [{"path": path}]}
    after = rules(written(live(before), route(5, mirrors=[{"name": "copy", "match": [match]}])))
    assert [each["matches"][0]["path"] for each in after[:-1]] == ([both] if both else [])


def test_methods_of_mirrors() -> None:
    before = {**SHARED, "matches": [{"method": "GET"}, {"path": EXACT}]}
    copy = {"name": "copy", "match": [{"method": {"exact": "POST"}}, {"method": {"regex": "G.*"}}]}
    first, _ = rules(written(live(before), route(5, mirrors=[copy])))
    assert first["matches"] == [{"path": EXACT, "method": "POST"}]


def test_calls_are_mirrored_by_their_headers() -> None:
    calls = reference("GRPCRoute")
    match: list[Json] = [{"headers": {"X-Test": {"exact": "1"}}}, {"path": {"prefix": "/shop"}}]
    settings = spec(grpcRoutes=[{"name": "web"}])
    after = written(live(SHARED, at=calls), route(5, mirrors=[{"name": "copy", "match": match}]), settings)
    assert rules(after, calls)[0]["matches"] == [{"headers": [asked("Exact", "1", "X-Test")]}]


def test_managed_routes_go_when_they_are_no_longer_wished_for() -> None:
    begin = live(SHARED, rule(backend("docs"), name="docs"))
    both = written(begin, route(0, headers=[BETA], mirrors=[COPY]))
    assert [each.get("name") for each in rules(both)] == ["beta", "copy", None, "docs"]
    assert [each.get("name") for each in rules(written(both, route(0, mirrors=[COPY])))] == ["copy", None, "docs"]
    assert written(both, route(0)) == begin


def test_people_may_put_rules_anywhere_meanwhile() -> None:
    during = written(live(SHARED), route(5, headers=[BETA]))
    theirs = rule(canary(1), matches=[{"headers": [asked("Exact", "me", "X-Team")]}])
    raw = during[reference()]
    assert raw is not None
    edited = {reference(): {**raw, "spec": {"rules": [theirs, *rules(during)]}}}
    after = rules(written(edited, route(10, headers=[BETA])))
    assert [each.get("name") for each in after] == ["beta", None, None]
    assert after[1] == theirs
    assert rules(written({reference(): {**raw, "spec": {"rules": after}}}, route(0)))[0] == theirs


def test_an_api_that_drops_the_names_of_rules_is_written_once_and_cleaned() -> None:
    during = written(live(SHARED), route(5, headers=[BETA]))
    raw = during[reference()]
    assert raw is not None
    nameless = [{key: value for key, value in each.items() if key != "name"} for each in rules(during)]
    old = {reference(): {**raw, "spec": {"rules": nameless}}}
    assert written(old, route(5, headers=[BETA])) == old
    assert rules(written(old, route(0))) == [SHARED]


def test_rules_that_git_has_put_back_are_added_again() -> None:
    during = written(live(SHARED), route(5, headers=[BETA]))
    raw = during[reference()]
    assert raw is not None
    reset = {reference(): {**raw, "spec": {"rules": [SHARED]}}}
    assert written(reset, route(5, headers=[BETA])) == during


def test_mirrors_of_two_rollouts_in_one_rule_are_not_made_after_each_other() -> None:
    """Each would copy the rules that the other has made after its own, without end."""
    every = SetMirrorRoute(name="every", match=(RouteMatch(),))
    first = replace(route(10), mirrors=(every,))
    ends = replace(first.canary, service="shop-canary"), replace(first.stable, service="shop-stable")
    second = replace(first, canary=ends[0], stable=ends[1])
    shop = replace(OWNER, name="shop", canary_service="shop-canary", stable_service="shop-stable")
    shared = rule(stable(90), canary(10), backend("shop-stable", 90), backend("shop-canary", 10))
    objects = written(live(shared), first)
    for _ in range(3):
        objects = written(written(objects, first), second, owner=shop)
    assert [each.get("name") for each in rules(objects)] == ["every", "every-2", None]


def test_two_rollouts_of_one_route_do_not_fight_for_the_first_place() -> None:
    beta = replace(route(10), headers=(parse(SetHeaderRoute, BETA),))
    ends = replace(beta.canary, service="shop-canary"), replace(beta.stable, service="shop-stable")
    second = replace(beta, canary=ends[0], stable=ends[1])
    shop = replace(OWNER, name="shop", canary_service="shop-canary", stable_service="shop-stable")
    objects = live(SHARED, rule(backend("shop-stable", 90), backend("shop-canary", 10)))
    once = written(written(objects, beta), second, owner=shop)
    assert [each.get("name") for each in rules(once)] == ["beta", "beta-2", None, None]
    again = written(once, beta)
    assert written(again, second, owner=shop) == again == once


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("a.-b", "a.b"),
        ("A..b", "a.b"),
        ("-.Beta_2.-", "beta-2"),
        ("_", "managed"),
        ("a" * 300, "a" * 249),
        ("a" * 248 + ".b", "a" * 248),
    ],
)
def test_rules_get_names_that_the_api_server_takes(name: str, called: str) -> None:
    first, _ = rules(written(live(SHARED), route(5, headers=[{**BETA, "name": name}])))
    assert first["name"] == called


def test_names_that_become_the_same_get_numbers() -> None:
    routes = [{**BETA, "name": "a" * 260}, {**BETA, "name": "a" * 270}]
    made = [each["name"] for each in rules(written(live(SHARED), route(5, headers=routes))) if "name" in each]
    assert made == ["a" * 249, "a" * 249 + "-2"]
