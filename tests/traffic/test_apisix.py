"""Which weights do the rules of an ApisixRoute get, and which routes are made for headers?"""

from dataclasses import replace
from typing import Any

import pytest

from rollouts.api.base import parse
from rollouts.api.traffic import ApisixTrafficRouting
from rollouts.ports import Create, Delete, Objects, Patch, Reference
from rollouts.traffic.apisix import Apisix
from rollouts.traffic.owned import owned_by
from tests.traffic.routers import BY_OTHERS, OURS, OWNER, PAIR, Json, header_route, raw_object, route, said, written

ROUTER = Apisix()
ROUTE = Reference("apisix.apache.org", "ApisixRoute", "default", "shop")
BETA = replace(ROUTE, name="beta")
GAMMA = replace(ROUTE, name="gamma")
WITH_ROUTES = replace(OWNER, managed_routes=("beta", "gamma"))


def spec(*rules: str) -> ApisixTrafficRouting:
    return parse(ApisixTrafficRouting, {"route": {"name": "shop", "rules": list(rules)}})


def backend(name: str, weight: int | None = None) -> Json:
    return {"serviceName": name, "servicePort": 80, **({} if weight is None else {"weight": weight})}


def rule(*backends: Json, name: str = "all", **fields: Any) -> Json:
    return {"name": name, "match": {"paths": ["/*"]}, **fields, "backends": list(backends)}


OURS_ALL = rule(backend("web-canary"), backend("web-stable"))
DOCS = rule(backend("docs", 7), name="docs")


def live(*rules: Json, **fields: Any) -> dict[Reference, Json]:
    return raw_object(ROUTE, {**fields, "http": list(rules)})


def rules(objects: Objects, at: Reference = ROUTE) -> list[Json]:
    found: list[Json] = (objects[at] or {})["spec"]["http"]
    return found


def test_the_only_rule_is_meant() -> None:
    weighed = rule(backend("web-canary", 5), backend("web-stable", 95))
    assert ROUTER.write(spec(), OWNER, route(5), live(OURS_ALL)) == (Patch(ROUTE, {"spec": {"http": [weighed]}}),)


def test_named_rules_only_and_backends_of_others_stay() -> None:
    ours = rule(backend("docs", 7), backend("web-canary"), backend("web-stable"), name="shop", timeout={"read": "3s"})
    like = {**OURS_ALL, "name": "like"}
    after = written(ROUTER, spec("shop"), route(20), live(DOCS, ours, like))
    shares = [backend("docs", 7), backend("web-canary", 20), backend("web-stable", 80)]
    assert rules(after) == [DOCS, {**ours, "backends": shares}, like]


def test_fine_weights() -> None:
    after = written(ROUTER, spec(), route(1, max_weight=1000), live(OURS_ALL))
    assert [each["weight"] for each in rules(after)[0]["backends"]] == [1, 999]


def test_a_header_route_is_a_route_of_its_own() -> None:
    query = {"subject": {"scope": "Query", "name": "q"}, "op": "Equal", "value": "1"}
    ours = {
        **OURS_ALL,
        "priority": 10,
        "websocket": True,
        "match": {"paths": ["/shop/*"], "hosts": ["shop.example.com"], "exprs": [query]},
    }
    objects = live(DOCS, ours, ingressClassName="edge", stream=[{"name": "tcp"}])
    wanted = route(5, headers=[header_route("beta", exact="beta")])
    _, create = ROUTER.write(spec("all"), WITH_ROUTES, wanted, objects)
    header = {"subject": {"scope": "Header", "name": "X-Version"}, "op": "Equal", "value": "beta"}
    to_canary = {
        **ours,
        "priority": 11,
        "match": {**ours["match"], "exprs": [query, header]},
        "backends": [backend("web-canary", 100)],
    }
    assert create == Create(
        BETA,
        {
            "metadata": {"ownerReferences": owned_by(WITH_ROUTES)},
            "spec": {"ingressClassName": "edge", "http": [to_canary]},
        },
    )


