"""Which weights and routes does an HTTPProxy of Contour get, and what of it stays untouched?"""

from dataclasses import replace
from typing import Any

import pytest

from rollouts.api.base import parse
from rollouts.api.traffic import ContourTrafficRouting
from rollouts.ports import Objects, Owner, Patch, Reference, Route
from rollouts.traffic.contour import Contour
from tests.traffic import routers
from tests.traffic.kinds import BETA, OWNER, Json, header, live, mirror, problems, route, written

ROUTER = Contour()
ADDED = "rollouts.argoproj.io/added"


def reference(name: str = "web") -> Reference:
    return Reference("projectcontour.io", "HTTPProxy", "default", name)


def spec(*names: str) -> ContourTrafficRouting:
    return parse(ContourTrafficRouting, {"httpProxies": list(names)})


WEB = spec("web")


def to(name: str, weight: int | None = None, **fields: Any) -> Json:
    return {"name": name, "port": 80, **({} if weight is None else {"weight": weight}), **fields}


def stable(weight: int | None = None) -> Json:
    return to("web-stable", weight)


def canary(weight: int | None = None) -> Json:
    return to("web-canary", weight)


def rule(*services: Json, **fields: Any) -> Json:
    return {**fields, "services": list(services)}


def proxy(*routes: Json, name: str = "web", **more: Any) -> Any:
    return live(reference(name), {"virtualhost": {"fqdn": "shop.example.com"}, "routes": list(routes), **more})


def routes(objects: Objects) -> list[Json]:
    found: list[Json] = (objects[reference()] or {})["spec"]["routes"]
    return found


ROWS: dict[str, tuple[list[Json], Route, list[Json]]] = {
    "the canary is put beside stable": (
        [rule(stable())],
        route(20),
        [rule(stable(80), canary(20))],
    ),
    "two without weights share alike": (
        [rule(stable(), canary())],
        route(50),
        [rule(stable(), canary())],
    ),
    "every route that names both": (
        [rule(stable(100), canary(0)), rule(stable(1)), rule(canary(0), stable(1), timeoutPolicy={"idle": "5m"})],
        route(10),
        [rule(stable(90), canary(10)), rule(stable(1)), rule(canary(10), stable(90), timeoutPolicy={"idle": "5m"})],
    ),
    "others keep their share": (
        [rule(stable(100), canary(0), to("docs", 25)), rule(to("docs"))],
        route(10),
        [rule(stable(90), canary(10), to("docs", 25)), rule(to("docs"))],
    ),
    "a mirror is no share": (
        [rule(stable(100), to("web-canary", mirror=True))],
        route(20),
        [rule(stable(80), to("web-canary", mirror=True), canary(20))],
    ),
    "pods of an experiment": (
        [rule(stable(100))],
        route(10, additional={"web-1": 5}),
        [rule(stable(85), canary(10), to("web-1", 5))],
    ),
}


@pytest.mark.parametrize(("before", "wanted", "after"), ROWS.values(), ids=ROWS)
def test_weights(before: list[Json], wanted: Route, after: list[Json]) -> None:
    assert routes(written(ROUTER, WEB, proxy(*before), wanted)) == after


def test_connections_are_shared_as_well_and_have_no_headers() -> None:
    before = proxy(tcpproxy=rule(stable(100), canary(0)))
    after = written(ROUTER, WEB, before, route(20, headers=[BETA]))[reference()] or {}
    assert after["spec"]["tcpproxy"] == rule(stable(80), canary(20))
    assert after["spec"]["routes"] == []


def test_destinations_of_an_experiment_go_with_it() -> None:
    before = proxy(rule(stable(100), canary(0)))
    during = written(ROUTER, WEB, before, route(10, additional={"web-1": 5}))
    assert (during[reference()] or {})["metadata"]["annotations"] == {ADDED: '{"default/web":{"backends":["web-1"]}}'}
    assert written(ROUTER, WEB, during, route(0)) == before


def test_a_canary_that_was_put_there_goes_again() -> None:
    before = proxy(rule(stable(100)))
    assert written(ROUTER, WEB, written(ROUTER, WEB, before, route(10)), route(0)) == before


def test_a_header_route_needs_no_canary_beside_it() -> None:
    after = routes(written(ROUTER, WEB, proxy(rule(stable(100))), route(0, headers=[BETA])))
    assert [each["services"] for each in after] == [[canary(100)], [stable(100)]]


