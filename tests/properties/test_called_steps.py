"""Is every call of a step plugin made, heard and, if need be, undone, whatever gets lost on the way?"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from rollouts.plan import plan_rollout
from rollouts.plan.calls import Call
from rollouts.ports import Answer
from rollouts.sim.simulation import Pass, Simulation
from tests.calling import KIT, plugin
from tests.properties.checks import assert_within_bounds, passes
from tests.properties.worlds import NAME, Trial, steps, trials

PLUGINS = st.sampled_from([plugin(), plugin("another"), plugin("declared", weight=30), plugin("broken-one")])
OVER = {"Successful", "Failed"}
ANSWERS = (
    Answer("Successful", "done"),
    Answer("Successful", "done", status={"seen": [1]}),
    Answer("Running", "wait", timedelta(seconds=7), {"seen": [1, 2]}),
    Answer("Running", "wait"),
    Answer("Error", "no connection"),
    Answer("Failed", "no"),
)


class Voices:
    """Answers by a fixed order, so that a trial is the same each time; what it asks for long enough is done."""

    def __init__(self, order: Sequence[int]) -> None:
        self._order = order
        self._count = 0

    def __call__(self, call: Call) -> Answer:
        self._count += 1
        if call.number > 6 or not self._order:
            return ANSWERS[0]
        return ANSWERS[self._order[self._count % len(self._order)]]


def simulated(trial: Trial, order: Sequence[int]) -> Simulation:
    scenario = trial.scenario()
    scenario.world.answer = Voices(order)
    return Simulation(scenario, KIT, faults=trial.faults)


def entries(status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = (status.get("canary") or {}).get("stepPluginStatuses") or []
    return found


def assert_written_down(record: Pass) -> None:
    """Check that whoever is called has been announced in the status that the pass has seen."""
    assert len(record.plan.calls) <= 1
    announced = {(each["index"], each["operation"]) for each in entries(record.here.sound_status)}
    for call in record.plan.calls:
        assert (call.index, call.operation) in announced


@given(trials(may_crash=True, step=st.one_of(steps, PLUGINS, PLUGINS)), st.lists(st.integers(0, 5), max_size=6))
def test_calls_are_written_down_and_everything_comes_to_rest(trial: Trial, order: Sequence[int]) -> None:
    simulation = simulated(trial, order)
    for record in passes(simulation):
        assert_written_down(record)
    world = simulation.world
    rollout = world.rollouts[NAME]
    refusals = simulation.memory.refusals(rollout, world.now)
    plan = plan_rollout(world.observe(NAME, None, refusals), world.now, KIT)
    assert plan.is_settled, f"still to do: {plan.actions}, {plan.calls}, {plan.because}"
    status = rollout["status"]
    found = entries(status)
    event(f"{len(found)} entries, phase {status['phase']}")
    by_place = {(each["index"], each["operation"]): each for each in found}
    for each in found:
        if each["operation"] != "Run" or each.get("disabled") or each["phase"] == "Failed":
            continue
        if status.get("abort"):
            assert by_place[each["index"], "Abort"]["phase"] in OVER, "what has run is undone"
        elif status.get("stableRS") == status.get("currentPodHash") and each["phase"] not in OVER:
            endings = (by_place.get((each["index"], word)) for word in ("Terminate", "Abort"))
            assert any(ending is not None and ending["phase"] in OVER for ending in endings), "what runs is stopped"


@given(trials(step=st.one_of(steps, PLUGINS)), st.lists(st.integers(0, 5), max_size=6))
def test_no_pass_leaves_the_bounds(trial: Trial, order: Sequence[int]) -> None:
    for record in passes(simulated(trial, order)):
        assert_within_bounds(record)
