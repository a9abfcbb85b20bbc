"""Which whole takeovers from a Deployment are told?"""

from rollouts.sim.pods import Behaviour
from rollouts.sim.scenario import (
    Scenario,
    act,
    create,
    create_deployment,
    fail,
    resume,
    scale_deployment,
    set_deployments_image,
)
from rollouts.sim.world import World
from tests.golden.stories import story
from tests.plan.given import START, Raw, rollout, template

LABELS = {"app": "web"}


def _deployment(replicas: int, image: str = "app:1") -> Raw:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "old"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": LABELS}, "template": template(image)},
    }


def _referring(scale_down: str, **spec: object) -> Raw:
    raw = rollout(**spec)  # type: ignore[arg-type]
    del raw["spec"]["template"], raw["spec"]["selector"]
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "old", "scaleDown": scale_down}
    return {**raw, "spec": {**raw["spec"], "workloadRef": reference}}


@story
def a_deployment_gives_up_its_pods_progressively() -> Scenario:
    """A Deployment gives up a pod for each of ours, gets one back when one fails, and is left alone in the end"""
    script = (
        create_deployment(0, _deployment(4)),
        create(10, _referring("progressively", replicas=4, steps=None)),
        fail(12, "app:1", 2),
        fail(30, "app:1", 1),
        set_deployments_image(60, "old", "app:2"),
        scale_deployment(120, "old", 4),
    )
    return Scenario(World(START, {"app:1": Behaviour(ready_after=5)}), script)


@story
def a_deployment_gives_up_its_pods_on_success() -> Scenario:
    """A Deployment gives up its pods once all of ours are available; later its template begins an update"""
    script = (
        create_deployment(0, _deployment(3)),
        create(10, _referring("onsuccess", replicas=3)),
        act(30, "app:2", Behaviour(ready_after=2), "the new image takes two seconds"),
        set_deployments_image(40, "old", "app:2"),
        resume(80, "web"),
    )
    return Scenario(World(START, {"app:1": Behaviour(ready_after=5)}), script)
