"""Which managed routes does a VirtualService get, where do they stand, and when do they go?"""

from dataclasses import replace
from typing import Any

import pytest

from rollouts.ports import Route
from tests.traffic.istio import (
    ADDED,
    BY_SUBSET,
    OWNER,
    WITHOUT_SERVICES,
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
    stable,
    subset,
    to,
    virtual_service,
    written,
)

BETA = {"name": "beta", "match": [{"headerName": "X-Version", "headerValue": {"exact": "beta"}}]}
COPY = {"name": "copy", "match": [{"method": {"exact": "GET"}}], "percentage": 30}
SAME = rule(stable(100), canary(0))


def test_a_header_route_stands_before_its_route_and_is_written_once() -> None:
    docs = {"match": [{"uri": {"prefix": "/docs"}}], **rule(to("docs"))}
    primary = {"name": "primary", "timeout": "3s", **SAME}
    settings = spec(virtualService={"name": "web", "routes": ["primary"]})
    before = virtual_service(docs, primary)
    after = written(before, route(10, headers=[BETA]), settings)
    assert http(after) == [
        docs,
        {
            "name": "beta",
            "timeout": "3s",
            "match": [{"headers": {"x-version": {"exact": "beta"}}}],
            **rule(canary(100)),
        },
        {**primary, **rule(stable(90), canary(10))},
    ]
    assert annotations(after)[ADDED] == '{"default/web":{"rules":{"beta":""}}}'
    assert written(after, route(0), settings) == {reference(): {**before[reference()]}}


def test_one_header_of_several_is_enough() -> None:
    headers = [
        {"headerName": "X-Version", "headerValue": {"prefix": "v2"}},
        {"headerName": "X-Team", "headerValue": {"regex": "a|b"}},
    ]
    after = written(virtual_service(SAME), route(0, headers=[{"name": "beta", "match": headers}]))
    assert http(after)[0]["match"] == [
        {"headers": {"x-version": {"prefix": "v2"}}},
        {"headers": {"x-team": {"regex": "a|b"}}},
    ]


def test_a_mirror_shares_its_requests_as_its_route_does() -> None:
    after = written(virtual_service(SAME), route(20, mirrors=[COPY]))
    assert http(after) == [
        {
            "name": "copy",
            "match": [{"method": {"exact": "GET"}}],
            **rule(stable(80), canary(20)),
            "mirror": {"host": "web-canary"},
            "mirrorPercentage": {"value": 30},
        },
        rule(stable(80), canary(20)),
    ]
    later = written(after, route(50, mirrors=[COPY]))
    assert http(later)[0]["route"] == http(later)[1]["route"] == [stable(50), canary(50)]


MIRRORS: dict[str, tuple[Json, Json, Json]] = {
    "every request": (
        {},
        {"name": "copy", "match": [{"path": {"prefix": "/"}}]},
        {"mirror": {"host": "web-canary"}},
    ),
    "beside a mirror of other people": (
        {"mirror": {"host": "audit"}, "mirrorPercentage": {"value": 5}},
        COPY,
        {
            "mirrors": [
                {"destination": {"host": "audit"}, "percentage": {"value": 5}},
                {"destination": {"host": "web-canary"}, "percentage": {"value": 30}},
            ]
        },
    ),
    "beside one whose share has its old name": (
        {"mirror": {"host": "audit"}, "mirrorPercent": 5},
        COPY,
        {
            "mirrors": [
                {"destination": {"host": "audit"}, "percentage": {"value": 5}},
                {"destination": {"host": "web-canary"}, "percentage": {"value": 30}},
            ]
        },
    ),
    "beside several": (
        {"mirrors": [{"destination": {"host": "audit"}}]},
        {"name": "copy", "match": [{"path": {"prefix": "/"}}]},
        {"mirrors": [{"destination": {"host": "audit"}}, {"destination": {"host": "web-canary"}}]},
    ),
}


@pytest.mark.parametrize(("fields", "mirror", "wanted"), MIRRORS.values(), ids=MIRRORS)
def test_where_a_copy_goes(fields: Json, mirror: Json, wanted: Json) -> None:
    after = http(written(virtual_service({**fields, **SAME}), route(0, mirrors=[mirror])))
    assert {key: value for key, value in after[0].items() if key.startswith("mirror")} == wanted
    assert after[1] == {**fields, **SAME}


