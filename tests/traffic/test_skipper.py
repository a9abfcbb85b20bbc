"""Which weights do Ingresses and RouteGroups of Skipper get, and what of them stays untouched?"""

from typing import Any

import pytest

from rollouts.api.base import parse
from rollouts.api.traffic import SkipperTrafficRouting
from rollouts.ports import Objects, Reference, Route
from rollouts.traffic.skipper import Skipper
from tests.traffic.kinds import OWNER, Json, live, problems, route, written

ROUTER = Skipper()
WEIGHTS = "zalando.org/backend-weights"
INGRESS = Reference("networking.k8s.io", "Ingress", "default", "web")
WEB = parse(SkipperTrafficRouting, {"ingresses": ["web"]})


def path(name: str, at: str = "/") -> Json:
    backend = {"service": {"name": name, "port": {"number": 80}}}
    return {"path": at, "pathType": "Prefix", "backend": backend}


BOTH = (path("web-stable"), path("web-canary"))


def ingress(*paths: Json, weights: str | None = None, **annotations: str) -> Any:
    noted = {**annotations, **({} if weights is None else {WEIGHTS: weights})}
    rules = [{"host": "shop.example.com", "http": {"paths": list(paths)}}]
    return live(INGRESS, {"rules": rules}, **({"annotations": noted} if noted else {}))


ROWS: dict[str, tuple[str | None, Route, str]] = {
    "none yet": (None, route(20), '{"web-canary": 20, "web-stable": 80}'),
    "other ones": ('{"web-canary": 20, "web-stable": 80}', route(0), '{"web-canary": 0, "web-stable": 100}'),
    "the same, written in another way": (
        '{"web-stable":80,"web-canary":20}',
        route(20),
        '{"web-stable":80,"web-canary":20}',
    ),
    "those of other Services stay": ('{"docs": 3}', route(20), '{"docs": 3, "web-canary": 20, "web-stable": 80}'),
}


@pytest.mark.parametrize(("before", "wanted", "after"), ROWS.values(), ids=ROWS)
def test_weights(before: str | None, wanted: Route, after: str) -> None:
    found = written(ROUTER, WEB, ingress(*BOTH, weights=before, team="shop"), wanted)
    assert found == ingress(*BOTH, weights=after, team="shop")


def test_weights_that_cannot_be_read_are_left_alone() -> None:
    assert ROUTER.write(WEB, OWNER, route(20), ingress(*BOTH, weights="half")) == ()


PROBLEMS: dict[str, tuple[list[str], Objects | None, list[tuple[str, str]]]] = {
    "none is named": (
        [],
        None,
        [("", "names no Ingress and no RouteGroup: list in ingresses or routeGroups those with both Services")],
    ),
    "one twice": (
        ["web", "web"],
        None,
        [(f"ingresses[{index}]", "web is listed 2 times: list it once") for index in (0, 1)],
    ),
    "one that doesn't exist": (
        ["web"],
        {INGRESS: None},
        [("ingresses[0]", "Ingress web doesn't exist in namespace default: create it")],
    ),
    "weights that can't be read": (
        ["web"],
        ingress(*BOTH, weights="[1]"),
        [
            (
                "ingresses[0]",
                f"the annotation {WEIGHTS} of Ingress web can't be read: write a JSON object, or remove it",
            )
        ],
    ),
    "no path of ours": (
        ["web"],
        ingress(path("docs")),
        [
            (
                "ingresses[0]",
                "no path of Ingress web has both web-canary and web-stable as backends: list one twice",
            )
        ],
    ),
    "a path without the canary": (
        ["web"],
        ingress(*BOTH, path("web-stable", "/api")),
        [
            (
                "ingresses[0]",
                "a path of Ingress web has no backend with the Service web-canary: list the path for it, too",
            )
        ],
    ),
    "all is well": (["web"], ingress(*BOTH, path("docs", "/docs")), []),
}


@pytest.mark.parametrize(("names", "objects", "wanted"), PROBLEMS.values(), ids=PROBLEMS)
def test_problems(names: list[str], objects: Objects | None, wanted: list[tuple[str, str]]) -> None:
    assert problems(ROUTER, parse(SkipperTrafficRouting, {"ingresses": names}), objects) == wanted


