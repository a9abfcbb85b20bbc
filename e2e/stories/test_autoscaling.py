"""Does a HorizontalPodAutoscaler of the real kube-controller-manager scale Rollouts, whatever phase they are in?"""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest_asyncio

from e2e.metrics_api import MetricsApi
from e2e.sampler import Sampler
from e2e.stories.story import BEST, BETTER, GOOD, Json, Story
from e2e.waiting import eventually
from tests.wire.objects import rollout

Sample = Callable[..., Sampler]

REQUEST = 100  # thousandths of a core that each pod asks for
TARGET = 50  # percent of it that the autoscaler aims at
STEPS: list[Json] = [{"setWeight": 25}, {"pause": {}}, {"setWeight": 50}, {"pause": {}}]


def load_of(pods: int) -> int:
    """Return the load that so many pods are right for."""
    return pods * REQUEST * TARGET // 100


@pytest_asyncio.fixture
async def metrics(story: Story) -> AsyncIterator[MetricsApi]:
    async with MetricsApi(story.api) as serving:
        yield serving


def autoscaler(lowest: int = 2, highest: int = 10) -> Json:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web"},
            "minReplicas": lowest,
            "maxReplicas": highest,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": TARGET}},
                }
            ],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
        },
    }


def sized(raw: Json) -> Json:
    """Return a Rollout whose pods ask for CPU."""
    raw["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": f"{REQUEST}m"}}
    return raw


def canary() -> Json:
    """Return a canary without surge: an extra pod would carry load, and the autoscaler would be content with fewer."""
    return rollout("web", 4, GOOD, strategy={"canary": {"steps": STEPS, "maxSurge": 0, "maxUnavailable": 1}})


def service() -> Json:
    """Return the Service whose pods carry the load."""
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}


class Scaled:
    """A Rollout under an autoscaler, and the load on it."""

    def __init__(self, story: Story, metrics: MetricsApi) -> None:
        self._story = story
        self._metrics = metrics

    async def begin(self, raw: Json, pods: int) -> None:
        """Apply the Rollout, then its autoscaler."""
        self._metrics.load[self._story.namespace] = load_of(pods)
        await self._story.kubectl.apply(sized(raw))
        await self._story.reaches("Healthy")
        await self._story.kubectl.apply(autoscaler())
        await self.has(replicas=pods)

    async def needs(self, pods: int) -> None:
        """Put the load of so many pods on it, and wait until the autoscaler has answered."""
        self._metrics.load[self._story.namespace] = load_of(pods)
        await self.has(replicas=pods)

    async def has(self, replicas: int) -> None:
        async def look() -> bool:
            found = await self._story.rollout()
            size = found["spec"]["replicas"]
            assert size == replicas, (size, await self._events())
            return True

        await eventually(look, what=f"an autoscaler that wants {replicas} pods")

    async def _events(self) -> list[Any]:
        path = "/apis/autoscaling/v2"
        found = await self._story.read(path, "horizontalpodautoscalers", "web")
        return [each.get("message") for each in (found.get("status") or {}).get("conditions") or ()]


async def test_a_canary_is_scaled_in_every_phase(story: Story, metrics: MetricsApi, sample: Sample) -> None:
    scaled = Scaled(story, metrics)
    await scaled.begin(canary(), pods=4)
    await scaled.needs(6)
    await story.comes_to({GOOD: 6})
    await scaled.needs(4)
    await story.comes_to({GOOD: 4})
    async with sample("app=web") as sampler:
        since = sampler.now()
        await story.set_image(BETTER)
        await story.reaches("Paused", currentStepIndex=1)
        await scaled.needs(8)
        await story.comes_to({GOOD: 6, BETTER: 2})
        status = await story.reaches("Paused", currentStepIndex=1, HPAReplicas=8)
        assert status["selector"] == "app=web"
        await story.resume()
        await story.reaches("Paused", currentStepIndex=3)
        await story.comes_to({GOOD: 4, BETTER: 4})
        await scaled.needs(4)
        await story.comes_to({GOOD: 2, BETTER: 2})
        await story.cli("abort", "web")
        await story.comes_to({GOOD: 4})
        await scaled.needs(6)
        await story.comes_to({GOOD: 6})
        await story.cli("retry", "web")
        await story.reaches("Paused", currentStepIndex=1)
        await story.cli("promote", "web", "--full")
        await story.reaches("Healthy")
        await story.comes_to({BETTER: 6})
        await scaled.needs(2)
        await story.comes_to({BETTER: 2})
    assert sampler.dips(2, since) == [], sampler.report(2)
    assert set(metrics.selectors) == {"app=web"}


async def test_a_blue_green_rollout_is_scaled_by_its_active_pods(story: Story, metrics: MetricsApi) -> None:
    """The preview carries no load: were it counted, the autoscaler would take active pods away."""
    scaled = Scaled(story, metrics)
    await story.kubectl.apply(service())
    blue_green = {
        "activeService": "web",
        "previewReplicaCount": 1,
        "autoPromotionEnabled": False,
        "scaleDownDelaySeconds": 2,
    }
    await scaled.begin(rollout("web", 4, GOOD, strategy={"blueGreen": blue_green}), pods=4)
    active = (await story.rollout())["status"]["selector"]
    assert active.startswith("app=web,rollouts-pod-template-hash=")
    await story.set_image(BETTER)
    await story.reaches("Paused")
    await story.comes_to({GOOD: 4, BETTER: 1})
    status = (await story.rollout())["status"]
    assert (status["HPAReplicas"], status["selector"]) == (4, active)
    await scaled.needs(6)
    await story.comes_to({GOOD: 6, BETTER: 1})
    await story.cli("promote", "web")
    await story.reaches("Healthy")
    await story.comes_to({BETTER: 6})
    assert (await story.rollout())["status"]["selector"] != active
    await scaled.needs(3)
    await story.comes_to({BETTER: 3})
    await story.set_image(BEST)
    await story.reaches("Paused")
    await story.cli("abort", "web")
    await scaled.needs(5)
    await story.until(lambda status: status.get("HPAReplicas") == 5)
    await story.cli("undo", "web", "--to-revision", "2")
    await story.reaches("Healthy")
    await story.comes_to({BETTER: 5})
