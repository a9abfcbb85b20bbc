"""How does each router compare a query parameter, and what do the conditions of cookies become?"""

import re
from dataclasses import replace
from typing import Any

import pytest

from rollouts.api.base import parse
from rollouts.api.canary import SetHeaderRoute
from rollouts.ports.cookies import by_header
from tests.traffic import (
    gateway_api,
    istio,
    routers,
    test_alb,
    test_apisix,
    test_contour,
    test_gateway_managed,
    test_gloo,
    test_istio_managed,
    test_kuma,
)
from tests.traffic.kinds import Json, route, written

VALUES = {"exactly": {"exact": "v1.2"}, "by its beginning": {"prefix": "v1.2"}, "by an expression": {"regex": "v[12]"}}


def by_parameter(**value: str) -> Json:
    """Return a header route with one query parameter."""
    return {"name": "beta", "match": [{"queryParamName": "Version", "queryParamValue": value}]}


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ({"exact": "v1.2"}, ("Exact", "v1.2")),
        ({"prefix": "v1.2"}, ("RegularExpression", r"^v1\.2.*$")),
        ({"regex": "v[12]"}, ("RegularExpression", "v[12]")),
    ],
    ids=VALUES,
)
def test_parameters_of_the_gateway_api(value: Json, wanted: tuple[str, str]) -> None:
    before = gateway_api.live(test_gateway_managed.SHARED)
    first, *_ = gateway_api.rules(gateway_api.written(before, route(0, headers=[by_parameter(**value)])))
    ((parameter,),) = [each["queryParams"] for each in first["matches"]]
    assert parameter == {"type": wanted[0], "name": "Version", "value": wanted[1]}
    assert "headers" not in first["matches"][0]


def test_the_gateway_api_leaves_out_what_can_not_be_both() -> None:
    other = {"queryParams": [{"name": "Version", "value": "v1"}]}
    same = {"queryParams": [{"name": "Version", "value": "v2"}], "method": "GET"}
    shared = {**test_gateway_managed.SHARED, "matches": [other, same]}
    wanted = route(0, headers=[by_parameter(exact="v2")])
    first, *_ = gateway_api.rules(gateway_api.written(gateway_api.live(shared), wanted))
    assert first["matches"] == [same]


def test_calls_have_no_query() -> None:
    calls = gateway_api.reference("GRPCRoute")
    before = gateway_api.live(test_gateway_managed.SHARED, at=calls)
    settings = gateway_api.spec(grpcRoutes=[{"name": "web"}])
    wanted = route(0, headers=[by_parameter(exact="v2")])
    assert gateway_api.rules(gateway_api.written(before, wanted, settings), calls) == [test_gateway_managed.SHARED]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ({"exact": "v1.2"}, {"exact": "v1.2"}),
        ({"prefix": "v1.2"}, {"regex": r"v1\.2.*"}),
        ({"regex": "v"}, {"regex": "v"}),
    ],
    ids=VALUES,
)
def test_parameters_of_istio(value: Json, wanted: Json) -> None:
    base = {"headers": {"x-a": {"exact": "1"}}, "queryParams": {"page": {"exact": "2"}}}
    before = istio.virtual_service({"match": [base], **test_istio_managed.SAME})
    first, *_ = istio.http(istio.written(before, istio.route(0, headers=[by_parameter(**value)])))
    assert first["match"] == [{**base, "queryParams": {"page": {"exact": "2"}, "Version": wanted}}]


