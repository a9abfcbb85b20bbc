"""What should be done next about one Experiment, and why? The plan for its pods, its analyses and its verdict.

Decide, write down, then act: analyses begin in the pass after the one that has written when the pods became available,
and pods go once the end has been written; so every crash in between is made good by the next pass.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rollouts.api.experiment import (
    DEFAULT_PROGRESS_DEADLINE_SECONDS,
    ExperimentAnalysisRunStatus,
    ExperimentSpec,
)
from rollouts.plan.actions import Action
from rollouts.plan.experiment.members import Member, left_over, members
from rollouts.plan.experiment.observed import ObservedExperiment
from rollouts.plan.experiment.phases import ENDED
from rollouts.plan.experiment.progress import Progress, counted, ended, progress_of
from rollouts.plan.experiment.runs import Analysis, Start, analyses, start, terminations
from rollouts.plan.experiment.sizes import Step, bring_up, drop_services, take_down
from rollouts.plan.experiment.status import Decided, events, invalid_status, status_of
from rollouts.plan.experiment.validate import experiment_problems, reference_problems
from rollouts.plan.experiment.verdict import verdict
from rollouts.plan.narrate import Event

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ExperimentPlan:
    """What one pass over an Experiment decided.

    No action depends on another one, nor on the write of `status`, which is the whole new status, or None where it
    stays as it is. `events` are told once the status has been written.
    """

    actions: tuple[Action, ...] = ()
    status: Raw | None = None
    wake_at: datetime | None = None
    because: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    problem: str | None = None

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to do until something changes or time passes."""
        return not self.actions and self.status is None


def plan_experiment(here: ObservedExperiment, now: datetime) -> ExperimentPlan:
    """Return what to do next about an Experiment. It is pure: all that counts is in its arguments."""
    if here.is_deleting:
        return ExperimentPlan(because=("the experiment is being deleted",))
    if here.status.phase in ENDED:
        return _after_the_end(here, now)
    problem = _problem(here)
    if here.spec is None or problem:
        return _refused(here, now, f'The Experiment "{here.name}" is invalid: {problem}')
    return _going_on(here, here.spec, now)


def _problem(here: ObservedExperiment) -> str:
    """Return what keeps the experiment from being carried out. Nothing keeps people from ending it."""
    if here.spec is None:
        return here.unreadable
    if here.spec.terminate:
        return ""
    found = next(experiment_problems(here.raw, here.spec), None)
    if found is None and not here.replica_sets:
        # Later on, what is missing is told by the analysis that needs it, and ends the experiment.
        found = next(reference_problems(here.raw["spec"], here.spec, here.templates), None)
    return str(found) if found is not None else ""


def _refused(here: ObservedExperiment, now: datetime, problem: str) -> ExperimentPlan:
    status = invalid_status(here, problem, now)
    is_news = here.status.message != problem
    told = (Event("Warning", "InvalidSpec", problem),) if is_news else ()
    new = status if status != here.raw.get("status") else None
    return ExperimentPlan(status=new, because=(problem,), events=told, problem=problem)


def _going_on(here: ObservedExperiment, spec: ExperimentSpec, now: datetime) -> ExperimentPlan:
    parts = members(here, spec)
    deadline = spec.progress_deadline_seconds
    seconds = DEFAULT_PROGRESS_DEADLINE_SECONDS if deadline is None else deadline
    progress = [progress_of(here, each, seconds, now) for each in parts]
    known = analyses(here, spec)
    starts = _starts(here, spec, parts, known)
    known = [_begun(each, starts.get(index)) for index, each in enumerate(known)]
    result = verdict(spec, here.status.available_at, [each.status for each in progress], known, now)
    is_over = result.phase in ENDED
    if is_over:
        progress = [Progress(ended(each.status, now)) for each in progress]
    decided = Decided(
        phase=result.phase,
        message=result.message,
        available_at=result.available_at,
        templates=[each.status for each in progress],
        analyses=[each.status for each in known if each.status is not None],
    )
    # What is over is written down first; the pods of an experiment that ends are the next pass' business.
    steps = [] if is_over else _steps(here, spec, parts, progress, starts.values(), now)
    reasons = (f"{result.phase}: {result.message}" if result.message else result.phase,) if is_over else result.because
    wakes = [result.wake_at, *(each.deadline for each in progress)]
    because = (*reasons, *(each.because for each in progress if each.because and not is_over))
    return _plan(here, decided, steps, because, [] if is_over else wakes, now)


