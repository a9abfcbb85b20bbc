"""Which experiment does the current step ask for?"""

from collections.abc import Mapping
from dataclasses import dataclass

from rollouts.api import keys
from rollouts.api.experiment import RolloutExperiment
from rollouts.plan.children.analyses.slots import goes_through_steps
from rollouts.plan.scene import Scene
from rollouts.plan.state import State


@dataclass(frozen=True, slots=True)
class Demand:
    """An experiment that the step with this index asks for. `base` is its name, with a number where that is taken."""

    experiment: RolloutExperiment
    base: str
    index: int

    def has(self, name: str, labels: Mapping[str, str] | None) -> bool:
        """Whether an experiment is what is asked for. `labels` are its own, None where it isn't there."""
        if labels is not None and keys.STEP_INDEX in labels:
            return labels[keys.STEP_INDEX] == str(self.index)
        return name == self.base or name.startswith(f"{self.base}-")


def demand_at(scene: Scene, at: State) -> Demand | None:
    """Return the experiment that a state asks for; nothing unless the canary goes through its steps."""
    if not goes_through_steps(scene, at) or at.index is None or at.index >= len(scene.steps):
        return None
    experiment = scene.steps[at.index].experiment
    if experiment is None:
        return None
    revisions = scene.revisions
    base = f"{scene.here.name}-{revisions.pod_hash}-{revisions.next_revision}-{at.index}"
    return Demand(experiment, base, at.index)
