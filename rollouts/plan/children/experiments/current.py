"""Which experiment is the current one, what does it say, and which comes next?

The status names it. An experiment is decided by writing its name there, and made by a pass that reads it there: whoever
dies in between makes the same one, never a second. One that the status doesn't name any more is ended, at whatever
point that was interrupted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from rollouts.api.experiment import parse_experiment_status
from rollouts.plan import state
from rollouts.plan.actions import EXPERIMENT, ChildAction, CreateChild
from rollouts.plan.children.child import Child, tidied, told_to_end
from rollouts.plan.children.experiments.demand import Demand, demand_at
from rollouts.plan.children.experiments.new_experiment import NoExperimentError, new_experiment
from rollouts.plan.children.experiments.words import told
from rollouts.plan.experiment.phases import ERROR, FAILED, INCONCLUSIVE, PENDING, RUNNING
from rollouts.plan.observed import refusal_of
from rollouts.plan.ownership import free_name, taken_by_others
from rollouts.plan.scene import Scene
from rollouts.plan.state import State
from rollouts.ports import Check, Destination

_FAILURE = "Experiment analysis phase is error/failed"


@dataclass(frozen=True, slots=True)
class CurrentExperiment:
    """The experiment that is asked for in this pass, if one is.

    `known` has all experiments of the Rollout by name. `trouble` tells why it can't be made, `due` is what makes it.
    """

    state: State
    demand: Demand | None
    known: Mapping[str, Child] = field(repr=False)
    due: CreateChild | None = None
    trouble: str = ""

    @property
    def child(self) -> Child | None:
        return self.known.get(self.state.experiment) if self.demand is not None else None

    @property
    def is_unmade(self) -> bool:
        """Whether the status names one that isn't there."""
        return self.demand is not None and bool(self.state.experiment) and self.child is None

    @property
    def failure(self) -> str:
        """Why the update is to be aborted; empty if it doesn't say so."""
        child = self.child
        if child is None or child.phase not in {FAILED, ERROR}:
            return ""
        return _FAILURE + (f": {child.message}" if child.message else "")

    @property
    def is_undecided(self) -> bool:
        """Whether it couldn't decide, and nobody has decided instead."""
        child = self.child
        return child is not None and child.phase == INCONCLUSIVE and not self.state.was_resumed

    def decided(self, now: datetime) -> State:
        """Return the state with what the experiment has decided."""
        if self.failure:
            return replace(state.aborted(self.state, now), experiment="")
        if self.is_undecided:
            return state.undecided(self.state, now, state.INCONCLUSIVE_EXPERIMENT)
        return self.state

    def check(self) -> Check | None:
        """Return how far it is; None if the status names none yet."""
        name, child = self.state.experiment, self.child
        if self.demand is None or not name:
            return None
        if child is not None:
            again = child.phase == INCONCLUSIVE and self.state.was_resumed
            follows = "; somebody has resumed it, so another experiment follows" if again else ""
            return Check(child.phase or PENDING, f"{told(child)}{follows}")
        if self.trouble:
            return Check(PENDING, f"experiment {name} can't be made: {self.trouble}", is_stuck=True)
        return Check(PENDING, f"experiment {name} is being made")

    def told(self) -> Iterator[str]:
        """Say how far it is; a failure is told as the cause of the abort."""
        check = self.check() if not self.failure else None
        if check is not None:
            yield check.because

    def destinations(self, *, has_services: bool) -> tuple[Destination, ...]:
        """Return where the weights of the experiment go: to available pods, while it runs.

        With `has_services` the router sends traffic to Services: then only to pods behind one.
        """
        child = self.child
        if self.demand is None or child is None or child.phase != RUNNING or not child.goes_on:
            return ()
        status, _ = parse_experiment_status(child.raw.get("status"))
        there = {each.name: each for each in status.template_statuses if each.available_replicas > 0}
        found: list[Destination] = []
        for template in self.demand.experiment.templates:
            pods = there.get(template.name)
            if not template.weight or pods is None or not pods.pod_template_hash:
                continue
            if pods.service_name or not has_services:
                found.append(Destination(pods.service_name or "", pods.pod_template_hash, template.weight))
        return tuple(found)


def look(scene: Scene) -> CurrentExperiment:
    """Return the current experiment; one that is asked for no longer is forgotten."""
    known = {each["metadata"]["name"]: Child.of(EXPERIMENT, each) for each in scene.here.experiments}
    demand, name = demand_at(scene, scene.state), scene.state.experiment
    child = known.get(name)
    is_current = demand is not None and demand.has(name, child.labels if child is not None else None)
    at = scene.state if is_current or not name else replace(scene.state, experiment="")
    current = CurrentExperiment(at, demand, known)
    if demand is None or not current.is_unmade or scene.is_halted:
        return current
    refusal = refusal_of(scene.here.refusals, "create", EXPERIMENT, name)
    if refusal is not None:
        return replace(current, trouble=f"the API server refuses it: {refusal.message}")
    try:
        return replace(current, due=new_experiment(scene, demand, name))
    except NoExperimentError as error:
        return replace(current, trouble=str(error))


def named(scene: Scene, current: CurrentExperiment, after: State) -> State:
    """Return the state that a pass ends with, with a name for the experiment that it asks for, if that is missing."""
    demand = demand_at(scene, after)
    if demand is None or scene.begins or scene.is_halted or after.is_inconclusive:
        return after
    if not _lacks(scene, current, after):
        return after
    return replace(state.heard(after), experiment=_name_for(scene, current, demand))


def _lacks(scene: Scene, current: CurrentExperiment, after: State) -> bool:
    """Whether the step needs another experiment than the one that the status names."""
    if not after.experiment:
        return True
    is_taken = current.is_unmade and after.experiment in taken_by_others(scene.here.refusals, EXPERIMENT)
    child = current.child
    return is_taken or (child is not None and child.phase == INCONCLUSIVE and scene.state.was_resumed)


def _name_for(scene: Scene, current: CurrentExperiment, demand: Demand) -> str:
    """Return the name of the next one: that of one which is just like it and goes on, or one that is free."""
    is_retried = scene.before.aborted_at is not None
    for child in () if is_retried else current.known.values():
        if child.goes_on and _is_same(scene, demand, child):
            return child.name
    return free_name(demand.base, "-", {*current.known, *taken_by_others(scene.here.refusals, EXPERIMENT)})


def _is_same(scene: Scene, demand: Demand, child: Child) -> bool:
    """Whether an experiment is what is asked for: a status that has been lost is no reason to begin anew."""
    if not demand.has(child.name, child.labels):
        return False
    try:
        return bool(child.raw.get("spec") == new_experiment(scene, demand, child.name).body["spec"])
    except NoExperimentError:
        return False


def experiment_actions(scene: Scene, current: CurrentExperiment, after: State) -> tuple[ChildAction, ...]:
    """Return what makes the one that is due, ends those that nobody waits for any more, and deletes old ones."""
    shown = current.state.experiment if current.demand is not None else ""
    names = {each for each in (shown, after.experiment) if each}
    rest = tidied(
        current.known.values(),
        wanted=names,
        named=names,
        hashes={each.pod_hash for each in scene.revisions.all} | {scene.revisions.pod_hash},
        limits=scene.here.rollout.spec.analysis,
    )
    if current.due is None or after.abort or after.is_inconclusive:
        return tuple(rest)
    return (current.due, *rest)


def ended(actions: tuple[ChildAction, ...]) -> Iterator[str]:
    """Say which experiments are ended by a pass, and why."""
    for name in told_to_end(actions, EXPERIMENT):
        yield f"experiment {name} is told to end: nothing waits for it any more"
