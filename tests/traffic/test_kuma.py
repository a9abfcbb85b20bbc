"""Which weights and rules do routes of Kuma get, and what of them stays untouched?"""

from copy import deepcopy
from typing import Any

import pytest

from rollouts.api.base import parse
from rollouts.api.traffic import KumaTrafficRouting
from rollouts.ports import Objects, Reference, Route
from rollouts.traffic.kuma import Kuma
from tests.traffic.kinds import BETA, Json, header, live, mirror, problems, route, written

ROUTER = Kuma()


def reference(kind: str = "MeshHTTPRoute", namespace: str = "default") -> Reference:
    return Reference("kuma.io", kind, namespace, "web")


def spec(**fields: Any) -> KumaTrafficRouting:
    return parse(KumaTrafficRouting, fields)


WEB = spec(meshHTTPRoutes=["web"])


def to(name: str, weight: int | None = None, **fields: Any) -> Json:
    return {"kind": "MeshService", "name": name, **({} if weight is None else {"weight": weight}), **fields}


def stable(weight: int | None = None) -> Json:
    return to("web-stable", weight)


def canary(weight: int | None = None) -> Json:
    return to("web-canary", weight)


def rule(*backends: Json, **fields: Any) -> Json:
    return {**fields, "default": {"backendRefs": list(backends)}}


def mesh_route(*rules: Json, at: Reference | None = None) -> Any:
    entry = {"targetRef": {"kind": "MeshService", "name": "web"}, "rules": list(rules)}
    others = {"targetRef": {"kind": "MeshService", "name": "docs"}, "rules": [rule(to("docs"))]}
    return live(
        at or reference(), {"targetRef": {"kind": "Mesh"}, "to": [others, entry, {"targetRef": {"kind": "Mesh"}}]}
    )


def rules(objects: Objects, at: Reference | None = None) -> list[Json]:
    found: list[Json] = (objects[at or reference()] or {})["spec"]["to"][1]["rules"]
    return found


ROWS: dict[str, tuple[list[Json], Route, list[Json]]] = {
    "the canary is put beside stable": ([rule(stable())], route(20), [rule(stable(80), canary(20))]),
    "a name that Kuma has made of a Service": (
        [rule(to("web-stable_default_svc_80", 100))],
        route(20),
        [rule(to("web-stable_default_svc_80", 80), to("web-canary_default_svc_80", 20))],
    ),
    "such a name of another namespace is another one": (
        [rule(to("web-stable_blue_svc_80", 1), stable(1))],
        route(20),
        [rule(to("web-stable_blue_svc_80", 100), stable(80), canary(20))],
    ),
    "so is a name with a namespace": (
        [rule(to("web-stable", 1, namespace="blue"), stable(1))],
        route(20),
        [rule(to("web-stable", 100, namespace="blue"), stable(80), canary(20))],
    ),
    "what isn't a MeshService is none of ours": (
        [rule({"kind": "MeshExternalService", "name": "web-stable", "weight": 1}, stable(1))],
        route(50),
        [rule({"kind": "MeshExternalService", "name": "web-stable", "weight": 100}, stable(50), canary(50))],
    ),
    "pods of an experiment": (
        [rule(stable(100))],
        route(10, additional={"web-1": 5}),
        [rule(stable(85), canary(10), to("web-1", 5))],
    ),
}


@pytest.mark.parametrize(("before", "wanted", "after"), ROWS.values(), ids=ROWS)
def test_weights(before: list[Json], wanted: Route, after: list[Json]) -> None:
    assert rules(written(ROUTER, WEB, mesh_route(*before), wanted)) == after


def test_a_header_route_takes_what_the_rule_takes() -> None:
    filters = [{"type": "URLRewrite"}]
    shared = {
        "matches": [{"path": {"type": "PathPrefix", "value": "/api"}}, {"method": "GET"}],
        "default": {"filters": filters, "backendRefs": [stable(100), canary(0)]},
    }
    before = mesh_route(shared)
    during = written(ROUTER, WEB, before, route(0, headers=[BETA]))
    asked = {"headers": [{"type": "Exact", "name": "X-Version", "value": "beta"}]}
    ours, theirs = rules(during)
    assert ours == {
        "matches": [{"path": {"type": "PathPrefix", "value": "/api"}, **asked}, {"method": "GET", **asked}],
        "default": {"filters": filters, "backendRefs": [canary(1)]},
    }
    assert theirs == shared
    assert written(ROUTER, WEB, during, route(0)) == before


def test_defaults_of_the_api_server_make_no_rule_of_ours_somebody_elses() -> None:
    before = mesh_route(rule(stable(100), canary(0)))
    objects = written(ROUTER, WEB, before, route(0, headers=[BETA]))
    raw = deepcopy(dict(objects[reference()] or {}))
    raw["spec"]["to"][1]["rules"][0]["default"]["backendRefs"][0]["port"] = 80
    defaulted = written(ROUTER, WEB, {reference(): raw}, route(0, headers=[BETA]))
    assert rules(defaulted) == raw["spec"]["to"][1]["rules"]
    assert written(ROUTER, WEB, defaulted, route(0)) == before


