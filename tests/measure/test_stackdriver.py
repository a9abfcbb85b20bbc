"""What does Google Cloud Monitoring answer? Shapes: cloud.google.com/monitoring/api, projects.timeSeries.query."""

import orjson
import pytest

from rollouts.api.base import parse
from rollouts.api.providers import StackdriverMetric
from rollouts.expr import Floats
from rollouts.measure.stackdriver import Stackdriver
from rollouts.ports import MeasurementError, NoData, Reading, Response
from rollouts.ports.testing import ProviderConformance
from tests.measure.driving import Told, answered, problems

SPEC = {"project": "our-shop", "query": "fetch k8s_service :: istio.io/service/server/request_count | within 5m"}
TOKEN = {"access_token": "ya29", "expires_in": 3599, "token_type": "Bearer"}


def series(*values: dict[str, object]) -> dict[str, object]:
    interval = {"startTime": "2026-03-01T11:59:00Z", "endTime": "2026-03-01T12:00:00Z"}
    older = {"values": [{"doubleValue": 99}], "timeInterval": interval}
    return {
        "timeSeriesDescriptor": {"pointDescriptors": [{"key": "value", "valueType": "DOUBLE"}]},
        "timeSeriesData": [
            {
                "labelValues": [{"stringValue": "eu"}],
                "pointData": [{"values": [value], "timeInterval": interval}, older],
            }
            for value in values
        ],
    }


class TestConformance(ProviderConformance):
    provider = Stackdriver()
    specs = (parse(StackdriverMetric, SPEC),)
    answers = (orjson.dumps(TOKEN), orjson.dumps(series({"doubleValue": 0.5}, {"int64Value": "3"})))


def test_the_latest_value_of_each_series_counts() -> None:
    told = Told(Stackdriver(), SPEC, [TOKEN, series({"doubleValue": 0.5}, {"int64Value": "3"})])
    assert told.outcome == Reading(Floats([0.5, 3.0]), "[0.5,3]")
    metadata_server, query = told.requests
    assert metadata_server.url.startswith("http://metadata.google.internal/")
    assert metadata_server.headers == {"Metadata-Flavor": "Google"}
    assert query.url == "https://monitoring.googleapis.com/v3/projects/our-shop/timeSeries:query"
    assert query.headers["Authorization"] == "Bearer ya29"
    assert told.json == {"query": SPEC["query"]}


@pytest.mark.parametrize("answer", [{}, series(), series({"stringValue": "a"})])
def test_no_series_is_no_data(answer: dict[str, object]) -> None:
    outcome = Told(Stackdriver(), SPEC, [TOKEN, answer]).outcome
    assert outcome == NoData("Google Cloud Monitoring has no values for the query", Floats(), "[]")


@pytest.mark.parametrize("refusal", [answered(b"no service account", 404), answered({"access_token": ""})])
def test_a_controller_without_a_google_identity_says_so(refusal: Response) -> None:
    with pytest.raises(MeasurementError, match="does the controller run on Google Cloud"):
        Told(Stackdriver(), SPEC, [refusal])


def test_problems_name_the_field() -> None:
    assert set(problems(Stackdriver(), {"project": "", "query": ""})) == {"project", "query"}
