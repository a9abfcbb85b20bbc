"""What becomes of passes when Rollouts go, come back under their name, or only seem to be gone?"""

import asyncio

import pytest

from rollouts.kube.errors import NotFound
from tests.controller.harness import running
from tests.controller.world import error, rollout

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def test_a_deleted_rollout_is_said_goodbye_to_and_leaves_nothing() -> None:
    async with running() as here:
        here.world.put(rollout())
        await here.until(lambda: here.status().get("phase") == "Healthy")
        here.world.remove("Rollout", "web")
        await asyncio.sleep(1)
        assert here.reasons()[-1] == "RolloutDeleted"
        assert here.loop.queue.depth == 0
        await asyncio.sleep(2000)
        assert here.reasons()[-1] == "RolloutDeleted"
        label = {"namespace": "default", "name": "web"}
        assert here.metrics.registry.get_sample_value("rollout_reconcile_count", label) is None
        for memory in (here.reconciler._rests, here.freshness._owed, here.refusals._remembered, here.loop._acts):
            assert not memory


async def test_a_rollout_deleted_while_its_pass_runs_leaves_nothing_either() -> None:
    async with running() as here:
        here.world.put(rollout())
        here.world.before["patch", "Rollout"] = lambda: here.world.remove("Rollout", "web")
        await asyncio.sleep(5)
        assert here.freshness._owed == {}
        assert here.loop._acts == {}


async def test_a_rollout_made_anew_while_a_pass_finds_the_former_one_gone_is_looked_after() -> None:
    async with running() as here:
        here.world.put(rollout())
        await here.until(lambda: here.status().get("phase") == "Healthy")

        def make_anew() -> None:
            here.world.remove("Rollout", "web")
            here.world.put(rollout(image="nginx:3"))

        here.world.before["patch", "Rollout"] = make_anew
        here.world.fail["patch", "Rollout"] = [error(NotFound, 404, "NotFound")]
        here.world.change("Rollout", "web", {"spec": {"paused": True}})  # a status, and nothing else
        await here.until(lambda: not here.world.before)
        await here.until(lambda: here.status().get("phase") == "Healthy")


async def test_a_rollout_that_only_seems_to_be_gone_is_tried_again() -> None:
    async with running() as here:
        here.world.fail["patch", "Rollout"] = [error(NotFound, 404, "NotFound") for _ in range(3)]
        here.world.put(rollout())
        await here.until(lambda: here.status().get("phase") == "Healthy")


async def test_a_rollout_that_is_being_deleted_is_left_alone() -> None:
    async with running() as here:
        dying = rollout()
        dying["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        here.world.put(dying)
        await asyncio.sleep(5)
        assert here.plans == []
        assert here.world.requests == []
