"""How far is an experiment? In words that people read: which pods and analyses it waits for, how it ended."""

from collections.abc import Iterator, Mapping

from rollouts.api.durations import parse_duration
from rollouts.api.experiment import ExperimentStatus, parse_experiment_status
from rollouts.api.timestamps import format_time
from rollouts.plan.children.child import Child
from rollouts.plan.experiment.phases import RUNNING


def told(child: Child) -> str:
    """Say how far an experiment is."""
    name = f"experiment {child.name}"
    if child.has_ended:
        return f"{name} is {child.phase}" + (f": {child.message}" if child.message else "")
    if child.is_terminating:
        return f"{name} has been told to end"
    status, _ = parse_experiment_status(child.raw.get("status"))
    if child.message:
        return f"{name}: {child.message}"
    if child.phase != RUNNING:
        waits = ", ".join(_pods(status))
        return f"{name} waits for its pods" + (f": {waits}" if waits else "")
    parts = [f'analysis "{each.name}" {each.phase}' for each in status.analysis_runs]
    return ", ".join([f"{name} is running", *_end(child, status), *parts])


def _pods(status: ExperimentStatus) -> Iterator[str]:
    for each in status.template_statuses:
        if each.status != RUNNING:
            yield f'template "{each.name}" has {each.available_replicas} of {each.replicas} available'


def _end(child: Child, status: ExperimentStatus) -> Iterator[str]:
    spec = child.raw.get("spec")
    duration = spec.get("duration") if isinstance(spec, Mapping) else None
    if not duration or status.available_at is None:
        return
    try:
        yield f"until {format_time(status.available_at + parse_duration(duration))}"
    except ValueError:
        return  # its own status tells of that