def test_a_copy_of_every_request_of_a_delegate_asks_for_no_path() -> None:
    """Istio would drop it: a path must be below the one of who delegates."""
    every = {"name": "copy", "match": [{"path": {"prefix": "/"}}]}
    copy, _ = http(written(virtual_service(SAME, hosts=[]), route(0, mirrors=[every])))
    assert copy == {"name": "copy", "mirror": {"host": "web-canary"}, **SAME}
    copy, _ = http(written(virtual_service(SAME), route(0, mirrors=[every])))
    assert copy["match"] == [{"uri": {"prefix": "/"}}]


MATCHES: dict[str, tuple[list[Json], list[Json], list[Json]]] = {
    "all that is asked of a request, in one match": (
        [],
        [{"method": {"exact": "POST"}, "path": {"prefix": "/pay"}, "headers": {"X-A": {"exact": "1"}}}],
        [{"method": {"exact": "POST"}, "uri": {"prefix": "/pay"}, "headers": {"x-a": {"exact": "1"}}}],
    ),
    "alternatives of both sides": (
        [{"port": 80}, {"port": 81}],
        [{"method": {"exact": "GET"}}, {"method": {"exact": "HEAD"}}],
        [
            {"port": 80, "method": {"exact": "GET"}},
            {"port": 80, "method": {"exact": "HEAD"}},
            {"port": 81, "method": {"exact": "GET"}},
            {"port": 81, "method": {"exact": "HEAD"}},
        ],
    ),
    "a path below the route's": (
        [{"uri": {"prefix": "/a"}}],
        [{"path": {"exact": "/a/b"}}],
        [{"uri": {"exact": "/a/b"}}],
    ),
    "a path above it": ([{"uri": {"prefix": "/a/b"}}], [{"path": {"prefix": "/a"}}], [{"uri": {"prefix": "/a/b"}}]),
    "the same expression": ([{"uri": {"regex": "/a.*"}}], [{"path": {"regex": "/a.*"}}], [{"uri": {"regex": "/a.*"}}]),
    "a header that the route asks for by its presence": (
        [{"headers": {"x-a": {}, "x-b": {"exact": "2"}}}],
        [{"headers": {"X-A": {"exact": "1"}}}],
        [{"headers": {"x-a": {"exact": "1"}, "x-b": {"exact": "2"}}}],
    ),
    "what can't be both is left out": (
        [{"uri": {"exact": "/a"}}, {"uri": {"prefix": "/b"}}],
        [{"path": {"prefix": "/b"}}],
        [{"uri": {"prefix": "/b"}}],
    ),
    "no managed route without any match": ([{"uri": {"regex": "/a.*"}}], [{"path": {"exact": "/b"}}], []),
    "what can't be both of a header": (
        [{"headers": {"x-a": {"exact": "2"}}}],
        [{"headers": {"X-A": {"exact": "1"}}}],
        [],
    ),
}


@pytest.mark.parametrize(("base", "wanted", "matches"), MATCHES.values(), ids=MATCHES)
def test_a_managed_route_takes_no_request_that_its_route_would_not(
    base: list[Json], wanted: list[Json], matches: list[Json]
) -> None:
    before = virtual_service({**({"match": base} if base else {}), **SAME})
    after = http(written(before, route(0, mirrors=[{"name": "copy", "match": wanted}])))
    assert [each["match"] for each in after[:-1]] == ([matches] if matches else [])


ALPHA: dict[str, Any] = {**BETA, "name": "alpha"}


def test_managed_routes_have_the_order_of_the_spec() -> None:
    owner = replace(OWNER, managed_routes=("copy", "beta", "alpha"))
    after = written(virtual_service(SAME), route(0, headers=[ALPHA, BETA], mirrors=[COPY]), owner=owner)
    assert [each.get("name") for each in http(after)] == ["copy", "beta", "alpha", None]


