"""What is true of every rollout, whatever people, pods and networks do?"""

from collections.abc import Mapping
from typing import Any

from hypothesis import event, given

from rollouts.plan import plan_rollout
from rollouts.registry import load_kit
from rollouts.sim.simulation import Simulation
from tests.properties.checks import assert_within_bounds, passes
from tests.properties.worlds import NAME, Trial, trials

KIT = load_kit()


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
