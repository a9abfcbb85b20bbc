"""What is to be measured next, and what is the verdict so far? The plan for one AnalysisRun.

A measurement writes nothing before it has ended: one that was begun and not recorded is taken again. What was measured
comes in as an observation (`Taken`), and goes into the next status, one write for all that came in together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from rollouts.api.analysis_run import AnalysisRunSpec, AnalysisRunStatus, Measurement, MetricResult, RunSummary
from rollouts.api.base import parse
from rollouts.api.metrics import Metric
from rollouts.plan.analysis.arguments import Arguments
from rollouts.plan.analysis.assess import COMPLETED, ERROR, FAILED, RUNNING, SUCCESSFUL, assess, redacted
from rollouts.plan.analysis.due import Measure, Subject, Wait, due
from rollouts.plan.analysis.metric import ProviderError, choose
from rollouts.plan.analysis.observed import ObservedRun, Taken
from rollouts.plan.analysis.prepared import PreparedMetric, prepare
from rollouts.plan.analysis.results import (
    exceeded,
    is_known,
    last_of,
    record,
    record_termination,
    unfinished,
    verdict_of,
)
from rollouts.plan.analysis.size import fitted
from rollouts.plan.analysis.status import BAD, RUN_TERMINATED, as_json, events, metric_message, summary, worst
from rollouts.plan.analysis.substitution import SubstitutionError, fill
from rollouts.plan.narrate import Event
from rollouts.ports import Kit, Turn
from rollouts.ports.provider import Pending, Reading, Verdict

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AnalysisPlan:
    """What one pass over an AnalysisRun decided.

    `measure` doesn't depend on the write of `status`, which is the whole new status, or None where it stays as it is.
    `is_over` asks for the run's deletion. `events` are told once the status has been written.
    """

    measure: tuple[Measure, ...] = ()
    status: Raw | None = None
    wake_at: datetime | None = None
    because: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    is_over: bool = False
    problem: str | None = None

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to do until something changes or time passes."""
        return not self.measure and self.status is None and not self.is_over


def plan_analysis(here: ObservedRun, now: datetime, kit: Kit) -> AnalysisPlan:
    """Return what to do next about an AnalysisRun. It is pure: all that counts is in its arguments."""
    if here.is_deleting:
        return AnalysisPlan(because=("the analysis run is being deleted",))
    has_ended = here.status.phase in COMPLETED
    here = prepared(here, kit)
    if here.spec is None or here.prepared is None:
        return _expiring(here, now) if has_ended else _refused(here, now, here.unreadable)
    if here.prepared.problem and not has_ended:
        return _refused(here, now, f"Analysis spec invalid: {here.prepared.problem}")
    if here.prepared.metrics is None:
        return _expiring(here, now)  # its spec was changed after its end: there is nothing to be stopped by it
    run = _Run.of(here, here.spec, here.prepared.arguments, here.prepared.metrics, now, kit)
    return _after_the_end(run) if has_ended else _going_on(run)


def prepared(here: ObservedRun, kit: Kit) -> ObservedRun:
    """Return the same run with its spec read and checked, so that the plans to come needn't do it again."""
    is_running = here.status.phase not in COMPLETED
    if here.spec is None or (here.prepared is not None and (here.prepared.is_checked or not is_running)):
        return here
    return replace(here, prepared=prepare(here.raw["spec"], here.spec, kit, checks=is_running))


@dataclass(frozen=True, slots=True)
class _Run:
    """A run that can be carried out, and its metrics in the order of its spec."""

    here: ObservedRun
    spec: AnalysisRunSpec
    now: datetime
    kit: Kit
    started_at: datetime
    arguments: Arguments
    names: Mapping[bool, Sequence[str]]  # of those that decide, and of those that only report
    subjects: Mapping[str, Subject] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        here: ObservedRun,
        spec: AnalysisRunSpec,
        arguments: Arguments,
        metrics: Sequence[PreparedMetric],
        now: datetime,
        kit: Kit,
    ) -> "_Run":
        started_at = here.status.started_at or now.replace(microsecond=0)
        metadata = here.raw["metadata"]
        known = {each.name: each for each in here.status.metric_results}
        subjects: dict[str, Subject] = {}
        for each in metrics:
            result = known.get(each.name) or MetricResult(name=each.name, phase="", dry_run=each.is_dry)
            turn = Turn(
                metadata["name"],
                metadata.get("uid", ""),
                each.name,
                keep=each.keep,
                has_conditions=each.has_conditions,
            )
            subjects[each.name] = Subject(each.template, arguments, each.rules, result, started_at, turn)
        names = {is_dry: [each.name for each in metrics if each.is_dry == is_dry] for is_dry in (False, True)}
        return cls(here, spec, now, kit, started_at, arguments, names, subjects)


