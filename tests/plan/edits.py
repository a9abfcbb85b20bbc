"""What do people edit by hand that is ours, and how is it told whether all is as it would be without them?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rollouts.api import keys
from rollouts.registry import load_kit
from rollouts.sim.scenario import Change, Scenario, create, set_image
from rollouts.sim.simulation import Pass, Simulation
from rollouts.sim.world import World
from tests.plan.given import START, Raw, rollout, service
from tests.properties.checks import end_of

KIT = load_kit()
EDITED_AT = 60.0
# Passes with writes that mend an edit, at most; each of them has something to do.
FEW = 6
SERVICES = {"stableService": "web-stable", "canaryService": "web-canary"}
STEPS: list[Raw] = [{"setWeight": 40}, {"pause": {}}]
CANARY = rollout(steps=STEPS, canary=SERVICES)

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


def ran(*edits: Edit, updates: bool, raw: Raw = CANARY) -> tuple[Simulation, list[Pass]]:
    """Run a Rollout that is healthy, or paused in mid-update, with edits a minute after its start."""
    world = World(START)
    for name in (*SERVICES.values(), "active", "preview"):
        world.create_service(service(name))
    script = [create(0, raw)]
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


def assert_mended(edit: Edit, *, updates: bool, raw: Raw = CANARY) -> list[Pass]:
    """Check that an edit leads to the same end as none; return the passes on the way there."""
    simulation, passes = ran(edit, updates=updates, raw=raw)
    usual, _ = ran(updates=updates, raw=raw)
    later = [each for each in passes if (each.now - START).total_seconds() >= EDITED_AT and each.has_written]
    assert len(later) <= FEW
    assert whole_end(simulation, edit.leaves) == whole_end(usual, edit.leaves)
    return passes


def sizes(simulation: Simulation) -> dict[str, int]:
    return {name: each["spec"]["replicas"] for name, each in simulation.world.replica_sets.items()}
