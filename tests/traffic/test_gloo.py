"""Which weights and routes does a RouteTable of Gloo get, and what of it stays untouched?"""

from typing import Any

import pytest

from rollouts.api.base import parse
from rollouts.api.traffic import GlooTrafficRouting
from rollouts.ports import Objects, Reference, Route
from rollouts.traffic.gloo import Gloo
from tests.traffic.kinds import BETA, Json, header, live, problems, route, written

ROUTER = Gloo()


def reference(namespace: str = "default") -> Reference:
    return Reference("gateway.solo.io", "RouteTable", namespace, "web")


def spec(**fields: Any) -> GlooTrafficRouting:
    return parse(GlooTrafficRouting, fields)


WEB = spec(routeTables=["web"])


def weighed(destination: Json, weight: int | None = None) -> Json:
    return {"destination": destination, **({} if weight is None else {"weight": weight})}


def kube(name: str, **place: str) -> Json:
    return {"kube": {"ref": {"name": name, **place}, "port": 80}}


def upstream(name: str) -> Json:
    return {"upstream": {"name": name, "namespace": "gloo-system"}}


def stable(weight: int | None = None) -> Json:
    return weighed(kube("web-stable"), weight)


def canary(weight: int | None = None) -> Json:
    return weighed(kube("web-canary"), weight)


def rule(*destinations: Json, **fields: Any) -> Json:
    return {**fields, "routeAction": {"multi": {"destinations": list(destinations)}}}


def table(*routes: Json, at: Reference | None = None) -> Any:
    return live(at or reference(), {"routes": list(routes), "weight": 3})


def routes(objects: Objects, at: Reference | None = None) -> list[Json]:
    found: list[Json] = (objects[at or reference()] or {})["spec"]["routes"]
    return found


ROWS: dict[str, tuple[list[Json], Route, list[Json]]] = {
    "two destinations": ([rule(stable(100), canary(0))], route(20), [rule(stable(80), canary(20))]),
    "a single one becomes two once there is something to share": (
        [{"routeAction": {"single": kube("web-stable")}, "options": {"timeout": "3s"}}],
        route(20),
        [rule(stable(80), canary(20), options={"timeout": "3s"})],
    ),
    "the Upstream of a Service": (
        [rule(weighed(upstream("default-web-stable-80"), 100))],
        route(20),
        [rule(weighed(upstream("default-web-stable-80"), 80), weighed(upstream("default-web-canary-80"), 20))],
    ),
    "a Service or an Upstream of another namespace is another one": (
        [rule(weighed(kube("web-stable", namespace="blue"), 1), weighed(upstream("blue-web-stable-80"), 1), stable(2))],
        route(20),
        [
            rule(
                weighed(kube("web-stable", namespace="blue"), 50),
                weighed(upstream("blue-web-stable-80"), 50),
                stable(80),
                canary(20),
            )
        ],
    ),
    "routes that do something else stay": (
        [{"redirectAction": {}}, {"delegateAction": {}}, rule(stable(1))],
        route(20),
        [{"redirectAction": {}}, {"delegateAction": {}}, rule(stable(80), canary(20))],
    ),
    "pods of an experiment": (
        [rule(stable(100))],
        route(10, additional={"web-1": 5}),
        [rule(stable(85), canary(10), weighed(kube("web-1"), 5))],
    ),
}


@pytest.mark.parametrize(("before", "wanted", "after"), ROWS.values(), ids=ROWS)
def test_weights(before: list[Json], wanted: Route, after: list[Json]) -> None:
    assert routes(written(ROUTER, WEB, table(*before), wanted)) == after


def test_a_header_route_takes_what_the_route_takes() -> None:
    shared = rule(stable(100), canary(0), name="all", matchers=[{"prefix": "/api"}], options={"timeout": "3s"})
    before = table(rule(weighed(kube("docs"))), shared)
    during = written(ROUTER, WEB, before, route(0, headers=[BETA]))
    asked = {"headers": [{"name": "X-Version", "value": "beta"}]}
    ours = rule(canary(1), matchers=[{"prefix": "/api", **asked}], options={"timeout": "3s"})
    assert routes(during) == [ours, *routes(before)]
    assert written(ROUTER, WEB, during, route(0)) == before


HEADERS: dict[str, tuple[Json, Json]] = {
    "exactly": ({"exact": "beta"}, {"value": "beta"}),
    "by its beginning": ({"prefix": "v1.2"}, {"value": r"v1\.2.*", "regex": True}),
    "by an expression": ({"regex": "v[12]"}, {"value": "v[12]", "regex": True}),
}


@pytest.mark.parametrize(("value", "wanted"), HEADERS.values(), ids=HEADERS)
def test_how_a_header_is_compared(value: Json, wanted: Json) -> None:
    after = routes(written(ROUTER, WEB, table(rule(stable(100))), route(5, headers=[header(**value)])))
    assert after[0]["matchers"] == [{"prefix": "/", "headers": [{"name": "X-Version", **wanted}]}]


def test_a_table_of_another_namespace() -> None:
    at = reference("gloo-system")
    theirs, ours = weighed(kube("web-stable"), 1), weighed(kube("web-stable", namespace="default"), 1)
    before = table(rule(theirs), rule(ours), at=at)
    after = written(ROUTER, spec(routeTables=["web"], namespace="gloo-system"), before, route(100))
    there = weighed(kube("web-canary", namespace="default"), 100)
    assert routes(after, at) == [rule(theirs), rule({**ours, "weight": 0}, there)]


PROBLEMS: dict[str, tuple[GlooTrafficRouting, Objects | None, list[tuple[str, str]]]] = {
    "none is named": (
        spec(),
        None,
        [("", "names no object: list in routeTables those that send traffic to the stable Service")],
    ),
    "one that doesn't exist": (
        WEB,
        {reference(): None},
        [("routeTables[0]", "RouteTable web doesn't exist in namespace default: create it")],
    ),
    "no route of ours": (
        WEB,
        table({"redirectAction": {}}),
        [("routeTables[0]", "no rule of RouteTable web sends traffic to the stable Service web-stable: add it to one")],
    ),
}


@pytest.mark.parametrize(("settings", "objects", "wanted"), PROBLEMS.values(), ids=PROBLEMS)
def test_problems(settings: GlooTrafficRouting, objects: Objects | None, wanted: list[tuple[str, str]]) -> None:
    assert problems(ROUTER, settings, objects) == wanted
