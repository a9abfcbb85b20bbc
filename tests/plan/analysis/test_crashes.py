"""Does a run converge whatever is lost in between? Writes, measurements, reports that come twice or too late."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from rollouts.plan.analysis.observed import Taken, observe_run
from rollouts.plan.analysis.run import plan_analysis
from rollouts.ports.provider import Pending, Reading, Verdict
from tests.plan.analysis.course import Course, Scripted
from tests.plan.analysis.given import KIT, metric, run
from tests.plan.given import after


def test_a_measurement_that_was_begun_and_not_recorded_is_taken_again() -> None:
    course = Course(run(metric()), {"errors": (0.0,)})
    course.pass_once()
    course.taken = []  # the controller is another one by now
    course.go()
    assert course.measured == ["0 take errors 1", "0 take errors 1"]
    assert course.status["phase"] == "Successful"


def test_what_is_under_way_is_not_begun_again() -> None:
    plan = plan_analysis(observe_run(run(metric()), (), {"errors"}), after(0), KIT)
    assert plan.measure == ()
    assert plan.because == ('metric "errors": is being measured',)


def test_a_report_that_comes_twice_counts_once() -> None:
    course = Course(run(metric(count=2, interval="10s")), {"errors": (0.0,)})
    course.pass_once()
    report = course.taken[0]
    course.pass_once()
    before = course.status
    course.taken = [report]
    assert course.plan().status is None
    assert course.status == before


def test_a_report_that_comes_after_the_end_is_dropped() -> None:
    course = Course(run(metric(), metric("slow")), {"errors": (0.9,), "slow": (Pending(timedelta(hours=1)),)})
    course.pass_once()
    late = [each for each in course.taken if each.metric == "slow"]
    course.taken = [each for each in course.taken if each.metric == "errors"]
    course.pass_once()
    assert course.status["phase"] == "Failed"
    course.taken = [Taken("slow", late[0].started_at, after(5), Reading([0.9], "[0.9]"))]
    assert course.plan().is_settled


def test_what_goes_on_after_the_end_is_stopped() -> None:
    course = Course(run(metric(), metric("slow")), {"errors": (0.9,), "slow": (Pending(timedelta(hours=1)),)})
    course.pass_once()
    late = [each for each in course.taken if each.metric == "slow"]
    course.taken = [each for each in course.taken if each.metric == "errors"]
    course.pass_once()
    course.taken = late
    course.go()
    assert course.measured[-1] == "0 terminate slow 1"
    (measurement,) = course.result("slow")["measurements"]
    assert measurement["phase"] == "Inconclusive"


def test_a_termination_that_was_lost_is_asked_for_again() -> None:
    status = {
        "phase": "Failed",
        "completedAt": "2026-01-01T00:00:01Z",
        "metricResults": [
            {
                "name": "errors",
                "phase": "Successful",
                "measurements": [{"phase": "Running", "startedAt": "2026-01-01T00:00:00Z"}],
            }
        ],
    }
    plan = plan_analysis(observe_run(run(metric(), status=status)), after(2), KIT)
    assert [each.verb for each in plan.measure] == ["terminate"]
    assert plan.status is None
    ended = Taken("errors", after(0), after(2), Verdict("Inconclusive"))
    plan = plan_analysis(observe_run(run(metric(), status=status), [ended]), after(2), KIT)
    assert plan.measure == ()
    assert plan.status is not None


def test_a_run_that_is_being_deleted_is_left_alone() -> None:
    raw = run(metric())
    raw["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    plan = plan_analysis(observe_run(raw), after(1), KIT)
    assert plan.is_settled
    assert plan.because == ("the analysis run is being deleted",)


def test_rubbish_in_the_status_is_no_obstacle() -> None:
    status = {"phase": "Running", "startedAt": "2026-01-01T00:00:00Z", "metricResults": [{"name": 5}, "x"]}
    course = Course(run(metric(), status=status), {"errors": (0.0,)}).go()
    assert course.status["phase"] == "Successful"


def test_a_measurement_that_somebody_wrote_without_its_times_goes_on() -> None:
    rubbish = {"name": "errors", "phase": "Running", "measurements": [{"phase": "Running"}]}
    course = Course(run(metric(), status={"phase": "Running", "metricResults": [rubbish]}), {"errors": (0.0,)}).go()
    assert course.status["phase"] == "Successful"
    assert len(course.measured) == 1


def test_a_provider_that_wants_to_be_asked_at_once_is_asked_a_second_later() -> None:
    course = Course(run(metric()), {"errors": (Pending(timedelta()), Pending(timedelta(seconds=-5)), 0.0)}).go()
    assert course.measured == ["0 take errors 1", "1 resume errors 1", "2 resume errors 1"]


def test_a_run_without_the_apis_shape_ends_in_error() -> None:
    raw = run({"name": "a", "provider": "prometheus"})
    plan = plan_analysis(observe_run(raw), after(1), KIT)
    assert plan.status is not None
    assert plan.status["phase"] == "Error"
    assert plan.problem is not None
    assert plan.problem.startswith("spec.metrics[0].provider: Invalid value: 'prometheus'")


SCRIPT: tuple[Scripted, ...] = (0.0, 0.5, "no answer", None, Pending(timedelta(seconds=7), {"id": "1"}), 0.1)


@settings(max_examples=15, deadline=None)
@given(
    order=st.permutations(SCRIPT),
    lost_writes=st.sets(st.integers(0, 12)),
    lost_reports=st.sets(st.integers(0, 12)),
    limit=st.integers(0, 3),
)
def test_whatever_is_lost_it_ends(
    order: list[Scripted], lost_writes: set[int], lost_reports: set[int], limit: int
) -> None:
    decisive = metric(interval="10s", count=4, failureLimit=limit, failureCondition="result[0] > 0.2")
    course = Course(run(decisive, metric("more", initialDelay="5s")), {"errors": (*order, 0.0), "more": (0.0,)})
    for index in range(13):
        plan = course.pass_once(write=index not in lost_writes)
        if index in lost_reports:
            course.taken = []
        if plan.wake_at is not None and not plan.measure and plan.status is None:
            course.now = plan.wake_at
    course.go()
    result = course.result()
    assert course.status["phase"] in {"Successful", "Failed", "Inconclusive", "Error"}
    assert course.plan().is_settled
    parts = ("successful", "failed", "inconclusive")
    assert result.get("count", 0) == sum(result.get(each, 0) for each in parts)


def test_a_clock_that_was_set_back_neither_stops_the_measurements_nor_makes_them_come_in_a_row() -> None:
    course = Course(run(metric(count=4, interval="10s")), {"errors": (0.0,)})
    course.pass_once()
    course.pass_once()
    course.now -= timedelta(hours=1)  # ours, or that of the controller that goes on
    course.go()
    assert [each.split()[0] for each in course.measured] == ["0", "-3600", "-3590", "-3580"]
    assert course.result()["count"] == 4


def test_a_clock_that_is_set_back_during_a_measurement_loses_none() -> None:
    course = Course(run(metric(count=3, interval="10s")), {"errors": (0.0,)}, takes=-3600)
    course.pass_once()
    course.takes = 0
    course.go()
    assert len(course.measured) == 3
    assert course.result()["count"] == 3
