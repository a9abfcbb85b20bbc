"""Does a run whose measurements are long come to its verdict? Its status must stay small enough to be written."""

import json

from hypothesis import given
from hypothesis import strategies as st

from rollouts.api.analysis_run import AnalysisRunStatus
from rollouts.api.base import parse
from rollouts.plan.analysis.observed import observe_run
from rollouts.plan.analysis.run import plan_analysis
from rollouts.plan.analysis.size import MOST, fitted
from rollouts.ports.provider import Pending, Reading
from tests.plan.analysis.course import Course
from tests.plan.analysis.given import KIT, metric, run

LONG = Reading([0.0], "é" * 5_000, metadata={f"tag-{number}": "y" * 100 for number in range(100)})
KEEPS = [{"metricName": ".*", "limit": 50}]


def test_a_status_full_of_long_values_is_written_with_fewer_of_them() -> None:
    metrics = [metric(f"m{number}", interval="10s", count=12) for number in range(30)]
    course = Course(
        run(*metrics, measurementRetention=KEEPS), dict.fromkeys((each["name"] for each in metrics), (LONG,))
    )
    course.go()
    assert course.status["phase"] == "Successful"
    assert len(json.dumps(course.status)) <= MOST
    assert {each["count"] for each in course.status["metricResults"]} == {12}
    assert plan_analysis(observe_run(course.raw), course.now, KIT).is_settled


def test_what_goes_on_is_found_again_in_a_status_that_was_shortened() -> None:
    metrics = [metric(f"m{number}", interval="10s", count=2) for number in range(300)]
    script = dict.fromkeys((each["name"] for each in metrics), (LONG,))
    course = Course(run(*metrics, metric("job")), {**script, "job": (Pending(None, {"job": "a" * 100}),)})
    course.go(until=15)
    assert len(json.dumps(course.status)) <= MOST
    assert course.result("job")["measurements"][-1]["metadata"] == {"job": "a" * 100}


@given(st.integers(0, 40), st.integers(0, 20), st.integers(0, 6_000))
def test_what_fits_stays_as_it_is(metrics: int, measurements: int, length: int) -> None:
    taken = {"phase": "Successful", "value": "x" * length, "message": "y" * length, "metadata": {"tag": "z" * length}}
    results = [
        {"name": f"m{number}", "phase": "Running", "measurements": [taken] * measurements} for number in range(metrics)
    ]
    once, written = fitted(parse(AnalysisRunStatus, {"metricResults": results}))
    assert fitted(once) == (once, written)
    assert len(once.metric_results) == metrics
