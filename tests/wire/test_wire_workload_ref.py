"""What does workloadRef need of a server: generations, a scale that takes tested patches? And does the whole work?"""

from typing import Any

from tests.wire.objects import deployment, rollout, template
from tests.wire.server import JSON_PATCH, Client, Json
from tests.wire.test_wire_controller import OTHER, STEPS, reaches

FIRST = "rollout.argoproj.io/workload-replicas"
GENERATION = "rollout.argoproj.io/workload-generation"


def pod_template(image: str = "example.test/web:1") -> Json:
    return {
        "apiVersion": "v1",
        "kind": "PodTemplate",
        "metadata": {"name": "old"},
        "template": template({"app": "web"}, image),
    }


def referring(kind: str = "Deployment", replicas: int = 2, **reference: Any) -> Json:
    raw = rollout(replicas=replicas, steps=STEPS)
    del raw["spec"]["template"]
    api_version = "v1" if kind == "PodTemplate" else "apps/v1"
    raw["spec"]["workloadRef"] = {"apiVersion": api_version, "kind": kind, "name": "old", **reference}
    return raw


def old(replicas: int = 2) -> Json:
    """Return a Deployment whose pods carry the Rollout's labels."""
    labels = {"app": "web"}
    return deployment("old", replicas, selector={"matchLabels": labels}, template=template(labels))


def image_patch(path: str) -> list[Json]:
    return [{"op": "replace", "path": f"{path}/spec/containers/0/image", "value": OTHER}]


async def test_pod_templates_count_their_generations(api: Client) -> None:
    made = await api.made("podtemplates", pod_template())
    assert made["metadata"]["generation"] == 1
    labelled = (await api.patch("podtemplates", "old", {"metadata": {"labels": {"a": "b"}}})).object
    assert labelled["metadata"]["generation"] == 1
    changed = (await api.patch("podtemplates", "old", image_patch("/template"), JSON_PATCH)).object
    assert changed["metadata"]["generation"] == 2


async def test_a_scale_takes_a_patch_that_tests_what_was_seen(api: Client) -> None:
    made = await api.made("deployments", old(replicas=2))

    def scale(size: int, *tests: tuple[str, Any]) -> list[Json]:
        before = [{"op": "test", "path": path, "value": value} for path, value in tests]
        return [*before, {"op": "add", "path": "/spec/replicas", "value": size}]

    uid = ("/metadata/uid", made["metadata"]["uid"])
    refused = await api.patch("deployments", "old", scale(0, uid, ("/spec/replicas", 3)), JSON_PATCH, "scale")
    assert refused.code == 422
    answer = await api.patch("deployments", "old", scale(0, uid, ("/spec/replicas", 2)), JSON_PATCH, "scale")
    assert answer.object["kind"] == "Scale"
    assert answer.object["metadata"]["uid"] == made["metadata"]["uid"]
    assert "replicas" not in answer.object["spec"]
    assert (await api.read("deployments", "old"))["spec"]["replicas"] == 0
    stale = ("/metadata/resourceVersion", made["metadata"]["resourceVersion"])
    refused = await api.patch("deployments", "old", scale(1, uid, stale), JSON_PATCH, "scale")
    assert refused.code == 422

    async def is_scaled_up() -> bool:
        seen = (await api.read("deployments", "old"))["metadata"]["resourceVersion"]
        patch = scale(1, uid, ("/metadata/resourceVersion", seen))
        return (await api.patch("deployments", "old", patch, JSON_PATCH, "scale")).code == 200

    await api.wait(is_scaled_up)
    assert (await api.read("deployments", "old"))["spec"]["replicas"] == 1


async def test_a_rollout_takes_over_from_a_deployment(controlled: Client) -> None:
    await controlled.made("deployments", old())
    await controlled.until("deployments", "old", lambda obj: obj["status"].get("availableReplicas") == 2)
    await controlled.made("rollouts", referring(scaleDown="progressively"))
    await reaches(controlled, "Healthy", availableReplicas=2)
    await controlled.until("deployments", "old", lambda obj: obj["spec"]["replicas"] == 0)
    await controlled.until("rollouts", "web", lambda obj: obj["metadata"]["annotations"].get(FIRST) == "0")

    await controlled.patch("deployments", "old", image_patch("/spec/template"), JSON_PATCH)
    await reaches(controlled, "Paused", currentStepIndex=1)
    live = await controlled.read("rollouts", "web")
    generation = str((await controlled.read("deployments", "old"))["metadata"]["generation"])
    assert live["metadata"]["annotations"][GENERATION] == live["status"]["workloadObservedGeneration"] == generation
    assert "template" not in live["spec"]


async def test_a_rollout_waits_for_the_pod_template_that_it_names(controlled: Client) -> None:
    await controlled.made("rollouts", referring("PodTemplate"))
    status = await reaches(controlled, "Degraded")
    assert 'PodTemplate "old" does not exist' in status["message"]
    await controlled.made("podtemplates", pod_template())
    await reaches(controlled, "Healthy", availableReplicas=2)
    await controlled.patch("podtemplates", "old", image_patch("/template"), JSON_PATCH)
    await reaches(controlled, "Paused", currentStepIndex=1)
