"""What does CloudWatch answer? Shapes: GetMetricData in the API reference of Amazon CloudWatch."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from rollouts.api.base import parse
from rollouts.api.providers import CloudWatchMetric
from rollouts.expr import Floats, Moment, evaluate
from rollouts.measure.cloud_watch import CloudWatch
from rollouts.ports import MeasurementError, NoData, Reading
from rollouts.ports.testing import SECRET, ProviderConformance
from tests.measure.driving import Told, answered, problems

KEYS = {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "s"}
SPEC = {
    "interval": "30m",
    "metricDataQueries": [
        {"id": "rate", "expression": "errors / requests", "period": "300"},
        {
            "id": "errors",
            "metricStat": {
                "metric": {
                    "namespace": "app",
                    "metricName": "errors",
                    "dimensions": [{"name": "service", "value": "shop"}],
                },
                "period": 300,
                "stat": "Sum",
                "unit": "Count",
            },
            "returnData": False,
        },
    ],
}


def results(*values: list[float]) -> dict[str, Any]:
    return {
        "MetricDataResults": [
            {"Id": "rate", "Label": "rate", "StatusCode": "Complete", "Timestamps": [1772366100.0], "Values": each}
            for each in values
        ],
        "Messages": [],
    }


class TestConformance(ProviderConformance):
    provider = CloudWatch()
    specs = (parse(CloudWatchMetric, SPEC),)
    answers = (orjson.dumps(results([0.5, 1], [2])),)
    settings = {**KEYS, "AWS_SECRET_ACCESS_KEY": SECRET}  # noqa: RUF012 - as the superclass has it


def test_results_have_the_fields_that_conditions_use() -> None:
    told = Told(CloudWatch(), SPEC, [results([0.5, 1], [2])], settings=KEYS)
    assert isinstance(told.outcome, Reading)
    assert told.outcome.value == "[[0.5 1] [2]]"
    first = told.outcome.result[0]
    assert (first["Id"], first["Values"], first["StatusCode"]) == ("rate", Floats([0.5, 1.0]), "Complete")
    assert first["Timestamps"] == [Moment(datetime(2026, 3, 1, 11, 55, tzinfo=UTC))]
    assert evaluate("all(result[0].Values, {# <= 1}) && len(result) == 2", told.outcome.result) is True


def test_the_queries_are_sent_as_they_are_signed_and_without_what_is_not_set() -> None:
    request = Told(CloudWatch(), SPEC, [], settings=KEYS).request
    assert request.url == "https://monitoring.eu-west-1.amazonaws.com/"
    assert "/20260301/eu-west-1/monitoring/aws4_request" in request.headers["Authorization"]
    assert orjson.loads(request.body or b"") == {
        "StartTime": 1772364600,
        "EndTime": 1772366400,
        "MetricDataQueries": [
            {"Id": "rate", "Expression": "errors / requests", "Period": 300},
            {
                "Id": "errors",
                "ReturnData": False,
                "MetricStat": {
                    "Metric": {
                        "Namespace": "app",
                        "MetricName": "errors",
                        "Dimensions": [{"Name": "service", "Value": "shop"}],
                    },
                    "Period": 300,
                    "Stat": "Sum",
                    "Unit": "Count",
                },
            },
        ],
    }


def test_no_values_are_no_data_and_the_conditions_see_empty_lists() -> None:
    outcome = Told(CloudWatch(), SPEC, [results([])], settings=KEYS).outcome
    assert isinstance(outcome, NoData)
    assert (outcome.value, outcome.error, outcome.result[0]["Values"]) == ("[[]]", "", Floats())


def test_messages_are_kept_with_the_measurement() -> None:
    answer = {**results([1]), "Messages": [{"Code": "ArithmeticError", "Value": "divided by zero"}]}
    outcome = Told(CloudWatch(), SPEC, [answer], settings=KEYS).outcome
    assert isinstance(outcome, Reading)
    assert outcome.metadata == {"messages": '[{"Code":"ArithmeticError","Value":"divided by zero"}]'}


def test_what_aws_says_is_told() -> None:
    said = {"__type": "com.amazonaws#AccessDenied", "message": "not authorized to perform cloudwatch:GetMetricData"}
    with pytest.raises(MeasurementError, match=r"answered 400: .*not authorized to perform"):
        Told(CloudWatch(), SPEC, [answered(said, 400)], settings=KEYS)


def test_a_controller_that_knows_no_region_says_so() -> None:
    with pytest.raises(MeasurementError, match="set AWS_REGION"):
        Told(CloudWatch(), SPEC, [])


def test_problems_name_the_field() -> None:
    queries = [{"period": "5m"}, {"id": "a", "expression": "b", "metricStat": {"period": "x"}}]
    assert set(problems(CloudWatch(), {"interval": "0s", "metricDataQueries": queries})) == {
        "interval",
        "metricDataQueries[0].id",
        "metricDataQueries[0]",
        "metricDataQueries[0].period",
        "metricDataQueries[1]",
        "metricDataQueries[1].metricStat.period",
        "metricDataQueries[1].metricStat.metric",
    }
    assert set(problems(CloudWatch(), {})) == {"metricDataQueries"}


def test_pages_are_put_together() -> None:
    first = {**results([0.5, 1]), "NextToken": "more"}
    first["MetricDataResults"].append({"Id": "errors", "Label": "errors", "Values": [7], "Timestamps": [1772366100.0]})
    told = Told(CloudWatch(), SPEC, [first, results([2])], settings=KEYS)
    assert isinstance(told.outcome, Reading)
    assert [each["Values"] for each in told.outcome.result] == [Floats([0.5, 1, 2]), Floats([7])]
    assert told.json["NextToken"] == "more"


def test_pages_have_an_end() -> None:
    page = {**results([0.5]), "NextToken": "more"}
    with pytest.raises(MeasurementError, match="more than 10 pages"):
        Told(CloudWatch(), SPEC, [page] * 10, settings=KEYS)