GROUP = Reference("zalando.org", "RouteGroup", "default", "web")
GROUPS = parse(SkipperTrafficRouting, {"routeGroups": ["web"]})
NAMED: list[Json] = [
    {"name": "next", "type": "service", "serviceName": "web-canary", "servicePort": 80},
    {"name": "now", "type": "service", "serviceName": "web-stable", "servicePort": 80},
    {"name": "docs", "type": "service", "serviceName": "docs", "servicePort": 80},
    {"name": "away", "type": "network", "address": "https://example.com"},
]


def to(name: str, weight: int | None = None) -> Json:
    return {"backendName": name, **({} if weight is None else {"weight": weight})}


def route_group(*routes: Json, default: list[Json] | None = None, backends: list[Json] | None = None) -> Any:
    defaults = {} if default is None else {"defaultBackends": default}
    hosts = {"hosts": ["shop.example.com"], "backends": NAMED if backends is None else backends}
    return live(GROUP, {**hosts, **defaults, "routes": list(routes)})


def shared(*backends: Json, **fields: Any) -> Json:
    return {"pathSubtree": "/", **fields, "backends": list(backends)}


PLAIN_GROUP = route_group(shared(to("now", 100), to("next", 0), to("docs", 7)))
TWO = "web-stable and web-canary"
GROUP_ROWS: dict[str, tuple[Any, Route, Any]] = {
    "a route": (
        route_group(shared(to("now", 1), to("next", 0), filters=["ratelimit(20)"]), {"pathSubtree": "/docs"}),
        route(20),
        route_group(shared(to("now", 80), to("next", 20), filters=["ratelimit(20)"]), {"pathSubtree": "/docs"}),
    ),
    "what routes have that say nothing else": (
        route_group({"pathSubtree": "/"}, default=[to("now", 1), to("next", 0)]),
        route(20),
        route_group({"pathSubtree": "/"}, default=[to("now", 80), to("next", 20)]),
    ),
    "without weights all are alike": (
        route_group(shared(to("now"), to("next"))),
        route(50),
        route_group(shared(to("now"), to("next"))),
    ),
    "beside one with a weight it is nothing": (
        route_group(shared(to("now", 1), to("next"))),
        route(0),
        route_group(shared(to("now", 1), to("next"))),
    ),
    "those of others keep their share": (
        route_group(shared(to("now", 50), to("next", 0), to("away", 50))),
        route(10),
        route_group(shared(to("now", 90), to("next", 10), to("away", 100))),
    ),
    "a route of others is none of our business": (
        route_group(shared(to("now", 1), to("next", 0)), shared(to("docs", 1))),
        route(0),
        route_group(shared(to("now", 1), to("next", 0)), shared(to("docs", 1))),
    ),
}


@pytest.mark.parametrize(("before", "wanted", "after"), GROUP_ROWS.values(), ids=GROUP_ROWS)
def test_weights_in_route_groups(before: Any, wanted: Route, after: Any) -> None:
    assert written(ROUTER, GROUPS, before, wanted) == after


GROUP_PROBLEMS: dict[str, tuple[Any, list[str]]] = {
    "it doesn't exist": ({GROUP: None}, ["RouteGroup web doesn't exist in namespace default: create it"]),
    "a backend is missing": (
        route_group(shared(to("now"), to("docs")), backends=NAMED[1:]),
        [
            "RouteGroup web has no backend with the Service web-canary: add one to spec.backends",
            "a list of backends of RouteGroup web lacks the Service web-canary: add it, with the weight 0",
        ],
    ),
    "no route has them": (
        route_group(shared(to("docs"))),
        [f"no route of RouteGroup web has both {TWO}: name them in its backends, or in spec.defaultBackends"],
    ),
    "all is well": (route_group(shared(to("now"), to("next")), shared(to("docs"))), []),
}


@pytest.mark.parametrize(("objects", "wanted"), GROUP_PROBLEMS.values(), ids=GROUP_PROBLEMS)
def test_problems_of_route_groups(objects: Any, wanted: list[str]) -> None:
    assert problems(ROUTER, GROUPS, objects) == [("routeGroups[0]", message) for message in wanted]


def test_a_route_group_named_twice() -> None:
    twice = parse(SkipperTrafficRouting, {"routeGroups": ["web", "web"]})
    assert [message for _, message in problems(ROUTER, twice)] == ["web is listed 2 times: list it once"] * 2
