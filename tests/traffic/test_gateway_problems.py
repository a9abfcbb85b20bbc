"""What is said of settings that can't work, and of routes that lack something?"""

from dataclasses import replace
from typing import Any

import pytest

from rollouts.api.gateway_api import GatewayApiTrafficRouting
from rollouts.ports import Objects
from tests.traffic.gateway_api import ROUTER, backend, canary, live, reference, rule, spec, stable, written
from tests.traffic.routers import OWNER, route

SHARED = rule(stable(100), canary(0))
BETA = {"name": "beta", "match": [{"headerName": "X-Version", "headerValue": {"exact": "beta"}}]}
ROWS: dict[str, tuple[Any, Objects | None, list[tuple[str, str]]]] = {
    "no route": (
        {},
        None,
        [("", "names no route: list some in httpRoutes, grpcRoutes, tcpRoutes or tlsRoutes")],
    ),
    "neither a name nor a selector": (
        {"tcpRoutes": [{}]},
        None,
        [("tcpRoutes[0]", "must name one route, or select some by a selector: set one of the two")],
    ),
    "both": (
        {"httpRoutes": [{"name": "web", "selector": {"matchLabels": {"app": "web"}}}]},
        None,
        [("httpRoutes[0]", "must name one route, or select some by a selector: set one of the two")],
    ),
    "a selector that can't be read": (
        {"httpRoutes": [{"selector": {"matchExpressions": [{"key": "app", "operator": "Is"}]}}]},
        {},
        [
            (
                "httpRoutes[0].selector",
                "'Is' is no operator of a label selector: write In, NotIn, Exists, DoesNotExist",
            )
        ],
    ),
    "the same route twice": (
        {"httpRoutes": [{"name": "web"}, {"name": "web", "namespace": "default"}]},
        None,
        [("httpRoutes[1]", "HTTPRoute web is httpRoutes[0], too: list it once, with all its rules")],
    ),
    "a label that is none": (
        {"httpRoutes": [{"name": "web"}], "inProgressLabelKey": "is it?", "inProgressLabelValue": "it is"},
        None,
        [
            ("inProgressLabelKey", '"is it?" is no key of a label'),
            ("inProgressLabelValue", '"it is" is no value of a label'),
        ],
    ),
    "a route that doesn't exist": (
        {"grpcRoutes": [{"name": "web", "namespace": "edge"}]},
        {reference("GRPCRoute", namespace="edge"): None},
        [("grpcRoutes[0]", "GRPCRoute web doesn't exist in namespace edge: create it")],
    ),
    "no route with such labels": (
        {"httpRoutes": [{"selector": {"matchLabels": {"app": "web"}}}]},
        live(SHARED),
        [("httpRoutes[0]", "no HTTPRoute in namespace default has the labels app=web: label a route")],
    ),
    "no rule of ours": (
        {"httpRoutes": [{"name": "web"}]},
        live(rule(backend("docs")), rule(canary(1))),
        [
            (
                "httpRoutes[0]",
                "no rule of HTTPRoute web has the stable Service web-stable as a backend: add it to one",
            )
        ],
    ),
    "a rule that isn't there": (
        {"httpRoutes": [{"name": "web", "rules": ["shop", "cart"]}]},
        live({**SHARED, "name": "shop"}),
        [("httpRoutes[0]", 'HTTPRoute web has no rule named "cart": there are shop')],
    ),
    "no rule has a name": (
        {"httpRoutes": [{"name": "web", "rules": ["cart"]}]},
        live(SHARED),
        [("httpRoutes[0]", 'HTTPRoute web has no rule named "cart": none of its rules has a name')],
    ),
    "a rule of others": (
        {"httpRoutes": [{"name": "web", "rules": ["docs"]}]},
        live({**rule(backend("docs")), "name": "docs"}, SHARED),
        [("httpRoutes[0]", 'rule "docs" of HTTPRoute web doesn\'t name the Service web-stable as a backend')],
    ),
    "all is well": ({"httpRoutes": [{"name": "web"}]}, live(SHARED), []),
}


def said(settings: GatewayApiTrafficRouting, objects: Objects | None, owner: Any = OWNER) -> list[tuple[str, str]]:
    return list(ROUTER.problems(settings, owner, objects))


@pytest.mark.parametrize("name", ROWS)
def test_problems(name: str) -> None:
    fields, objects, expected = ROWS[name]
    assert said(spec(**fields), objects) == expected


def test_both_services_are_one() -> None:
    same = replace(OWNER, canary_service="web-stable")
    (problem,) = said(spec(httpRoutes=[{"name": "web"}]), None, same)
    assert problem == ("", 'canaryService and stableService are both "web-stable": name two Services')


def test_nothing_is_said_of_a_route_in_the_middle_of_an_update() -> None:
    settings = spec(httpRoutes=[{"name": "web"}])
    assert said(settings, written(live(rule(stable(100))), route(100, headers=[BETA]))) == []


def test_of_a_pair_nobody_knows_which_is_stable() -> None:
    pair = replace(OWNER, canary_service="", stable_service="", has_ping_pong=True)
    assert said(spec(httpRoutes=[{"name": "web"}]), live(rule(backend("ping", 1), backend("pong", 0))), pair) == []


def test_settings_with_problems_still_say_what_is_to_be_watched() -> None:
    broken = {"selector": {"matchExpressions": [{"key": "app", "operator": "Is"}]}}
    assert ROUTER.reads(spec(httpRoutes=[broken, {}, {"name": "web"}]), OWNER) == (reference(),)


WITH_ROUTES = replace(OWNER, managed_routes=("beta", "copy"))


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        (
            [SHARED] * 9,
            (
                "HTTPRoute web would need 18 rules for one of managedRoutes, and can have 16: name fewer in rules, or"
                " share them out to several routes"
            ),
        ),
        (
            [rule(stable(1), matches=[{"path": {"value": "/"}}] * 33)] * 2,
            (
                "HTTPRoute web would need 132 matches in all its rules for one of managedRoutes, and can have 128: name"
                " fewer in rules, or share them out to several routes"
            ),
        ),
        (
            [rule(stable(1), *(backend(f"docs-{index}") for index in range(15)), name="shop")],
            (
                'rule "shop" of HTTPRoute web has 16 backends and can have 16, so that there is no room for web-canary:'
                " remove a backend there"
            ),
        ),
    ],
)
def test_a_route_has_room_for_what_is_added(rules: list[Any], says: str) -> None:
    settings = spec(httpRoutes=[{"name": "web"}])
    assert said(settings, live(*rules), WITH_ROUTES) == [("httpRoutes[0]", says)]


@pytest.mark.parametrize(
    "rules",
    [
        [SHARED] * 8,
        [rule(stable(1), matches=[{"path": {"value": "/"}}] * 32)] * 2,
        [rule(stable(1), canary(0), *(backend(f"docs-{index}") for index in range(14)))],
    ],
)
def test_a_route_that_is_just_full_is_sound(rules: list[Any]) -> None:
    assert said(spec(httpRoutes=[{"name": "web"}]), live(*rules), WITH_ROUTES) == []


def test_what_has_no_managed_routes_needs_no_room_for_them() -> None:
    assert said(spec(httpRoutes=[{"name": "web"}]), live(*[SHARED] * 16)) == []
