"""Which weights do the backends of a route get, and what of it stays untouched?"""

from typing import Any

import pytest

from rollouts.ports import Patch
from tests.traffic.gateway_api import (
    HTTP_SPEC,
    ROUTER,
    backend,
    canary,
    live,
    reference,
    rule,
    rules,
    spec,
    stable,
    weights,
    written,
)
from tests.traffic.routers import OWNER, Json, route

ROWS: dict[str, tuple[list[Json], Any, list[dict[str, int | None]]]] = {
    "a canary that is named with nothing gets its share": (
        [rule(stable(100), canary(0))],
        route(20),
        [{"web-stable": 80, "web-canary": 20}],
    ),
    "a canary that isn't named is put at the end": (
        [rule(stable())],
        route(20),
        [{"web-stable": 80, "web-canary": 20}],
    ),
    "without traffic for the canary there is nothing to write": (
        [rule(stable())],
        route(0),
        [{"web-stable": None}],
    ),
    "weights that stand to each other as they should are left alone": (
        [rule(stable(4), canary(1))],
        route(20),
        [{"web-stable": 4, "web-canary": 1}],
    ),
    "a thousandth of a percent": (
        [rule(stable(1), canary(0))],
        route(1, max_weight=100_000),
        [{"web-stable": 99_999, "web-canary": 1}],
    ),
    "every rule that names both": (
        [rule(stable(1), canary(0)), rule(stable(1)), rule(canary(0), stable(1)), rule(canary(1))],
        route(50),
        [
            {"web-stable": 50, "web-canary": 50},
            {"web-stable": 1},
            {"web-canary": 50, "web-stable": 50},
            {"web-canary": 1},
        ],
    ),
    "a rule of other Services stays as it is": (
        [rule(backend("docs")), rule(stable())],
        route(50),
        [{"docs": None}, {"web-stable": 50, "web-canary": 50}],
    ),
    "a Service of the same name in another namespace is another one": (
        [rule(backend("web-stable", 1, namespace="blue")), rule(stable(1))],
        route(50),
        [{"web-stable": 1}, {"web-stable": 50, "web-canary": 50}],
    ),
    "what isn't a Service is none of ours": (
        [rule(backend("web-stable", 1, group="example.com", kind="Bucket")), rule(stable(1))],
        route(50),
        [{"web-stable": 1}, {"web-stable": 50, "web-canary": 50}],
    ),
    "others keep their share: half": (
        [rule(stable(), backend("docs"))],
        route(10),
        [{"web-stable": 90, "docs": 100, "web-canary": 10}],
    ),
    "others keep their share: a twentieth, which takes greater numbers": (
        [rule(backend("docs", 5), stable(95), canary(0))],
        route(10),
        [{"docs": 100, "web-stable": 1710, "web-canary": 190}],
    ),
    "others keep their share: what is reserved by maxTrafficWeight": (
        [rule(backend("docs", 5), stable(95), canary(0))],
        route(19, max_weight=95),
        [{"docs": 5, "web-stable": 76, "web-canary": 19}],
    ),
    "others keep their share: the smallest numbers, where greater ones would go beyond a million": (
        [rule(backend("docs", 30_001), stable(2), canary(0))],
        route(20),
        [{"docs": 150_005, "web-stable": 8, "web-canary": 2}],
    ),
    "others get the nearest share, where whole numbers would go beyond a million": (
        [rule(backend("docs", 999_999), backend("news", 1), stable(7), canary(0))],
        route(20),
        [{"docs": 714_285, "news": 1, "web-stable": 4, "web-canary": 1}],
    ),
    "others get as much as can be, where ours have too little to be shared out": (
        [rule(backend("docs", 20_000), backend("news", 10_000), backend("idle", 0), stable(1), canary(0))],
        route(1),
        [{"docs": 1_000_000, "news": 500_000, "idle": 0, "web-stable": 99, "web-canary": 1}],
    ),
    "where others have all of it, they keep it": (
        [rule(stable(0), backend("maintenance", 1))],
        route(10),
        [{"web-stable": 0, "maintenance": 1}],
    ),
    "an experiment gets backends of its own": (
        [rule(stable(100), canary(0))],
        route(10, additional={"web-1-baseline": 5, "web-1-canary": 5}),
        [{"web-stable": 80, "web-canary": 10, "web-1-baseline": 5, "web-1-canary": 5}],
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_weights(name: str) -> None:
    before, wanted, after = ROWS[name]
    assert [weights(each) for each in rules(written(live(*before), wanted))] == after


def test_nothing_else_of_a_rule_changes() -> None:
    filters = [{"type": "URLRewrite", "urlRewrite": {"hostname": "shop.example.com"}}]
    before = rule(
        stable(100),
        canary(0),
        name="all",
        matches=[{"path": {"value": "/"}}],
        filters=filters,
        timeouts={"request": "3s"},
    )
    (after,) = rules(written(live(before), route(20)))
    assert {**after, "backendRefs": []} == {**before, "backendRefs": []}


def test_a_backend_that_is_added_is_like_the_stable_one() -> None:
    like: Json = {"group": "", "kind": "Service", "filters": [{"type": "RequestHeaderModifier"}]}
    (after,) = rules(written(live(rule(backend("web-stable", 1, **like))), route(20)))
    assert after["backendRefs"][1] == backend("web-canary", 20, **like)


def test_what_was_added_goes_again() -> None:
    begin = live(rule(stable(100)), rule(backend("docs", 1)))
    between = written(begin, route(10, additional={"web-1-baseline": 5}))
    assert rules(written(between, route(0))) == rules(begin)
    assert weights(rules(written(between, route(10)))[0]) == {"web-stable": 90, "web-canary": 10}


def test_the_shares_of_others_outlive_an_experiment_and_a_canary_with_everything() -> None:
    begin = live(rule(stable(100), backend("docs", 100)))
    between = written(begin, route(10, additional={"web-1-baseline": 5}))
    assert weights(rules(written(between, route(100)))[0]) == {"web-stable": 0, "docs": 100, "web-canary": 100}
    assert written(written(between, route(100)), route(0)) == begin


def test_a_canary_that_people_have_named_stays_with_nothing() -> None:
    begin = live(rule(stable(100), canary(0)))
    assert rules(written(written(begin, route(10)), route(0))) == rules(begin)


def test_only_rules_that_are_named() -> None:
    before = [rule(stable(1), canary(0), name="a"), rule(stable(1), canary(0), name="b")]
    after = written(live(*before), route(20), spec(httpRoutes=[{"name": "web", "rules": ["b"]}]))
    assert [weights(each) for each in rules(after)] == [
        {"web-stable": 1, "web-canary": 0},
        {"web-stable": 80, "web-canary": 20},
    ]


@pytest.mark.parametrize(
    ("field", "kind"), [("grpcRoutes", "GRPCRoute"), ("tcpRoutes", "TCPRoute"), ("tlsRoutes", "TLSRoute")]
)
def test_other_kinds(field: str, kind: str) -> None:
    after = written(live(rule(stable(1)), at=reference(kind)), route(20), spec(**{field: [{"name": "web"}]}))
    assert weights(rules(after, reference(kind))[0]) == {"web-stable": 80, "web-canary": 20}


def test_routes_of_other_namespaces_name_the_namespace_of_the_services() -> None:
    here = reference(namespace="edge")
    objects = live(rule(backend("web-stable", 1, namespace="default")), at=here)
    after = written(objects, route(20), spec(namespace="edge", httpRoutes=[{"name": "web"}]))
    assert rules(after, here)[0]["backendRefs"][1] == backend("web-canary", 20, namespace="default")


def test_routes_by_their_labels() -> None:
    settings = spec(httpRoutes=[{"selector": {"matchLabels": {"app": "web"}}}])
    objects = {
        **live(rule(stable(1)), at=reference(name="one"), labels={"app": "web"}),
        **live(rule(stable(1)), at=reference(name="two"), labels={"app": "web"}),
        **live(rule(stable(1)), at=reference(name="three")),
    }
    after = written(objects, route(20), settings)
    assert {place.name: len(rules(after, place)[0]["backendRefs"]) for place in after} == {
        "one": 2,
        "two": 2,
        "three": 1,
    }


def test_one_write_for_a_route_that_two_entries_mean() -> None:
    settings = spec(httpRoutes=[{"name": "web"}, {"selector": {"matchLabels": {"app": "web"}}}])
    (write,) = ROUTER.write(settings, OWNER, route(20), live(rule(stable(1)), labels={"app": "web"}))
    assert isinstance(write, Patch)


def test_a_route_that_is_gone_gets_no_write() -> None:
    assert ROUTER.write(HTTP_SPEC, OWNER, route(20), {reference(): None}) == ()
