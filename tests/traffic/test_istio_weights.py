"""Which weights do the destinations of a VirtualService get, and what of it stays untouched?"""

from typing import Any

import pytest

from rollouts.ports import Patch, Route
from tests.traffic.istio import (
    ADDED,
    BY_HOST,
    BY_SUBSET,
    OWNER,
    ROUTER,
    Json,
    annotations,
    canary,
    destination_rule,
    http,
    named,
    reference,
    route,
    rule,
    spec,
    spec_of,
    stable,
    subset,
    to,
    virtual_service,
    written,
)

SAME = rule(stable(100), canary(0))
ROWS: dict[str, tuple[Any, list[Json], Route, list[Json]]] = {
    "the only route needs no name": (
        {},
        [rule(stable(100), canary(0))],
        route(20),
        [rule(stable(80), canary(20))],
    ),
    "of several, those that are named": (
        {"routes": ["primary", "secondary"]},
        [{"name": "primary", **SAME}, {"name": "docs", **SAME}, {"name": "secondary", **SAME}, SAME],
        route(20),
        [
            {"name": "primary", **rule(stable(80), canary(20))},
            {"name": "docs", **SAME},
            {"name": "secondary", **rule(stable(80), canary(20))},
            SAME,
        ],
    ),
    "other fields of a route and of a destination stay": (
        {},
        [
            rule(
                {**stable(100, port={"number": 80}), "headers": {"x": 1}},
                canary(0),
                timeout="3s",
                retries={"attempts": 2},
            )
        ],
        route(1),
        [
            rule(
                {**stable(99, port={"number": 80}), "headers": {"x": 1}},
                canary(1),
                timeout="3s",
                retries={"attempts": 2},
            )
        ],
    ),
    "a host may be a whole name": (
        {},
        [rule(to("web-stable.default.svc.cluster.local", 100), to("web-canary.default", 0))],
        route(50),
        [rule(to("web-stable.default.svc.cluster.local", 50), to("web-canary.default", 50))],
    ),
    "a Service of the same name in another namespace is another one": (
        {},
        [rule(stable(50), canary(0), to("web-canary.blue.svc.cluster.local", 50))],
        route(50),
        [rule(stable(50), canary(50), to("web-canary.blue.svc.cluster.local", 100))],
    ),
    "a host that begins with the same name is another one": (
        {},
        [rule(stable(100), canary(0), to("web-stable-2", 0))],
        route(50),
        [rule(stable(50), canary(50), to("web-stable-2", 0))],
    ),
    "weights that stand to each other as they should are left alone": (
        {},
        [rule(stable(4), canary(1))],
        route(20),
        [rule(stable(4), canary(1))],
    ),
    "the weight of a destination that stands alone may be left out": (
        {},
        [rule(stable())],
        route(0),
        [rule(stable())],
    ),
    "pods of an experiment get destinations like ours": (
        {},
        [rule(to("web-stable.default.svc", 100, port={"number": 80}), canary(0))],
        route(10, additional={"web-1-baseline": 5}),
        [
            rule(
                to("web-stable.default.svc", 85, port={"number": 80}),
                canary(10),
                to("web-1-baseline.default.svc", 5, port={"number": 80}),
            )
        ],
    ),
}


@pytest.mark.parametrize(("entry", "before", "wanted", "after"), ROWS.values(), ids=ROWS)
def test_weights_of_http_routes(entry: Json, before: list[Json], wanted: Route, after: list[Json]) -> None:
    settings = spec(virtualService={"name": "web", **entry})
    assert http(written(virtual_service(*before), wanted, settings)) == after


TLS: Json = {
    "tls": [
        {"match": [{"port": 443, "sniHosts": ["b.example.com", "a.example.com"]}], **rule(stable(100), canary(0))},
        {"match": [{"port": 443, "sniHosts": ["a.example.com"]}], **rule(stable(100), canary(0))},
        {"match": [{"port": 8443, "sniHosts": ["a.example.com"]}], **rule(stable(100), canary(0))},
    ]
}
TCP: Json = {
    "tcp": [
        {"match": [{"port": 5432}, {"port": 5433}], **rule(stable(100), canary(0))},
        {"match": [{"port": 6379}], **rule(stable(100), canary(0))},
        rule(stable(100), canary(0)),
    ]
}
MEANT: dict[str, tuple[str, Json, list[int]]] = {
    "TLS by port and names, whatever their order": (
        "tls", {"tlsRoutes": [{"port": 443, "sniHosts": ["a.example.com", "b.example.com"]}]}, [0]
    ),
    "TLS by port": ("tls", {"tlsRoutes": [{"port": 443}]}, [0, 1]),
    "TLS by names": ("tls", {"tlsRoutes": [{"sniHosts": ["a.example.com"]}]}, [1, 2]),
    "every TLS route": ("tls", {"tlsRoutes": [{}]}, [0, 1, 2]),
    "several entries": ("tls", {"tlsRoutes": [{"port": 8443}, {"sniHosts": ["a.example.com"]}]}, [1, 2]),
    "TCP by port": ("tcp", {"tcpRoutes": [{"port": 5433}]}, [0]),
    "every TCP route": ("tcp", {"tcpRoutes": [{}]}, [0, 1, 2]),
    "no TCP route of several without an entry": ("tcp", {"routes": ["all"]}, []),
}  # fmt: skip


