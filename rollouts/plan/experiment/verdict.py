"""Is the experiment over, and how did it end? Templates first, then analyses, then people, then time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rollouts.api.experiment import ExperimentSpec, ExperimentTemplateStatus
from rollouts.api.timestamps import format_time, whole_second
from rollouts.plan.experiment.arguments import duration_of
from rollouts.plan.experiment.phases import (
    BAD_ANALYSIS,
    BAD_TEMPLATE,
    ENDED,
    PENDING,
    RUNNING,
    SUCCESSFUL,
)
from rollouts.plan.experiment.runs import Analysis

TERMINATED = "Experiment terminated"
REQUIRED_ARE_DONE = "Required AnalysisRuns completed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The experiment's phase and its message; while it goes on, why and until when."""

    phase: str
    message: str = ""
    available_at: datetime | None = None
    because: tuple[str, ...] = ()
    wake_at: datetime | None = None


def verdict(
    spec: ExperimentSpec,
    available_at: datetime | None,
    templates: Sequence[ExperimentTemplateStatus],
    analyses: Sequence[Analysis],
    now: datetime,
) -> Verdict:
    """Return the verdict. It runs once the pods of all templates have been available together."""
    if available_at is None and all(each.status == RUNNING for each in templates):
        available_at = whole_second(now)
    for phase, message in (_worst_template(templates), _worst_analysis(analyses)):
        if phase:
            return Verdict(phase, message, available_at)
    if spec.terminate:
        return Verdict(SUCCESSFUL, TERMINATED, available_at)
    required = [each for each in analyses if each.is_required]
    open_ = [each for each in required if each.phase != SUCCESSFUL]
    if required and not open_:
        return Verdict(SUCCESSFUL, REQUIRED_ARE_DONE, available_at)
    if available_at is None:
        return Verdict(PENDING)
    return _running(spec, available_at, open_, now)


def _running(spec: ExperimentSpec, available_at: datetime, required: Sequence[Analysis], now: datetime) -> Verdict:
    length = duration_of(spec)
    waits = tuple(_required_reason(each) for each in required)
    if length is None:
        forever = "it has no duration and no required analysis: it runs until somebody terminates it"
        return Verdict(RUNNING, "", available_at, waits or (forever,))
    end = available_at + length
    if end > now:
        return Verdict(RUNNING, "", available_at, (*waits, f"runs until {format_time(end)} ({spec.duration})"), end)
    if required:
        return Verdict(RUNNING, "", available_at, ("its duration is over", *waits))
    return Verdict(SUCCESSFUL, "", available_at)


def _required_reason(analysis: Analysis) -> str:
    phase = f", which is {analysis.phase}" if analysis.phase else ", which begins"
    return f'waits for analysis "{analysis.name}"{phase}'


def _worst_template(templates: Sequence[ExperimentTemplateStatus]) -> tuple[str, str]:
    bad = [each for each in templates if each.status in BAD_TEMPLATE]
    worst = max(bad, key=lambda each: BAD_TEMPLATE.index(each.status or ""), default=None)
    if worst is None:
        return "", ""
    return worst.status or "", f"Template '{worst.name}' {worst.status}: {worst.message or 'without a message'}"


def _worst_analysis(analyses: Sequence[Analysis]) -> tuple[str, str]:
    bad = [each for each in analyses if each.phase in BAD_ANALYSIS]
    worst = max(bad, key=lambda each: BAD_ANALYSIS.index(each.phase), default=None)
    if worst is None or worst.status is None:
        return "", ""
    cause = f": {worst.status.message}" if worst.status.message else ""
    return worst.phase, f"Analysis '{worst.name}' {worst.phase}{cause}"


def has_ended(phase: str | None) -> bool:
    """Whether an experiment of this phase is over for good."""
    return phase in ENDED
