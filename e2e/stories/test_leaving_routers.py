"""What is left of a traffic router on a real control plane, once a Rollout doesn't use it any more?"""

import json
from typing import Any

import pytest

from e2e.stories import test_gateway_api as gateway
from e2e.stories import test_ingress_nginx as nginx
from e2e.stories.story import Story
from e2e.waiting import eventually

Json = dict[str, Any]

definitions = gateway.definitions


async def drop_router(story: Story) -> None:
    patch = json.dumps({"spec": {"strategy": {"canary": {"trafficRouting": None}}}})
    await story.kubectl("patch", "rollout", "web", "--type=merge", "-p", patch)


async def forgotten(story: Story) -> None:
    await story.until(lambda status: "routedBy" not in status)


@pytest.mark.usefixtures("definitions")
async def test_a_route_is_given_back_when_the_update_is_over(story: Story) -> None:
    await gateway.at_rest(story)
    await gateway.update(story)
    await gateway.paused_at(story, 20)
    await drop_router(story)
    await story.until(lambda status: status.get("observedGeneration") == str(2 + 1))
    assert await gateway.weights(story) == {"web-stable": 80, "web-canary": 20}
    await story.cli("abort", "web")
    await forgotten(story)
    await gateway.all_goes_to_stable(story)
    annotations = (await gateway.route(story))["metadata"].get("annotations") or {}
    assert not [key for key in annotations if "rollouts.argoproj.io" in key]


@pytest.mark.usefixtures("definitions")
async def test_a_deleted_rollout_gives_its_route_back(story: Story) -> None:
    await gateway.at_rest(story)
    await gateway.update(story)
    await gateway.paused_at(story, 20)
    await story.kubectl("delete", "rollout", "web")
    await gateway.all_goes_to_stable(story)


async def test_a_canary_ingress_goes_and_the_one_of_people_is_as_it_was(story: Story) -> None:
    await story.kubectl.apply(nginx.manifests())
    await story.reaches("Healthy")
    await nginx.weighs(story, 0)
    before = await story.read("/apis/networking.k8s.io/v1", "ingresses", "shop")
    await drop_router(story)
    await forgotten(story)

    async def is_gone() -> bool:
        return not await story.kubectl("get", "ingress", nginx.CANARY, "--ignore-not-found", "-o", "name")

    await eventually(is_gone)
    assert await story.read("/apis/networking.k8s.io/v1", "ingresses", "shop") == before
    assert (await story.rollout())["status"]["phase"] == "Healthy"