def _going_on(run: _Run) -> AnalysisPlan:
    results = {name: _recorded(run, subject) for name, subject in run.subjects.items()}
    asked_to_stop = bool(run.spec.terminate)
    results = {name: _judged(run, each, is_terminating=asked_to_stop) for name, each in results.items()}
    is_terminating = asked_to_stop or any(each.phase in BAD and not each.dry_run for each in results.values())
    if is_terminating:
        results = {name: _judged(run, each, is_terminating=True) for name, each in results.items()}
    status = _status(run, results, is_terminating=is_terminating)
    return _plan(run, results, status, is_terminating=is_terminating)


def _after_the_end(run: _Run) -> AnalysisPlan:
    """Stop what still goes on, and record that; then there is only the time to live."""
    results = {name: _at_rest(_recorded(run, subject)) for name, subject in run.subjects.items()}
    known = tuple(each for each in results.values() if each.measurements)
    status = run.here.status.model_copy(update={"metric_results": known or run.here.status.metric_results})
    plan = _plan(run, results, status, is_terminating=True)
    return plan if not plan.is_settled else _expiring(run.here, run.now)


def _at_rest(result: MetricResult) -> MetricResult:
    """Return the metric of a run that has ended: what came too late for a verdict gives no bad one."""
    if result.phase in COMPLETED or not result.measurements:
        return result
    return result.model_copy(update={"phase": SUCCESSFUL})


def _plan(
    run: _Run, results: Mapping[str, MetricResult], status: AnalysisRunStatus, *, is_terminating: bool
) -> AnalysisPlan:
    measure: list[Measure] = []
    waits: list[Wait] = []
    because: list[str] = []
    for name, result in results.items():
        step = due(replace(run.subjects[name], result=result), run.now, is_terminating=is_terminating)
        if name in run.here.under_way and step is not None:
            because.append(f'metric "{name}": is being measured')
        elif isinstance(step, Measure):
            measure.append(step)
            because.append(f'metric "{name}": {step.verb} measurement {step.number}')
        elif step is not None:
            waits.append(step)
    until = min((each.until for each in waits if each.until is not None), default=None)
    reasons = (*_verdict_reason(status), *because, *(each.because for each in waits))
    return _written(run.here, status, AnalysisPlan(tuple(measure), wake_at=until, because=reasons), run.now)


def _verdict_reason(status: AnalysisRunStatus) -> tuple[str, ...]:
    if status.phase not in COMPLETED:
        return ()
    return (f"{status.phase}: {status.message}" if status.message else status.phase,)


def _recorded(run: _Run, subject: Subject) -> MetricResult:
    """Return what is known of a metric, with what was measured since the status was written."""
    result, name = subject.result, subject.result.name
    taken = run.here.taken.get(name)
    if taken is None or is_known(result, taken.started_at):
        return result
    has_ended = result.phase in COMPLETED or run.here.status.phase in COMPLETED
    if has_ended and not isinstance(taken.outcome, Pending):
        # Whatever it says comes too late; one that was to be stopped has been.
        return record_termination(result, run.now.replace(microsecond=0)) if unfinished(result) else result
    if run.spec.terminate and unfinished(result) and not isinstance(taken.outcome, Pending):
        return record_termination(result, run.now.replace(microsecond=0))
    try:
        raw = fill(subject.template, {**subject.arguments.values, **taken.secrets}, subject.arguments.secrets)
        metric = parse(Metric, raw)
    except (SubstitutionError, ValidationError) as error:
        # Only the value of a secret can do that: the metric was sound without it. So the text stays out of sight.
        taken = Taken(name, taken.started_at, taken.finished_at, None, f"with its secrets it is {type(error).__name__}")
        return _with(result, assess(parse(Metric, subject.template), taken), run)
    noted = redacted({**_notes(raw, run.kit), **_memory(taken)}, taken.secrets)
    result = result.model_copy(update={"metadata": {**(result.metadata or {}), **noted}}) if noted else result
    return _settled(_with(result, assess(metric, taken), run), taken)


def _with(result: MetricResult, measurement: Measurement, run: _Run) -> MetricResult:
    return record(result, measurement, run.subjects[result.name].turn.keep)


def _memory(taken: Taken) -> Mapping[str, str]:
    return taken.outcome.memory if isinstance(taken.outcome, Reading | Verdict) else {}


def _settled(result: MetricResult, taken: Taken) -> MetricResult:
    """Return the metric as successful, where the provider says that nothing is left to measure."""
    match taken.outcome:
        case Verdict(phase="Successful", settles=True):
            return result.model_copy(update={"phase": SUCCESSFUL, "message": result.measurements[-1].message})
    return result