HEADERS: dict[str, tuple[Json, Json]] = {
    "exactly": ({"exact": "beta"}, {"type": "Exact", "value": "beta"}),
    "by its beginning": ({"prefix": "v1.2"}, {"type": "Prefix", "value": "v1.2"}),
    "by an expression": ({"regex": "v[12]"}, {"type": "RegularExpression", "value": "v[12]"}),
}


@pytest.mark.parametrize(("value", "wanted"), HEADERS.values(), ids=HEADERS)
def test_how_a_header_is_compared(value: Json, wanted: Json) -> None:
    after = rules(written(ROUTER, WEB, mesh_route(rule(stable(100))), route(5, headers=[header(**value)])))
    everything = {"type": "PathPrefix", "value": "/"}
    assert after[0]["matches"] == [{"path": everything, "headers": [{"name": "X-Version", **wanted}]}]


def test_connections_have_no_headers() -> None:
    at = reference("MeshTCPRoute", "kuma-system")
    settings = spec(meshTCPRoutes=["web"], namespace="kuma-system")
    before = mesh_route(rule(to("web-stable_default_svc_80")), at=at)
    after = written(ROUTER, settings, before, route(20, headers=[BETA]))
    assert rules(after, at) == [rule(to("web-stable_default_svc_80", 80), to("web-canary_default_svc_80", 20))]


PROBLEMS: dict[str, tuple[KumaTrafficRouting, Objects | None, list[tuple[str, str]]]] = {
    "none is named": (spec(), None, [("", "names no object: list some in meshHTTPRoutes or meshTCPRoutes")]),
    "one twice": (
        spec(meshTCPRoutes=["web", "web"]),
        None,
        [("meshTCPRoutes[1]", "MeshTCPRoute web is meshTCPRoutes[0], too: list it once")],
    ),
    "one that doesn't exist": (
        spec(meshHTTPRoutes=["web"], namespace="mesh"),
        {reference(namespace="mesh"): None},
        [("meshHTTPRoutes[0]", "MeshHTTPRoute web doesn't exist in namespace mesh: create it")],
    ),
    "no rule of ours": (
        WEB,
        mesh_route(rule(to("docs"))),
        [
            (
                "meshHTTPRoutes[0]",
                "no rule of MeshHTTPRoute web sends traffic to the stable Service web-stable: add it to one",
            )
        ],
    ),
}


@pytest.mark.parametrize(("settings", "objects", "wanted"), PROBLEMS.values(), ids=PROBLEMS)
def test_problems(settings: KumaTrafficRouting, objects: Objects | None, wanted: list[tuple[str, str]]) -> None:
    assert problems(ROUTER, settings, objects) == wanted


def test_a_copy_of_some_requests_follows_the_weights_and_goes_again() -> None:
    audit = {"type": "RequestMirror", "requestMirror": {"backendRef": to("audit")}}
    shared = rule(stable(100), canary(0), matches=[{"path": {"type": "PathPrefix", "value": "/api"}}])
    shared["default"]["filters"] = [audit]
    before = mesh_route(shared)
    asked = mirror({"method": {"exact": "GET"}, "headers": {"X-Team": {"exact": "shop"}}}, percentage=30)
    for weight in (0, 20):
        during = written(ROUTER, WEB, before, route(weight, mirrors=[asked]))
        copied, other = rules(during)
        headers = [{"type": "Exact", "name": "X-Team", "value": "shop"}]
        assert copied["matches"] == [{**shared["matches"][0], "method": "GET", "headers": headers}]
        assert copied["default"]["backendRefs"] == other["default"]["backendRefs"]
        ours = {"type": "RequestMirror", "requestMirror": {"backendRef": to("web-canary"), "percentage": 30}}
        assert copied["default"]["filters"] == [audit, ours]
        assert other["default"] == {"backendRefs": [stable(100 - weight), canary(weight)], "filters": [audit]}
    assert written(ROUTER, WEB, during, route(0)) == before


def test_a_copy_of_every_request_has_a_match_of_its_own() -> None:
    before = mesh_route(rule(stable(100), canary(0), matches=[{"path": {"type": "PathPrefix", "value": "/api"}}]))
    for every in (mirror({}), mirror({"path": {"prefix": "/"}})):
        copied, shared = rules(written(ROUTER, WEB, before, route(0, mirrors=[every])))
        assert copied["matches"] == [{**shared["matches"][0], "headers": [{"type": "Present", "name": "host"}]}]


def test_a_request_that_a_rule_does_not_take_is_not_copied() -> None:
    before = mesh_route(rule(stable(100), matches=[{"path": {"type": "Exact", "value": "/api"}}]))
    assert written(ROUTER, WEB, before, route(0, mirrors=[mirror({"path": {"exact": "/docs"}})])) == before


def test_connections_are_not_copied() -> None:
    at = reference("MeshTCPRoute")
    before = mesh_route(rule(stable(100), canary(0)), at=at)
    assert written(ROUTER, spec(meshTCPRoutes=["web"]), before, route(0, mirrors=[mirror()])) == before
