"""What happens in a whole run? A loop on a virtual clock: plan, measure by a script, write the status, wait."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from rollouts.plan.analysis.due import Measure
from rollouts.plan.analysis.observed import Taken, observe_run
from rollouts.plan.analysis.run import AnalysisPlan, plan_analysis
from rollouts.ports.provider import NoData, Outcome, Pending, Reading, Verdict
from tests.plan.analysis.given import KIT
from tests.plan.given import START, after

Raw = dict[str, Any]
Scripted = float | str | Outcome | None
"""A vector's value, the text of an error, or an outcome; None means that there is no data."""

_MANY_PASSES = 300


def outcome_of(scripted: Scripted) -> tuple[Outcome | None, str]:
    """Return (outcome, error's text)."""
    match scripted:
        case str():
            return None, scripted
        case None:
            return NoData("the query found nothing", [], "[]"), ""
        case Reading() | NoData() | Verdict() | Pending():
            return scripted, ""
        case _:
            return Reading([float(scripted)], f"[{scripted}]"), ""


@dataclass
class Course:
    """A run that goes on by itself. A script's last outcome is repeated."""

    raw: Raw
    script: Mapping[str, Sequence[Scripted]]
    secrets: Mapping[str, str] = field(default_factory=dict)
    takes: float = 0.0
    now: datetime = START
    writes: int = 0
    measured: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=dict)
    taken: list[Taken] = field(default_factory=list)
    is_deleted: bool = False

    @property
    def status(self) -> Raw:
        status: Raw = self.raw.get("status") or {}
        return status

    @property
    def seconds(self) -> float:
        return (self.now - START).total_seconds()

    def result(self, name: str = "errors") -> Raw:
        return next(each for each in self.status["metricResults"] if each["name"] == name)

    def plan(self) -> AnalysisPlan:
        return plan_analysis(observe_run(self.raw, self.taken), self.now, KIT)

    def pass_once(self, *, write: bool = True) -> AnalysisPlan:
        """Plan, write, and take what is due."""
        plan = self.plan()
        if plan.status is not None and write:
            self.raw = {**self.raw, "status": dict(plan.status)}
            self.writes += 1
            self.events += [f"{each.type} {each.reason}: {each.message}" for each in plan.events]
        if write:
            self.taken = []
        self.taken += [self._take(each) for each in plan.measure]
        if plan.measure:
            self.now += timedelta(seconds=self.takes)
        self.is_deleted = plan.is_over
        return plan

    def go(self, until: float = 10_000) -> "Course":
        """Go on until nothing happens any more, or until so many seconds after the start."""
        for _ in range(_MANY_PASSES):
            plan = self.pass_once()
            if self.is_deleted:
                return self
            if plan.measure or plan.status is not None:
                continue
            if plan.wake_at is None or plan.wake_at > after(until):
                return self
            assert plan.wake_at > self.now, "a wait without a delay"
            self.now = plan.wake_at
        raise AssertionError(f"it doesn't come to an end: {self.status}")

    def _take(self, measure: Measure) -> Taken:
        self.measured.append(f"{self.seconds:g} {measure.verb} {measure.metric} {measure.number}")
        ended = self.now + timedelta(seconds=self.takes)
        if measure.verb == "terminate":
            return Taken(measure.metric, measure.started_at, ended, Verdict("Inconclusive"), secrets=self.secrets)
        script = self.script[measure.metric]
        index = self.done.get(measure.metric, 0)
        self.done[measure.metric] = index + 1
        outcome, error = outcome_of(script[min(index, len(script) - 1)])
        return Taken(measure.metric, measure.started_at, ended, outcome, error, self.secrets)
