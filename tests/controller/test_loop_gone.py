"""What becomes of passes when Rollouts go, come back under their name, or only seem to be gone?"""

import asyncio

import pytest

from rollouts.api.keys import MANAGED_BY, POD_TEMPLATE_HASH
from rollouts.kube.errors import NotFound
from tests.controller.harness import Harness, running
from tests.controller.world import World, error, rollout

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


def marked(name: str, rollout_name: str) -> dict[str, object]:
    """Return a Service that a Rollout has switched."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "annotations": {MANAGED_BY: rollout_name, "note": "kept"}},
        "spec": {"selector": {"app": "web", POD_TEMPLATE_HASH: "abc"}},
    }


def is_given_back(here: Harness, name: str) -> bool:
    service = here.world.get_now("Service", name)
    selector, annotations = service["spec"]["selector"], service["metadata"]["annotations"]
    return bool(selector == {"app": "web"} and annotations == {"note": "kept"})


async def test_a_deleted_rollout_gives_its_services_back() -> None:
    async with running() as here:
        here.world.put(rollout(stableService="s"))
        here.world.put(marked("s", "web"))
        await here.until(lambda: here.status().get("phase") == "Healthy")
        here.world.remove("Rollout", "web")
        await here.until(lambda: is_given_back(here, "s"))
        await asyncio.sleep(1000)
        assert here.loop.queue.depth == 0


async def test_what_went_unseen_is_given_back_at_the_start() -> None:
    world = World()
    world.put(marked("s", "gone"))
    async with running(world=world) as here:
        await here.until(lambda: is_given_back(here, "s"))
        assert here.world.requests == ["get Rollout gone", "patch Service s"]


async def test_another_controllers_service_is_left_alone() -> None:
    async with running() as here:
        theirs = rollout("theirs")
        here.world.objects["Rollout", "default", "theirs"] = theirs  # the cache doesn't have it
        here.world.put(marked("s", "theirs"), deliver=False)
        here.world.stores["Service"].replace([here.world.get_now("Service", "s")])
        await asyncio.sleep(5)
        assert here.world.requests == ["get Rollout theirs"]
        here.world.get_now("Service", "s")["metadata"]["resourceVersion"] = "9999"
        here.world.stores["Service"].replace([here.world.get_now("Service", "s")])
        await asyncio.sleep(5)
        assert here.world.requests == ["get Rollout theirs"], "the same mark is no news"


async def test_a_service_that_somebody_edits_meanwhile_is_given_back_in_the_end() -> None:
    async with running() as here:
        here.world.put(marked("s", "web"), deliver=False)
        here.world.before["patch", "Service"] = lambda: here.world.change("Service", "s", {"spec": {"port": 1}})
        here.world.deliver()
        await here.until(lambda: is_given_back(here, "s"))


async def test_a_service_that_the_spec_names_no_longer_is_given_back() -> None:
    async with running() as here:
        here.world.put(rollout(stableService="s"))
        here.world.put(marked("s", "web"))
        await here.until(lambda: here.status().get("phase") == "Healthy")
        here.world.change("Rollout", "web", {"spec": {"strategy": {"canary": {"stableService": None}}}})
        await here.until(lambda: is_given_back(here, "s"))


async def test_the_older_of_two_rollouts_keeps_a_service_that_both_name() -> None:
    async with running() as here:
        here.world.put(marked("s", "nobody"), deliver=False)
        here.world.change("Service", "s", {"metadata": {"annotations": {MANAGED_BY: None}}}, deliver=False)
        here.world.put(rollout(stableService="s"))
        younger = rollout("younger", stableService="s")
        younger["spec"]["selector"] = {"matchLabels": {"app": "web"}}
        younger["spec"]["template"]["metadata"]["labels"] = {"app": "web"}
        younger["metadata"]["creationTimestamp"] = "2026-01-02T00:00:00Z"
        here.world.put(younger)
        await here.until(lambda: here.status().get("phase") == "Healthy")
        await here.until(lambda: "InvalidSpec" in here.status("younger").get("message", ""))
