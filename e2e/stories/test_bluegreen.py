"""Do the clients of a blue-green rollout always reach pods, whatever people and crashes do?"""

import asyncio
import random

import pytest

from e2e.conftest import StartController
from e2e.reach import Reach
from e2e.recorder import Recorder
from e2e.stories.story import BEST, BETTER, CRASH, GOOD, HASH, Json, Story
from e2e.waiting import eventually
from tests.wire.objects import service

MANAGED_BY = "argo-rollouts.argoproj.io/managed-by-rollouts"
SERVICES: Json = {"activeService": "active", "previewService": "preview"}
REPLICAS, KILLS = 3, 12


async def deployed(story: Story, **strategy: object) -> Json:
    await story.kubectl.apply([service(name, selector={"app": "web"}) for name in ("active", "preview")])
    return await story.create(replicas=REPLICAS, strategy={"blueGreen": {**SERVICES, **strategy}})


async def selected(story: Story, name: str) -> str | None:
    found = await story.read("/api/v1", "services", name)
    pod_hash: str | None = found["spec"]["selector"].get(HASH)
    return pod_hash


async def until_given_back(story: Story, *names: str) -> None:
    async def look() -> bool:
        for name in names:
            found = await story.read("/api/v1", "services", name)
            assert found["spec"]["selector"] == {"app": "web"}, found
            assert MANAGED_BY not in found["metadata"].get("annotations", {}), found
        return True

    await eventually(look, what=f"Services are given back: {names}")


async def test_clients_miss_nothing_from_update_to_rollback(story: Story) -> None:
    first = (await deployed(story, autoPromotionEnabled=False, scaleDownDelaySeconds=60))["stableRS"]
    async with Reach(story.api, story.namespace, "active") as reach:
        await story.set_image(BETTER)
        waiting = await story.reaches("Paused", message="BlueGreenPause", updatedReplicas=REPLICAS)
        second = waiting["currentPodHash"]
        assert (await selected(story, "active"), await selected(story, "preview")) == (first, second)
        await story.cli("promote", "web")
        promoted = await story.reaches("Healthy", stableRS=second)
        assert promoted["selector"] == f"app=web,{HASH}={second}"
        assert promoted["HPAReplicas"] == REPLICAS
        # The first version is still up: the way back needs neither new pods nor a pause.
        await story.set_image(GOOD)
        back = await story.reaches("Healthy", stableRS=first)
        assert back["duration"]["completionStatus"] == "FastRolledBack"
        await story.set_image(CRASH)
        await story.until(lambda status: status["updatedReplicas"] == REPLICAS)
        await story.cli("abort", "web")
        given_up = await story.reaches("Degraded")
        assert await selected(story, "active") == first == given_up["stableRS"]
        fewest = await reach.fewest()
    assert fewest.reached >= REPLICAS, fewest


async def test_a_small_preview_grows_before_the_switch(story: Story, recorder: Recorder) -> None:
    await deployed(story, previewReplicaCount=1, autoPromotionSeconds=3, scaleDownDelaySeconds=2)
    async with Reach(story.api, story.namespace, "active") as reach:
        await story.set_image(BETTER)
        await story.reaches("Healthy")
        await story.comes_to({BETTER: REPLICAS})
        fewest = await reach.fewest()
    assert fewest.reached >= REPLICAS, fewest
    paused = [each["status"] for each in recorder.states if each.get("status", {}).get("phase") == "Paused"]
    assert {each["updatedReplicas"] for each in paused} >= {1}, paused


@pytest.mark.timeout(600)
async def test_killed_at_random_moments_no_client_misses_a_pod(
    watcher: Story, start_controller: StartController
) -> None:
    story, dice = watcher, random.Random(7)  # noqa: S311 - the same moments each time
    controller = await start_controller("--namespace", story.namespace, "--no-leader-elect")
    # No delay at all: the pods of the version before go as soon as the Service has been seen elsewhere.
    await deployed(story, scaleDownDelaySeconds=0)
    async with Reach(story.api, story.namespace, "active") as reach:
        for kill in range(KILLS):
            await story.set_image((BETTER, BEST, GOOD)[kill % 3])
            await asyncio.sleep(dice.uniform(0.05, 1.5))
            controller.kill()
            controller.start()
            if kill % 4 == 3:
                await story.reaches("Healthy")
        fewest = await reach.fewest()
    assert fewest.reached >= REPLICAS, fewest


async def test_services_are_given_back_also_when_nobody_was_there_to_see_it(
    watcher: Story, start_controller: StartController
) -> None:
    story = watcher
    controller = await start_controller("--namespace", story.namespace, "--no-leader-elect")
    await deployed(story)
    await story.patch({"strategy": {"blueGreen": {"previewService": None}}})
    await until_given_back(story, "preview")
    controller.kill()
    await story.kubectl("delete", "rollout", "web")
    assert await selected(story, "active") is not None
    controller.start()
    await until_given_back(story, "active")
