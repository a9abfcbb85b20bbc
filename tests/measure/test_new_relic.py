"""What does New Relic answer? Shapes: docs.newrelic.com/docs/apis/nerdgraph/examples/nerdgraph-nrql-tutorial/"""

from typing import Any

import orjson
import pytest

from rollouts.api.base import parse
from rollouts.api.providers import NewRelicMetric
from rollouts.measure.new_relic import NewRelic
from rollouts.ports import MeasurementError, NoData, Reading, SecretRef
from rollouts.ports.testing import SECRET, ProviderConformance
from tests.measure.driving import Told, problems

SPEC = {"query": "SELECT percentage(count(*), WHERE error IS true) AS rate FROM Transaction"}
HELD = {"personal-api-key": "key", "account-id": "12345"}


def rows(*found: dict[str, Any]) -> dict[str, Any]:
    return {"data": {"actor": {"account": {"nrql": {"results": list(found)}}}}}


class TestConformance(ProviderConformance):
    provider = NewRelic()
    specs = (parse(NewRelicMetric, SPEC), parse(NewRelicMetric, {**SPEC, "profile": "eu", "timeout": 60}))
    answers = (orjson.dumps(rows({"rate": 0.5}, {"rate": 1})),)
    secrets = {"personal-api-key": SECRET, "account-id": "12345"}  # noqa: RUF012 - as the superclass has it


def test_one_row_is_a_map() -> None:
    told = Told(NewRelic(), SPEC, [rows({"rate": 0.5})], secrets={SecretRef("newrelic"): HELD})
    assert told.outcome == Reading({"rate": 0.5}, '{"rate":0.5}')
    assert told.request.url == "https://api.newrelic.com/graphql"
    assert told.request.headers["API-Key"] == "key"
    assert told.json["variables"] == {"account": 12345, "nrql": SPEC["query"], "timeout": 5}


def test_more_rows_are_a_list_of_maps() -> None:
    told = Told(NewRelic(), SPEC, [rows({"a": 1}, {"a": 2})], secrets={SecretRef("newrelic"): HELD})
    assert told.outcome == Reading([{"a": 1}, {"a": 2}], '[{"a":1},{"a":2}]')


@pytest.mark.parametrize("answer", [rows(), rows({})])
def test_no_row_is_no_data_and_by_default_an_error(answer: dict[str, Any]) -> None:
    outcome = Told(NewRelic(), SPEC, [answer], secrets={SecretRef("newrelic"): HELD}).outcome
    assert isinstance(outcome, NoData)
    assert outcome.error == "New Relic returned no results for the query"


def test_the_profile_says_where_the_account_is() -> None:
    spec = {**SPEC, "profile": "other"}
    told = Told(NewRelic(), spec, [], secrets={SecretRef("other"): {**HELD, "region": "EU"}})
    assert told.request.url == "https://api.eu.newrelic.com/graphql"
    held = {**HELD, "base-url-nerdgraph": "https://proxy/graphql"}
    assert Told(NewRelic(), spec, [], secrets={SecretRef("other"): held}).request.url == "https://proxy/graphql"


def test_what_new_relic_says_is_told() -> None:
    answer = {"data": None, "errors": [{"message": "NRQL Syntax Error: unexpected 'FORM'"}]}
    with pytest.raises(MeasurementError, match="New Relic says: NRQL Syntax Error: unexpected 'FORM'"):
        Told(NewRelic(), SPEC, [answer], secrets={SecretRef("newrelic"): HELD})


@pytest.mark.parametrize("held", [{**HELD, "account-id": "shop"}, {**HELD, "region": "mars"}, {"account-id": "1"}])
def test_a_profile_that_cannot_work_is_told(held: dict[str, str]) -> None:
    with pytest.raises(MeasurementError, match="Secret newrelic"):
        Told(NewRelic(), SPEC, [], secrets={SecretRef("newrelic"): held})


def test_problems_name_the_field() -> None:
    assert set(problems(NewRelic(), {"query": "", "timeout": 500})) == {"query", "timeout"}
