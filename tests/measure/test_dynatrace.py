"""What does Dynatrace answer? Shapes: docs.dynatrace.com, Metrics API v2, get data points."""

import orjson
import pytest

from rollouts.api.base import parse
from rollouts.api.providers import DynatraceMetric
from rollouts.expr import Floats
from rollouts.measure.dynatrace import Dynatrace
from rollouts.ports import MeasurementError, NoData, Reading, SecretRef
from rollouts.ports.testing import SECRET, ProviderConformance
from tests.measure.driving import Told, answered, problems

SPEC = {
    "address": "https://abc.live.dynatrace.com/",
    "query": "builtin:service.errors.total.rate:avg",
    "secretRef": {"name": "dynatrace"},
}
HELD = {SecretRef("dynatrace", "shop"): {"dynatrace_token": "dt0c01"}}
ANSWER = {
    "totalCount": 2,
    "nextPageKey": None,
    "resolution": "Inf",
    "result": [
        {
            "metricId": "builtin:service.errors.total.rate:avg",
            "data": [
                {"dimensions": ["SERVICE-1"], "timestamps": [1772366400000], "values": [0.5]},
                {"dimensions": ["SERVICE-2"], "timestamps": [1772366400000], "values": [None]},
                {"dimensions": ["SERVICE-3"], "timestamps": [1772366400000], "values": [2]},
            ],
        }
    ],
}


class TestConformance(ProviderConformance):
    provider = Dynatrace()
    specs = (parse(DynatraceMetric, SPEC),)
    answers = (orjson.dumps(ANSWER),)
    secrets = {"dynatrace_token": SECRET}  # noqa: RUF012 - as the superclass has it


def test_each_series_has_one_value() -> None:
    told = Told(Dynatrace(), SPEC, [ANSWER], secrets=HELD)
    assert told.outcome == Reading(Floats([0.5, 2.0]), "[0.5,2]")
    assert told.request.url.startswith("https://abc.live.dynatrace.com/api/v2/metrics/query?")
    assert told.request.headers == {"Authorization": "Api-Token dt0c01"}
    assert told.form == {
        "metricSelector": SPEC["query"],
        "resolution": "Inf",
        "from": "1772366100000",
        "to": "1772366400000",
    }


def test_no_series_is_no_data() -> None:
    answer = {"result": [{"data": [], "warnings": ["no such metric"]}]}
    outcome = Told(Dynatrace(), SPEC, [answer], secrets=HELD).outcome
    warnings = {"warnings": '["no such metric"]'}
    assert outcome == NoData("Dynatrace has no values for the selector", Floats(), "[]", metadata=warnings)


def test_the_token_is_in_the_run_s_own_namespace() -> None:
    with pytest.raises(MeasurementError, match="no Secret dynatrace in namespace shop: create it with the keys dynatr"):
        Told(Dynatrace(), SPEC, [], secrets={SecretRef("dynatrace"): {"dynatrace_token": "the controller's"}})


def test_what_dynatrace_says_is_told() -> None:
    with pytest.raises(MeasurementError, match=r"answered 400: .*Malformed metric selector"):
        Told(Dynatrace(), SPEC, [answered({"error": {"message": "Malformed metric selector"}}, 400)], secrets=HELD)


def test_problems_name_the_field() -> None:
    spec = {**SPEC, "address": "abc", "query": "", "interval": "x"}
    assert set(problems(Dynatrace(), spec)) == {"address", "query", "interval"}
