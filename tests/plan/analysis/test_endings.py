"""What becomes of a run that people or another metric end before its time, and when is one that has ended deleted?"""

from datetime import timedelta
from typing import Any

import pytest

from rollouts.ports.provider import Pending
from tests.plan.analysis.course import Course, Scripted
from tests.plan.analysis.given import metric, run

GOOD, BAD = 0.0, 0.5


def test_terminated_by_people() -> None:
    course = Course(run(metric(interval="10s")), {"errors": (GOOD,)}).go(until=25)
    course.raw["spec"]["terminate"] = True
    course.go()
    assert (course.status["phase"], course.status["message"]) == ("Successful", "Run Terminated")
    assert len(course.measured) == 3


def test_terminated_before_anything_was_measured() -> None:
    course = Course(run(metric(), terminate=True), {"errors": (BAD,)}).go()
    assert (course.status["phase"], course.status["message"]) == ("Successful", "Run Terminated")
    assert course.measured == []


def test_a_long_measurement_is_stopped_when_people_terminate() -> None:
    course = Course(run(metric()), {"errors": (Pending(timedelta(hours=1)),)}).go(until=5)
    course.raw["spec"]["terminate"] = True
    course.go()
    assert course.measured == ["0 take errors 1", "0 terminate errors 1"]
    assert (course.status["phase"], course.status["message"]) == ("Successful", "Run Terminated")


@pytest.mark.parametrize(
    ("fields", "script", "phase"),
    [
        ({"count": 5, "failureLimit": 2}, ("no", "no", BAD), "Inconclusive"),
        ({"count": 5}, ("no",), "Inconclusive"),
        ({"count": 5, "failureLimit": 2}, (BAD, GOOD, BAD), "Successful"),
        ({"failureLimit": 2}, ("no", BAD), "Successful"),
    ],
)
def test_a_metric_that_is_ended_before_its_time(
    fields: dict[str, Any], script: tuple[Scripted, ...], phase: str
) -> None:
    metrics = [metric(interval="10s", **fields), metric("other", initialDelay="25s")]
    course = Course(run(*metrics), {"errors": script, "other": (BAD,)}).go()
    assert (course.status["phase"], course.result()["phase"]) == ("Failed", phase)
    assert course.status["message"] == 'Metric "other" assessed Failed due to failed (1) > failureLimit (0)'


def test_people_terminate_what_was_bad_so_far() -> None:
    script: tuple[Scripted, ...] = ("no route", BAD)
    course = Course(run(metric(interval="10s", count=5, failureLimit=2)), {"errors": script}).go(until=15)
    course.raw["spec"]["terminate"] = True
    course.go()
    cause = "it was terminated before any measurement was successful (2 were taken)"
    assert (course.status["phase"], course.status["message"]) == (
        "Inconclusive",
        f'Metric "errors" assessed Inconclusive due to {cause}',
    )
    assert course.plan().is_settled


@pytest.mark.parametrize(
    ("ttl", "value", "deleted_at"),
    [
        ({"secondsAfterSuccess": 60}, GOOD, 60),
        ({"secondsAfterFailure": 60}, BAD, 60),
        ({"secondsAfterCompletion": 30}, GOOD, 30),
        ({"secondsAfterCompletion": 30, "secondsAfterSuccess": 90}, GOOD, 90),
        ({"secondsAfterCompletion": 30, "secondsAfterSuccess": 90}, BAD, 30),
        ({"secondsAfterSuccess": 0}, GOOD, 0),
        ({"secondsAfterSuccess": 60}, BAD, None),
        ({}, GOOD, None),
    ],
)
def test_a_run_is_deleted_after_its_time(ttl: dict[str, int], value: float, deleted_at: float | None) -> None:
    course = Course(run(metric(), ttlStrategy=ttl), {"errors": (value,)}).go()
    assert (course.seconds if course.is_deleted else None) == deleted_at


def test_a_run_that_was_refused_is_deleted_too() -> None:
    course = Course(run(metric(count=3), ttlStrategy={"secondsAfterCompletion": 30}), {"errors": (GOOD,)}).go()
    assert course.status["phase"] == "Error"
    assert course.status["message"].startswith("Analysis spec invalid: spec.metrics[0].interval: is missing")
    assert (course.is_deleted, course.seconds) == (True, 30)


def test_one_that_another_controller_refused_without_a_time_is_deleted_too() -> None:
    status = {"phase": "Error", "message": "invalid"}
    course = Course(run(metric(), ttlStrategy={"secondsAfterCompletion": 30}, status=status), {"errors": (GOOD,)}).go()
    assert (course.is_deleted, course.seconds) == (True, 30)
