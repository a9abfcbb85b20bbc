"""What does the status of an experiment say? All of it as JSON, its conditions, and what there is to tell of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rollouts.api.experiment import ExperimentAnalysisRunStatus, ExperimentTemplateStatus
from rollouts.api.timestamps import format_time
from rollouts.plan import conditions
from rollouts.plan.actions import ANALYSIS_RUN
from rollouts.plan.conditions import Wanted
from rollouts.plan.experiment.observed import ObservedExperiment
from rollouts.plan.experiment.phases import ENDED, ERROR, FAILED, PENDING, PROGRESSING
from rollouts.plan.narrate import Event

Raw = Mapping[str, Any]

COMPLETED = "ExperimentCompleted"
_INVALID = conditions.INVALID_SPEC


@dataclass(frozen=True, slots=True)
class Decided:
    """What the status tells."""

    phase: str
    message: str
    available_at: datetime | None
    templates: Sequence[ExperimentTemplateStatus]
    analyses: Sequence[ExperimentAnalysisRunStatus]


def status_of(here: ObservedExperiment, decided: Decided, now: datetime) -> dict[str, Any]:
    """Return the whole status."""
    wanted = _progressing(here, decided)
    status: dict[str, Any] = {
        "phase": decided.phase,
        "message": decided.message,
        "availableAt": format_time(decided.available_at) if decided.available_at is not None else None,
        "templateStatuses": [_template(each) for each in decided.templates],
        "analysisRuns": [_plain(each) for each in decided.analyses],
        "conditions": conditions.merge(here.status.conditions, [wanted], [_INVALID], now),
    }
    return {key: value for key, value in status.items() if value}


def invalid_status(here: ObservedExperiment, problem: str, now: datetime) -> dict[str, Any]:
    """Return the status of an experiment that can't be carried out: as it was, and why it stays so."""
    raw = here.raw.get("status")
    known = next((each for each in here.status.conditions if each.type == _INVALID), None)
    is_news = known is None or known.message != problem
    wanted = Wanted(_INVALID, "True", _INVALID, problem, refreshes=is_news)
    return {
        **(raw if isinstance(raw, Mapping) else {}),
        "phase": here.status.phase or PENDING,
        "message": problem,
        "conditions": conditions.merge(here.status.conditions, [wanted], (), now),
    }


def _progressing(here: ObservedExperiment, decided: Decided) -> Wanted:
    name = f"Experiment {here.name}"
    kind = conditions.PROGRESSING
    if decided.phase == FAILED and any(each.status == FAILED for each in decided.templates):
        return Wanted(kind, "False", conditions.TIMED_OUT, f"{name} has timed out: {decided.message}")
    if decided.phase in ENDED:
        cause = f": {decided.message}" if decided.message else ""
        return Wanted(kind, "False", COMPLETED, f"{name} has ended {decided.phase}{cause}")
    if decided.available_at is None or any(each.status == PROGRESSING for each in decided.templates):
        return Wanted(kind, "True", conditions.UPDATED, f"{name} waits for its pods")
    return Wanted(kind, "True", conditions.AVAILABLE, f"{name} is running")


def _template(status: ExperimentTemplateStatus) -> dict[str, Any]:
    raw = _plain(status)
    at = status.last_transition_time
    return {**raw, **({"lastTransitionTime": format_time(at)} if at is not None else {})}


def _plain(part: ExperimentTemplateStatus | ExperimentAnalysisRunStatus) -> dict[str, Any]:
    raw: dict[str, Any] = part.model_dump(by_alias=True, exclude_none=True)
    return raw


def events(here: ObservedExperiment, decided: Decided) -> Iterator[Event]:
    """Yield what there is to tell once the status has been written."""
    before = here.status
    yield from _turned("Template", "template", _statuses(before.template_statuses), _statuses(decided.templates))
    runs = [{each.name: each.phase for each in part} for part in (before.analysis_runs, decided.analyses)]
    yield from _turned(ANALYSIS_RUN, "analysis", *runs)
    if decided.phase != before.phase:
        cause = f": {decided.message}" if decided.message else ""
        change = f"{before.phase or 'new'} -> {decided.phase}{cause}"
        yield _event(f"Experiment{decided.phase}", f"Experiment: {change}", decided.phase)


def _statuses(templates: Iterable[ExperimentTemplateStatus]) -> dict[str, str]:
    return {each.name: each.status or "" for each in templates}


def _turned(kind: str, noun: str, before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Event]:
    for name, phase in now.items():
        was = before.get(name, "")
        if phase and phase != was:
            yield _event(f"{kind}{phase}", f"{noun.capitalize()} '{name}': {was or 'new'} -> {phase}", phase)


def _event(reason: str, message: str, phase: str) -> Event:
    return Event("Warning" if phase in (FAILED, ERROR) else "Normal", reason, message)
