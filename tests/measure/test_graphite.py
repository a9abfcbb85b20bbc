"""What does Graphite answer? Shapes: graphite.readthedocs.io/en/stable/render_api.html"""

from typing import Any

import orjson
import pytest

from rollouts.api.base import parse
from rollouts.api.providers import GraphiteMetric
from rollouts.expr import Floats
from rollouts.measure.graphite import Graphite
from rollouts.ports import NoData, Reading
from rollouts.ports.testing import ProviderConformance
from tests.measure.driving import Told, problems

SPEC = {
    "address": "http://graphite:8080/",
    "query": "target=summarize(\n  asPercent(shop.errors, shop.all),\n  '5min')\n&from=-10min",
}
ANSWER = [{"target": "entries", "datapoints": [[1.0, 1311836008], [None, 1311836009], [5.5, 1311836010]]}]


class TestConformance(ProviderConformance):
    provider = Graphite()
    specs = (parse(GraphiteMetric, SPEC),)
    answers = (orjson.dumps(ANSWER),)


def test_values_that_are_missing_are_left_out() -> None:
    told = Told(Graphite(), SPEC, [ANSWER])
    assert told.outcome == Reading(Floats([1.0, 5.5]), "[1,5.5]")
    assert told.request.url.startswith("http://graphite:8080/render?")
    target = "summarize( asPercent(shop.errors, shop.all), '5min') "
    assert told.form == {"target": target, "from": "-10min", "format": "json"}


def test_a_target_by_itself_is_enough() -> None:
    told = Told(Graphite(), {**SPEC, "query": "alias(shop.errors, 'a=b&c')"}, [])
    assert told.form == {"target": "alias(shop.errors, 'a=b&c')", "from": "-1h", "format": "json"}


@pytest.mark.parametrize("answer", [[], [{"target": "a", "datapoints": []}], [{"datapoints": [[None, 1]]}]])
def test_no_values_are_no_data_and_by_default_an_error(answer: list[Any]) -> None:
    outcome = Told(Graphite(), SPEC, [answer]).outcome
    assert isinstance(outcome, NoData)
    assert (outcome.result, outcome.error) == (Floats(), "Graphite has no values for the query")


def test_problems_name_the_field() -> None:
    assert set(problems(Graphite(), {"address": "graphite"})) == {"address", "query"}