def test_istio_leaves_out_what_can_not_be_both() -> None:
    base = {"queryParams": {"Version": {"exact": "v1"}}}
    before = istio.virtual_service({"match": [base], **test_istio_managed.SAME})
    assert len(istio.http(istio.written(before, istio.route(0, headers=[by_parameter(exact="v2")])))) == 1


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ({"exact": "v1.2"}, {"type": "Exact", "value": "v1.2"}),
        ({"prefix": "v1.2"}, {"type": "RegularExpression", "value": r"v1\.2.*"}),
        ({"regex": "v[12]"}, {"type": "RegularExpression", "value": "v[12]"}),
    ],
    ids=VALUES,
)
def test_parameters_of_kuma(value: Json, wanted: Json) -> None:
    before = test_kuma.mesh_route(test_kuma.rule(test_kuma.stable(100)))
    first, *_ = test_kuma.rules(
        written(test_kuma.ROUTER, test_kuma.WEB, before, route(5, headers=[by_parameter(**value)]))
    )
    asked = {"queryParams": [{"name": "Version", **wanted}]}
    assert first["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}, **asked}]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ({"exact": "v1.2"}, {"value": "v1.2"}),
        ({"prefix": "v1.2"}, {"value": r"v1\.2.*", "regex": True}),
        ({"regex": "v[12]"}, {"value": "v[12]", "regex": True}),
    ],
    ids=VALUES,
)
def test_parameters_of_gloo(value: Json, wanted: Json) -> None:
    before = test_gloo.table(test_gloo.rule(test_gloo.stable(100)))
    first, *_ = test_gloo.routes(
        written(test_gloo.ROUTER, test_gloo.WEB, before, route(5, headers=[by_parameter(**value)]))
    )
    assert first["matchers"] == [{"prefix": "/", "queryParameters": [{"name": "Version", **wanted}]}]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ({"exact": "v1.2"}, {"exact": "v1.2"}),
        ({"prefix": "v1.2"}, {"regex": r"v1\.2.*"}),
        ({"regex": "v"}, {"regex": "v"}),
    ],
    ids=VALUES,
)
def test_parameters_of_contour(value: Json, wanted: Json) -> None:
    before = test_contour.proxy(test_contour.rule(test_contour.stable(100)))
    first, *_ = test_contour.routes(
        written(test_contour.ROUTER, test_contour.WEB, before, route(5, headers=[by_parameter(**value)]))
    )
    assert first["conditions"] == [{"queryParameter": {"name": "Version", **wanted}}]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ({"exact": "v1.2"}, ("Equal", "v1.2")),
        ({"prefix": "v1.2"}, ("RegexMatch", r"^v1\.2")),
        ({"regex": "v[12]"}, ("RegexMatch", "v[12]")),
    ],
    ids=VALUES,
)
def test_parameters_of_apisix(value: Json, wanted: tuple[str, str]) -> None:
    before = test_apisix.live(test_apisix.OURS_ALL)
    after = routers.written(
        test_apisix.ROUTER,
        test_apisix.spec(),
        route(0, headers=[by_parameter(**value)]),
        before,
        test_apisix.WITH_ROUTES,
    )
    (said,) = test_apisix.rules(after, test_apisix.BETA)[0]["match"]["exprs"]
    assert said == {"subject": {"scope": "Query", "name": "Version"}, "op": wanted[0], "value": wanted[1]}


def test_parameters_of_alb() -> None:
    wanted = route(5, headers=[by_parameter(exact="v2")])
    after = routers.written(test_alb.ROUTER, test_alb.spec(), wanted, test_alb.LIVE, test_alb.WITH_ROUTES)
    assert test_alb.read(after, f"{test_alb.PREFIX}/conditions.beta") == [
        {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "Version", "Value": "v2"}]}}
    ]


def cookie(**value: str) -> SetHeaderRoute:
    """Return a header route with one cookie."""
    return parse(SetHeaderRoute, {"name": "beta", "match": [{"cookieName": "a.b", "cookieValue": value}]})


COOKIES: dict[str, tuple[Json, list[str], list[str]]] = {
    "exactly": (
        {"exact": "1.2"},
        ["a.b=1.2", "x=y; a.b=1.2", "a.b=1.2; x=y", "x=y;a.b=1.2;z"],
        ["a.b=1.23", "a.b=112"],
    ),
    "by its beginning": ({"prefix": "1."}, ["a.b=1.", "x=y; a.b=1.234; x=y"], ["a.b=123", "a.b=; x=1.", "acb=1."]),
    "by an expression": ({"regex": "yes|always"}, ["a.b=yes", "x=y; a.b=always"], ["a.b=yesterday", "xa.b=yes", ""]),
}


@pytest.mark.parametrize(("value", "those", "others"), COOKIES.values(), ids=COOKIES)
@pytest.mark.parametrize("compare", [re.fullmatch, re.search])
def test_a_cookie_is_found_among_others(compare: Any, value: Json, those: list[str], others: list[str]) -> None:
    (match,) = by_header(cookie(**value)).match
    assert match.header_name == "Cookie"
    assert [each for each in (*those, *others) if compare(match.header_value.regex, each)] == those


def test_what_asks_for_no_cookie_stays_as_it_is() -> None:
    wanted = route(0, headers=[by_parameter(exact="v2")])
    assert replace(wanted, headers=tuple(map(by_header, wanted.headers))) == wanted
