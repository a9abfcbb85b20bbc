"""How does a whole analysis run go? Limits, intervals, delays, ends, and what is written."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from rollouts.ports.provider import Pending, Reading, Verdict
from tests.plan.analysis.course import Course, Scripted
from tests.plan.analysis.given import metric, run

GOOD, BAD = 0.0, 0.5
EVERY = {"interval": "10s"}
BOTH = {"successCondition": "result[0] <= 0.05", "failureCondition": "result[0] > 0.2"}
UNSURE = 0.1


@dataclass(frozen=True)
class Story:
    """A metric, what is measured, and how it ends: phase, message, and how many measurements that took."""

    says: str
    fields: dict[str, Any]
    script: tuple[Scripted, ...]
    phase: str
    message: str | None = None
    taken: int = 1
    spec: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.says


def why(phase: str, cause: str) -> str:
    return f'Metric "errors" assessed {phase} due to {cause}'


STORIES = (
    Story("one good measurement is enough without an interval", {}, (GOOD,), "Successful"),
    Story("one bad one fails it", {}, (BAD,), "Failed", why("Failed", "failed (1) > failureLimit (0)")),
    Story("a count takes so many", {**EVERY, "count": 3}, (GOOD,), "Successful", taken=3),
    Story("a count may be a text", {**EVERY, "count": "3"}, (GOOD,), "Successful", taken=3),
    Story(
        "failures up to the limit are tolerated",
        {**EVERY, "count": 4, "failureLimit": 2},
        (BAD, BAD, GOOD),
        "Successful",
        taken=4,
    ),
    Story(
        "one more is not",
        {**EVERY, "count": 9, "failureLimit": 2},
        (BAD, GOOD, BAD, GOOD, BAD),
        "Failed",
        why("Failed", "failed (3) > failureLimit (2)"),
        taken=5,
    ),
    Story(
        "without a count an interval goes on until a limit",
        {**EVERY, "failureLimit": 1},
        (GOOD, GOOD, GOOD, BAD, BAD),
        "Failed",
        why("Failed", "failed (2) > failureLimit (1)"),
        taken=5,
    ),
    Story(
        "a failure limit of -1 tolerates every failure until enough are good in a row",
        {**EVERY, "failureLimit": -1, "consecutiveSuccessLimit": 2},
        (BAD, BAD, BAD, GOOD, BAD, GOOD, GOOD),
        "Successful",
        taken=7,
    ),
    Story(
        "inconclusive at once",
        {**BOTH},
        (UNSURE,),
        "Inconclusive",
        why("Inconclusive", "inconclusive (1) > inconclusiveLimit (0)"),
    ),
    Story(
        "inconclusive over its limit",
        {**BOTH, **EVERY, "count": 5, "inconclusiveLimit": 1},
        (UNSURE, GOOD, UNSURE),
        "Inconclusive",
        why("Inconclusive", "inconclusive (2) > inconclusiveLimit (1)"),
        taken=3,
    ),
    Story(
        "the fifth error in a row ends it, with its text",
        {},
        ("connection refused",),
        "Error",
        why("Error", 'consecutiveErrors (5) > consecutiveErrorLimit (4): "Error Message: connection refused"'),
        taken=5,
    ),
    Story(
        "errors that aren't in a row don't, and don't count",
        {**EVERY, "count": 2, "consecutiveErrorLimit": 1},
        ("no", GOOD, "no", GOOD),
        "Successful",
        taken=4,
    ),
    Story(
        "enough good ones in a row end it early",
        {**EVERY, "count": 9, "consecutiveSuccessLimit": 3, "failureLimit": 5},
        (GOOD, BAD, GOOD, GOOD, GOOD),
        "Successful",
        taken=5,
    ),
    Story(
        "both limits, and neither is reached by the last measurement",
        {**EVERY, "count": 4, "consecutiveSuccessLimit": 2, "failureLimit": 2},
        (GOOD, BAD, GOOD, BAD),
        "Inconclusive",
        why("Inconclusive", "consecutiveSuccess (0) < consecutiveSuccessLimit (2) after the last measurement"),
        taken=4,
    ),
    Story(
        "only successes count, and there were too few in a row",
        {**EVERY, "count": 4, "consecutiveSuccessLimit": 2, "failureLimit": -1},
        (GOOD, BAD, GOOD, BAD),
        "Failed",
        why("Failed", "consecutiveSuccess (0) < consecutiveSuccessLimit (2) after the last measurement"),
        taken=4,
    ),
    Story(
        "all failed, each within the limit: not one speaks for the version",
        {**EVERY, "count": 3, "failureLimit": 3},
        (BAD,),
        "Failed",
        why("Failed", "none of 3 measurements was successful"),
        taken=3,
    ),
    Story(
        "all inconclusive within the limit",
        {**BOTH, **EVERY, "count": 2, "inconclusiveLimit": 2},
        (UNSURE,),
        "Inconclusive",
        why("Inconclusive", "none of 2 measurements was successful"),
        taken=2,
    ),
    Story("a provider's own verdict", {}, (Verdict("Successful", "98"),), "Successful"),
    Story(
        "a provider's own failure",
        {},
        (Verdict("Failed", "12", "score 12 is below 50"),),
        "Failed",
        why("Failed", 'failed (1) > failureLimit (0): "Error Message: score 12 is below 50"'),
    ),
    Story(
        "a measurement that takes long is resumed",
        {},
        (Pending(timedelta(seconds=15), {"id": "7"}), Pending(timedelta(seconds=15), {"id": "7"}), GOOD),
        "Successful",
        taken=3,
    ),
    Story(
        "no data is what the conditions make of it: an error here",
        {"consecutiveErrorLimit": 0},
        (None,),
        "Error",
        why(
            "Error",
            'consecutiveErrors (1) > consecutiveErrorLimit (0): "Error Message: metric result is nil or empty: '
            'index out of range: 0 (array length is 0) (1:7)"',
        ),
    ),
    Story(
        "no data that the conditions know",
        {"successCondition": "len(result) == 0 || result[0] < 1"},
        (None,),
        "Successful",
    ),
    Story(
        "no data that means failure",
        {"noData": "fail"},
        (None,),
        "Failed",
        why("Failed", 'failed (1) > failureLimit (0): "Error Message: no data: the query found nothing"'),
    ),
    Story(
        "no data that leaves it open",
        {"noData": "inconclusive"},
        (None,),
        "Inconclusive",
        why(
            "Inconclusive",
            'inconclusive (1) > inconclusiveLimit (0): "Error Message: no data: the query found nothing"',
        ),
    ),
    Story("no data that is waited for", {"noData": "wait"}, (None, None, None, GOOD), "Successful", taken=4),
    Story(
        "a run whose metrics only report is successful",
        {},
        (BAD,),
        "Successful",
        spec={"dryRun": [{"metricName": ".*"}]},
    ),
)


@pytest.mark.parametrize("story", STORIES, ids=str)
def test_a_metric_ends(story: Story) -> None:
    course = Course(run(metric(**story.fields), **story.spec), {"errors": story.script}).go()
    assert course.status["phase"] == story.phase
    assert course.status.get("message") == story.message
    assert len(course.measured) == story.taken, course.measured
    assert course.plan().is_settled


def test_the_whole_status_of_a_run() -> None:
    course = Course(run(metric(count=2, interval="10s")), {"errors": (GOOD, BAD)}, takes=1).go()
    assert course.status == {
        "phase": "Failed",
        "message": 'Metric "errors" assessed Failed due to failed (1) > failureLimit (0)',
        "startedAt": "2026-01-01T00:00:00Z",
        "completedAt": "2026-01-01T00:00:12Z",
        "metricResults": [
            {
                "name": "errors",
                "phase": "Failed",
                "count": 2,
                "successful": 1,
                "failed": 1,
                "measurements": [
                    {
                        "phase": "Successful",
                        "startedAt": "2026-01-01T00:00:00Z",
                        "finishedAt": "2026-01-01T00:00:01Z",
                        "value": "[0.0]",
                    },
                    {
                        "phase": "Failed",
                        "startedAt": "2026-01-01T00:00:11Z",
                        "finishedAt": "2026-01-01T00:00:12Z",
                        "value": "[0.5]",
                    },
                ],
            }
        ],
        "runSummary": {"count": 1, "failed": 1},
        "dryRunSummary": {},
    }
    assert course.events == [
        "Warning MetricFailed: Metric 'errors' Completed. Result: Failed",
        "Warning AnalysisRunFailed: Analysis Completed. Result: Failed",
    ]


def test_one_write_for_the_start_and_one_for_each_measurement() -> None:
    course = Course(run(metric(count=5, interval="10s")), {"errors": (GOOD,)}, takes=1).go()
    assert (len(course.measured), course.writes) == (5, 6)
    assert course.measured[:3] == ["0 take errors 1", "11 take errors 2", "22 take errors 3"]


def test_metrics_that_are_due_together_share_a_write() -> None:
    names = ("a", "b", "c")
    metrics = [metric(name, count=3, interval="10s") for name in names]
    course = Course(run(*metrics), dict.fromkeys(names, (GOOD,))).go()
    assert (len(course.measured), course.writes) == (9, 4)
    assert course.status["runSummary"] == {"count": 3, "successful": 3}


def test_the_initial_delay_counts_from_the_start_of_the_run() -> None:
    course = Course(run(metric(initialDelay="1m")), {"errors": (GOOD,)})
    plan = course.pass_once()
    assert plan.because == ('metric "errors": the initial delay isn\'t over',)
    assert course.status["phase"] == "Running"
    assert course.go().measured == ["60 take errors 1"]


def test_an_error_is_followed_by_another_try_after_ten_seconds() -> None:
    course = Course(run(metric(count=2, interval="5m")), {"errors": ("no route", GOOD)}).go()
    assert course.measured == ["0 take errors 1", "10 take errors 2", "310 take errors 3"]
    assert course.result()["measurements"][0]["message"] == "no route"


def test_a_long_measurement_is_resumed_with_what_the_provider_noted() -> None:
    script: tuple[Scripted, ...] = (Pending(timedelta(seconds=15), {"id": "7"}), GOOD)
    course = Course(run(metric()), {"errors": script})
    course.pass_once()
    course.pass_once()
    assert course.result()["measurements"] == [
        {
            "phase": "Running",
            "startedAt": "2026-01-01T00:00:00Z",
            "resumeAt": "2026-01-01T00:00:15Z",
            "metadata": {"id": "7"},
        }
    ]
    course.now = course.now + timedelta(seconds=15)
    (measure,) = course.plan().measure
    assert (measure.verb, measure.metadata, measure.number) == ("resume", {"id": "7"}, 1)
    course.go()
    assert course.result()["measurements"][0]["startedAt"] == "2026-01-01T00:00:00Z"
    assert course.result()["count"] == 1


def test_ten_measurements_are_kept_and_all_are_counted() -> None:
    course = Course(run(metric(count=14, interval="10s")), {"errors": (GOOD,)}).go()
    assert (len(course.result()["measurements"]), course.result()["count"]) == (10, 14)


@pytest.mark.parametrize(("limit", "kept"), [(3, 3), (12, 12), (0, 10)])
def test_a_rule_says_how_many_are_kept(limit: int, kept: int) -> None:
    rules = [{"metricName": "err", "limit": limit}]
    course = Course(run(metric(count=14, interval="10s"), measurementRetention=rules), {"errors": (GOOD,)}).go()
    assert len(course.result()["measurements"]) == kept


def test_a_bad_metric_ends_the_run_and_stops_what_goes_on() -> None:
    script: dict[str, tuple[Scripted, ...]] = {"slow": (Pending(timedelta(hours=1), {"id": "7"}),), "errors": (BAD,)}
    course = Course(run(metric("slow"), metric(initialDelay="30s")), script).go()
    assert course.status["phase"] == "Failed"
    assert course.status["completedAt"] == "2026-01-01T00:00:30Z"
    assert course.measured == ["0 take slow 1", "30 take errors 1", "30 terminate slow 1"]
    slow = course.result("slow")
    assert (slow["phase"], slow["measurements"][0]["phase"]) == ("Successful", "Inconclusive")
    assert "inconclusive" not in slow
    assert course.plan().is_settled


def test_a_bad_metric_that_only_reports_decides_nothing() -> None:
    rules = [{"metricName": "^errors$"}]
    course = Course(
        run(metric(), metric("more", count=3, interval="10s"), dryRun=rules), {"errors": (BAD,), "more": (GOOD,)}
    ).go()
    assert course.status["phase"] == "Successful"
    assert course.status["dryRunSummary"] == {"count": 1, "failed": 1}
    assert course.status["runSummary"] == {"count": 1, "successful": 1}
    assert course.result()["dryRun"] is True


def test_the_worst_metric_gives_the_verdict() -> None:
    metrics = [metric("a", **BOTH), metric("b"), metric("c")]
    course = Course(run(*metrics), {"a": (UNSURE,), "b": (GOOD,), "c": (BAD,)}).go()
    assert course.status["phase"] == "Failed"
    assert course.status["message"] == 'Metric "c" assessed Failed due to failed (1) > failureLimit (0)'
    assert course.status["runSummary"] == {"count": 3, "successful": 1, "failed": 1, "inconclusive": 1}


def test_what_was_measured_is_noted_with_the_metric() -> None:
    headers = [{"key": "X-Scope", "value": "a"}]
    course = Course(run(metric(provider={"prometheus": {"query": "up", "headers": headers}})), {"errors": (GOOD,)}).go()
    assert course.result()["metadata"] == {"ResolvedPrometheusQuery": "up"}


def test_a_measurement_may_carry_notes() -> None:
    course = Course(run(metric()), {"errors": (Reading([0.0], "[0]", {"warnings": "slow"}),)}).go()
    assert course.result()["measurements"][0]["metadata"] == {"warnings": "slow"}
