"""What do people and pods do in the course of a rollout? A script of changes, each at its time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rollouts.plan.workload import reference_in
from rollouts.sim.pods import Behaviour, image_of
from rollouts.sim.world import Raw, World


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happens `at` seconds after the start; `says` tells it in words."""

    at: float
    says: str
    do: Callable[[World], None] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A world and what will happen to it, for as many seconds as it `lasts`."""

    world: World
    script: Sequence[Change] = ()
    lasts: float = 3600


def create(at: float, rollout: Raw) -> Change:
    """Create a Rollout."""
    name, spec = rollout["metadata"]["name"], rollout["spec"]
    source = f"{reference_in(rollout)}" if spec.get("workloadRef") else image_of(spec["template"])
    says = f'Rollout "{name}" is created: {spec.get("replicas", 1)} pods of {source}'
    return Change(at, says, lambda world: world.create_rollout(rollout))


def create_deployment(at: float, deployment: Raw) -> Change:
    """Create a Deployment."""
    name, spec = deployment["metadata"]["name"], deployment["spec"]
    says = f'Deployment "{name}" is created: {spec["replicas"]} pods of {image_of(spec["template"])}'
    return Change(at, says, lambda world: world.create_workload(deployment))


def set_deployments_image(at: float, name: str, image: str) -> Change:
    """Change the image of a Deployment's first container; its own pods are left out of it."""

    def do(world: World) -> None:
        first, *others = world.workloads[name]["spec"]["template"]["spec"]["containers"]
        containers = [{**first, "image": image}, *others]
        world.patch_workload(name, {"spec": {"template": {"spec": {"containers": containers}}}})

    return Change(at, f"the image of Deployment {name} becomes {image}", do)


def scale_deployment(at: float, name: str, replicas: int) -> Change:
    """Change a Deployment's size."""

    def do(world: World) -> None:
        world.patch_workload(name, {"spec": {"replicas": replicas}})

    return Change(at, f"somebody scales Deployment {name} to {replicas} pods", do)


def set_image(at: float, name: str, image: str) -> Change:
    """Change the image of a Rollout's first container."""

    def do(world: World) -> None:
        template = world.rollouts[name]["spec"]["template"]
        first, *others = template["spec"]["containers"]
        containers = [{**first, "image": image}, *others]
        world.patch_rollout(name, {"spec": {"template": {"spec": {"containers": containers}}}})

    return Change(at, f"the image becomes {image}", do)


def patch_spec(at: float, name: str, says: str, **fields: Any) -> Change:
    """Merge fields into a Rollout's spec."""
    return Change(at, says, lambda world: world.patch_rollout(name, {"spec": fields}))


def scale(at: float, name: str, replicas: int) -> Change:
    """Change a Rollout's size, as an autoscaler does."""
    return patch_spec(at, name, f"it is scaled to {replicas} pods", replicas=replicas)


def patch_status(at: float, name: str, says: str, **fields: Any) -> Change:
    """Merge fields into a Rollout's status, as the command line and dashboards do."""
    return Change(at, says, lambda world: world.patch_status(name, fields))


def resume(at: float, name: str) -> Change:
    """Clear the pause."""
    return patch_status(at, name, "somebody resumes it: pauseConditions are cleared", pauseConditions=None)


def abort(at: float, name: str) -> Change:
    """Give the update up."""
    return patch_status(at, name, "somebody aborts it", abort=True)


def retry(at: float, name: str) -> Change:
    """Try an aborted update again."""
    return patch_status(at, name, "somebody retries it", abort=False)


def promote_full(at: float, name: str) -> Change:
    """Skip everything that is left."""
    return patch_status(at, name, "somebody promotes it fully", promoteFull=True)


def act(at: float, image: str, behaviour: Behaviour, says: str) -> Change:
    """Let pods of an image that are created from now on act in another way."""
    return Change(at, says, lambda world: world.images.__setitem__(image, behaviour))


def fail(at: float, image: str, count: int) -> Change:
    """Let the oldest pods of an image fail."""

    def do(world: World) -> None:
        owners = {
            raw["metadata"]["uid"]
            for raw in world.replica_sets.values()
            if image_of(raw["spec"]["template"]) == image
        }  # fmt: skip
        names = [pod.name for pod in world.pods.values() if pod.owner_uid in owners and pod.fails_at is None]
        world.fail_pods(names[:count])

    return Change(at, f"{count} pods of {image} fail", do)
