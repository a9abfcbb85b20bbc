"""Whom does the judge ask, what does it keep, and which phase does a measurement get?"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson
import pytest

from rollouts.api.base import parse
from rollouts.api.judge import JudgeMetric
from rollouts.measure.datadog import Datadog
from rollouts.measure.graphite import Graphite
from rollouts.measure.judge import Judge
from rollouts.measure.judge_requests import EVIDENCE
from rollouts.measure.kayenta import Kayenta
from rollouts.measure.new_relic import NewRelic
from rollouts.measure.prometheus import Prometheus
from rollouts.measure.web import Web
from rollouts.ports import MeasurementError, Pending, Verdict
from rollouts.ports.testing import SECRET, ProviderConformance
from tests.measure.driving import NOW, Told
from tests.measure.judge_course import JudgedCourse, ServerDownError, judged
from tests.measure.shop import Shop
from tests.measure.test_prometheus import answer, vector

INSTALLED = {each.key: each for each in (Prometheus(), Web(), Graphite(), Datadog(), NewRelic(), Kayenta())}
JUDGE = Judge(INSTALLED)
REQUESTS = {
    "total": 'sum(increase(http_requests_total{version="$version"}[$window]))',
    "bad": 'sum(increase(http_requests_total{version="$version",code=~"5.."}[$window]))',
}
SPEC = {
    "source": {"prometheus": {"address": "http://prometheus:9090"}},
    "canary": "abc",
    "baseline": "xyz",
    "requests": REQUESTS,
}
SAMPLES = {**SPEC, "requests": None, "samples": {"query": 'latency{version="$version"}[$window]'}}
CREDENTIALS = {"authentication": {"basicAuth": {"username": "me", "password": SECRET}}}


def spec(**more: Any) -> dict[str, Any]:
    return {key: value for key, value in {**SPEC, **more}.items() if value is not None}


class TestConformance(ProviderConformance):
    provider = JUDGE
    specs = (
        parse(JudgeMetric, spec(margin=0.01, tooFew="successful")),
        parse(JudgeMetric, spec(source={"prometheus": {"address": "http://p", **CREDENTIALS}}, alpha="1%")),
        parse(JudgeMetric, spec(source={"datadog": {"interval": "$window"}})),
        parse(JudgeMetric, {**SAMPLES, "tooFew": "inconclusive", "margin": "10%"}),
    )
    answers = (orjson.dumps(vector("3")), orjson.dumps(vector("400"))) * 2
    secrets = {"api-key": SECRET, "app-key": SECRET, "address": "http://datadog"}  # noqa: RUF012 - as there


def told(raw: Mapping[str, Any], *values: float | list[str], **asked: Any) -> Told:
    """Ask Prometheus: bad ones and all of the canary, then of the baseline."""
    answers = [vector(*value) if isinstance(value, list) else vector(str(value)) for value in values]
    return Told(JUDGE, raw, answers, began=NOW - timedelta(seconds=90), **asked)


def verdict(told: Told) -> Verdict:
    assert isinstance(told.outcome, Verdict), told.outcome
    return told.outcome


def test_both_sides_are_asked_for_all_since_the_run_began() -> None:
    asked = told(SPEC, 3, 400, 8, 1600)
    queries = [request.body.decode() for request in asked.requests if request.body]
    assert len(queries) == 4
    assert all("90s" in query and "%24" not in query for query in queries)
    assert ["abc" in query for query in queries] == [True, True, False, False]
    assert ["5.." in query for query in queries] == [True, False, True, False]


def test_a_measurement_without_a_verdict_shows_its_numbers() -> None:
    found = verdict(told(SPEC, 4, 400, 16, 1600))
    assert (found.phase, found.value) == ("Successful", "1% of 400 : 1% of 1,600")
    assert found.message.startswith("canary 1% (4 of 400), baseline 1% (16 of 1,600) bad requests (")
    assert "not shown yet to be more than the baseline's rate (1 : 1)" in found.message
    assert found.metadata["canaryRequests"] == "400"
    assert float(found.metadata["lower"]) < 0 < float(found.metadata["upper"])
    assert not found.settles


def test_a_bad_canary_fails() -> None:
    found = verdict(told(spec(margin="0.5%"), 40, 400, 16, 1600))
    assert found.phase == "Failed"
    assert found.message.startswith("canary 10% (40 of 400), baseline 1% (16 of 1,600) bad requests (+")
    assert "shown to be more than the baseline's rate plus 0.5 points" in found.message
    assert float(found.metadata["lower"]) >= 0.005
    assert float(found.metadata["oddsWorse"]) >= float(found.metadata["oddsNeeded"]) == 20


@pytest.mark.parametrize("early", [None, False, True])
def test_a_good_canary_may_end_its_metric(early: bool | None) -> None:  # noqa: FBT001 - a row's value
    found = verdict(told(spec(margin="2%", endEarly=early), 40, 4000, 160, 16000))
    assert (found.phase, found.settles) == ("Successful", bool(early))
    assert "shown to be within the baseline's rate plus 2 points" in found.message


@pytest.mark.parametrize(
    ("undecided", "is_last", "phase"),
    [
        (None, False, "Successful"),
        (None, True, "Successful"),
        ("inconclusive", False, "Successful"),
        ("inconclusive", True, "Inconclusive"),
    ],
)
def test_what_is_not_decided_at_the_end(undecided: str | None, is_last: bool, phase: str) -> None:  # noqa: FBT001 - a row's value
    assert verdict(told(spec(undecided=undecided), 4, 400, 16, 1600, is_last=is_last)).phase == phase


def test_too_few_requests_are_waited_for() -> None:
    found = told(SPEC, 3, 12, 16, 1600).outcome
    assert isinstance(found, Pending)
    assert found.again_after is None
    assert "too few to compare: 12 requests to the side with fewer, of 100 needed" in found.message
    later = told(SPEC, 4, 400, 20, 2000, metadata=found.metadata)
    assert verdict(later).metadata["canaryRequests"] == "400"
    assert '"intervals":2' in verdict(later).memory[EVIDENCE]


@pytest.mark.parametrize(("policy", "phase"), [("inconclusive", "Inconclusive"), ("successful", "Successful")])
def test_or_they_are_what_the_policy_says(policy: str, phase: str) -> None:
    assert verdict(told(spec(tooFew=policy), 3, 12, 16, 1600)).phase == phase
    assert verdict(told(spec(tooFew=policy, minimum=10), 0, 12, 16, 1600)).phase == "Successful"


def test_what_was_counted_is_not_counted_again() -> None:
    first = verdict(told(SPEC, 4, 400, 16, 1600))
    again = verdict(told(SPEC, 4, 400, 16, 1600, memory=first.memory))
    assert again.memory == first.memory
    more = verdict(told(SPEC, 6, 500, 20, 2000, memory=first.memory))
    assert (more.metadata["canaryRequests"], more.metadata["baselineRequests"]) == ("500", "2000")
    assert '"history":[[400,4,1600,16],[100,2,400,4]]' in more.memory[EVIDENCE]


def test_a_memory_that_nobody_can_read_is_given_up() -> None:
    assert verdict(told(SPEC, 4, 400, 16, 1600, memory={EVIDENCE: "{"})).metadata["canaryRequests"] == "400"


def test_a_histogram_tells_of_the_good_ones() -> None:
    fast = {"total": REQUESTS["total"], "good": 'sum(increase(x_bucket{version="$version",le="0.3"}[$window]))'}
    found = verdict(told(spec(requests=fast), 396, 400, 1590, 1600))
    assert (found.metadata["canaryBad"], found.metadata["baselineBad"]) == ("4", "10")


def test_series_are_added_up_and_no_series_are_no_requests() -> None:
    found = verdict(told(spec(minimum=1), ["1", "2"], ["100", "NaN", "200"], [], ["900"]))
    assert (found.metadata["canaryBad"], found.metadata["canaryRequests"]) == ("3", "300")
    assert found.metadata["baselineBad"] == "0"


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        pytest.param([vector("-4")], "-4 is no number of requests", id="negative"),
        pytest.param([vector("+Inf")], "inf is no number of requests", id="infinite"),
        pytest.param([{"status": "error", "error": "no"}], "canary: prometheus:9090 answered 200", id="an error"),
        pytest.param([vector("1"), vector("2"), {}], "baseline: the answer of prometheus:9090", id="the other side"),
    ],
)
def test_answers_that_are_no_counts(answers: list[Any], error: str) -> None:
    with pytest.raises(MeasurementError, match=error.replace("+", "\\+")):
        Told(JUDGE, SPEC, answers)


def test_a_source_may_answer_by_its_parts() -> None:
    web = spec(
        source={"web": {"url": "https://shop/stats?version=$version&seconds=$seconds"}},
        requests={"total": "{$.requests}", "bad": "{$.errors}"},
    )
    asked = Told(JUDGE, web, [{"requests": 400, "errors": 4}] * 4, began=NOW - timedelta(seconds=60))
    assert [request.url for request in asked.requests][::2] == [
        "https://shop/stats?version=abc&seconds=60",
        "https://shop/stats?version=xyz&seconds=60",
    ]
    assert verdict(asked).value == "1% of 400 : 1% of 400"


def test_a_row_of_one_column_is_a_count() -> None:
    relic = spec(
        source={"newRelic": {}},
        requests={
            "total": "FROM Tx SELECT count(*) WHERE v = '$version' SINCE $seconds seconds ago",
            "bad": "$version",
        },
    )
    row = {"data": {"actor": {"account": {"nrql": {"results": [{"count": 7}]}}}}}
    names = JUDGE.secrets_of(parse(JudgeMetric, relic), "shop")
    held = {"personal-api-key": "key-of-new-relic", "account-id": "12", "region": "eu"}
    asked = Told(JUDGE, relic, [row] * 4, secrets=dict.fromkeys(names, held))
    assert isinstance(asked.outcome, Pending)
    assert "7 requests to the side with fewer" in asked.outcome.message


def test_a_counter_is_read_from_the_first_measurement_on() -> None:
    counters = spec(requests={"total": "sum(requests{v='$version'})", "bad": "sum(errors{v='$version'})"})
    first = told(counters, 90, 9_000, 90, 9_000).outcome
    assert isinstance(first, Pending)
    second = verdict(told(counters, 94, 9_400, 106, 10_600, metadata=first.metadata))
    assert (second.metadata["canaryBad"], second.metadata["canaryRequests"]) == ("4", "400")
    with pytest.raises(MeasurementError, match="2 values for a counter"):
        told(counters, ["1", "2"])


def test_samples_are_compared() -> None:
    fast, slow = [str(100 + at) for at in range(40)], [str(150 + at) for at in range(40)]
    found = verdict(told({**SAMPLES, "margin": "10%"}, slow, fast))
    assert (found.phase, found.value) == ("Failed", "+50, 40 : 40 values")
    assert "shown to be greater by more than 11.95" in found.message
    assert found.metadata["shift"] == "50"
    assert verdict(told({**SAMPLES, "margin": 60}, slow, fast)).phase == "Successful"
    lower = {**SAMPLES, "samples": {"query": "x $version $window", "worse": "lower"}}
    assert verdict(told(lower, slow, fast)).phase == "Successful"
    assert verdict(told(lower, fast, slow)).phase == "Failed"


def test_samples_that_decide_nothing() -> None:
    same = [str(100 + at) for at in range(40)]
    assert verdict(told(SAMPLES, same, same)).phase == "Successful"
    assert verdict(told({**SAMPLES, "undecided": "inconclusive"}, same, same)).phase == "Inconclusive"
    few = told(SAMPLES, same, same[:5]).outcome
    assert isinstance(few, Pending)
    assert "5 values on the side with fewer, of 20 needed" in few.message
    assert verdict(told({**SAMPLES, "tooFew": "inconclusive"}, same, [])).phase == "Inconclusive"


def test_many_samples_are_thinned_out() -> None:
    many = [str(at % 977) for at in range(10_000)]
    assert verdict(told(SAMPLES, many, many)).metadata["canaryValues"] == "2000"


def test_all_values_of_a_range_are_samples() -> None:
    ranged = {
        **SAMPLES,
        "source": {
            "prometheus": {
                "address": "http://p",
                "rangeQuery": {"start": 'now() - duration("$window")', "end": "now()", "step": "10s"},
            }
        },
    }
    matrix = answer("matrix", [{"values": [[at, str(at)] for at in range(30)]}])
    asked = Told(JUDGE, ranged, [matrix] * 2, began=NOW - timedelta(seconds=300))
    assert float(asked.form["end"]) - float(asked.form["start"]) == 300
    assert verdict(asked).metadata["canaryValues"] == "30"


# Whole runs.

STEADY = Shop.drawn(7, {"abc": 0.01, "xyz": 0.01}, {"abc": 10, "xyz": 40})
DOUBLED = Shop.drawn(7, {"abc": 0.02, "xyz": 0.01}, {"abc": 10, "xyz": 40})


def test_a_run_fails_with_the_numbers() -> None:
    course = JudgedCourse(judged(margin="0.25%"), DOUBLED.increase).go()
    assert course.raw["status"]["phase"] == "Failed"
    assert course.raw["status"]["message"].startswith(
        'Metric "errors" assessed Failed due to failed (1) > failureLimit (0): "Error Message: canary '
    )
    assert course.last["metadata"]["oddsWorse"]
    assert len(course.result["metadata"][EVIDENCE]) < 1024


def test_a_run_ends_early_if_that_is_wanted() -> None:
    course = JudgedCourse(judged(margin="1%", count=100, endEarly=True), STEADY.increase).go()
    assert (course.raw["status"]["phase"], course.result["phase"]) == ("Successful", "Successful")
    assert course.result["count"] < 60
    assert "shown to be within the baseline's rate plus 1 points" in course.result["message"]


def test_a_run_waits_for_traffic_and_counts_afterwards() -> None:
    def late(query: str, at: float) -> float | None:
        return STEADY.increase(query, at) if at > 300 or "xyz" in query else None

    course = JudgedCourse(judged(count=3, interval="60s"), late)
    course.go(until=200)
    assert course.last["phase"] == "Running"
    assert "0 requests to the side with fewer, of 100 needed" in course.last["message"]
    assert course.go().raw["status"]["phase"] == "Successful"
    assert course.result["count"] == 3
    assert course.seconds == 480


def test_errors_of_the_server_cost_nothing() -> None:
    def flaky(query: str, at: float) -> float | None:
        if at % 40 == 0:
            raise ServerDownError
        return STEADY.increase(query, at)

    course = JudgedCourse(judged(count=10), flaky, {"measurementRetention": [{"metricName": ".*", "limit": 1}]}).go()
    whole = STEADY.increase("total abc 3000", course.seconds)
    assert course.result["error"] >= 3
    assert course.raw["status"]["phase"] == "Successful"
    assert whole is not None
    assert float(course.last["metadata"]["canaryRequests"]) == pytest.approx(whole, rel=0.05)


def test_a_pod_that_starts_anew_with_its_counter_is_no_new_traffic() -> None:
    def restarted(query: str, at: float) -> float | None:
        value = STEADY.counter(query, at)
        before = STEADY.counter(query, 600)
        return value if value is None or before is None or at < 600 else value - before

    counters = {"total": "total $version", "bad": "bad $version"}
    course = JudgedCourse(judged(count=30, requests=counters), restarted).go()
    asked = STEADY.counter("total abc", course.seconds)
    assert course.raw["status"]["phase"] == "Successful"
    assert asked is not None
    assert asked * 0.9 < float(course.last["metadata"]["canaryRequests"]) < asked
