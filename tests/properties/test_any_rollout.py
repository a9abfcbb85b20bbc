"""What is true of every rollout, whatever people, pods and networks do?"""

from collections.abc import Mapping
from typing import Any

from hypothesis import event, given

from rollouts.plan import plan_rollout
from rollouts.plan.replicas import Bounds, resolve_bounds
from rollouts.registry import load_kit
from rollouts.sim.simulation import Pass, Simulation
from tests.properties.worlds import NAME, Trial, trials

KIT = load_kit()


def passes(simulation: Simulation) -> list[Pass]:
    return [moment for moment in simulation.run() if isinstance(moment, Pass)]


def bounds_seen(record: Pass) -> Bounds:
    """Return the bounds of the spec that a pass has seen: what it was asked to keep."""
    spec = record.here.rollout.spec
    assert spec.strategy is not None
    assert spec.strategy.canary is not None
    return resolve_bounds(spec.replicas or 0, spec.strategy.canary.max_surge, spec.strategy.canary.max_unavailable)


def kept(sizes: Mapping[str, int], available: Mapping[str, int]) -> int:
    """Return how many available pods are left when ReplicaSets have these sizes: pods that aren't ready go first."""
    return sum(min(size, available.get(name, 0)) for name, size in sizes.items())


def assert_within_bounds(record: Pass) -> None:
    """Check that what one pass did left neither bound, unless it had been left before."""
    bounds = bounds_seen(record)
    before, after = (kept(sizes, record.available) for sizes in (record.sizes_before, record.sizes_after))
    assert after >= min(before, bounds.floor), (
        f"{record.now}: {before} pods were available, {after} are kept, at least {bounds.floor} must be: "
        f"{record.sizes_before} -> {record.sizes_after}, available {record.available}"
    )
    total_before, total_after = sum(record.sizes_before.values()), sum(record.sizes_after.values())
    assert total_after <= max(total_before, bounds.ceiling), (
        f"{record.now}: {total_before} pods were asked for, {total_after} are, at most {bounds.ceiling} may be: "
        f"{record.sizes_before} -> {record.sizes_after}"
    )


def rollout_of(simulation: Simulation) -> Mapping[str, Any]:
    return simulation.world.rollouts[NAME]


def assert_settled(simulation: Simulation) -> None:
    """Check that a further pass would find nothing to do."""
    world = simulation.world
    plan = plan_rollout(
        world.observe(NAME, None, simulation.memory.refusals(rollout_of(simulation), world.now)), world.now, KIT
    )
    assert plan.is_settled, f"still to do: {plan.actions}, {plan.because}"


@given(trials(may_crash=True, may_be_rubbish=True))
def test_it_comes_to_rest_and_stays_there(trial: Trial) -> None:
    simulation = Simulation(trial.scenario(), KIT, faults=trial.faults)
    for record in passes(simulation)[::5]:
        assert plan_rollout(record.here, record.now, KIT) == record.plan, "the same picture gives the same plan"
    event(f"phase {rollout_of(simulation)['status']['phase']}")
    assert_settled(simulation)


@given(trials())
def test_without_crashes_no_pass_leaves_the_bounds(trial: Trial) -> None:
    for record in passes(Simulation(trial.scenario(), KIT, faults=trial.faults)):
        assert_within_bounds(record)


@given(trials(may_crash=True, may_be_rubbish=True, troubles=()))
def test_crashes_and_rubbish_lead_no_pass_out_of_the_bounds(trial: Trial) -> None:
    for record in passes(Simulation(trial.scenario(), KIT)):
        assert_within_bounds(record)
