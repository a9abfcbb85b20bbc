"""Do the kubectl plugin of Argo Rollouts and Argo CD lead a blue-green update to its end, and back?"""

from e2e.plugin import Plugin
from e2e.stories.buttons import ArgoCD
from e2e.stories.story import BEST, BETTER, GOOD, HASH, Json, Story
from e2e.stories.test_real_client import facts, rows
from e2e.waiting import eventually
from tests.wire.objects import service

BLUE_GREEN: Json = {
    "activeService": "active",
    "previewService": "preview",
    "autoPromotionEnabled": False,
    "scaleDownDelaySeconds": 600,  # as long as a test may take
}


async def deployed(story: Story) -> Json:
    await story.kubectl.apply([service(name, selector={"app": "web"}) for name in ("active", "preview")])
    return await story.create(replicas=2, strategy={"blueGreen": BLUE_GREEN})


async def goes_to(story: Story, name: str, image: str) -> None:
    """Wait until a Service selects the pods of an image and no others."""

    async def look() -> bool:
        selector = (await story.read("/api/v1", "services", name))["spec"]["selector"]
        behind = [pod for pod in await story.pods() if pod["metadata"]["labels"][HASH] == selector.get(HASH)]
        images = {pod["spec"]["containers"][0]["image"] for pod in behind}
        assert images == {image}, (selector, images)
        return True

    await eventually(look, what=f"Service {name} goes to {image}")


async def test_the_plugin_promotes(story: Story, argo: Plugin) -> None:
    await deployed(story)
    await argo("set", "image", "web", f"web={BETTER}")
    await story.reaches("Paused", message="BlueGreenPause", updatedReplicas=2)
    await goes_to(story, "preview", BETTER)
    await goes_to(story, "active", GOOD)
    shown = await argo("get", "rollout", "web", "--no-color")
    assert [row for row in rows(shown) if row[0] != "Pod"] == [
        ["Rollout", "Paused", ""],
        ["ReplicaSet", "Healthy", "preview"],
        ["ReplicaSet", "Healthy", "stable,active"],
    ]
    told = facts(shown)
    assert (told["Strategy"], told["Message"]) == ("BlueGreen", "BlueGreenPause")
    assert f"{GOOD} (stable, active)" in shown
    assert f"{BETTER} (preview)" in shown
    assert "BlueGreen" in await argo("list", "rollouts")
    await argo("promote", "web")
    assert (await argo("status", "web", "--timeout=120s")).splitlines()[-1] == "Healthy"
    await goes_to(story, "active", BETTER)
    assert "delay:" in await argo("get", "rollout", "web", "--no-color")  # the old pods stay for a while


async def test_the_plugin_aborts_retries_and_goes_back(story: Story, argo: Plugin) -> None:
    await deployed(story)
    await argo("set", "image", "web", f"web={BETTER}")
    await story.reaches("Paused", message="BlueGreenPause")
    await argo("abort", "web")
    assert "RolloutAborted" in await argo("status", "web", "--timeout=120s", code=1)
    await goes_to(story, "active", GOOD)
    await argo("retry", "rollout", "web")
    await story.reaches("Paused", message="BlueGreenPause")
    await argo("promote", "web", "--full")
    await story.reaches("Healthy")
    await goes_to(story, "active", BETTER)
    await argo("undo", "web")
    await story.until(lambda status: status["phase"] in ("Paused", "Healthy"))
    await argo("promote", "web")
    await story.reaches("Healthy")
    await goes_to(story, "active", GOOD)


async def test_argo_cd_resumes(story: Story, argocd: ArgoCD) -> None:
    await deployed(story)
    await story.set_image(BETTER)
    await argocd.shows("Suspended", message="BlueGreenPause")
    assert await argocd.offered() == {"restart", "resume", "abort", "pause", "promote-full"}
    await argocd.press("resume")
    await argocd.shows("Healthy")
    await goes_to(story, "active", BETTER)


async def test_argo_cd_aborts_retries_and_promotes(story: Story, argocd: ArgoCD) -> None:
    await deployed(story)
    await story.set_image(BETTER)
    await argocd.shows("Suspended", message="BlueGreenPause")
    await argocd.press("abort")
    await argocd.shows("Degraded")
    await goes_to(story, "active", GOOD)
    await argocd.press("retry")
    await argocd.shows("Suspended", message="BlueGreenPause")
    await story.set_image(BEST)
    await argocd.shows("Suspended", message="BlueGreenPause")
    await argocd.press("promote-full")
    await argocd.shows("Healthy")
    await goes_to(story, "active", BEST)
