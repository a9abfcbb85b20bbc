"""Do the kubectl plugin of Argo Rollouts and Argo CD lead an update whose template is a Deployment's?"""

from e2e.plugin import Plugin
from e2e.stories.buttons import ArgoCD
from e2e.stories.story import BETTER, GOOD, Json, Story
from tests.wire.objects import deployment

REFERENCE: Json = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "scaleDown": "onsuccess"}
ROLLOUT: Json = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Rollout",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 2,
        "workloadRef": REFERENCE,
        "strategy": {"canary": {"steps": [{"setWeight": 50}, {"pause": {}}]}},
    },
}


async def deployed(story: Story) -> None:
    await story.kubectl.apply([deployment("web", 2, GOOD), ROLLOUT])
    await story.reaches("Healthy")
    await story.comes_to({GOOD: 2})  # the Deployment's own pods are gone


async def image_of(story: Story) -> str:
    spec = (await story.read("/apis/apps/v1", "deployments", "web"))["spec"]
    image: str = spec["template"]["spec"]["containers"][0]["image"]
    return image


async def test_the_plugin_changes_the_deployment(story: Story, argo: Plugin) -> None:
    await deployed(story)
    await argo("set", "image", "web", f"web={BETTER}")
    assert await image_of(story) == BETTER
    await story.reaches("Paused", currentStepIndex=1)
    await story.comes_to({GOOD: 1, BETTER: 1})
    assert f"{BETTER} (canary)" in await argo("get", "rollout", "web", "--no-color")
    await argo("promote", "web")
    assert (await argo("status", "web", "--timeout=120s")).splitlines()[-1] == "Healthy"
    await story.comes_to({BETTER: 2})
    await argo("undo", "web")
    assert await image_of(story) == GOOD
    await story.reaches("Paused", currentStepIndex=1)
    await argo("promote", "web", "--full")
    await story.reaches("Healthy")
    await story.comes_to({GOOD: 2})


async def test_argo_cd_resumes(story: Story, argocd: ArgoCD) -> None:
    await deployed(story)
    await story.kubectl("set", "image", "deployment/web", f"web={BETTER}")
    await argocd.shows("Suspended", currentStepIndex=1)
    await argocd.press("resume")
    await argocd.shows("Healthy", currentStepIndex=2)
    await story.comes_to({BETTER: 2})