def test_a_header_route_is_made_after_each_route_that_is_shared() -> None:
    shared = rule(stable(100), canary(0), conditions=[{"prefix": "/api"}], timeoutPolicy={"idle": "5m"})
    before = proxy(rule(to("docs")), shared, labels={"a": "b"})
    during = written(ROUTER, WEB, before, route(10, headers=[BETA]))
    asked = {"header": {"name": "X-Version", "exact": "beta"}}
    assert routes(during) == [
        rule(canary(100), conditions=[{"prefix": "/api"}, asked], timeoutPolicy={"idle": "5m"}),
        rule(to("docs")),
        {**shared, "services": [stable(90), canary(10)]},
    ]
    assert routes(written(ROUTER, WEB, during, route(50, headers=[BETA])))[0] == routes(during)[0]
    assert written(ROUTER, WEB, during, route(0)) == before


HEADERS: dict[str, tuple[Json, Json]] = {
    "exactly": ({"exact": "beta"}, {"exact": "beta"}),
    "by its beginning": ({"prefix": "v1.2"}, {"regex": r"v1\.2.*"}),
    "by an expression": ({"regex": "v[12]"}, {"regex": "v[12]"}),
}


@pytest.mark.parametrize(("value", "wanted"), HEADERS.values(), ids=HEADERS)
def test_how_a_header_is_compared(value: Json, wanted: Json) -> None:
    after = routes(written(ROUTER, WEB, proxy(rule(stable(100))), route(5, headers=[header(**value)])))
    assert after[0]["conditions"] == [{"header": {"name": "X-Version", **wanted}}]


def test_two_rollouts_of_one_proxy_do_not_fight_for_the_first_place() -> None:
    web = route(10, headers=[BETA])
    ends = replace(web.canary, service="shop-canary"), replace(web.stable, service="shop-stable")
    shop = replace(web, canary=ends[0], stable=ends[1])
    owner = replace(OWNER, name="shop", canary_service="shop-canary", stable_service="shop-stable")
    before = proxy(rule(stable(90), canary(10)), rule(to("shop-stable", 90), to("shop-canary", 10)))
    once = routers.written(ROUTER, WEB, shop, written(ROUTER, WEB, before, web), owner)
    assert len(routes(once)) == 4
    again = written(ROUTER, WEB, once, web)
    assert routers.written(ROUTER, WEB, shop, again, owner) == again == once


def test_a_mirror_of_other_people_stays_in_a_header_route() -> None:
    audit = to("audit", mirror=True)
    after = routes(written(ROUTER, WEB, proxy(rule(stable(100), audit)), route(5, headers=[BETA])))
    assert after[0]["services"] == [canary(100), audit]


GET = {"method": {"exact": "GET"}}
ANY = {"header": {"name": ":method", "present": True}}
COPIED: dict[str, tuple[list[Json], list[Json], list[list[Json]]]] = {
    "all requests: two routes must not ask for the same": ([], [], [[{"prefix": "/"}, ANY]]),
    "of a route with a path": ([{"prefix": "/api"}], [], [[{"prefix": "/api"}, ANY]]),
    "a narrower path": ([{"prefix": "/api"}], [{"path": {"exact": "/api/v1"}}], [[{"exact": "/api/v1"}]]),
    "a path that may be anything": ([], [{"path": {"regex": "/v[12]/.*"}}], [[{"regex": "/v[12]/.*"}]]),
    "an expression within a prefix can't be told": ([{"prefix": "/api"}], [{"path": {"regex": "/v[12]/.*"}}], []),
    "another path": ([{"prefix": "/api"}], [{"path": {"prefix": "/docs"}}], []),
    "a method": ([], [GET], [[{"prefix": "/"}, {"header": {"name": ":method", "exact": "GET"}}]]),
    "alternatives are a route each": (
        [],
        [GET, {"headers": {"X-Team": {"prefix": "shop"}}}],
        [
            [{"prefix": "/"}, {"header": {"name": ":method", "exact": "GET"}}],
            [{"prefix": "/"}, {"header": {"name": "X-Team", "regex": "shop.*"}}],
        ],
    ),
    "a header that the route asks for already": (
        [{"header": {"name": "X-Team", "exact": "shop"}}],
        [{"headers": {"X-Team": {"exact": "shop"}}, **GET}],
        [
            [
                {"prefix": "/"},
                {"header": {"name": "X-Team", "exact": "shop"}},
                {"header": {"name": ":method", "exact": "GET"}},
            ]
        ],
    ),
    "a header that the route asks otherwise": (
        [{"header": {"name": "x-team", "exact": "api"}}],
        [{"headers": {"X-Team": {"exact": "shop"}}}],
        [],
    ),
}


