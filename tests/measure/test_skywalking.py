"""What does SkyWalking answer? Shapes: skywalking.apache.org/docs/main/latest/en/api/query-protocol/"""

import orjson
import pytest

from rollouts.api.base import parse
from rollouts.api.providers import SkyWalkingMetric
from rollouts.measure.skywalking import SkyWalking
from rollouts.ports import MeasurementError, NoData, Reading
from rollouts.ports.testing import ProviderConformance
from tests.measure.driving import Told, problems

SPEC = {
    "address": "http://skywalking:12800",
    "query": "query q($duration: Duration!) { result: readMetricsValues(duration: $duration) { values { value } } }",
    "interval": "10m",
}
ANSWER = {"data": {"result": {"values": {"values": [{"value": 9900}, {"value": 10000}]}}}}


class TestConformance(ProviderConformance):
    provider = SkyWalking()
    specs = (parse(SkyWalkingMetric, SPEC),)
    answers = (orjson.dumps(ANSWER),)


def test_the_data_of_the_answer_are_the_result() -> None:
    told = Told(SkyWalking(), SPEC, [ANSWER])
    assert told.outcome == Reading(ANSWER["data"], '{"result":{"values":{"values":[{"value":9900},{"value":10000}]}}}')
    assert told.request.url == "http://skywalking:12800/graphql"
    assert told.json["variables"] == {
        "duration": {"start": "2026-03-01 1150", "end": "2026-03-01 1200", "step": "MINUTE"}
    }


def test_no_data_are_by_default_an_error() -> None:
    outcome = Told(SkyWalking(), SPEC, [{"data": None}]).outcome
    assert isinstance(outcome, NoData)
    assert outcome.error


def test_what_skywalking_says_is_told() -> None:
    with pytest.raises(MeasurementError, match="SkyWalking says: Validation error"):
        Told(SkyWalking(), SPEC, [{"errors": [{"message": "Validation error"}]}])


def test_problems_name_the_field() -> None:
    assert set(problems(SkyWalking(), {"interval": "-5m"})) == {"query", "interval"}


def test_an_interval_that_an_argument_has_made_wrong_is_an_error() -> None:
    with pytest.raises(MeasurementError, match="interval: 'soon' is no duration"):
        Told(SkyWalking(), {**SPEC, "interval": "soon"}, [])
    assert problems(SkyWalking(), {**SPEC, "interval": "{{args.span}}"}) == {}
