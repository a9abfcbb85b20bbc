"""What is true of every blue-green rollout, whatever people, pods and networks do?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rollouts.api import keys
from rollouts.api.timestamps import format_time
from rollouts.plan import plan_rollout
from rollouts.registry import load_kit
from rollouts.sim.faults import Trouble
from rollouts.sim.pods import Behaviour, image_of
from rollouts.sim.scenario import (
    Change,
    abort,
    fail,
    patch_spec,
    promote_full,
    resume,
    retry,
    scale,
    set_image,
)
from rollouts.sim.simulation import Pass, Simulation
from tests.plan.given import START, blue_green, service
from tests.properties.test_pod_metadata import metadata
from tests.properties.worlds import IMAGES, NAME, Trial, faults

KIT = load_kit()
SERVICES = ("active", "preview")


@st.composite
def strategies(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a blue-green strategy; the Services apart."""
    fields = {
        "previewReplicaCount": st.integers(0, 4),
        "autoPromotionEnabled": st.booleans(),
        "autoPromotionSeconds": st.integers(0, 30),
        "scaleDownDelaySeconds": st.sampled_from((0, 5, 30, 60)),
        "scaleDownDelayRevisionLimit": st.integers(0, 3),
        "abortScaleDownDelaySeconds": st.sampled_from((0, 5, 30)),
        "previewSwitch": st.sampled_from(("immediate", "available")),
        "maxUnavailable": st.integers(0, 3),
        "previewMetadata": metadata,
        "activeMetadata": metadata,
        "antiAffinity": st.sampled_from((None, {"requiredDuringSchedulingIgnoredDuringExecution": {}})),
    }
    drawn = draw(st.fixed_dictionaries({}, optional=fields))
    if draw(st.booleans()):
        drawn["previewService"] = None
    return drawn


def _people(at: float) -> st.SearchStrategy[Change]:
    restart_at = format_time(START + timedelta(seconds=at))
    return st.one_of(
        st.sampled_from(IMAGES).map(lambda image: set_image(at, NAME, image)),
        st.just(patch_spec(at, NAME, "restart", restartAt=restart_at)),
        st.integers(0, 3).map(
            lambda revisions: patch_spec(at, NAME, f"window {revisions}", rollbackWindow={"revisions": revisions})
        ),
        st.integers(0, 9).map(lambda size: scale(at, NAME, size)),
        st.just(resume(at, NAME)),
        st.just(abort(at, NAME)),
        st.just(retry(at, NAME)),
        st.just(promote_full(at, NAME)),
        st.booleans().map(lambda paused: patch_spec(at, NAME, f"paused {paused}", paused=paused)),
        strategies().map(lambda new: patch_spec(at, NAME, f"strategy {new}", strategy={"blueGreen": new})),
    )


def _meddlers(at: float) -> st.SearchStrategy[Change]:
    """Return how others may edit the Services by hand."""
    names, hashes = st.sampled_from(SERVICES), st.sampled_from((None, "78766d5789", "76d57f768c", "gone"))

    def edit(pair: tuple[str, str | None]) -> Change:
        patch = {"spec": {"selector": {keys.POD_TEMPLATE_HASH: pair[1]}}}
        return Change(at, f"Service {pair[0]} selects {pair[1]}", lambda world: world.patch_service(pair[0], patch))

    def anew(name: str) -> Change:
        def do(world: Any) -> None:
            del world.services[name]
            world.create_service(service(name))

        return Change(at, f"Service {name} is created anew", do)

    return st.one_of(st.tuples(names, hashes).map(edit), names.map(anew))


def _other_strategies(at: float) -> st.SearchStrategy[Change]:
    """Return how the strategy may change to canary and back."""
    canary = {"steps": [{"setWeight": 40}, {"pause": {"duration": 5}}], "stableService": "active"}
    colours = {"activeService": "active", "previewService": "preview"}
    return st.sampled_from(({"canary": canary, "blueGreen": None}, {"canary": None, "blueGreen": colours})).map(
        lambda new: patch_spec(at, NAME, f"strategy {new}", strategy=new)
    )


@st.composite
def trials(
    draw: st.DrawFn,
    *,
    may_crash: bool = False,
    may_meddle: bool = False,
    may_turn: bool = False,
    may_be_early: bool = False,
    troubles: Sequence[Trouble] = tuple(Trouble),
) -> Trial:
    """Draw a whole world."""
    ready = st.sampled_from((0, 1, 2, 7, 20))
    images = {image: Behaviour(draw(ready)) for image in IMAGES}
    if draw(st.sampled_from((False, False, True))):
        images["app:2"] = Behaviour(ready_after=None)
    # The second version may come before the first one has been there for a moment.
    at = draw(st.sampled_from((0.0, 1.0, 30.0))) if may_be_early else 30.0
    script = [*map(_created, SERVICES), set_image(at, NAME, "app:2")]
    for _ in range(draw(st.integers(0, 6))):
        at += draw(st.sampled_from((0, 1, 1.5, 3, 10, 40)))
        kinds = [_people(at)]
        if may_crash:
            kinds.append(
                st.builds(
                    lambda image, count, at=at: fail(at, image, count), st.sampled_from(IMAGES), st.integers(1, 4)
                )
            )
        if may_meddle:
            kinds.append(_meddlers(at))
        if may_turn:
            kinds.append(_other_strategies(at))
        script.append(draw(st.one_of(kinds)))
    limits: dict[str, Any] = {"progressDeadlineSeconds": 60, "progressDeadlineAbort": draw(st.booleans())}
    spec = blue_green(replicas=draw(st.integers(0, 6)), strategy=draw(strategies()), **limits)
    return Trial(spec, images, script, draw(faults(*troubles)) if troubles else {})


