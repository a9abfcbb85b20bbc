"""Which measurements are due? New ones, those that go on, and those that are to be stopped."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from rollouts.api.analysis import SecretKeyRef
from rollouts.api.analysis_run import Measurement, MetricResult
from rollouts.plan.analysis.arguments import Arguments
from rollouts.plan.analysis.assess import COMPLETED, ERROR
from rollouts.plan.analysis.metric import ERROR_RETRY, Rules
from rollouts.plan.analysis.results import last_of, unfinished
from rollouts.plan.analysis.substitution import fill
from rollouts.ports import Turn

Raw = Mapping[str, Any]

_TICK = timedelta(seconds=1)  # what the API's times count in


@dataclass(frozen=True, slots=True)
class Measure:
    """A measurement to take, to resume or to terminate; whoever performs it reports a `Taken`.

    Of what is measured it writes nothing, so one that is lost is simply taken again. `turn` names it to its provider.
    `secrets` are to be read for this very measurement; `filled` puts their values in. `metadata` is what the provider
    noted about a measurement that goes on, `memory` what it left behind with the metric. `began` is when the run did.
    """

    verb: Literal["take", "resume", "terminate"]
    metric: str
    started_at: datetime
    turn: Turn
    template: Raw = field(repr=False)
    values: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, SecretKeyRef] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    memory: Mapping[str, str] = field(default_factory=dict)
    began: datetime | None = None
    is_last: bool = False

    @property
    def number(self) -> int:
        """Count the metric's measurements from 1; this is the count of the one to take."""
        return self.turn.number

    def filled(self, secrets: Mapping[str, str]) -> Raw:
        """Return the metric, raw, with all arguments filled in; `secrets` holds the values of those."""
        filled: Raw = fill(self.template, {**self.values, **secrets})
        return filled


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is due for a metric; `until` is None where only somebody else can change that."""

    because: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """A metric and what is known of it. `started_at` is when the run began; `turn` has what doesn't change in it."""

    template: Raw
    arguments: Arguments
    rules: Rules
    result: MetricResult
    started_at: datetime
    turn: Turn

    def measure(self, now: datetime, going_on: Measurement | None, *, stop: bool = False) -> Measure:
        verb: Literal["take", "resume", "terminate"] = "terminate" if stop else "take" if going_on is None else "resume"
        begun = (going_on.started_at if going_on is not None else None) or self._begins(now)
        number = (self.result.count or 0) + (self.result.error or 0) + 1
        return Measure(
            verb,
            self.result.name,
            begun,
            replace(self.turn, number=number, started_at=begun),
            self.template,
            self.arguments.values,
            self.arguments.secrets,
            dict(going_on.metadata or {}) if going_on is not None else {},
            dict(self.result.metadata or {}),
            self.started_at,
            self.rules.count is not None and (self.result.count or 0) + 1 >= self.rules.count,
        )

    def _begins(self, now: datetime) -> datetime:
        """Return when a new measurement begins: later than the last one, which a clock ahead of ours may have told."""
        last = last_of(self.result)
        moment = now.replace(microsecond=0)
        return moment if last is None or last.started_at is None else max(moment, last.started_at + _TICK)


def due(subject: Subject, now: datetime, *, is_terminating: bool) -> Measure | Wait | None:
    """Return what is to be done for a metric; None if it has ended."""
    going_on = unfinished(subject.result)
    has_ended = subject.result.phase in COMPLETED or is_terminating
    if going_on is not None and has_ended:
        return subject.measure(now, going_on, stop=True)
    if has_ended:
        return None
    name = subject.result.name
    if going_on is not None:
        at = going_on.resume_at or now
        what = going_on.message or "its measurement goes on"
    else:
        at, what = _next(subject, last_of(subject.result), now)
    return subject.measure(now, going_on) if at <= now else Wait(f'metric "{name}": {what}', at)


def _next(subject: Subject, last: Measurement | None, now: datetime) -> tuple[datetime, str]:
    if last is None:
        return subject.started_at + subject.rules.initial_delay, "the initial delay isn't over"
    ended = last.finished_at or subject.started_at
    failed = last.phase == ERROR
    pause = ERROR_RETRY if failed else subject.rules.pause
    if ended - now > pause:
        return now, "the last measurement ended by a clock that is ahead of ours"
    if failed:
        return ended + pause, f"measures again after an error: {last.message or 'without a message'}"
    return ended + pause, "waits for the next measurement"
