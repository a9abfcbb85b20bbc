"""What does Datadog answer, and what becomes of it? Shapes: docs.datadoghq.com/api/latest/metrics/"""

from typing import Any

import orjson
import pytest

from rollouts.api.base import parse
from rollouts.api.providers import DatadogMetric
from rollouts.expr import Floats
from rollouts.measure.datadog import Datadog
from rollouts.ports import MeasurementError, NoData, Reading, SecretRef
from rollouts.ports.testing import SECRET, ProviderConformance
from tests.measure.driving import Told, answered, problems

QUERY = {"query": "avg:requests.errors{service:shop}"}
V2 = {**QUERY, "apiVersion": "v2"}
HELD = {SecretRef("datadog"): {"api-key": "a", "app-key": "b\n", "address": "https://api.datadoghq.eu"}}
POINTS = [[1772366100000.0, 0.5], [1772366160000.0, 0.25], [1772366220000.0, None]]
FIRST = {
    "status": "ok",
    "res_type": "time_series",
    "series": [{"metric": "requests.errors", "pointlist": POINTS, "scope": "service:shop"}],
}


def scalar(*columns: dict[str, Any]) -> dict[str, Any]:
    return {"data": {"id": "0", "type": "scalar_response", "attributes": {"columns": list(columns)}}, "errors": ""}


def numbers(*values: float | None) -> dict[str, Any]:
    return {"name": "query", "type": "number", "values": list(values), "meta": {"unit": None}}


class TestConformance(ProviderConformance):
    provider = Datadog()
    specs = (
        parse(DatadogMetric, QUERY),
        parse(DatadogMetric, {**QUERY, "secretRef": {"name": "keys", "namespaced": True}}),
    )
    answers = (orjson.dumps(FIRST),)
    secrets = {"api-key": SECRET, "app-key": SECRET}  # noqa: RUF012 - as the class that is being subclassed has it


class TestConformanceOfVersion2(ProviderConformance):
    provider = Datadog()
    specs = (
        parse(DatadogMetric, V2),
        parse(DatadogMetric, {"apiVersion": "v2", "queries": {"a": "x", "b": "y"}, "formula": "a / b"}),
    )
    answers = (orjson.dumps(scalar({"name": "host", "type": "group", "values": [["one"], ["two"]]}, numbers(1, 2))),)
    secrets = {"api-key": SECRET, "app-key": SECRET}  # noqa: RUF012 - as the class that is being subclassed has it


def test_the_last_point_with_a_value_is_the_result() -> None:
    told = Told(Datadog(), QUERY, [FIRST], secrets=HELD)
    assert told.outcome == Reading(0.25, "0.25")
    assert told.request.url.startswith("https://api.datadoghq.eu/api/v1/query?")
    assert told.form == {"query": QUERY["query"], "from": "1772366100", "to": "1772366400"}
    assert told.request.headers == {"DD-API-KEY": "a", "DD-APPLICATION-KEY": "b"}
    assert told.request.timeout == 10


@pytest.mark.parametrize("answer", [{"series": []}, {"series": [{"pointlist": []}]}])
def test_no_points_are_no_data_and_the_conditions_see_nil(answer: dict[str, Any]) -> None:
    outcome = Told(Datadog(), QUERY, [answer], secrets=HELD).outcome
    assert outcome == NoData("Datadog has no values for the query within the last 5m", None, "[]")


def test_version_2_asks_for_a_scalar() -> None:
    spec = {
        "apiVersion": "v2",
        "queries": {"errors": "sum:e{*}", "all": "sum:a{*}"},
        "formula": "errors / all",
        "interval": "10m",
        "aggregator": "sum",
    }
    told = Told(Datadog(), spec, [scalar(numbers(0.125))], secrets=HELD)
    assert told.outcome == Reading(0.125, "0.125")
    assert told.request.url == "https://api.datadoghq.eu/api/v2/query/scalar"
    attributes = told.json["data"]["attributes"]
    assert (attributes["from"], attributes["to"]) == (1772365800000, 1772366400000)
    assert attributes["formulas"] == [{"formula": "errors / all"}]
    assert attributes["queries"] == [
        {"name": "all", "query": "sum:a{*}", "data_source": "metrics", "aggregator": "sum"},
        {"name": "errors", "query": "sum:e{*}", "data_source": "metrics", "aggregator": "sum"},
    ]


def test_groups_are_a_list_of_floats_with_their_tags() -> None:
    groups = {"name": "host", "type": "group", "values": [["one"], ["two"], ["three"]]}
    outcome = Told(Datadog(), V2, [scalar(groups, numbers(1, None, 3))], secrets=HELD).outcome
    assert outcome == Reading(Floats([1.0, 3.0]), "[1,3]", {"groups": '[{"host":["one"]},{"host":["three"]}]'})


@pytest.mark.parametrize("columns", [(), (numbers(),), (numbers(None),)])
def test_version_2_without_values_is_no_data(columns: tuple[dict[str, Any], ...]) -> None:
    outcome = Told(Datadog(), V2, [scalar(*columns)], secrets=HELD).outcome
    assert isinstance(outcome, NoData)
    assert (outcome.result, outcome.error) == (None, "")


def test_what_datadog_says_is_told() -> None:
    with pytest.raises(MeasurementError, match=r"answered 403: .*Forbidden.*may these credentials read this"):
        Told(Datadog(), QUERY, [answered({"errors": ["Forbidden"]}, 403)], secrets=HELD)
    with pytest.raises(MeasurementError, match="Datadog says: Rule 'x' isn't valid"):
        Told(Datadog(), QUERY, [{"status": "error", "error": "Rule 'x' isn't valid"}], secrets=HELD)


def test_the_environment_of_the_controller_comes_before_the_default_secret() -> None:
    settings = {"DD_API_KEY": "x", "DD_APP_KEY": "y"}
    assert Told(Datadog(), QUERY, [], settings=settings).request.headers["DD-API-KEY"] == "x"
    spec = {**QUERY, "secretRef": {"name": "keys", "namespaced": True}}
    with pytest.raises(
        MeasurementError, match="no Secret keys in namespace shop: create it with the keys api-key, app"
    ):
        Told(Datadog(), spec, [], settings=settings)


def test_a_secret_that_lacks_a_key_is_told() -> None:
    with pytest.raises(MeasurementError, match="Secret datadog in the controller's namespace lacks app-key"):
        Told(Datadog(), QUERY, [], secrets={SecretRef("datadog"): {"api-key": "a"}})


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({}, "query"),
        ({**V2, "queries": {"a": "b"}}, "queries"),
        ({"queries": {"a": "b"}}, "apiVersion"),
        ({"apiVersion": "v2", "queries": {"a": "b", "c": "d"}}, "formula"),
        ({**V2, "formula": "a"}, "formula"),
        ({**QUERY, "aggregator": "sum"}, "aggregator"),
        ({**QUERY, "interval": "5 minutes"}, "interval"),
        ({**QUERY, "requestTimeout": "0s"}, "requestTimeout"),
    ],
)
def test_problems_name_the_field(spec: dict[str, Any], field: str) -> None:
    assert set(problems(Datadog(), spec)) == {field}


def test_the_query_is_noted_with_the_metric() -> None:
    assert Datadog().metadata_of(parse(DatadogMetric, QUERY)) == {"ResolvedDatadogQuery": QUERY["query"]}
    spec = parse(DatadogMetric, {"apiVersion": "v2", "queries": {"a": "b"}, "formula": "a * 2"})
    assert Datadog().metadata_of(spec) == {"ResolvedDatadogQuery": '{"a":"b"}', "ResolvedDatadogFormula": "a * 2"}