def _notes(raw: Raw, kit: Kit) -> Mapping[str, str]:
    try:
        chosen = choose(raw, kit)
        return chosen.provider.metadata_of(chosen.spec)
    except (ProviderError, ValidationError):
        return {}


def _judged(run: _Run, result: MetricResult, *, is_terminating: bool) -> MetricResult:
    """Return the metric with its verdict; a metric that was never measured has none to show."""
    if result.phase in COMPLETED or not (result.measurements or result.phase):
        return result
    phase, why = verdict_of(result, run.subjects[result.name].rules, is_terminating=is_terminating)
    last = last_of(result)
    message = (last.message if last is not None else None) if phase in COMPLETED else None
    if why and not exceeded(result, run.subjects[result.name].rules)[0]:
        message = message or why
    return result.model_copy(update={"phase": phase, "message": message})


def _status(run: _Run, results: Mapping[str, MetricResult], *, is_terminating: bool) -> AnalysisRunStatus:
    known = tuple(each for each in results.values() if each.measurements)
    phase, message = _verdict(run, results, is_terminating=is_terminating)
    return AnalysisRunStatus(
        phase=phase,
        message=message or None,
        metric_results=known,
        started_at=run.started_at,
        completed_at=run.now.replace(microsecond=0) if phase in COMPLETED else None,
        run_summary=RunSummary.model_validate(summary(known, run.names[False], dry_run=False)),
        dry_run_summary=RunSummary.model_validate(summary(known, run.names[True], dry_run=True)),
    )


def _verdict(run: _Run, results: Mapping[str, MetricResult], *, is_terminating: bool) -> tuple[str, str]:
    if not is_terminating and any(each.phase not in COMPLETED for each in results.values()):
        return RUNNING, ""
    decisive = worst(results.values())
    if decisive is not None and decisive.phase in BAD:
        _, why = verdict_of(decisive, run.subjects[decisive.name].rules, is_terminating=is_terminating)
        cause = decisive if decisive.message != why else decisive.model_copy(update={"message": None})
        return decisive.phase, metric_message(cause, why)
    return SUCCESSFUL, RUN_TERMINATED if run.spec.terminate else ""


def _refused(here: ObservedRun, now: datetime, problem: str) -> AnalysisPlan:
    """End a run that can't be carried out. It gets its times, or it would never be deleted."""
    at = now.replace(microsecond=0)
    status = here.status.model_copy(
        update={
            "phase": ERROR,
            "message": problem,
            "started_at": here.status.started_at or at,
            "completed_at": at,
            "run_summary": here.status.run_summary or RunSummary(),
            "dry_run_summary": here.status.dry_run_summary or RunSummary(),
        }
    )
    return _written(here, status, AnalysisPlan(because=(problem,), problem=problem), now)


def _written(here: ObservedRun, status: AnalysisRunStatus, plan: AnalysisPlan, now: datetime) -> AnalysisPlan:
    """Return the plan with the status, if that is another one, and with the end of a run's life."""
    new = None
    if status != here.status:  # cheaper than to compare its JSON
        status, written = fitted(status)
        new = None if written == as_json(here.status) else written
    ends_at = expires_at(here, status)
    wake_at = min((at for at in (plan.wake_at, ends_at) if at is not None and at > now), default=None)
    return AnalysisPlan(
        plan.measure,
        new,
        wake_at,
        plan.because,
        tuple(events(here.status, status)),
        problem=plan.problem,
    )


def expires_at(here: ObservedRun, status: AnalysisRunStatus) -> datetime | None:
    """Return when a run that has ended is deleted; None if never."""
    ttl = here.spec.ttl_strategy if here.spec is not None else None
    if ttl is None or status.phase not in COMPLETED:
        return None
    own = {SUCCESSFUL: ttl.seconds_after_success, FAILED: ttl.seconds_after_failure}.get(status.phase)
    seconds = ttl.seconds_after_completion if own is None else own
    ended = status.completed_at or status.started_at or here.created
    return None if seconds is None or ended is None else ended + timedelta(seconds=max(seconds, 0))


def _expiring(here: ObservedRun, now: datetime) -> AnalysisPlan:
    at = expires_at(here, here.status)
    if at is None:
        return AnalysisPlan(because=("the analysis has ended",))
    if at <= now:
        return AnalysisPlan(is_over=True, because=("the analysis has ended, and its time to live is over",))
    return AnalysisPlan(wake_at=at, because=("the analysis has ended, and stays until its time to live is over",))