@pytest.mark.parametrize(("conditions", "match", "wanted"), COPIED.values(), ids=COPIED)
def test_which_requests_are_copied(conditions: list[Json], match: list[Json], wanted: list[list[Json]]) -> None:
    shared = rule(stable(100), **({"conditions": conditions} if conditions else {}))
    after = routes(written(ROUTER, WEB, proxy(shared), route(0, mirrors=[mirror(*match)])))
    assert [each["conditions"] for each in after[:-1]] == wanted
    assert [each["services"] for each in after] == [
        *([[stable(100), to("web-canary", mirror=True)]] * len(wanted)),
        [stable(100)],
    ]


def test_a_copy_of_some_requests_follows_the_weights_and_goes_again() -> None:
    before = proxy(rule(stable(100), canary(0), timeoutPolicy={"idle": "5m"}))
    half = mirror(percentage=50)
    for weight in (0, 20):
        during = written(ROUTER, WEB, before, route(weight, mirrors=[half]))
        copied, shared = routes(during)
        assert shared == rule(stable(100 - weight), canary(weight), timeoutPolicy={"idle": "5m"})
        assert copied["services"] == [*shared["services"], to("web-canary", mirror=True, weight=50)]
        assert copied["timeoutPolicy"] == {"idle": "5m"}
    assert written(ROUTER, WEB, during, route(0)) == before


def test_contour_copies_to_one_service_and_to_nobody_without_a_share() -> None:
    audited = proxy(rule(stable(100), to("audit", mirror=True)))
    assert written(ROUTER, WEB, audited, route(0, mirrors=[mirror()])) == audited
    plain = proxy(rule(stable(100)))
    assert written(ROUTER, WEB, plain, route(0, mirrors=[mirror(percentage=0)])) == plain


def test_managed_routes_stand_in_the_rollouts_order() -> None:
    for names in (("copy", "beta"), ("beta", "copy")):
        owner = replace(OWNER, managed_routes=names)
        wanted = route(5, headers=[BETA], mirrors=[mirror()])
        (write,) = ROUTER.write(WEB, owner, wanted, proxy(rule(stable(100))))
        assert isinstance(write, Patch)
        is_copy = [any(each.get("mirror") for each in one["services"]) for one in write.body["spec"]["routes"]]
        assert is_copy == [name == "copy" for name in names] + [False]


PROBLEMS: dict[str, tuple[ContourTrafficRouting, Objects | None, list[tuple[str, str]]]] = {
    "none is named": (
        spec(),
        None,
        [("", "names no object: list in httpProxies those that send traffic to the stable Service")],
    ),
    "one twice": (spec("web", "web"), None, [("httpProxies[1]", "HTTPProxy web is httpProxies[0], too: list it once")]),
    "one that doesn't exist": (
        WEB,
        {reference(): None},
        [("httpProxies[0]", "HTTPProxy web doesn't exist in namespace default: create it")],
    ),
    "no route of ours": (
        WEB,
        proxy(rule(to("docs")), rule(canary(1))),
        [("httpProxies[0]", "no rule of HTTPProxy web sends traffic to the stable Service web-stable: add it to one")],
    ),
    "all is well": (WEB, proxy(rule(stable())), []),
}


@pytest.mark.parametrize(("settings", "objects", "wanted"), PROBLEMS.values(), ids=PROBLEMS)
def test_problems(settings: ContourTrafficRouting, objects: Objects | None, wanted: list[tuple[str, str]]) -> None:
    assert problems(ROUTER, settings, objects) == wanted


def test_of_a_ping_pong_pair_either_may_be_the_stable_one() -> None:
    pair = Owner("web", "default", "uid-web", has_ping_pong=True)
    assert list(ROUTER.problems(WEB, pair, proxy(rule(to("ping"))))) == []
