"""What stands in a list? One row of text cells for each Rollout, AnalysisRun or Experiment."""

from dataclasses import dataclass
from datetime import datetime

from rollouts.view import ages, fields
from rollouts.view.experiments import experiment_view
from rollouts.view.fields import Raw
from rollouts.view.rollout import strategy_of
from rollouts.view.runs import purpose_of, run_row, shown_run
from rollouts.view.status import shown_status
from rollouts.view.steps import set_weight, step_index, steps_of


@dataclass(frozen=True, slots=True)
class ListRow:
    """One Rollout in a list, as text; a dash stands for what its strategy doesn't have."""

    namespace: str
    name: str
    strategy: str
    status: str
    step: str
    set_weight: str
    ready: str
    desired: str
    up_to_date: str
    available: str
    age: str
    images: str


@dataclass(frozen=True, slots=True)
class Line:
    """Any object in a list: `facts` are the cells that change, `more` is shown where there is room."""

    namespace: str
    name: str
    facts: tuple[str, ...]
    age: str
    more: str = ""


def run_line(run: Raw, now: datetime) -> Line:
    """Return the line of one AnalysisRun: status, outcomes of its measurements, and for whom it runs."""
    row = run_row(run)
    facts = (row.phase, ", ".join(row.info) or "-", purpose_of(run))
    message = shown_run(run).message
    return Line(fields.namespace_of(run), row.name, facts, ages.age(row.created, now), message)


def experiment_line(experiment: Raw, now: datetime) -> Line:
    """Return the line of one Experiment: status, duration, what is left of it, and how many templates have pods."""
    view = experiment_view(experiment, (), (), (), now)
    left = ages.remaining(view.until, now) if view.until is not None and not view.is_over else "-"
    running = sum(each.available >= each.desired for each in view.templates)
    facts = (view.status.phase, view.duration or "-", left, f"{running}/{len(view.templates)}")
    return Line(view.namespace, view.name, facts, ages.age(view.created, now), view.status.message)


def rollout_line(rollout: Raw, now: datetime) -> Line:
    """Return the line of one Rollout."""
    row = list_row(rollout, now)
    facts = (row.strategy, row.status, row.step, row.set_weight, row.ready, row.desired, row.up_to_date, row.available)
    return Line(row.namespace, row.name, facts, row.age, row.images)


def _template_elsewhere(rollout: Raw) -> str:
    reference = fields.part(rollout, "spec", "workloadRef")
    return f"as {reference.get('kind')}/{reference.get('name')}" if reference else ""


def list_row(rollout: Raw, now: datetime) -> ListRow:
    """Return the row of one Rollout."""
    status = fields.part(rollout, "status")
    index, weight = step_index(rollout), set_weight(rollout)
    containers = fields.items(rollout, "spec", "template", "spec", "containers")
    return ListRow(
        namespace=fields.namespace_of(rollout),
        name=fields.name_of(rollout),
        strategy=strategy_of(rollout),
        status=shown_status(rollout).phase,
        step="-" if index is None else f"{index}/{len(steps_of(rollout))}",
        set_weight="-" if weight is None else str(weight),
        ready=f"{fields.count(status, 'readyReplicas')}/{fields.count(status, 'replicas')}",
        desired=str(fields.desired_replicas(rollout)),
        up_to_date=str(fields.count(status, "updatedReplicas")),
        available=str(fields.count(status, "availableReplicas")),
        age=ages.age(fields.created(rollout), now),
        images=",".join(str(each.get("image", "")) for each in containers) or _template_elsewhere(rollout),
    )
