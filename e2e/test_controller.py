"""Does the controller run on the real control plane with nothing but the rights that its manifests grant?"""

from typing import Any

from e2e.conftest import StartController
from e2e.kubectl import Kubectl

RESUME = '{"status": {"pauseConditions": null}}'


def rollout(name: str, replicas: int, image: str) -> dict[str, Any]:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": image}]}}
    steps = [{"setWeight": 50}, {"pause": {}}]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": template,
            "strategy": {"canary": {"steps": steps}},
        },
    }


async def test_a_rollout_becomes_healthy_and_is_taken_up_after_kill_9(
    kubectl: Kubectl, start_controller: StartController
) -> None:
    controller = await start_controller("--namespace", kubectl.namespace, "--no-leader-elect")
    await kubectl.apply(rollout("web", 2, "example.test/web:1"))
    await kubectl.wait("rollout/web", "--for=jsonpath={.status.phase}=Healthy")
    await kubectl.apply(rollout("web", 2, "example.test/web:2"))
    await kubectl.wait("rollout/web", "--for=jsonpath={.status.phase}=Paused")
    controller.kill()
    controller.start()
    await kubectl("patch", "rollout/web", "--subresource=status", "--type=merge", "-p", RESUME)
    await kubectl.wait("rollout/web", "--for=jsonpath={.status.phase}=Healthy")
    images = await kubectl("get", "pods", "-o", "jsonpath={.items[*].spec.containers[0].image}")
    assert set(images.split()) >= {"example.test/web:2"}
    assert "orbidden" not in controller.log.read_text()
