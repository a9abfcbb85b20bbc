"""Where does every rollout end? At the same place, whatever went wrong on the way there."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rollouts.registry import load_kit
from rollouts.sim.faults import Fault, Trouble
from rollouts.sim.pods import Behaviour, image_of
from rollouts.sim.scenario import Change, abort, patch_spec, resume, retry, set_image
from rollouts.sim.simulation import Simulation
from tests.properties.checks import end_of
from tests.properties.worlds import NAME, Trial, faults, specs, timed_steps, trials

KIT = load_kit()


def ended(trial: Trial, faults_: Mapping[int, Fault]) -> Simulation:
    """Run a trial to its end."""
    simulation = Simulation(trial.scenario(), KIT, faults=faults_)
    for _ in simulation.run():
        pass
    return simulation


def sizes_by_image(simulation: Simulation) -> dict[str, int]:
    return {
        image_of(each["spec"]["template"]): each["spec"]["replicas"]
        for each in simulation.world.replica_sets.values()
    }  # fmt: skip


def afterwards(trial: Trial, *changes: Change) -> Trial:
    """Return the trial with changes after its own, each so many seconds later than the last as it says."""
    at = max(change.at for change in trial.script)
    script: Sequence[Change] = trial.script
    for change in changes:
        at += change.at
        script = [*script, replace(change, at=at)]
    return replace(trial, script=script)


@given(
    specs(timed_steps),
    st.fixed_dictionaries({image: st.sampled_from((0, 1, 7, 20)) for image in ("app:1", "app:2")}),
    faults(*Trouble),
)
def test_faults_change_nothing_about_the_end(
    rollout: Mapping[str, Any], ready: Mapping[str, int], faults_: Mapping[int, Fault]
) -> None:
    images = {image: Behaviour(after) for image, after in ready.items()}
    trial = Trial(rollout, images, [set_image(30, NAME, "app:2")], faults_)
    with_faults, without = end_of(ended(trial, faults_)), end_of(ended(trial, {}))
    with_faults["annotations"].pop("touched", None)
    assert with_faults == without


# Not interrupted: an abort that arrives before the new template has been seen is for the template before.
@given(trials(troubles=[trouble for trouble in Trouble if trouble is not Trouble.INTERRUPTED]))
def test_an_abort_always_returns_to_stable(trial: Trial) -> None:
    trial = replace(trial, images={**trial.images, "app:4": Behaviour(ready_after=None)})
    unpause = patch_spec(1, NAME, "not paused", paused=False)
    simulation = ended(afterwards(trial, unpause, set_image(100, NAME, "app:4"), abort(20, NAME)), trial.faults)
    raw = simulation.world.rollouts[NAME]
    status, size = raw["status"], raw["spec"]["replicas"]
    stable = f"{NAME}-{status['stableRS']}"
    assert {
        name: each["spec"]["replicas"] for name, each in simulation.world.replica_sets.items() if name != stable
    } == dict.fromkeys(set(simulation.world.replica_sets) - {stable}, 0)
    assert simulation.world.replica_sets[stable]["spec"]["replicas"] == size
    if size:
        assert (status["phase"], status["abort"]) == ("Degraded", True)


@given(trials())
def test_people_who_go_on_resuming_get_to_the_end(trial: Trial) -> None:
    finish = [patch_spec(1, NAME, "not paused", paused=False), retry(1, NAME)]
    finish += [resume(400, NAME) for _ in range(6)]
    simulation = ended(afterwards(trial, *finish), trial.faults)
    raw = simulation.world.rollouts[NAME]
    assert raw["status"]["phase"] == "Healthy", raw["status"]
    image, size = image_of(raw["spec"]["template"]), raw["spec"]["replicas"]
    sizes = sizes_by_image(simulation)
    assert sizes == {**dict.fromkeys(sizes, 0), image: size}
