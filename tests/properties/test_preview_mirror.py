"""What is true of every blue-green rollout whose preview gets copies of requests?"""

from copy import deepcopy
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rollouts.plan import plan_rollout
from rollouts.plan.actions import SwitchService
from rollouts.sim.simulation import Simulation
from tests.properties.routed_worlds import split_of
from tests.properties.test_blue_green import assert_clients_are_served, passes, trials
from tests.properties.worlds import NAME, Trial
from tests.routing import KEY, KIT, SPLIT


@st.composite
def mirrored(draw: st.DrawFn, /, **settings: Any) -> Trial:
    """Draw a world of a blue-green rollout that mirrors to its preview, unless people take the preview Service away."""
    trial = draw(trials(may_be_early=True, **settings))
    raw = deepcopy(dict(trial.rollout))
    blue_green = raw["spec"]["strategy"]["blueGreen"]
    blue_green["trafficRouting"] = {"plugins": {KEY: {}}, "mirror": {"percentage": draw(st.integers(1, 100))}}
    if blue_green["previewService"] is None:
        blue_green["previewService"] = "preview"
    return replace(trial, rollout=raw)


@given(mirrored(may_crash=True, may_meddle=True, may_turn=True))
def test_it_comes_to_rest_and_no_copies_are_left_at_the_end(trial: Trial) -> None:
    simulation = Simulation(trial.scenario(), KIT, faults=trial.faults)
    passes(simulation)
    world = simulation.world
    plan = plan_rollout(world.observe(NAME), world.now, KIT)
    assert plan.is_settled, f"still to do: {plan.actions}, {plan.because}"
    split, status = world.objects.live.get(SPLIT), world.rollouts[NAME]["status"]
    if plan.problem is None and (status["phase"] == "Healthy" or status.get("abort")):
        assert split is None or not split["spec"].get("mirrors"), status


@given(mirrored(may_crash=True))
def test_no_pass_takes_the_pods_from_clients(trial: Trial) -> None:
    for record in passes(Simulation(trial.scenario(), KIT, faults=trial.faults)):
        assert_clients_are_served(record)


@given(mirrored(may_crash=True, troubles=()))
def test_no_update_switches_a_service_while_requests_are_copied(trial: Trial) -> None:
    for record in passes(Simulation(trial.scenario(), KIT)):
        is_copied = bool((split_of(record.before) or {"spec": {}})["spec"].get("mirrors"))
        is_given_up = record.here.status.abort or (record.plan.status or {}).get("abort")
        moved = [each for each in record.plan.actions if isinstance(each, SwitchService)]
        assert not (is_copied and moved) or is_given_up, (record.now, moved, record.plan.because)
