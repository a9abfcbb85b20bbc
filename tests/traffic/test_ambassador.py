"""Which canary Mappings does Emissary-ingress get beside the stable ones?"""

from dataclasses import replace

import pytest

from rollouts.api.base import parse
from rollouts.api.traffic import AmbassadorTrafficRouting
from rollouts.ports import Create, Objects, Patch, Reference
from rollouts.traffic.ambassador import Ambassador
from rollouts.traffic.owned import owned_by
from tests.traffic.routers import BY_OTHERS, OURS, OWNER, Json, raw_object, route, said, written

ROUTER = Ambassador()
MAPPING = Reference("getambassador.io", "Mapping", "default", "shop")
CANARY = replace(MAPPING, name="shop-canary")


def spec(*names: str) -> AmbassadorTrafficRouting:
    return parse(AmbassadorTrafficRouting, {"mappings": list(names or ("shop",))})


def mapping(service: str = "web-stable", *, labels: Json | None = None, **fields: object) -> dict[Reference, Json]:
    more = {} if labels is None else {"labels": labels}
    return raw_object(MAPPING, {"prefix": "/shop/", "service": service, **fields}, **more)


def canary(objects: Objects) -> Json:
    found = objects[CANARY]
    assert found is not None
    return dict(found["spec"])


def test_a_canary_mapping_is_made_after_the_stable_one() -> None:
    stable = mapping("web-stable:8080", labels={"host": "shop"}, timeout_ms=4000, headers={"x-team": "shop"})
    assert ROUTER.write(spec(), OWNER, route(5), stable) == (
        Create(
            CANARY,
            {
                "metadata": {"labels": {"host": "shop"}, "ownerReferences": owned_by(OWNER)},
                "spec": {
                    "prefix": "/shop/",
                    "service": "web-canary:8080",
                    "timeout_ms": 4000,
                    "headers": {"x-team": "shop"},
                    "weight": 5,
                },
            },
        ),
    )


def test_another_weight_is_one_field() -> None:
    before = written(ROUTER, spec(), route(5), mapping())
    assert ROUTER.write(spec(), OWNER, route(20), before) == (Patch(CANARY, {"spec": {"weight": 20}}),)


def test_the_canary_mapping_stays_with_weight_0() -> None:
    assert canary(written(ROUTER, spec(), route(0), written(ROUTER, spec(), route(50), mapping())))["weight"] == 0


def test_it_follows_changes_of_the_stable_mapping() -> None:
    first = written(ROUTER, spec(), route(5), mapping(headers={"x-a": "1", "x-b": "2"}, timeout_ms=4000))
    moved = mapping(headers={"x-a": "1"}, labels={"host": "shop"}, rewrite="/")
    after = written(ROUTER, spec(), route(5), {**first, **moved})
    rest = {"prefix": "/shop/", "rewrite": "/", "service": "web-canary", "weight": 5}
    assert canary(after) == {"headers": {"x-a": "1"}, **rest}
    assert (after[CANARY] or {})["metadata"]["labels"] == {"host": "shop"}


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("web-stable", "web-canary"),
        ("web-stable:80", "web-canary:80"),
        ("web-stable.default", "web-canary.default"),
        ("https://web-stable.default.svc.cluster.local:8443", "https://web-canary.default.svc.cluster.local:8443"),
    ],
)
def test_scheme_namespace_and_port_stay(service: str, expected: str) -> None:
    assert canary(written(ROUTER, spec(), route(5), mapping(service)))["service"] == expected


def test_each_mapping_has_its_canary() -> None:
    other = raw_object(replace(MAPPING, name="docs"), {"prefix": "/docs/", "service": "web-stable"})
    after = written(ROUTER, spec("shop", "docs"), route(30), {**mapping(), **other})
    names = ("shop-canary", "docs-canary")
    assert [(after[replace(MAPPING, name=name)] or {})["spec"]["weight"] for name in names] == [30, 30]


@pytest.mark.parametrize(
    "objects",
    [
        {MAPPING: None, CANARY: None},
        mapping("docs"),
        {**mapping(), **raw_object(CANARY, {}, **BY_OTHERS)},
        {**mapping(), **raw_object(CANARY, {})},
    ],
)
def test_what_is_not_ours_is_left_alone(objects: Objects) -> None:
    assert ROUTER.write(spec(), OWNER, route(5), objects) == ()


def test_a_canary_mapping_that_argo_rollouts_has_made_is_taken_over() -> None:
    theirs = raw_object(CANARY, {"prefix": "/shop/", "service": "web-canary", "weight": 20})
    assert said(ROUTER, spec(), {**mapping(), **theirs}) == []
    after = written(ROUTER, spec(), route(20), {**mapping(), **theirs})
    assert (after[CANARY] or {})["metadata"]["ownerReferences"] == owned_by(OWNER)
    assert canary(after)["weight"] == 20


ROWS: dict[str, tuple[tuple[str, ...], Objects | None, list[tuple[str, str]]]] = {
    "twice": (
        ("shop", "shop"),
        None,
        [
            ("mappings[0]", "shop is listed 2 times: list it once"),
            ("mappings[1]", "shop is listed 2 times: list it once"),
        ],
    ),
    "it doesn't exist": (
        ("shop",),
        {MAPPING: None},
        [("mappings[0]", "Mapping shop doesn't exist in namespace default: create it")],
    ),
    "another Service": (
        ("shop",),
        mapping("web-stable-2:80"),
        [("mappings[0]", 'Mapping shop sends traffic to "web-stable-2:80": it must be the stable Service web-stable')],
    ),
    "a weight of its own": (
        ("shop",),
        mapping(weight=50),
        [
            (
                "mappings[0]",
                "Mapping shop has the weight 50 itself: remove spec.weight, it gets what the canary leaves",
            )
        ],
    ),
    "the canary is another Rollout's": (
        ("shop",),
        {**mapping(), **raw_object(CANARY, {}, **BY_OTHERS)},
        [
            (
                "mappings[0]",
                "Mapping shop-canary belongs to Rollout shop, and its name is needed: delete or rename it",
            )
        ],
    ),
    "all is well": (("shop",), {**mapping(), **raw_object(CANARY, {}, **OURS)}, []),
}


@pytest.mark.parametrize("name", ROWS)
def test_problems(name: str) -> None:
    names, objects, expected = ROWS[name]
    assert said(ROUTER, spec(*names), objects) == expected


def test_no_mapping() -> None:
    none = parse(AmbassadorTrafficRouting, {"mappings": []})
    expected = [("mappings", "names no Mapping: list those that send traffic to the stable Service")]
    assert said(ROUTER, none, None) == expected