@pytest.mark.parametrize(("protocol", "entry", "meant"), MEANT.values(), ids=MEANT)
def test_tls_and_tcp_routes_are_meant_by_what_they_match(protocol: str, entry: Json, meant: list[int]) -> None:
    before = virtual_service({"name": "all", **SAME}, **TLS, **TCP)
    after = spec_of(written(before, route(20), spec(virtualService={"name": "web", **entry})))
    other = {"tls": "tcp", "tcp": "tls"}[protocol]
    assert [each["route"][1]["weight"] for each in after[protocol]] == [
        20 if index in meant else 0 for index, _ in enumerate(after[protocol])
    ]
    assert after[other] == spec_of(before)[other]
    assert after["http"][0]["route"][1]["weight"] == (20 if "routes" in entry else 0)


ONLY: Json = {"match": [{"port": 443, "sniHosts": ["a.example.com"]}], **rule(stable(100), canary(0))}


@pytest.mark.parametrize("entry", [{}, {"routes": ["all"]}], ids=["nothing is named", "a route of HTTP is named"])
def test_the_only_route_of_a_protocol_needn_t_be_named(entry: Json) -> None:
    before = virtual_service({"name": "all", **SAME}, tls=[ONLY], tcp=[rule(stable(100), canary(0))])
    after = spec_of(written(before, route(20), spec(virtualService={"name": "web", **entry})))
    assert [after[each][0]["route"][1]["weight"] for each in ("http", "tls", "tcp")] == [20, 20, 20]


def test_the_only_route_of_a_protocol_may_be_other_people_s() -> None:
    theirs = {"match": [{"port": 3306}], **rule(to("db"))}
    before = virtual_service(SAME, tcp=[theirs])
    assert spec_of(written(before, route(20)))["tcp"] == [theirs]


def test_the_only_http_route_without_a_name_is_meant() -> None:
    docs = {"name": "docs", "match": [{"uri": {"prefix": "/docs"}}], **rule(stable(100), canary(0))}
    assert http(written(virtual_service(docs, SAME), route(20))) == [docs, rule(stable(80), canary(20))]


def test_hosts_may_have_subsets_of_their_own() -> None:
    before = virtual_service(rule(stable(100, subset="mtls"), canary(0, subset="mtls")))
    assert list(ROUTER.problems(BY_HOST, OWNER, before)) == []
    assert http(written(before, route(20))) == [rule(stable(80, subset="mtls"), canary(20, subset="mtls"))]


def test_only_what_has_changed_is_written() -> None:
    before = virtual_service(SAME, **TCP)
    [write] = ROUTER.write(BY_HOST, OWNER, route(20), before)
    assert isinstance(write, Patch)
    assert write.body == {"spec": {"http": [rule(stable(80), canary(20))]}}


def test_destinations_of_an_experiment_go_with_it() -> None:
    before = virtual_service(SAME)
    with_two = written(before, route(10, additional={"web-1-a": 5, "web-1-b": 5}))
    assert annotations(with_two)[ADDED] == '{"default/web":{"backends":["host web-1-a","host web-1-b"]}}'
    with_one = written(with_two, route(10, additional={"web-1-b": 10}))
    assert http(with_one) == [rule(stable(80), canary(10), to("web-1-b", 10))]
    assert written(with_one, route(0)) == before | {reference(): {**(before[reference()]), "metadata": METADATA}}


METADATA = {"name": "web", "namespace": "default"}


def test_a_destination_of_other_people_keeps_its_share() -> None:
    before = virtual_service(rule(stable(90), canary(0), to("docs", 10)))
    during = written(before, route(20))
    assert http(during) == [rule(stable(720), canary(180), to("docs", 100))]
    assert http(written(during, route(0))) == [rule(stable(900), canary(0), to("docs", 100))]


def test_several_virtual_services_in_several_namespaces() -> None:
    edge = reference(name="web", namespace="edge")
    before = virtual_service(SAME) | virtual_service(SAME, at=edge)
    settings = spec(virtualServices=[{"name": "web"}, {"name": "web.edge"}])
    after = written(before, route(20), settings)
    assert http(after) == http(after, edge) == [rule(stable(80), canary(20))]


def test_of_a_ping_pong_pair_the_route_tells_which_is_which() -> None:
    turned = Route(*(getattr(route(20), side) for side in ("stable", "canary")))
    assert http(written(virtual_service(SAME), turned)) == [rule(stable(80), canary(20))]


def test_by_subsets() -> None:
    before = virtual_service(rule(subset("stable", 100), subset("canary", 0))) | destination_rule(
        named("stable"), named("canary")
    )
    after = written(before, route(20, services=False), BY_SUBSET)
    assert http(after) == [rule(subset("stable", 80), subset("canary", 20))]


def test_with_a_destination_rule_a_host_without_a_subset_is_understood_as_well() -> None:
    before = virtual_service(SAME) | destination_rule(named("stable"), named("canary"))
    assert http(written(before, route(20), BY_SUBSET)) == [rule(stable(80), canary(20))]


def test_a_further_subset_keeps_its_share() -> None:
    before = virtual_service(rule(subset("stable", 50), subset("canary", 0), subset("debug", 50))) | destination_rule(
        named("stable"), named("canary"), named("debug", app="debug")
    )
    after = written(before, route(20, services=False), BY_SUBSET)
    assert http(after) == [rule(subset("stable", 80), subset("canary", 20), subset("debug", 100))]


def test_a_canary_that_was_taken_out_comes_back() -> None:
    hosts, subsets = virtual_service(rule(stable(100))), virtual_service(rule(subset("stable", 100)))
    assert http(written(hosts, route(20))) == [rule(stable(80), canary(20))]
    both = subsets | destination_rule(named("stable"), named("canary"))
    assert http(written(both, route(20), BY_SUBSET)) == [rule(subset("stable", 80), subset("canary", 20))]


def test_a_virtual_service_that_has_gone_is_not_written() -> None:
    assert ROUTER.write(BY_HOST, OWNER, route(20), {reference(): None}) == ()
