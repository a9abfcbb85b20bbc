"""AnalysisRuns on virtual time: what is measured when, and what is written."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from rollouts.controller.key import Key
from rollouts.kube.errors import Invalid, ServerError, Unreachable
from rollouts.plan.analysis.due import Measure
from rollouts.plan.analysis.observed import ObservedRun, Taken
from rollouts.plan.analysis.run import AnalysisPlan
from rollouts.ports.provider import Outcome, Pending, Reading
from tests.controller.harness import Harness, running
from tests.controller.world import Object, error, rollout

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

RUN = "AnalysisRun"
KEY = Key("default", "run", RUN)
Answer = Callable[[Measure], Awaitable[Outcome]]


def metric(name: str = "errors", **settings: Any) -> Object:
    web = {"web": {"url": "http://metrics/{{args.token}}" if settings.pop("secret", False) else "http://metrics"}}
    return {"name": name, "successCondition": "result < 5", "provider": web, **settings}


def run(*metrics: Object, name: str = "run", **spec: Any) -> Object:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": RUN,
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"metrics": list(metrics) or [metric()], **spec},
    }


class Meter:
    """Takes measurements as a test tells it, after a while each."""

    def __init__(self, here: Harness, answer: Answer | None = None, seconds: float = 0.02) -> None:
        self.begun: list[tuple[float, str, str]] = []
        self.cut_off: list[str] = []
        self._here = here
        self._answer = answer
        self._seconds = seconds
        here.meter = self

    async def __call__(self, namespace: str, measure: Measure) -> Taken:
        assert namespace == "default"
        self.begun.append((asyncio.get_running_loop().time(), measure.verb, measure.metric))
        try:
            await asyncio.sleep(self._seconds)
            outcome = await self._answer(measure) if self._answer else Reading(1.0, "1")
        except asyncio.CancelledError:
            self.cut_off.append(measure.metric)
            raise
        return Taken(measure.metric, measure.started_at, self._here.now(), outcome)


def status(here: Harness, name: str = "run") -> Object:
    found: Object = here.world.get_now(RUN, name).get("status") or {}
    return found


def phase(here: Harness, name: str = "run") -> str:
    return str(status(here, name).get("phase", ""))


def writes(here: Harness) -> int:
    return sum(request.startswith(f"patch {RUN}") for request in here.world.requests)


async def test_a_run_by_hand_is_measured_to_its_verdict_with_one_write_a_measurement() -> None:
    async with running(measures=True) as here:
        meter = Meter(here)
        here.world.put(run(metric(interval="10s", count=3)))
        await here.until(lambda: phase(here) == "Successful")
        assert len(meter.begun) == 3
        assert writes(here) == 3  # the beginning shared the first one
        assert status(here)["startedAt"] <= status(here)["metricResults"][0]["measurements"][0]["startedAt"]
        assert [event.split()[1:3] for event in here.events] == [
            ["Normal", "MetricSuccessful"],
            ["Normal", "AnalysisRunSuccessful"],
        ]
        requests = len(here.world.requests)
        await asyncio.sleep(100)
        assert len(here.world.requests) == requests


async def test_intervals_keep_their_length_although_times_are_written_in_whole_seconds() -> None:
    async with running(measures=True) as here:
        meter = Meter(here, seconds=0.3)
        await asyncio.sleep(0.9)
        here.world.put(run(metric(interval="10s", count=5)))
        await here.until(lambda: phase(here) == "Successful", 100)
        starts = [at for at, _, _ in meter.begun]
        assert [later - sooner for sooner, later in itertools.pairwise(starts)] == pytest.approx([10.3] * 4, abs=0.05)


async def test_metrics_that_come_in_together_share_a_write() -> None:
    async with running(measures=True) as here:
        Meter(here)
        here.world.put(run(*(metric(name, interval="10s", count=2) for name in ("a", "b", "c"))))
        await here.until(lambda: phase(here) == "Successful")
        assert writes(here) == 2


async def test_a_slow_metric_does_not_delay_the_others_and_the_run_shows_that_it_has_begun() -> None:
    async def answer(measure: Measure) -> Outcome:
        await asyncio.sleep(25 if measure.metric == "slow" else 0)
        return Reading(1.0, "1")

    async with running(measures=True) as here:
        meter = Meter(here, answer)
        here.world.put(run(metric("slow"), name="alone"))
        here.world.put(run(metric("slow"), metric("fast", interval="10s", count=3)))
        await here.until(lambda: phase(here, "alone") == "Running", 2)
        await here.until(lambda: phase(here) == "Successful", 30)
        fast = [at for at, _, name in meter.begun if name == "fast"]
        assert all(10 <= later - sooner < 10.3 for sooner, later in itertools.pairwise(fast))


async def test_a_failed_metric_ends_the_run_and_is_told_as_a_warning() -> None:
    async def answer(measure: Measure) -> Outcome:
        del measure
        return Reading(7.0, "7")

    async with running(measures=True) as here:
        Meter(here, answer)
        here.world.put(run(metric(interval="10s", count=3)))
        await here.until(lambda: phase(here) == "Failed", 2)
        assert "failed (1) > failureLimit (0)" in status(here)["message"]
        assert here.events[-1] == "run Warning AnalysisRunFailed Analysis Completed. Result: Failed"


async def test_a_run_that_cannot_be_carried_out_says_why() -> None:
    async with running(measures=True) as here:
        here.world.put(run({"name": "errors", "provider": {}}))
        here.world.put({**run(name="shapeless"), "spec": {"metrics": "many"}})
        await here.until(lambda: phase(here) == "Error" and phase(here, "shapeless") == "Error", 2)
        assert "must have exactly one provider" in status(here)["message"]
        assert "spec.metrics" in status(here, "shapeless")["message"]


async def test_a_broken_provider_hurts_its_own_measurement_only() -> None:
    async def answer(measure: Measure) -> Outcome:
        if measure.metric == "broken":
            raise ZeroDivisionError("with a secret in its text")
        return Reading(1.0, "1")

    async with running(measures=True) as here:
        Meter(here, answer)
        here.world.put(run(metric("broken", consecutiveErrorLimit=0), name="bad"))
        here.world.put(run(metric("good", interval="10s", count=2)))
        await here.until(lambda: phase(here) == "Successful")
        assert "ZeroDivisionError" in status(here, "bad")["message"]
        assert "secret" not in str(status(here, "bad"))


async def test_the_beginning_of_a_run_with_a_delay_is_written_at_once() -> None:
    async with running(measures=True) as here:
        meter = Meter(here)
        here.world.put(run(metric(initialDelay="30s")))
        await here.until(lambda: phase(here) == "Running", 1)
        assert meter.begun == []
        await here.until(lambda: phase(here) == "Successful", 40)
        assert 30 <= meter.begun[0][0] < 31.1


async def test_a_run_is_ended_by_hand_and_what_is_pending_is_stopped() -> None:
    async def answer(measure: Measure) -> Outcome:
        return Reading(1.0, "1") if measure.verb == "terminate" else Pending(timedelta(seconds=5), {"job": "a"})

    async with running(measures=True) as here:
        meter = Meter(here, answer)
        here.world.put(run(metric("job")))
        await here.until(lambda: [verb for _, verb, _ in meter.begun] == ["take", "resume"], 10)
        here.world.change(RUN, "run", {"spec": {"terminate": True}})
        await here.until(lambda: phase(here) == "Successful" and meter.begun[-1][1] == "terminate", 2)
        await here.until(lambda: status(here)["metricResults"][0]["measurements"][0]["phase"] == "Inconclusive", 2)
        assert status(here)["message"] == "Run Terminated"


async def test_a_user_who_writes_at_the_same_moment_is_heard_and_what_was_measured_is_kept() -> None:
    async with running(measures=True) as here:
        meter = Meter(here)
        here.world.before["patch", RUN] = lambda: here.world.change(
            RUN, "run", {"spec": {"terminate": True}}, deliver=False
        )
        here.world.put(run(metric(interval="10s")))
        await here.until(lambda: phase(here) == "Successful", 2)
        assert status(here)["message"] == "Run Terminated"
        assert status(here)["metricResults"][0]["count"] == 1
        assert len(meter.begun) == 1


async def test_what_was_measured_outlives_an_api_server_that_is_away() -> None:
    async with running(measures=True) as here:
        meter = Meter(here)
        here.world.fail["patch", RUN] = [error(Unreachable, 0, "Unreachable", "connection refused")] * 12
        here.world.put(run(metric(interval="1s", count=2)))
        await here.until(lambda: phase(here) == "Successful", 100)
        assert len(meter.begun) == 2  # nothing was measured again, and nothing on top of what isn't written
        assert here.reasons().count("ReconciliationError") == 1


async def test_a_status_that_is_refused_is_tried_less_and_less_often() -> None:
    async with running(measures=True) as here:
        Meter(here)
        here.world.fail["patch", RUN] = [error(Invalid, 422, "Invalid", "too large") for _ in range(1000)]
        here.world.put(run())
        await asyncio.sleep(60)
        assert writes(here) < 25


async def test_a_run_deleted_while_it_is_measured_is_cut_off_and_its_name_is_free_for_another() -> None:
    async def answer(measure: Measure) -> Outcome:
        await asyncio.sleep(1000 if measure.metric == "endless" else 0)
        return Reading(1.0, "1")

    async with running(measures=True) as here:
        meter = Meter(here, answer)
        here.world.put(run(metric("endless")))
        await here.until(lambda: meter.begun, 1)
        here.world.remove(RUN, "run")
        await here.until(lambda: meter.cut_off == ["endless"], 1)
        here.world.put(run())
        await here.until(lambda: phase(here) == "Successful", 2)
        assert here.measuring.count == 0


async def test_a_run_that_is_going_is_left_alone() -> None:
    async with running(measures=True) as here:
        meter = Meter(here)
        going = run()
        going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        here.world.put(going)
        await asyncio.sleep(20)
        assert (meter.begun, writes(here)) == ([], 0)


async def test_a_run_is_deleted_once_its_time_to_live_is_over() -> None:
    async with running(measures=True) as here:
        Meter(here)
        here.world.put(run(ttlStrategy={"secondsAfterCompletion": 60}))
        await here.until(lambda: phase(here) == "Successful", 2)
        await asyncio.sleep(58)
        assert (RUN, "default", "run") in here.world.objects
        await here.until(lambda: (RUN, "default", "run") not in here.world.objects, 5)
        assert [request for request in here.world.requests if request.startswith("delete")] == [f"delete {RUN} run"]


async def test_a_deletion_that_meets_a_change_looks_again() -> None:
    async with running(measures=True) as here:
        Meter(here)
        here.world.put(run(ttlStrategy={"secondsAfterCompletion": 5}))
        await here.until(lambda: phase(here) == "Successful", 2)
        here.world.before["delete", RUN] = lambda: here.world.change(
            RUN, "run", {"spec": {"ttlStrategy": {"secondsAfterCompletion": 60}}}, deliver=False
        )
        await asyncio.sleep(20)
        assert (RUN, "default", "run") in here.world.objects
        await here.until(lambda: (RUN, "default", "run") not in here.world.objects, 60)


async def test_another_controller_goes_on_where_this_one_stopped() -> None:
    async with running(measures=True) as here:
        Meter(here)
        world = here.world
        world.put(run(metric(interval="10s", count=3)))
        await here.until(lambda: len(world.get_now(RUN, "run").get("status", {}).get("metricResults", ())) == 1, 2)
        await asyncio.sleep(5)
    world.requests.clear()
    async with running(world=world, measures=True) as here:
        meter = Meter(here)
        await here.until(lambda: phase(here) == "Successful", 40)
        assert len(meter.begun) == 2
        assert writes(here) == 2


async def test_an_unwritten_measurement_of_a_controller_that_died_is_taken_again() -> None:
    async with running(measures=True) as here:
        Meter(here)
        world = here.world
        world.fail["patch", RUN] = [error(ServerError, 500, "InternalError")] * 1000
        world.put(run())
        await asyncio.sleep(5)
    world.fail.clear()
    async with running(world=world, measures=True) as here:
        meter = Meter(here)
        await here.until(lambda: phase(here) == "Successful", 5)
        assert len(meter.begun) == 1
        assert status(here)["metricResults"][0]["count"] == 1


async def test_a_thousand_runs_that_are_due_at_once_do_not_keep_a_rollout_waiting() -> None:
    async with running(measures=True) as here:
        Meter(here, seconds=5)
        for number in range(1000):
            here.world.put(run(name=f"run-{number}"), deliver=False)
        here.world.deliver()
        assert here.loop.queue.depth == 1000
        here.world.put(rollout())
        await asyncio.sleep(0)
        await here.until(lambda: here.plans, 0.5)


async def test_how_late_measurements_begin_is_counted() -> None:
    async with running(measures=True) as here:
        late: list[float] = []
        here.analyses._late = late.append
        Meter(here)
        here.world.put(run(metric(interval="10s", count=3)))
        await here.until(lambda: phase(here) == "Successful")
        assert len(late) == 2
        assert max(late) < 0.01


async def test_a_run_of_many_metrics_goes_on_in_its_rhythm_though_every_pass_has_something_to_write() -> None:
    async def answer(measure: Measure) -> Outcome:
        await asyncio.sleep(0.17 * int(measure.metric))
        return Reading(1.0, "1")

    async with running(measures=True) as here:
        meter = Meter(here, answer)
        here.world.seconds[RUN] = 0.3  # meanwhile the next one has been measured
        here.world.put(run(*(metric(str(number), interval="1s") for number in range(20))))
        await asyncio.sleep(60)
        begun = len(meter.begun)
        await asyncio.sleep(30)
        assert len(meter.begun) - begun > 200


async def test_a_plan_that_took_long_is_not_carried_out_for_another_run_of_the_same_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def answer(measure: Measure) -> Outcome:
        return Reading(float(measure.values["value"]), measure.values["value"])

    def with_value(value: str) -> Object:
        return run(
            metric(provider={"web": {"url": "http://metrics/{{args.value}}"}}), args=[{"name": "value", "value": value}]
        )

    async with running(measures=True) as here:
        meter, planned = Meter(here, answer, seconds=0.1), here.analyses._planned

        async def slowly(key: Key, observed: ObservedRun, now: datetime) -> AnalysisPlan:
            plan = await planned(key, observed, now)
            await asyncio.sleep(1)  # a plugin takes its time
            return plan

        monkeypatch.setattr(here.analyses, "_planned", slowly)
        here.world.put(with_value("99"))
        await asyncio.sleep(0.5)
        here.world.remove(RUN, "run")
        here.world.put(with_value("1"))
        await here.until(lambda: phase(here), 20)
        await here.until(lambda: phase(here) != "Running", 20)
        assert phase(here) == "Successful", status(here)
        assert len(meter.begun) == 1