def test_the_first_managed_route_is_the_most_important() -> None:
    headers = [header_route("beta", exact="beta"), header_route("gamma", exact="gamma")]
    after = written(ROUTER, spec(), route(5, headers=headers), live(OURS_ALL), WITH_ROUTES)
    assert (rules(after, BETA)[0]["priority"], rules(after, GAMMA)[0]["priority"]) == (2, 1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"exact": "1.2"}, ("Equal", "1.2")),
        ({"regex": "1[.]2.*"}, ("RegexMatch", "1[.]2.*")),
        ({"prefix": "1.2"}, ("RegexMatch", r"^1\.2")),
    ],
)
def test_values_of_headers(value: dict[str, str], expected: tuple[str, str]) -> None:
    wanted = route(0, headers=[header_route("beta", **value)])
    (said_so,) = rules(written(ROUTER, spec(), wanted, live(OURS_ALL), WITH_ROUTES), BETA)[0]["match"]["exprs"]
    assert (said_so["op"], said_so["value"]) == expected


def test_a_header_route_follows_the_rules_and_goes() -> None:
    wanted = route(5, headers=[header_route("beta", exact="beta")])
    first = written(ROUTER, spec(), wanted, live(OURS_ALL), WITH_ROUTES)
    moved = {**first, **live({**OURS_ALL, "match": {"paths": ["/shop"]}})}
    after = written(ROUTER, spec(), wanted, moved, WITH_ROUTES)
    assert rules(after, BETA)[0]["match"]["paths"] == ["/shop"]
    assert ROUTER.write(spec(), WITH_ROUTES, route(5), after) == (Delete(BETA),)


def test_routes_of_others_are_left_alone() -> None:
    theirs = raw_object(BETA, {"http": []}, **BY_OTHERS)
    wanted = route(0, headers=[header_route("beta", exact="beta")])
    after = written(ROUTER, spec(), route(0), live(OURS_ALL))
    for each in (wanted, route(0)):
        assert ROUTER.write(spec(), WITH_ROUTES, each, {**after, **theirs}) == ()
    assert ROUTER.write(spec(), WITH_ROUTES, wanted, {ROUTE: None, BETA: None}) == ()


ROWS: dict[str, tuple[tuple[str, ...], Objects, list[tuple[str, str]]]] = {
    "it doesn't exist": (
        (),
        {ROUTE: None},
        [("route.name", "ApisixRoute shop doesn't exist in namespace default: create it")],
    ),
    "several rules": (
        (),
        live(OURS_ALL, DOCS),
        [("route.rules", "ApisixRoute shop has 2 HTTP rules: name those that are meant")],
    ),
    "a rule that isn't there": (
        ("all", "cart"),
        live(OURS_ALL, DOCS),
        [("route.rules[1]", 'ApisixRoute shop has no HTTP rule named "cart": there are all, docs')],
    ),
    "backends are missing": (
        ("docs",),
        live(OURS_ALL, DOCS),
        [
            (
                "route.rules",
                'rule "docs" of ApisixRoute shop has no backend with the canary Service web-canary: add it',
            ),
            (
                "route.rules",
                'rule "docs" of ApisixRoute shop has no backend with the stable Service web-stable: add it',
            ),
        ],
    ),
    "a managed route is another Rollout's": (
        (),
        {**live(OURS_ALL), **raw_object(BETA, {}, **BY_OTHERS)},
        [
            (
                "route.name",
                (
                    "the managed route beta can't be made: ApisixRoute beta belongs to Rollout shop,"
                    " and its name is needed: delete or rename it"
                ),
            )
        ],
    ),
    "all is well": (("all",), {**live(OURS_ALL, DOCS), **raw_object(BETA, {}, **OURS)}, []),
}


@pytest.mark.parametrize("name", ROWS)
def test_problems(name: str) -> None:
    names, objects, expected = ROWS[name]
    assert said(ROUTER, spec(*names), objects, WITH_ROUTES) == expected


def test_problems_without_a_cluster() -> None:
    assert said(ROUTER, parse(ApisixTrafficRouting, {}), None) == [("route", "is missing: name an ApisixRoute")]
    (problem,) = said(ROUTER, spec(), None, replace(OWNER, managed_routes=("shop",)))
    text = '"shop" is one of the managedRoutes, too: each is an ApisixRoute with its name; choose another one there'
    assert problem == ("route.name", text)


def test_of_a_pair_the_names_are_not_known() -> None:
    assert said(ROUTER, spec(), live(rule(backend("ping"), backend("pong"))), PAIR) == []