def _starts(
    here: ObservedExperiment, spec: ExperimentSpec, parts: Sequence[Member], known: Sequence[Analysis]
) -> dict[int, Start]:
    """Return what begins the analyses that have no run, by their place in the spec."""
    if here.status.available_at is None or spec.terminate:
        return {}
    waiting = [index for index, each in enumerate(known) if each.status is None]
    return {index: start(here, spec, parts, index) for index in waiting}


def _begun(analysis: Analysis, begins: Start | None) -> Analysis:
    failed = begins.failed if begins is not None else None
    return analysis if failed is None else Analysis(analysis.spec, None, failed)


def _steps(
    here: ObservedExperiment,
    spec: ExperimentSpec,
    parts: Sequence[Member],
    progress: Sequence[Progress],
    starts: Iterable[Start],
    now: datetime,
) -> list[Step]:
    begin = tuple(each.create for each in starts if each.create is not None)
    return [
        *(bring_up(here, member, each.status) for member, each in zip(parts, progress, strict=True)),
        take_down(left_over(here, parts), spec.scale_down_delay_seconds, now),
        drop_services(here, parts),
        Step(begin, tuple(f"AnalysisRun {each.name} is created" for each in begin)),
    ]


def _after_the_end(here: ObservedExperiment, now: datetime) -> ExperimentPlan:
    """End the runs, and let the pods go; whatever the spec has become by now."""
    spec, before = here.spec, here.status
    parts = [each for each in members(here, spec) if each.before is not None] if spec is not None else []
    known = [each.status for each in analyses(here, spec) if each.status is not None] if spec is not None else []
    decided = Decided(
        phase=before.phase or "",
        message=before.message or "",
        available_at=before.available_at,
        templates=[ended(counted(each, now), now) for each in parts] or before.template_statuses,
        analyses=_together(before.analysis_runs, known),
    )
    ends = tuple(terminations(here))
    steps = [
        take_down(here.replica_sets, spec.scale_down_delay_seconds if spec is not None else None, now),
        drop_services(here, ()),
    ]
    told = tuple(f"AnalysisRun {each.name} is terminated" for each in ends)
    over = f"the experiment has ended {before.phase}"
    because = (f"{over}: {before.message}" if before.message else over, *told)
    return _plan(here, decided, steps, because, [], now, ends)


def _together(
    before: Sequence[ExperimentAnalysisRunStatus], known: Sequence[ExperimentAnalysisRunStatus]
) -> list[ExperimentAnalysisRunStatus]:
    """Return what is known of the analyses; none that there has been is forgotten."""
    names = {each.name for each in known}
    return [*(each for each in before if each.name not in names), *known]


def _plan(
    here: ObservedExperiment,
    decided: Decided,
    steps: Sequence[Step],
    because: Sequence[str],
    wakes: Iterable[datetime | None],
    now: datetime,
    ends: Sequence[Action] = (),
) -> ExperimentPlan:
    status = status_of(here, decided, now)
    at = [each for each in (*wakes, *(step.wake_at for step in steps)) if each is not None and each > now]
    return ExperimentPlan(
        actions=(*ends, *(action for step in steps for action in step.actions)),
        status=status if status != here.raw.get("status") else None,
        wake_at=min(at, default=None),
        because=(*because, *(reason for step in steps for reason in step.because)),
        events=tuple(events(here, decided)),
    )
