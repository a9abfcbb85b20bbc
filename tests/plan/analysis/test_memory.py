"""What does a provider that judges by itself get to know, and may it end its metric early?"""

from datetime import timedelta
from typing import Any

import pytest

from rollouts.ports.provider import Outcome, Pending, Verdict
from tests.plan.analysis.course import Course, Scripted
from tests.plan.analysis.given import metric, run
from tests.plan.given import START


def verdict(kept: str, **more: Any) -> Verdict:
    return Verdict("Successful", "1", "fine", memory={"kept": kept}, **more)


def asked(script: list[Scripted], **spec: Any) -> list[tuple[int, dict[str, str], bool]]:
    """Return (number, memory, is it the last) of each measurement."""
    course = Course(run(metric(**spec)), {"errors": script})
    told = []
    while True:
        plan = course.pass_once()
        told += [(each.number, dict(each.memory), each.is_last) for each in plan.measure]
        assert all(each.began == START for each in plan.measure)
        if plan.is_settled:
            if plan.wake_at is None:
                return told
            course.now = plan.wake_at


def test_what_is_left_behind_is_found_by_the_next_measurement() -> None:
    told = asked([verdict("a"), "the server is down", verdict("b"), verdict("c")], count=3, interval="30s")
    assert told == [
        (1, {}, False),
        (2, {"kept": "a"}, False),
        (3, {"kept": "a"}, False),
        (4, {"kept": "b"}, True),
    ]


def test_it_outlives_the_measurements() -> None:
    limits = [{"metricName": "errors", "limit": 1}]
    course = Course(
        run(metric(count=3, interval="30s"), measurementRetention=limits),
        {"errors": [verdict("a"), "the server is down", "the server is down"]},
    ).go(until=50)
    assert [each["phase"] for each in course.result()["measurements"]] == ["Error"]
    assert course.result()["metadata"] == {"kept": "a"}


def test_without_a_count_there_is_no_last_measurement() -> None:
    assert asked([verdict("a"), Verdict("Failed")], interval="30s")[-1][2] is False
    assert asked([verdict("a")]) == [(1, {}, True)]


def test_a_measurement_that_waits_for_the_interval_is_not_counted() -> None:
    waiting = Pending(None, message="too few requests")
    course = Course(run(metric(count=2, interval="45s")), {"errors": [waiting, waiting, verdict("a")]}).go()
    assert course.measured == [
        "0 take errors 1", "45 resume errors 1", "90 resume errors 1", "135 take errors 2",
    ]  # fmt: skip
    course = Course(run(metric()), {"errors": [waiting]}).go(until=15)
    assert course.result()["measurements"][0]["message"] == "too few requests"
    assert course.measured == ["0 take errors 1", "10 resume errors 1"]


@pytest.mark.parametrize(
    ("last", "phase", "count"),
    [
        (verdict("a", settles=True), "Successful", 2),
        (Verdict("Failed", settles=True), "Failed", 2),
        (Verdict("Inconclusive", settles=True), "Inconclusive", 2),
    ],
)
def test_a_provider_that_is_sure_ends_its_metric(last: Outcome, phase: str, count: int) -> None:
    course = Course(run(metric(count=10, interval="30s")), {"errors": [verdict("a"), last]}).go()
    assert (course.status["phase"], course.result()["phase"], course.result()["count"]) == (phase, phase, count)


def test_it_says_why() -> None:
    course = Course(run(metric(interval="30s")), {"errors": [verdict("a", settles=True)]}).go()
    assert course.result()["message"] == "fine"
    assert course.now - START < timedelta(seconds=30)
