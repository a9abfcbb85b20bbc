"""What is there to see of an Experiment? Its templates, their ReplicaSets and pods, and what is measured."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from rollouts.api.durations import parse_duration
from rollouts.view import fields
from rollouts.view.fields import Raw
from rollouts.view.moods import RowMood, phase_mood
from rollouts.view.replica_sets import ReplicaSetRow, replica_set_row
from rollouts.view.runs import PENDING, RunRow, oldest_first, purpose_of, run_row
from rollouts.view.status import COMPLETED, Shown


@dataclass(frozen=True, slots=True)
class ExperimentRow:
    """An Experiment in a tree, with what it owns."""

    name: str
    revision: int
    phase: str
    mood: RowMood
    created: datetime | None
    info: tuple[str, ...]
    replica_sets: tuple[ReplicaSetRow, ...]
    runs: tuple[RunRow, ...]


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """One template: how many pods it shall have, how many are available, and its status."""

    name: str
    status: str
    mood: RowMood
    desired: int
    available: int
    service: str
    message: str


@dataclass(frozen=True, slots=True)
class AnalysisRow:
    """One analysis, and the run that carries it out; `run` is empty before there is one."""

    name: str
    template: str
    is_required: bool
    run: str
    phase: str
    mood: RowMood
    message: str


@dataclass(frozen=True, slots=True)
class ExperimentView:
    """Everything that `get experiment` shows. `until` is when its duration ends, None where nobody knows yet."""

    name: str
    namespace: str
    created: datetime | None
    status: Shown
    owner: str
    duration: str
    available_at: datetime | None
    until: datetime | None
    templates: tuple[TemplateRow, ...]
    analyses: tuple[AnalysisRow, ...]
    row: ExperimentRow

    @property
    def is_over(self) -> bool:
        """Whether there is a verdict."""
        return self.status.phase in COMPLETED


def shown_experiment(experiment: Raw) -> Shown:
    """Return the phase and message; one that nobody has looked at yet is Pending."""
    status = fields.part(experiment, "status")
    invalid = next(
        (
            each
            for each in fields.items(experiment, "status", "conditions")
            if each.get("type") == "InvalidSpec" and each.get("status") == "True"
        ),
        None,
    )
    if invalid is not None and not status.get("phase"):
        return Shown("Invalid", str(invalid.get("message") or ""))
    return Shown(str(status.get("phase") or PENDING), str(status.get("message") or ""))


def experiment_row(
    experiment: Raw, replica_sets: Iterable[Raw], pods: Iterable[Raw], runs: Iterable[Raw], now: datetime
) -> ExperimentRow:
    """Return the row of one Experiment; what belongs to others is left out."""
    pods = list(pods)
    phase = shown_experiment(experiment).phase
    sets = sorted(fields.controlled_by(experiment, replica_sets), key=fields.name_of)
    return ExperimentRow(
        name=fields.name_of(experiment),
        revision=fields.revision_of(experiment),
        phase=phase,
        mood=phase_mood(phase),
        created=fields.created(experiment),
        info=_info(experiment),
        replica_sets=tuple(replica_set_row(each, pods, now) for each in sets),
        runs=tuple(run_row(each) for each in oldest_first(fields.controlled_by(experiment, runs))),
    )


def _info(experiment: Raw) -> tuple[str, ...]:
    duration = fields.part(experiment, "spec").get("duration")
    return (f"duration:{duration}",) if duration else ()


def experiment_view(
    experiment: Raw, replica_sets: Iterable[Raw], pods: Iterable[Raw], runs: Iterable[Raw], now: datetime
) -> ExperimentView:
    """Put the view together."""
    available_at = fields.time_at(fields.part(experiment, "status"), "availableAt")
    duration = str(fields.part(experiment, "spec").get("duration") or "")
    length = _length(duration)
    return ExperimentView(
        name=fields.name_of(experiment),
        namespace=fields.namespace_of(experiment),
        created=fields.created(experiment),
        status=shown_experiment(experiment),
        owner=purpose_of(experiment),
        duration=duration,
        available_at=available_at,
        until=available_at + length if available_at is not None and length is not None else None,
        templates=template_rows(experiment),
        analyses=analysis_rows(experiment),
        row=experiment_row(experiment, replica_sets, pods, runs, now),
    )


def _length(duration: str) -> timedelta | None:
    try:
        return parse_duration(duration) if duration else None
    except ValueError:
        return None


def template_rows(experiment: Raw) -> tuple[TemplateRow, ...]:
    """Return the templates in the order of the spec."""
    known = {str(each.get("name")): each for each in fields.items(experiment, "status", "templateStatuses")}
    return tuple(
        _template(each, known.get(str(each.get("name")), {})) for each in fields.items(experiment, "spec", "templates")
    )


def _template(template: Raw, status: Raw) -> TemplateRow:
    word = str(status.get("status") or PENDING)
    return TemplateRow(
        name=str(template.get("name", "")),
        status=word,
        # Running is good here: all its pods are available.
        mood="good" if word == "Running" else phase_mood(word),
        desired=fields.count(template, "replicas", 1),
        available=fields.count(status, "availableReplicas"),
        service=str(status.get("serviceName") or ""),
        message=str(status.get("message") or ""),
    )


def analysis_rows(experiment: Raw) -> tuple[AnalysisRow, ...]:
    """Return the analyses in the order of the spec."""
    known = {str(each.get("name")): each for each in fields.items(experiment, "status", "analysisRuns")}
    return tuple(
        _analysis(each, known.get(str(each.get("name")), {})) for each in fields.items(experiment, "spec", "analyses")
    )


def _analysis(analysis: Raw, status: Raw) -> AnalysisRow:
    phase = str(status.get("phase") or PENDING)
    kind = "ClusterAnalysisTemplate " if analysis.get("clusterScope") else ""
    return AnalysisRow(
        name=str(analysis.get("name", "")),
        template=f"{kind}{analysis.get('templateName', '')}",
        is_required=analysis.get("requiredForCompletion") is True,
        run=str(status.get("analysisRun") or ""),
        phase=phase,
        mood=phase_mood(phase),
        message=str(status.get("message") or ""),
    )
