"""What if people edit what is ours? Everything comes to rest where it would have without them, and nothing is lost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from rollouts.api import keys
from rollouts.registry import load_kit
from rollouts.sim.scenario import Change, Scenario, create, set_image
from rollouts.sim.simulation import Pass, Simulation
from rollouts.sim.world import World
from tests.plan.given import ONE, START, TWO, Raw, rollout, service, stamp
from tests.properties.checks import assert_within_bounds, end_of

KIT = load_kit()
EDITED_AT = 60.0
# Passes with writes that mend an edit, at most; each of them has something to do.
FEW = 6
SERVICES = {"stableService": "web-stable", "canaryService": "web-canary"}
STEPS: list[Raw] = [{"setWeight": 40}, {"pause": {}}]

Do = Callable[[World], None]


@dataclass(frozen=True)
class Edit:
    """What somebody does. `leaves` names the annotations of stable that nobody can know any more: they stay so."""

    says: str
    do: Do
    leaves: Sequence[str] = ()

    def __str__(self) -> str:
        return self.says


def on_set(pod_hash: str, **annotations: str | None) -> Do:
    """Edit annotations of a ReplicaSet; underscores stand for dashes."""
    prefixed = {
        (
            key.replace("_", "-") if key == "scale_down_deadline" else f"rollout.argoproj.io/{key.replace('_', '-')}"
        ): value
        for key, value in annotations.items()
    }
    return lambda world: world.patch_replica_set(f"web-{pod_hash}", {"metadata": {"annotations": prefixed}})


def digest_of(world: World, pod_hash: str) -> str:
    digest: str = world.replica_sets[f"web-{pod_hash}"]["metadata"]["annotations"][keys.TEMPLATE_DIGEST]
    return digest


def digest(pod_hash: str, value: str | None) -> Do:
    note = {keys.TEMPLATE_DIGEST: value}
    return lambda world: world.patch_replica_set(f"web-{pod_hash}", {"metadata": {"annotations": note}})


def swapped_digest(to: str, source: str) -> Do:
    return lambda world: digest(to, digest_of(world, source))(world)


def label(pod_hash: str, value: str | None) -> Do:
    labels = {keys.POD_TEMPLATE_HASH: value}
    return lambda world: world.patch_replica_set(f"web-{pod_hash}", {"metadata": {"labels": labels}})


def on_rollout(**annotations: str | None) -> Do:
    notes = {f"rollout.argoproj.io/{key}": value for key, value in annotations.items()}
    return lambda world: world.patch_rollout("web", {"metadata": {"annotations": notes}})


def on_status(**fields: Any) -> Do:
    return lambda world: world.patch_status("web", fields)


def on_service(name: str, **patch: Any) -> Do:
    return lambda world: world.patch_service(name, patch)


def managed_by(name: str | None) -> dict[str, Any]:
    return {"annotations": {keys.MANAGED_BY: name}}


def ran(*edits: Edit, updates: bool) -> tuple[Simulation, list[Pass]]:
    """Run a Rollout that is healthy, or paused in mid-update, with edits a minute after its start."""
    world = World(START)
    for name in SERVICES.values():
        world.create_service(service(name))
    script = [create(0, rollout(steps=STEPS, canary=SERVICES))]
    script += [set_image(10, "web", "app:2")] if updates else []
    script += [Change(EDITED_AT, edit.says, edit.do) for edit in edits]
    simulation = Simulation(Scenario(world, script, 1000), KIT)
    return simulation, [each for each in simulation.run() if isinstance(each, Pass)]


def both(*edits: Do) -> Do:
    def do(world: World) -> None:
        for edit in edits:
            edit(world)

    return do


def whole_end(simulation: Simulation, leaves: Sequence[str] = ()) -> dict[str, Any]:
    world, end = simulation.world, end_of(simulation)
    end["replica sets"] = {
        name: (spec, {key: value for key, value in notes.items() if key not in leaves})
        for name, (spec, notes) in end["replica sets"].items()
    }
    end["status"]["pauseConditions"] = [each["reason"] for each in end["status"].get("pauseConditions") or ()]
    services = {name: (each["spec"], each["metadata"].get("annotations")) for name, each in world.services.items()}
    pods = sorted(f"{pod.owner_uid} {pod.name}" for pod in world.pods.values())
    labels = {name: each["metadata"]["labels"] for name, each in world.replica_sets.items()}
    return {**end, "services": services, "pods": pods, "labels": labels}


def assert_mended(edit: Edit, *, updates: bool) -> None:
    simulation, passes = ran(edit, updates=updates)
    usual, _ = ran(updates=updates)
    for each in passes:
        assert_within_bounds(each)
    later = [each for each in passes if (each.now - START).total_seconds() >= EDITED_AT and each.has_written]
    assert len(later) <= FEW
    assert whole_end(simulation, edit.leaves) == whole_end(usual, edit.leaves)


HEALTHY = (
    Edit("the Rollout's revision is garbage", on_rollout(revision="two")),
    Edit("the Rollout's revision is huge", on_rollout(revision="9" * 30)),
    Edit("the Rollout's revision is lower", on_rollout(revision="0")),
    Edit("the Rollout's revision is gone", on_rollout(revision=None)),
    Edit("the ReplicaSet's revision is garbage", on_set(ONE, revision="first")),
    Edit("the ReplicaSet's revision is gone", on_set(ONE, revision=None)),
    Edit("the ReplicaSet's revision is too long to be read", on_set(ONE, revision="9" * 30)),
    Edit("desired-replicas is garbage", on_set(ONE, desired_replicas="many")),
    Edit("desired-replicas is wrong", on_set(ONE, desired_replicas="50")),
    Edit("desired-replicas is gone", on_set(ONE, desired_replicas=None)),
    Edit("a scale-down deadline that is over", on_set(ONE, scale_down_deadline=stamp(1))),
    Edit("a scale-down deadline that is no time", on_set(ONE, scale_down_deadline="soon")),
    Edit("a scale-down deadline in a far future", on_set(ONE, scale_down_deadline="9999-12-31T23:59:59Z")),
    Edit("the digest is gone", digest(ONE, None)),
    Edit("the digest is another one", digest(ONE, "0123")),
    Edit("the hash label is another one", label(ONE, "abc")),
    Edit("the hash label is gone", label(ONE, None)),
    Edit("currentPodHash is another one", on_status(currentPodHash="abc")),
    Edit("currentPodHash is gone", on_status(currentPodHash=None)),
    Edit("stableRS names no ReplicaSet", on_status(stableRS="abc")),
    Edit("stableRS is gone", on_status(stableRS=None)),
    Edit(
        "the Service's hash is another one",
        on_service("web-stable", spec={"selector": {keys.POD_TEMPLATE_HASH: "abc"}}),
    ),
    Edit("the Service's hash is gone", on_service("web-stable", spec={"selector": {keys.POD_TEMPLATE_HASH: None}})),
    Edit("the Service's managed-by is gone", on_service("web-stable", metadata=managed_by(None))),
)
UPDATING = (
    Edit("stable's revision is garbage", on_set(ONE, revision="first"), leaves=[keys.REVISION]),
    Edit("the canary's revision is garbage", on_set(TWO, revision="second")),
    Edit("desired-replicas are wrong", both(*(on_set(each, desired_replicas="50") for each in (ONE, TWO)))),
    Edit("stable carries the canary's digest", swapped_digest(ONE, TWO), leaves=[keys.TEMPLATE_DIGEST]),
    Edit("the canary carries stable's digest", swapped_digest(TWO, ONE)),
    Edit("digests are gone", both(digest(ONE, None), digest(TWO, None)), leaves=[keys.TEMPLATE_DIGEST]),
    Edit("stable's hash label is another one", label(ONE, "abc")),
    Edit("stable carries the canary's hash label", label(ONE, TWO)),
    Edit("the canary's hash label is another one", label(TWO, "abc")),
    Edit("the canary's hash label is gone", label(TWO, None)),
    Edit("managed-by is gone", both(*(on_service(each, metadata=managed_by(None)) for each in SERVICES.values()))),
    Edit("currentPodHash is another one: back to step 1", on_status(currentPodHash="abc")),
)


@pytest.mark.parametrize("edit", HEALTHY, ids=str)
def test_while_it_is_healthy(edit: Edit) -> None:
    assert_mended(edit, updates=False)


@pytest.mark.parametrize("edit", UPDATING, ids=str)
def test_in_mid_update(edit: Edit) -> None:
    assert_mended(edit, updates=True)


def sizes(simulation: Simulation) -> dict[str, int]:
    return {name: each["spec"]["replicas"] for name, each in simulation.world.replica_sets.items()}


@pytest.mark.parametrize(
    ("edit", "stable_hash", "phase"),
    [
        (
            Edit("stableRS names no ReplicaSet: the current template gets all", on_status(stableRS="abc")),
            "abc",
            "Paused",
        ),
        (Edit("stableRS is gone: there is nothing to go back to", on_status(stableRS=None)), TWO, "Healthy"),
        (Edit("stableRS is the canary's: that promotes it", on_status(stableRS=TWO)), TWO, "Healthy"),
    ],
    ids=lambda value: str(value) if isinstance(value, Edit) else "",
)
def test_without_a_stable_one_no_available_pod_is_lost(edit: Edit, stable_hash: str, phase: str) -> None:
    simulation, passes = ran(edit, updates=True)
    for each in passes:
        assert_within_bounds(each)
    status = simulation.world.rollouts["web"]["status"]
    assert (status["stableRS"], status["phase"]) == (stable_hash, phase)
    assert sizes(simulation)[f"web-{TWO}"] == 5
    assert len(passes) < 60


def test_a_stable_replica_set_that_is_hidden_from_us_keeps_its_pods_and_is_found_when_it_is_wanted_again() -> None:
    simulation, _ = ran(Edit("stable's hash label is gone", label(ONE, None)), updates=True)
    assert sizes(simulation) == {f"web-{ONE}": 3, f"web-{TWO}": 5}
    back = Simulation(Scenario(simulation.world, [set_image(0, "web", "app:1")], 100), KIT)
    assert [each for each in back.run() if isinstance(each, Pass)]
    assert sizes(simulation) == {f"web-{ONE}": 5, f"web-{TWO}": 0}
    assert simulation.world.rollouts["web"]["status"]["phase"] == "Healthy"


def test_another_rollouts_name_on_the_service_is_told_and_touches_nothing() -> None:
    theirs = Edit("managed-by is another one", on_service("web-stable", metadata=managed_by("shop")))
    simulation, passes = ran(theirs, updates=True)
    later = [each for each in passes if (each.now - START).total_seconds() >= EDITED_AT and each.has_written]
    assert [each.plan.actions for each in later] == [()]
    assert simulation.world.rollouts["web"]["status"]["phase"] == "Degraded"
    assert sizes(simulation) == {f"web-{ONE}": 3, f"web-{TWO}": 2}


def test_a_history_of_revisions_is_cleaned_and_stays_short() -> None:
    history = ",".join(["garbage", "", "-3", *map(str, range(1, 200))])
    simulation, _ = ran(Edit("a long history", on_set(ONE, revision_history=history)), updates=True)
    back = Simulation(Scenario(simulation.world, [set_image(0, "web", "app:1")], 100), KIT)
    assert [each for each in back.run() if isinstance(each, Pass)]
    notes = simulation.world.replica_sets[f"web-{ONE}"]["metadata"]["annotations"]
    assert notes[keys.REVISION_HISTORY] == ",".join([*map(str, range(151, 200)), "1"])


def test_a_deadline_that_is_no_time_is_told_once() -> None:
    simulation, passes = ran(Edit("soon", on_set(ONE, scale_down_deadline="soon")), updates=False)
    told = [event for each in passes for event in each.events if event.reason == "InvalidScaleDownDeadline"]
    assert [(event.type, event.message) for event in told] == [
        ("Warning", f'The scale-down-deadline "soon" of ReplicaSet web-{ONE} is no time: taken as over')
    ]
    assert sizes(simulation) == {f"web-{ONE}": 5}