def test_each_route_that_is_meant_gets_its_own() -> None:
    settings = spec(virtualService={"name": "web", "routes": ["a", "b"]})
    before = virtual_service(
        {"name": "a", "match": [{"uri": {"prefix": "/a"}}], "rewrite": {"uri": "/"}, **SAME}, {"name": "b", **SAME}
    )
    first, a, second, b = http(written(before, route(0, headers=[BETA]), settings))
    header = {"headers": {"x-version": {"exact": "beta"}}}
    assert first == {
        "name": "beta",
        "match": [{"uri": {"prefix": "/a"}, **header}],
        "rewrite": {"uri": "/"},
        **rule(canary(100)),
    }
    assert second == {"name": "beta", "match": [header], **rule(canary(100))}
    assert [a, b] == list(before[reference()]["spec"]["http"])


def test_routes_that_the_spec_calls_its_own_go_whoever_made_them() -> None:
    left_behind = {"name": "beta", "match": [{"headers": {"x": {"exact": "y"}}}], **rule(canary(100))}
    assert http(written(virtual_service(left_behind, SAME), route(0))) == [SAME]


def test_a_route_goes_when_the_spec_has_forgotten_its_name() -> None:
    during = written(virtual_service(SAME), route(10, headers=[BETA]))
    assert http(written(during, route(10), owner=replace(OWNER, managed_routes=()))) == [rule(stable(90), canary(10))]


def test_what_another_rollout_has_added_stays() -> None:
    theirs = {"name": "theirs", **rule(to("api-canary", 100))}
    settings = spec(virtualService={"name": "web", "routes": ["web"]})
    before = written(virtual_service(theirs, {"name": "web", **SAME}), route(0, headers=[BETA]), settings)
    both = '{"default/api":{"rules":{"theirs":""}},"default/web":{"rules":{"beta":""}}}'
    place, raw = reference(), before[reference()] or {}
    shared = {place: {**raw, "metadata": {**raw["metadata"], "annotations": {ADDED: both}}}}
    after = written(shared, route(0), settings)
    assert http(after) == [theirs, {"name": "web", **SAME}]
    assert annotations(after)[ADDED] == '{"default/api":{"rules":{"theirs":""}}}'


def test_by_subsets_a_managed_route_goes_to_the_canarys() -> None:
    before = virtual_service(rule(subset("stable", 100), subset("canary", 0))) | destination_rule(
        named("stable"), named("canary")
    )
    wanted = route(0, headers=[BETA], mirrors=[COPY], services=False)
    header, mirror, _ = http(written(before, wanted, BY_SUBSET, WITHOUT_SERVICES))
    assert header["route"] == [subset("canary", 100)]
    assert mirror["mirror"] == {"host": "web", "subset": "canary"}


def test_a_copy_of_every_request_has_no_match_that_is_empty() -> None:
    for before, wanted in (({}, {"prefix": "/"}), ({"match": [{"uri": {"prefix": "/api"}}]}, {"prefix": "/api"})):
        every = {"name": "copy", "match": [{}]}
        copied, _ = http(written(virtual_service({**before, **SAME}), route(0, mirrors=[every])))
        assert copied["match"] == [{"uri": wanted}]


OTHER = replace(OWNER, name="api", uid="uid-api", canary_service="api-canary", stable_service="api-stable")


def api(weight: int, **more: Any) -> Route:
    """Return the Route of another Rollout."""
    wanted = route(weight, **more)
    sides = {"canary": "api-canary", "stable": "api-stable"}
    return replace(wanted, **{side: replace(getattr(wanted, side), service=name) for side, name in sides.items()})


def test_two_rollouts_share_an_object_and_managed_routes_of_one_name() -> None:
    theirs = rule(to("api-stable", 100), to("api-canary", 0))
    before = virtual_service({"name": "api", "match": [{"uri": {"prefix": "/api"}}], **theirs}, {"name": "web", **SAME})
    settings = {each: spec(virtualService={"name": "web", "routes": [each]}) for each in ("api", "web")}
    during = written(before, route(10, headers=[BETA]), settings["web"])
    during = written(during, api(20, headers=[BETA]), settings["api"], OTHER)
    assert [each["name"] for each in http(during)] == ["beta-2", "api", "beta", "web"]
    assert written(during, route(10, headers=[BETA]), settings["web"]) == during, "neither undoes what the other does"
    left = written(during, route(0), settings["web"])
    assert [each["name"] for each in http(left)] == ["beta-2", "api", "web"]
    assert http(written(left, api(0), settings["api"], OTHER)) == list(before[reference()]["spec"]["http"])
