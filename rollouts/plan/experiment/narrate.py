"""Which events does a pass over an Experiment tell of? What was written, and what its status says since."""

from collections.abc import Collection, Iterator

from rollouts.plan.actions import Action, CreateReplicaSet, TerminateChild, UpdateReplicaSet
from rollouts.plan.experiment.experiment import ExperimentPlan
from rollouts.plan.narrate import Event


def narrate_experiment(plan: ExperimentPlan, acknowledged: Collection[Action], *, status_written: bool) -> list[Event]:
    """Return the events of one pass, once its writes are done."""
    told = list(_acted(acknowledged))
    return [*told, *plan.events] if status_written else told


def _acted(acknowledged: Collection[Action]) -> Iterator[Event]:
    for action in acknowledged:
        match action:
            case CreateReplicaSet() if action.size:
                yield _scaled(action.name, 0, action.size)
            case UpdateReplicaSet() if action.size is not None:
                yield _scaled(action.name, action.seen_size, action.size)
            case TerminateChild():
                yield Event("Normal", "AnalysisRunTerminating", f"Terminating AnalysisRun {action.name}")
            case _:
                pass


def _scaled(name: str, before: int, after: int) -> Event:
    direction = "up" if after > before else "down"
    return Event("Normal", "ScalingReplicaSet", f"Scaled {direction} ReplicaSet {name} from {before} to {after}")
