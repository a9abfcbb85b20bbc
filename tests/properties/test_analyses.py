"""What is true of every rollout with analyses, whatever is measured, whoever meddles, and whichever write is lost?"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rollouts.api import keys
from rollouts.plan import plan_rollout
from rollouts.plan.analysis.templates import TemplateKey
from rollouts.plan.children.child import Child
from rollouts.registry import load_kit
from rollouts.sim.faults import Fault, Trouble
from rollouts.sim.measuring import Measuring
from rollouts.sim.metrics import Curve, Metrics
from rollouts.sim.scenario import (
    Change,
    Scenario,
    abort,
    create,
    patch_status,
    promote_full,
    resume,
    retry,
    set_image,
)
from rollouts.sim.simulation import Simulation
from rollouts.sim.snapshot import Snapshot
from rollouts.sim.world import World
from tests.plan.children.analyses.given import METRIC
from tests.plan.given import ONE, START, TWO, Raw, blue_green, rollout, service
from tests.properties.checks import passes
from tests.properties.worlds import NAME, faults

KIT = load_kit()
QUIET = 200.0
RATE: Raw = {**METRIC, "interval": "10s", "count": 2, "successCondition": "result[0] < 0.05"}
TEMPLATES: Mapping[str, Raw] = {
    "rate": {"metrics": [RATE]},
    "watch": {"metrics": [{**RATE, "name": "watch", "interval": "60s", "count": 0}]},
}


@dataclass(frozen=True)
class Trial:
    """One world with analyses, as it is drawn."""

    rollout: Mapping[str, Any]
    curves: Mapping[str, Curve]
    script: Sequence[Change]
    faults: Mapping[int, Fault]

    def scenario(self) -> Scenario:
        metrics = Metrics({name: {"": curve} for name, curve in self.curves.items()})
        world = World(START, followers=(Measuring(KIT, metrics),))
        world.templates |= {TemplateKey(name): spec for name, spec in TEMPLATES.items()}
        for name in ("active", "preview"):
            world.create_service(service(name))
        script = (create(0, dict(self.rollout)), set_image(10, NAME, "app:2"), *self.script)
        return Scenario(world, script, max(change.at for change in script) + QUIET)


def analysis(name: str) -> Raw:
    return {"templates": [{"templateName": name}]}


steps = st.sampled_from(
    ({"setWeight": 20}, {"setWeight": 60}, {"pause": {"duration": 15}}, {"analysis": analysis("rate")}, {"pause": {}})
)
canaries = st.builds(
    lambda drawn, is_watched: rollout(
        replicas=3, steps=drawn, canary={"analysis": analysis("watch")} if is_watched else {}
    ),
    st.lists(steps, min_size=1, max_size=4),
    st.booleans(),
)
slots = st.lists(st.sampled_from(("pre", "post")), min_size=1, max_size=2, unique=True)
colours = st.builds(
    lambda drawn, seconds: blue_green(
        replicas=2,
        strategy={f"{slot}PromotionAnalysis": analysis("rate") for slot in drawn} | {"autoPromotionSeconds": seconds},
    ),
    slots,
    st.sampled_from((0, 20)),
)
points = st.lists(st.sampled_from((0.0, 0.0, 0.0, 0.5, "Inconclusive", "Error", "no data")), min_size=1, max_size=3)
curves = st.fixed_dictionaries({name: points.map(Curve.read) for name in ("error-rate", "watch")})


def delete_run(at: float, place: int) -> Change:
    """Let somebody delete one of the runs that are there by then."""

    def do(world: World) -> None:
        names = sorted(world.children.live)
        if names:
            del world.children.live[names[place % len(names)]]

    return Change(at, f"run {place} is deleted", do)


def people(at: float) -> st.SearchStrategy[Change]:
    return st.one_of(
        st.sampled_from(("app:1", "app:2", "app:3")).map(lambda image: set_image(at, NAME, image)),
        st.sampled_from((resume(at, NAME), abort(at, NAME), retry(at, NAME), promote_full(at, NAME))),
        st.integers(0, 4).map(
            lambda index: patch_status(
                at, NAME, f"index {index}", currentStepIndex=index, pauseConditions=None, controllerPause=False
            )
        ),
        st.integers(0, 3).map(lambda place: delete_run(at, place)),
        st.sampled_from(("canary", "blueGreen")).map(lambda part: patch_status(at, NAME, f"no {part}", **{part: None})),
    )


@st.composite
def scripts(draw: st.DrawFn) -> list[Change]:
    at, script = 10.0, []
    for _ in range(draw(st.integers(0, 4))):
        at += draw(st.sampled_from((0, 1, 3, 10, 20)))
        script.append(draw(people(at)))
    return script


everything = st.builds(Trial, canaries | colours, curves, scripts(), faults(*Trouble))
left_alone = st.builds(Trial, canaries | colours, curves, st.just(()), faults(*Trouble))


def runs_in(snapshot: Snapshot) -> list[Child]:
    return [Child.of(kind, raw) for (kind, _), raw in snapshot.children.items()]


@given(everything)
def test_no_slot_has_two_runs_and_what_is_over_measures_no_more(trial: Trial) -> None:
    simulation = Simulation(trial.scenario(), KIT, faults=trial.faults)
    for record in passes(simulation):
        live = Counter(each.labels[keys.ROLLOUT_TYPE] for each in runs_in(record.after) if each.goes_on)
        assert not [slot for slot, number in live.items() if number > 1], f"{record.now}: {live}"
        assert plan_rollout(record.here, record.now, KIT) == record.plan
    world = simulation.world
    plan = plan_rollout(world.observe(NAME), world.now, KIT)
    assert plan.is_settled, f"still to do: {plan.actions}, {plan.because}"
    assert_nothing_is_left(world)


def assert_nothing_is_left(world: World) -> None:
    """Check that an update which is over has nothing that measures, and one that was given up has no pods."""
    status = world.rollouts[NAME]["status"]
    if status.get("abort") or status["stableRS"] == status["currentPodHash"]:
        assert [each.name for each in runs_in(world.snapshot()) if not each.has_ended] == []
    if status.get("abort"):
        sets = world.replica_sets.values()
        sizes = {each["metadata"]["labels"][keys.POD_TEMPLATE_HASH]: each["spec"]["replicas"] for each in sets}
        wanted = world.rollouts[NAME]["spec"]["replicas"]
        assert {pod_hash: size for pod_hash, size in sizes.items() if size} == {status["stableRS"]: wanted}


@given(left_alone)
def test_a_failed_analysis_leads_back_to_stable(trial: Trial) -> None:
    simulation = Simulation(trial.scenario(), KIT, faults=trial.faults)
    promoted_at = ""
    for record in passes(simulation):
        if not promoted_at and record.after.rollouts[NAME].get("status", {}).get("stableRS") == TWO:
            promoted_at = f"{record.now:%Y-%m-%dT%H:%M:%SZ}"
    status = simulation.world.rollouts[NAME]["status"]
    bad = [
        each.raw["status"]["completedAt"]
        for each in runs_in(simulation.world.snapshot())
        if each.phase in {"Failed", "Error"} and each.pod_hash == TWO
    ]
    if bad and not (promoted_at and min(bad) >= promoted_at):
        assert (status.get("abort"), status["stableRS"]) == (True, ONE), f"failed at {bad}, promoted at {promoted_at}"
        assert "analysis phase error/failed" in status["message"]
    if not bad and status["stableRS"] == ONE:
        assert status["phase"] in {"Paused", "Progressing"}, "nothing but a person could have aborted it"
