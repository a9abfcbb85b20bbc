"""What does Prometheus answer, and what becomes of it? Shapes: prometheus.io/docs/prometheus/latest/querying/api/"""

import math
from typing import Any

import orjson
import pytest

from rollouts.api.base import parse
from rollouts.api.providers import PrometheusMetric
from rollouts.expr import Floats
from rollouts.measure.prometheus import Prometheus
from rollouts.ports import MeasurementError, NoData, Reading
from rollouts.ports.testing import SECRET, ProviderConformance
from tests.measure.driving import Told, answered, problems

SPEC = {"address": "http://prometheus:9090", "query": "sum(up)"}


def answer(kind: str, result: Any, **more: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": kind, "result": result}, **more}


def vector(*values: str) -> dict[str, Any]:
    return answer("vector", [{"metric": {"job": str(at)}, "value": [1.5e9, each]} for at, each in enumerate(values)])


class TestConformance(ProviderConformance):
    provider = Prometheus()
    specs = (
        parse(PrometheusMetric, SPEC),
        parse(
            PrometheusMetric,
            {
                "query": "up",
                "headers": [{"key": "X-Scope-OrgID", "value": "shop"}, {"key": "X-Key", "value": SECRET}],
                "rangeQuery": {"start": 'now() - duration("1h")', "end": "now()", "step": "1m"},
                "authentication": {
                    "oauth2": {"tokenUrl": "https://login/token", "clientId": "me", "clientSecret": SECRET}
                },
            },
        ),
        parse(
            PrometheusMetric,
            {**SPEC, "authentication": {"basicAuth": {"username": "me", "password": SECRET}}},
        ),
        parse(
            PrometheusMetric,
            {
                "address": "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1",
                "query": "up",
                "authentication": {"sigv4": {"roleArn": "arn:aws:iam::1:role/reader"}},
            },
        ),
    )
    answers = (orjson.dumps(vector("1", "2.5")),)
    settings = {  # noqa: RUF012 - as the class that is being subclassed has it
        "ARGO_ROLLOUTS_PROMETHEUS_ADDRESS": "http://prometheus:9090",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }


def test_a_vector_is_a_list_of_floats() -> None:
    told = Told(Prometheus(), SPEC, [vector("1", "2.50", "1e21")])
    assert told.outcome == Reading(Floats([1.0, 2.5, 1e21]), "[1,2.5,1000000000000000000000]")
    assert isinstance(told.outcome.result, Floats)
    assert (told.request.method, told.request.url) == ("POST", "http://prometheus:9090/api/v1/query")
    assert told.form == {"query": "sum(up)", "time": "1772366400.000"}
    assert told.request.timeout == 30
    assert told.request.verify


def test_a_scalar_is_a_float() -> None:
    assert Told(Prometheus(), SPEC, [answer("scalar", [1.5e9, "0.25"])]).outcome == Reading(0.25, "0.25")


def test_nan_and_infinity_are_values() -> None:
    outcome = Told(Prometheus(), SPEC, [vector("NaN", "+Inf", "-Inf")]).outcome
    assert isinstance(outcome, Reading)
    assert outcome.value == "[NaN,+Inf,-Inf]"
    assert math.isnan(outcome.result[0])


def test_a_range_gives_all_values_in_one_list() -> None:
    series = [{"metric": {}, "values": [[1, "1"], [2, "2"]]}, {"metric": {}, "values": [[1, "3"]]}]
    spec = {**SPEC, "rangeQuery": {"start": 'now() - duration("1h")', "end": "now()", "step": "90s"}}
    told = Told(Prometheus(), spec, [answer("matrix", series)])
    assert told.outcome == Reading(Floats([1.0, 2.0, 3.0]), "[1,2,3]")
    assert told.request.url.endswith("/api/v1/query_range")
    assert told.form == {"query": "sum(up)", "start": "1772362800.000", "end": "1772366400.000", "step": "90"}


@pytest.mark.parametrize("kind", ["vector", "matrix"])
def test_no_series_is_no_data_and_the_conditions_see_an_empty_list(kind: str) -> None:
    outcome = Told(Prometheus(), SPEC, [answer(kind, [])]).outcome
    assert outcome == NoData("Prometheus has no series for the query", Floats(), "[]")


def test_warnings_are_kept_with_the_measurement() -> None:
    outcome = Told(Prometheus(), SPEC, [vector("1") | {"warnings": ["slow", "partial"]}]).outcome
    assert outcome == Reading(Floats([1.0]), "[1]", {"warnings": '"slow", "partial"'})


def test_what_prometheus_says_about_a_query_is_told() -> None:
    said = {"status": "error", "errorType": "bad_data", "error": "parse error: unexpected end of input"}
    with pytest.raises(MeasurementError, match=r"prometheus:9090 answered 400: bad_data: parse error"):
        Told(Prometheus(), SPEC, [answered(said, 400)])


def test_a_server_that_allows_get_only_is_asked_by_get() -> None:
    told = Told(Prometheus(), SPEC, [answered(b"", 405), vector("1")])
    assert told.outcome == Reading(Floats([1.0]), "[1]")
    assert told.request.method == "GET"
    assert told.form["query"] == "sum(up)"
    assert "Content-Type" not in told.request.headers


def test_the_address_of_the_controller_is_the_default() -> None:
    settings = {"ARGO_ROLLOUTS_PROMETHEUS_ADDRESS": "https://thanos/prefix/"}
    assert (
        Told(Prometheus(), {"query": "up"}, [], settings=settings).request.url == "https://thanos/prefix/api/v1/query"
    )
    with pytest.raises(MeasurementError, match="ARGO_ROLLOUTS_PROMETHEUS_ADDRESS in the controller's environment"):
        Told(Prometheus(), {"query": "up"}, [])


def test_headers_time_limit_and_verification_are_people_s_choice() -> None:
    spec = {**SPEC, "timeout": 5, "insecure": True, "headers": [{"key": "X-Scope-OrgID", "value": "shop"}]}
    request = Told(Prometheus(), spec, []).request
    assert (request.timeout, request.verify, request.headers["X-Scope-OrgID"]) == (5, False, "shop")


def test_a_native_histogram_is_told_apart() -> None:
    with pytest.raises(MeasurementError, match="histogram_quantile"):
        Told(Prometheus(), SPEC, [answer("vector", [{"metric": {}, "histogram": [1, {"count": "3"}]}])])


def test_the_query_is_noted_with_the_metric() -> None:
    assert Prometheus().metadata_of(parse(PrometheusMetric, SPEC)) == {"ResolvedPrometheusQuery": "sum(up)"}


def test_a_range_that_is_no_time_is_an_error() -> None:
    with pytest.raises(MeasurementError, match=r"rangeQuery.start: '1' gives no time"):
        Told(Prometheus(), {**SPEC, "rangeQuery": {"start": "1", "end": "now()", "step": "1m"}}, [])


def test_problems_name_the_field_and_the_way_out() -> None:
    found = problems(
        Prometheus(),
        {
            "address": "prometheus:9090",
            "headers": [{"key": "a b", "value": "1"}],
            "timeout": -1,
            "rangeQuery": {"start": "now(", "step": "1 minute"},
            "authentication": {
                "basicAuth": {"username": "me"},
                "oauth2": {"tokenUrl": "login"},
                "sigv4": {"profile": "p"},
            },
        },
    )
    assert set(found) == {
        "address",
        "query",
        "timeout",
        "headers[0].key",
        "rangeQuery.start",
        "rangeQuery.end",
        "rangeQuery.step",
        "authentication",
        "authentication.oauth2",
        "authentication.oauth2.tokenUrl",
        "authentication.sigv4.profile",
    }
    assert "https://" in found["address"]


def test_arguments_are_not_judged_before_they_are_filled_in() -> None:
    spec = {
        "address": "{{args.address}}",
        "query": "{{args.query}}",
        "rangeQuery": {"start": "{{args.start}}", "end": "now()", "step": "{{args.step}}"},
    }
    assert problems(Prometheus(), spec) == {}


@pytest.mark.parametrize("result", [None, [], [1], [1, "high"], [1, True], {}, 3])
def test_a_scalar_that_is_none_is_an_error(result: Any) -> None:
    with pytest.raises(MeasurementError, match="prometheus:9090 has a scalar without a value"):
        Told(Prometheus(), SPEC, [answer("scalar", result)])


@pytest.mark.parametrize(
    ("changed", "why"),
    [({"step": "1 minute"}, "rangeQuery.step: "), ({"end": 'duration("x")'}, "rangeQuery.end: .* fails: ")],
)
def test_a_range_whose_arguments_do_not_fit_is_an_error(changed: dict[str, str], why: str) -> None:
    spec = {**SPEC, "rangeQuery": {"start": "now()", "end": "now()", "step": "1m"} | changed}
    with pytest.raises(MeasurementError, match=why):
        Told(Prometheus(), spec, [])


def test_a_range_needs_a_step() -> None:
    assert set(problems(Prometheus(), {**SPEC, "rangeQuery": {"start": "now()", "end": "now()"}})) == {
        "rangeQuery.step"
    }


def test_authentication_without_a_way_changes_nothing() -> None:
    assert "Authorization" not in Told(Prometheus(), {**SPEC, "authentication": {}}, []).request.headers
