"""Does everything come right when the API server goes away, comes back and has forgotten the past?"""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest_asyncio

from e2e.conftest import StartController
from e2e.controller import Controller
from e2e.kubectl import Kubectl
from e2e.plane import ControlPlane
from e2e.sampler import Sampler
from e2e.stories.story import BETTER, GOOD, Json, Story
from e2e.waiting import eventually
from tests.wire.objects import rollout

CAREFUL: Json = {
    "maxSurge": 1,
    "maxUnavailable": 0,
    "steps": [{"setWeight": 25}, {"pause": {"duration": "5s"}}, {"setWeight": 50}, {"pause": {"duration": "5s"}}],
}


def is_under_way(status: Json) -> bool:
    return bool(status.get("currentStepIndex") in range(1, len(CAREFUL["steps"])))


@pytest_asyncio.fixture
async def controller(kubectl: Kubectl, start_controller: StartController) -> Controller:
    """Without a lease: one that is lost to a slow restart ends the process, and no kubelet starts it again here."""
    return await start_controller("--namespace", kubectl.namespace, "--no-leader-elect")


@pytest_asyncio.fixture(autouse=True)
async def recovery(plane: ControlPlane) -> AsyncIterator[None]:
    """Leave a plane that works, for the tests that follow."""
    yield
    if not plane.is_serving:
        await plane.start_apiserver()
    await plane.restart_controllers()


async def test_the_api_server_restarts_in_mid_update(
    plane: ControlPlane, story: Story, sample: Callable[..., Sampler]
) -> None:
    await story.create(strategy={"canary": CAREFUL}, replicas=4)
    async with sample("app=web") as sampler:
        await story.set_image(BETTER)
        await story.until(is_under_way)
        await plane.restart_apiserver()
        await plane.restart_controllers()
        await story.reaches("Healthy")
        await story.comes_to({BETTER: 4})
        await story.set_image(GOOD)
        await story.until(is_under_way)
        await plane.kill_apiserver()
        await asyncio.sleep(3)
        await plane.start_apiserver()
        await plane.restart_controllers()
        await story.reaches("Healthy")
        await story.comes_to({GOOD: 4})
    assert not [dip for dip in sampler.dips(4) if dip.is_ours], sampler.report(4)


async def test_the_history_is_lost_in_mid_update(plane: ControlPlane, story: Story) -> None:
    await story.create()
    await story.set_image(BETTER)
    await story.reaches("Paused", currentStepIndex=1)
    await plane.kill_apiserver()
    await plane.compact_etcd()
    await plane.start_apiserver()
    await plane.restart_controllers()
    await story.resume()
    await story.reaches("Paused", currentStepIndex=3)
    await story.patch_status({"promoteFull": True})
    await story.reaches("Healthy")
    await story.comes_to({BETTER: 5})


async def test_a_controller_that_starts_before_its_server_waits_for_it(
    plane: ControlPlane, watcher: Story, controller_kubeconfig: Path, tmp_path: Path
) -> None:
    await plane.kill_apiserver()
    controller = Controller("early", controller_kubeconfig, tmp_path, ["--namespace", watcher.namespace])
    controller.start()
    try:
        await asyncio.sleep(2)
        controller.require_running()
        await plane.start_apiserver()
        await watcher.kubectl.apply(rollout())

        async def is_at_work() -> bool:
            return len(await watcher.replica_sets()) == 1

        await eventually(is_at_work)
    finally:
        await controller.stop()
