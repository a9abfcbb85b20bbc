"""Who looks after experiments in a simulation? The planner of experiments itself, on pods that are data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rollouts.plan.actions import ANALYSIS_RUN, EXPERIMENT, SERVICE
from rollouts.plan.analysis.references import closure, templates_of_experiment
from rollouts.plan.experiment.experiment import ExperimentPlan, plan_experiment
from rollouts.plan.experiment.observed import ObservedExperiment, observe_experiment
from rollouts.sim.children import children_of
from rollouts.sim.objects import DeniedError
from rollouts.sim.patching import replaced

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Experimenting:
    """The controller of experiments. What is refused is asked for again by its next pass."""

    def follow(self, world: Any) -> bool:
        """Do what is due for each experiment; tell whether anything was."""
        moved = [self._pass(world, name, raw) for name, raw in _experiments(world)]
        return any(moved)

    def next_change(self, world: Any) -> datetime | None:
        """Return when time alone changes what an experiment does."""
        plans = (_plan(world, raw) for _, raw in _experiments(world))
        return min((plan.wake_at for plan in plans if plan.wake_at is not None), default=None)

    def expects_news(self, world: Any) -> bool:
        """Tell whether time changes anything: each wait of an experiment ends once."""
        return self.next_change(world) is not None

    def _pass(self, world: Any, name: str, raw: Raw) -> bool:
        plan = _plan(world, raw)
        moved = False
        for action in plan.actions:
            try:
                world.perform(action, raw)
            except DeniedError:
                continue
            moved = True
        if plan.status is not None:
            world.children.put((EXPERIMENT, name), replaced(raw, status=dict(plan.status)), world.next_version())
            moved = True
        return moved


def _experiments(world: Any) -> Iterator[tuple[str, Raw]]:
    for (kind, name), raw in list(world.children.live.items()):
        if kind == EXPERIMENT:
            yield name, raw


def _plan(world: Any, raw: Raw) -> ExperimentPlan:
    return plan_experiment(_observe(world, raw), world.now)


def _observe(world: Any, raw: Raw) -> ObservedExperiment:
    uid, children = raw["metadata"]["uid"], world.children.live
    return observe_experiment(
        raw,
        world.replica_sets.values(),
        children_of(children, SERVICE, uid),
        children_of(children, ANALYSIS_RUN, uid),
        closure(templates_of_experiment(raw["spec"]), world.templates.get),
    )