def _created(name: str) -> Change:
    return Change(0, f"Service {name} is created", lambda world: world.create_service(service(name)))


def passes(simulation: Simulation) -> list[Pass]:
    return [moment for moment in simulation.run() if isinstance(moment, Pass)]


def reachable(selector: Mapping[str, str], sizes: Mapping[str, int], available: Mapping[str, int]) -> int:
    """Return how many available pods a selector finds when ReplicaSets have these sizes."""
    pod_hash = selector.get(keys.POD_TEMPLATE_HASH)
    return sum(
        min(size, available.get(name, 0))
        for name, size in sizes.items()
        if pod_hash is None or name == f"{NAME}-{pod_hash}"
    )


def assert_clients_are_served(record: Pass) -> None:
    """Check that what one pass did took no pods from the active Service that the spec still asks for.

    Were only one of its writes to arrive, that must hold, too.
    """
    before, after = (each.services["active"]["spec"]["selector"] for each in (record.before, record.after))
    replicas = record.here.rollout.spec.replicas or 0
    had = reachable(before, record.sizes_before, record.available)
    # Whoever gives a version up wants its clients back on stable, even if a pod of that is missing.
    enough = min(had, replicas, 1) if record.here.status.abort else min(had, replicas)
    for selector in (before, after):
        has = reachable(selector, record.sizes_after, record.available)
        assert has >= enough, (
            f"{record.now}: clients had {had} pods, now {has}, at least {enough} must be: {before} -> {after}, "
            f"{record.sizes_before} -> {record.sizes_after}, available {record.available}, {record.plan.because}"
        )


def assert_settled(simulation: Simulation) -> None:
    world = simulation.world
    plan = plan_rollout(world.observe(NAME), world.now, KIT)
    assert plan.is_settled, f"still to do: {plan.actions}, {plan.because}"


def end_of(simulation: Simulation) -> tuple[Mapping[str, Any], dict[str, int], dict[str, str]]:
    """Return status, sizes by image, and what the Services select, by image."""
    world = simulation.world
    images = {
        each["metadata"]["labels"][keys.POD_TEMPLATE_HASH]: image_of(each["spec"]["template"])
        for each in world.replica_sets.values()
    }
    selected = {
        name: images.get(each["spec"]["selector"].get(keys.POD_TEMPLATE_HASH, ""), "")
        for name, each in world.services.items()
    }
    sizes = {image_of(each["spec"]["template"]): each["spec"]["replicas"] for each in world.replica_sets.values()}
    return world.rollouts[NAME]["status"], sizes, selected


def afterwards(trial: Trial, *changes: Change) -> Trial:
    """Return the trial with changes after its own, each so many seconds later than the last as it says."""
    at = max(change.at for change in trial.script)
    script = list(trial.script)
    for change in changes:
        at += change.at
        script.append(replace(change, at=at))
    return replace(trial, script=script)


UNPAUSED = patch_spec(1, NAME, "not paused", paused=False)
HAS_PODS = scale(1, NAME, 3)


@given(trials(may_crash=True, may_meddle=True, may_turn=True, may_be_early=True))
def test_it_comes_to_rest_and_stays_there(trial: Trial) -> None:
    simulation = Simulation(trial.scenario(), KIT, faults=trial.faults)
    for record in passes(simulation)[::5]:
        assert plan_rollout(record.here, record.now, KIT) == record.plan, "the same picture gives the same plan"
    assert_settled(simulation)


@given(trials(may_be_early=True))
def test_no_pass_takes_the_pods_from_clients(trial: Trial) -> None:
    for record in passes(Simulation(trial.scenario(), KIT, faults=trial.faults)):
        assert_clients_are_served(record)


@given(trials(may_crash=True, may_meddle=True, may_be_early=True, troubles=()))
def test_crashes_and_meddlers_lead_no_pass_to_take_them(trial: Trial) -> None:
    for record in passes(Simulation(trial.scenario(), KIT)):
        assert_clients_are_served(record)


@given(trials(may_crash=True, may_meddle=True, troubles=[each for each in Trouble if each is not Trouble.INTERRUPTED]))
def test_an_abort_always_returns_to_stable(trial: Trial) -> None:
    broken = replace(trial, images={**trial.images, "app:4": Behaviour(ready_after=None)})
    script = (UNPAUSED, HAS_PODS, set_image(100, NAME, "app:4"), abort(20, NAME))
    simulation = Simulation(afterwards(broken, *script).scenario(), KIT, faults=trial.faults)
    passes(simulation)
    status, sizes, selected = end_of(simulation)
    assert (status["phase"], status["abort"]) == ("Degraded", True)
    stable = selected["active"]
    assert sizes[stable] == simulation.world.rollouts[NAME]["spec"]["replicas"]
    assert status["blueGreen"]["activeSelector"] == status["stableRS"] != status["currentPodHash"]


@given(trials(may_meddle=True))
def test_people_who_promote_get_to_the_end(trial: Trial) -> None:
    last = replace(trial, images={**trial.images, "app:4": Behaviour(ready_after=5)})
    script = (UNPAUSED, HAS_PODS, set_image(100, NAME, "app:4"), *(resume(100, NAME) for _ in range(2)))
    simulation = Simulation(afterwards(last, *script).scenario(), KIT, faults=trial.faults)
    passes(simulation)
    status, sizes, selected = end_of(simulation)
    assert status["phase"] == "Healthy", status
    assert sizes == {**dict.fromkeys(sizes, 0), "app:4": 3}
    assert selected["active"] == "app:4"
