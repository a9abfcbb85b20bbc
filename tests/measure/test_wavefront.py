"""What does Wavefront answer? Shapes: docs.wavefront.com/wavefront_api.html, chart API."""

from typing import Any

import orjson
import pytest

from rollouts.api.base import parse
from rollouts.api.providers import WavefrontMetric
from rollouts.expr import Floats
from rollouts.measure.wavefront import TOKENS, Wavefront
from rollouts.ports import MeasurementError, NoData, Reading
from rollouts.ports.testing import SECRET, ProviderConformance
from tests.measure.driving import Told, problems

SPEC = {"address": "example.wavefront.com", "query": "ts(requests.errors)"}
HELD = {TOKENS: {"example.wavefront.com": "token"}}


def series(*points: list[list[float]]) -> dict[str, Any]:
    return {
        "query": SPEC["query"],
        "timeseries": [{"label": "requests.errors", "host": "shop", "tags": {}, "data": each} for each in points],
        "granularity": 1,
    }


class TestConformance(ProviderConformance):
    provider = Wavefront()
    specs = (parse(WavefrontMetric, SPEC),)
    answers = (orjson.dumps(series([[1772366340, 1], [1772366370, 2.5]], [[1772366370, 7]])),)
    secrets = {"example.wavefront.com": SECRET}  # noqa: RUF012 - as the superclass has it


def test_one_series_is_a_float_with_two_decimals() -> None:
    told = Told(Wavefront(), SPEC, [series([[1772366340, 1], [1772366370, 2.5]])], secrets=HELD)
    assert told.outcome == Reading(2.5, "2.50", {"timestamps": "1772366370", "drift": "30"})
    assert told.request.headers == {"Authorization": "Bearer token"}
    assert told.form == {
        "q": "ts(requests.errors)",
        "s": "1772366100000",
        "e": "1772366400000",
        "g": "s",
        "strict": "true",
    }


def test_several_series_are_a_list() -> None:
    answer = series([[1772366370, 2.5]], [[1772366340, 7]], [])
    outcome = Told(Wavefront(), SPEC, [answer | {"warnings": "slow"}], secrets=HELD).outcome
    metadata = {"warnings": "slow", "timestamps": "1772366370,1772366340", "drift": "30,60"}
    assert outcome == Reading(Floats([2.5, 7.0]), "[2.50,7.00]", metadata)


@pytest.mark.parametrize("answer", [series(), series([]), {"timeseries": None}])
def test_no_series_is_no_data_and_by_default_an_error(answer: dict[str, Any]) -> None:
    outcome = Told(Wavefront(), SPEC, [answer], secrets=HELD).outcome
    assert isinstance(outcome, NoData)
    assert outcome.error


def test_a_token_is_found_by_the_address() -> None:
    with pytest.raises(MeasurementError, match="wavefront-api-tokens in the controller's namespace lacks other"):
        Told(Wavefront(), {**SPEC, "address": "other.wavefront.com"}, [], secrets=HELD)


def test_problems_name_the_field() -> None:
    assert set(problems(Wavefront(), {"address": "https://example.wavefront.com"})) == {"address", "query"}


def test_what_wavefront_says_is_told() -> None:
    with pytest.raises(MeasurementError, match="Wavefront says: bad query"):
        Told(Wavefront(), SPEC, [{"errorType": "QuerySyntaxError", "errorMessage": "bad\nquery"}], secrets=HELD)
