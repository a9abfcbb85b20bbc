"""What is true of every Deployment whose pods a Rollout takes over? Both together never have too few by our doing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from rollouts.api import keys
from rollouts.plan import Action
from rollouts.plan.actions import ScaleWorkload
from rollouts.registry import load_kit
from rollouts.sim.faults import Fault, Trouble
from rollouts.sim.pods import Behaviour
from rollouts.sim.scenario import (
    Change,
    Scenario,
    create,
    create_deployment,
    fail,
    scale,
    scale_deployment,
    set_deployments_image,
)
from rollouts.sim.simulation import Simulation
from rollouts.sim.world import Raw, World
from tests.plan.given import START, rollout, template
from tests.properties.worlds import NAME, QUIET, faults

KIT = load_kit()
OLD = "old"


@dataclass(slots=True)
class Watched(World):
    """A world that holds every scaling of the Deployment against the pods that there are."""

    def perform(self, action: Action, rollout: Raw) -> None:
        if not isinstance(action, ScaleWorkload):
            World.perform(self, action, rollout)
            return
        ours = sum(min(each["spec"]["replicas"], self.available(each)) for each in self.replica_sets.values())
        before = ours + self.available(self.workloads[OLD])
        World.perform(self, action, rollout)
        after = ours + min(action.size, self.available(self.workloads[OLD]))
        first = int(rollout["metadata"]["annotations"][keys.WORKLOAD_REPLICAS])
        is_taken_over = ours >= rollout["spec"]["replicas"]
        floor = rollout["spec"]["replicas"] if is_taken_over else max(rollout["spec"]["replicas"], first)
        assert after >= min(before, floor), f"{self.now}: {before} were available, {after} are kept: {action}"
        assert action.size <= max(action.seen_size, first), f"{self.now}: more than {first}: {action}"


@dataclass(frozen=True)
class Takeover:
    """One takeover as it is drawn."""

    rollout: Mapping[str, Any]
    size: int
    images: Mapping[str, Behaviour]
    script: Sequence[Change]
    faults: Mapping[int, Fault]

    def run(self) -> Simulation:
        deployment = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": OLD},
            "spec": {
                "replicas": self.size,
                "selector": {"matchLabels": {"app": "web"}},
                "template": template("app:1"),
            },
        }
        begins = (create_deployment(0, deployment), create(30, dict(self.rollout)))
        world = Watched(START, dict(self.images))
        simulation = Simulation(Scenario(world, (*begins, *self.script), 200 + QUIET), KIT, faults=self.faults)
        for _ in simulation.run():
            pass
        return simulation


def _changes(at: float, *, may_fail: bool) -> st.SearchStrategy[Change]:
    """Return what people, autoscalers and pods may do at a time."""
    kinds = [
        st.integers(0, 8).map(lambda size: scale_deployment(at, OLD, size)),
        st.integers(0, 8).map(lambda size: scale(at, NAME, size)),
        st.sampled_from(("app:1", "app:2")).map(lambda image: set_deployments_image(at, OLD, image)),
    ]
    if may_fail:
        kinds.append(st.integers(1, 4).map(lambda count: fail(at, "app:1", count)))
    return st.one_of(kinds)


@st.composite
def takeovers(draw: st.DrawFn, *, may_fail: bool, troubles: Sequence[Trouble]) -> Takeover:
    """Draw a Deployment, a Rollout that takes it over, and what happens meanwhile."""
    raw = rollout(replicas=draw(st.integers(0, 8)), steps=None, minReadySeconds=draw(st.sampled_from((0, 5))))
    del raw["spec"]["template"], raw["spec"]["selector"]
    mode = draw(st.sampled_from(("progressively", "progressively", "onsuccess", "never")))
    raw["spec"]["workloadRef"] = {"apiVersion": "apps/v1", "kind": "Deployment", "name": OLD, "scaleDown": mode}
    at, script = 30.0, []
    for _ in range(draw(st.integers(0, 4))):
        at += draw(st.sampled_from((0, 1, 3, 7, 40)))
        script.append(draw(_changes(at, may_fail=may_fail)))
    ready = st.sampled_from((0, 1, 7, 20))
    images = {image: Behaviour(draw(ready)) for image in ("app:1", "app:2")}
    return Takeover(raw, draw(st.integers(0, 8)), images, script, draw(faults(*troubles)) if troubles else {})


def check_the_end(simulation: Simulation) -> None:
    """Check that all is done, and done once."""
    world = simulation.world
    live = world.rollouts[NAME]
    mode, first = live["spec"]["workloadRef"]["scaleDown"], live["metadata"]["annotations"].get(keys.WORKLOAD_REPLICAS)
    event(f"{mode} {live['status']['phase']} first {first}")
    assert (first is None) == (mode == "never")
    if live["status"]["phase"] == "Healthy" and live["spec"]["replicas"] and mode != "never":
        assert first == "0"


@given(takeovers(may_fail=False, troubles=tuple(Trouble)))
def test_without_failing_pods_no_fault_takes_capacity(takeover: Takeover) -> None:
    check_the_end(takeover.run())


@given(takeovers(may_fail=True, troubles=()))
def test_failing_pods_take_no_more_than_themselves(takeover: Takeover) -> None:
    check_the_end(takeover.run())
