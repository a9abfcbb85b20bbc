"""Does the controller, as a process of its own, carry a rollout through on this server?"""

from tests.wire.objects import rollout, service
from tests.wire.server import DEADLINE, Client, Json

HASH = "rollouts-pod-template-hash"
STEPS: list[Json] = [{"setWeight": 50}, {"pause": {}}]
OTHER = "example.test/web:2"


async def reaches(api: Client, phase: str, name: str = "web", **fields: object) -> Json:
    """Wait for a phase, and for fields of the status, of the latest generation; return the status."""

    def holds(obj: Json) -> bool:
        status = obj.get("status") or {}
        observed = status.get("observedGeneration") == str(obj["metadata"]["generation"])
        return observed and {"phase": phase, **fields}.items() <= status.items()

    found = await api.until("rollouts", name, holds, within=2 * DEADLINE)
    status: Json = found["status"]
    return status


async def change_image(api: Client) -> None:
    patch = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": OTHER}]
    assert (await api.patch("rollouts", "web", patch, "application/json-patch+json")).code == 200


async def resume(api: Client) -> None:
    await api.patch("rollouts", "web", {"status": {"pauseConditions": None}}, sub="status")


async def test_an_update_pauses_and_goes_on(controlled: Client) -> None:
    await controlled.made("rollouts", rollout(replicas=2, steps=STEPS))
    first = await reaches(controlled, "Healthy", availableReplicas=2)
    await change_image(controlled)
    await reaches(controlled, "Paused", currentStepIndex=1)
    await resume(controlled)
    second = await reaches(controlled, "Healthy", currentStepIndex=2)
    assert second["stableRS"] != first["stableRS"]
    sets = (await controlled.get("replicasets")).object["items"]
    assert sorted(each["spec"]["replicas"] for each in sets) == [0, 2]


async def test_an_update_is_aborted_and_tried_again(controlled: Client) -> None:
    await controlled.made("rollouts", rollout(replicas=2, steps=STEPS))
    await reaches(controlled, "Healthy")
    await change_image(controlled)
    await reaches(controlled, "Paused")
    await controlled.patch("rollouts", "web", {"status": {"abort": True}}, sub="status")
    await reaches(controlled, "Degraded", currentStepIndex=0)
    await controlled.patch("rollouts", "web", {"status": {"abort": False}}, sub="status")
    await reaches(controlled, "Paused", currentStepIndex=1)


async def test_a_rollout_is_scaled_and_deleted(controlled: Client) -> None:
    await controlled.made("rollouts", rollout(replicas=1))
    await reaches(controlled, "Healthy")
    await controlled.patch("rollouts", "web", {"spec": {"replicas": 3}}, sub="scale")
    await reaches(controlled, "Healthy", availableReplicas=3)
    scale = (await controlled.get("rollouts", "web", "scale")).object
    assert scale["status"] == {"replicas": 3, "selector": "app=web"}
    await controlled.delete("rollouts", "web", {"propagationPolicy": "Background"})
    await controlled.until_names("replicasets", lambda names: not names)
    await controlled.until_names("pods", lambda names: not names)


async def test_services_follow_their_revisions(controlled: Client) -> None:
    for name in ("stable", "canary"):
        await controlled.made("services", service(name, selector={"app": "web"}))
    canary = {"stableService": "stable", "canaryService": "canary", "steps": STEPS}
    await controlled.made("rollouts", rollout(replicas=2, strategy={"canary": canary}))
    stable = (await reaches(controlled, "Healthy"))["stableRS"]
    await change_image(controlled)
    newer = (await reaches(controlled, "Paused"))["currentPodHash"]
    await controlled.until("services", "canary", lambda obj: obj["spec"]["selector"].get(HASH) == newer)
    await controlled.until("services", "stable", lambda obj: obj["spec"]["selector"].get(HASH) == stable)


async def test_a_refused_template_is_told_and_mended(controlled: Client) -> None:
    bad = rollout(replicas=1)
    bad["spec"]["template"]["spec"]["containers"][0]["name"] = "Not_A_Name"
    await controlled.made("rollouts", bad)

    def is_told(obj: Json) -> bool:
        return "spec.template.spec.containers[0].name" in str(obj.get("status"))

    await controlled.until("rollouts", "web", is_told)
    patch = [{"op": "replace", "path": "/spec/template/spec/containers/0/name", "value": "web"}]
    await controlled.patch("rollouts", "web", patch, "application/json-patch+json")
    await reaches(controlled, "Healthy")


async def test_the_loss_of_history_is_survived(controlled: Client) -> None:
    await controlled.made("rollouts", rollout(replicas=1, steps=STEPS))
    await reaches(controlled, "Healthy")
    await change_image(controlled)
    await reaches(controlled, "Paused")
    await controlled.server.forget()
    await resume(controlled)
    await reaches(controlled, "Healthy")


async def blue_green(api: Client, **strategy: object) -> Json:
    """Create a blue-green Rollout of two pods and its Services; return its status once it is healthy."""
    for name in ("active", "preview"):
        await api.made("services", service(name, selector={"app": "web"}))
    services = {"activeService": "active", "previewService": "preview"}
    await api.made("rollouts", rollout(replicas=2, strategy={"blueGreen": {**services, **strategy}}))
    return await reaches(api, "Healthy", availableReplicas=2)


async def selects(api: Client, name: str, pod_hash: str | None) -> None:
    await api.until("services", name, lambda obj: obj["spec"]["selector"].get(HASH) == pod_hash)


async def test_a_preview_is_promoted_and_the_version_before_goes(controlled: Client) -> None:
    first = (await blue_green(controlled, autoPromotionEnabled=False, scaleDownDelaySeconds=1))["stableRS"]
    await change_image(controlled)
    second = (await reaches(controlled, "Paused", updatedReplicas=2, message="BlueGreenPause"))["currentPodHash"]
    await selects(controlled, "preview", second)
    await selects(controlled, "active", first)
    await resume(controlled)
    promoted = await reaches(controlled, "Healthy", stableRS=second)
    await selects(controlled, "active", second)
    assert promoted["selector"] == f"app=web,{HASH}={second}"
    await controlled.until("replicasets", f"web-{first}", lambda obj: obj["spec"]["replicas"] == 0)


async def test_a_preview_is_given_up(controlled: Client) -> None:
    first = (await blue_green(controlled, autoPromotionEnabled=False, abortScaleDownDelaySeconds=1))["stableRS"]
    await change_image(controlled)
    second = (await reaches(controlled, "Paused", updatedReplicas=2))["currentPodHash"]
    await controlled.patch("rollouts", "web", {"status": {"abort": True}}, sub="status")
    await reaches(controlled, "Degraded", stableRS=first)
    await selects(controlled, "active", first)
    await controlled.until("replicasets", f"web-{second}", lambda obj: obj["spec"]["replicas"] == 0)


async def test_a_deleted_rollout_gives_its_services_back(controlled: Client) -> None:
    await blue_green(controlled)
    await controlled.delete("rollouts", "web", {"propagationPolicy": "Background"})
    for name in ("active", "preview"):
        await selects(controlled, name, None)
