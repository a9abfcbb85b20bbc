"""By what does a provider know which measurement it takes? By the same each time, or a crash would double its Job."""

from rollouts.plan.analysis.observed import observe_run
from rollouts.plan.analysis.run import plan_analysis
from rollouts.ports import Turn
from tests.plan.analysis.given import KIT, Raw, metric, run
from tests.plan.given import after, stamp


def turn_of(raw: Raw, seconds: float = 0) -> Turn:
    (measure,) = plan_analysis(observe_run(raw), after(seconds), KIT).measure
    return measure.turn


def counted(count: int, error: int, *measurements: Raw) -> Raw:
    result = {"name": "errors", "phase": "Running", "count": count, "error": error, "measurements": list(measurements)}
    return {"phase": "Running", "startedAt": stamp(0), "metricResults": [result]}


def test_a_measurement_that_was_not_recorded_is_taken_again_as_the_same() -> None:
    raw = run(metric(), measurementRetention=[{"metricName": "errors", "limit": 3}])
    first, again = turn_of(raw), turn_of(raw, 30)
    assert first == Turn("web-1", "uid-run", "errors", 1, after(0), keep=3, has_conditions=True)
    assert again == Turn("web-1", "uid-run", "errors", 1, after(30), keep=3, has_conditions=True)


def test_errors_count_as_measurements() -> None:
    last = {"phase": "Error", "startedAt": stamp(10), "finishedAt": stamp(11)}
    raw = run(metric(interval="1m"), status=counted(2, 1, last))
    assert turn_of(raw, 30).number == 4


def test_a_measurement_that_goes_on_keeps_its_number_and_its_beginning() -> None:
    going_on = {"phase": "Running", "startedAt": stamp(10), "resumeAt": stamp(20), "metadata": {"job-name": "a"}}
    raw = run(metric(successCondition=None), status=counted(2, 1, going_on))
    assert turn_of(raw, 30) == Turn("web-1", "uid-run", "errors", 4, after(10))
