"""What is kept of the objects behind workloadRef, for how long, and what do passes make of them?"""

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, cast

import pytest

from rollouts.api import keys
from rollouts.controller.following import PATIENCE
from rollouts.controller.workloads import Workloads
from rollouts.kube.errors import Forbidden
from rollouts.kube.resources import Resource
from tests.controller.harness import KEY, Harness, running
from tests.controller.world import Object, error, rollout

if TYPE_CHECKING:
    from rollouts.kube.client import Api

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "nginx:1"}]}}


def deployment(replicas: int = 5, name: str = "old") -> Object:
    counts = {"replicas": replicas, "availableReplicas": replicas, "observedGeneration": 1}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default", "uid": "u", "resourceVersion": "5", "generation": 1},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE},
        "status": counts,
    }


def referring(scale_down: str = "never", name: str = "old") -> Object:
    raw = rollout()
    del raw["spec"]["template"]
    raw["spec"]["workloadRef"] = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "scaleDown": scale_down}
    return raw


class Server:
    """Serves one Deployment by WatchList, or refuses to."""

    def __init__(self) -> None:
        self.refuses = False
        self.open = 0

    async def watch(self, resource: Resource, **_: Any) -> AsyncGenerator[dict[str, Any], None]:
        if self.refuses:
            raise error(Forbidden, 403, "Forbidden", f"no right to watch {resource.plural}")
        self.open += 1
        try:
            yield {"type": "ADDED", "object": deployment()}
            annotations = {"k8s.io/initial-events-end": "true"}
            mark = {"metadata": {"resourceVersion": "9", "annotations": annotations}}
            yield {"type": "BOOKMARK", "object": mark}
            await asyncio.Event().wait()
        finally:
            self.open -= 1


async def test_a_kind_is_watched_while_somebody_follows_it() -> None:
    server, told = Server(), list[str]()
    workloads = Workloads(cast("Api", server), None, lambda _, new: told.append((new or {})["metadata"]["name"]))
    task = asyncio.create_task(workloads.run())
    await asyncio.sleep(1)
    assert (server.open, workloads.is_known("Deployment")) == (0, False)
    workloads.follow("Deployment")
    workloads.follow("Deployment")
    await asyncio.sleep(1)
    assert (server.open, workloads.is_known("Deployment"), told) == (1, True, ["old"])
    found = workloads.get("Deployment", "default", "old")
    assert found is not None
    assert found["spec"]["template"] == TEMPLATE
    workloads.unfollow("Deployment")
    await asyncio.sleep(1)
    assert (server.open, workloads.is_known("Deployment")) == (0, False)
    assert workloads.get("Deployment", "default", "old") is None
    task.cancel()
    await asyncio.wait({task})


async def test_a_watch_that_is_refused_is_told_after_a_while() -> None:
    server = Server()
    server.refuses = True
    workloads = Workloads(cast("Api", server), None, lambda *_: None)
    task = asyncio.create_task(workloads.run())
    workloads.follow("Deployment")
    await asyncio.sleep(1)
    assert workloads.trouble("Deployment") == ""
    await asyncio.sleep(PATIENCE)
    assert "no right to watch deployments" in workloads.trouble("Deployment")
    server.refuses = False
    await asyncio.sleep(60)
    assert workloads.trouble("Deployment") == ""
    assert workloads.is_known("Deployment")
    task.cancel()
    await asyncio.wait({task})


def image_of_pods(harness: Harness) -> str:
    sets = [each for (kind, _, _), each in harness.world.objects.items() if kind == "ReplicaSet"]
    newest = max(sets, key=lambda each: int(each["metadata"]["annotations"]["rollout.argoproj.io/revision"]))
    return str(newest["spec"]["template"]["spec"]["containers"][0]["image"])


async def test_a_change_of_the_deployment_begins_an_update() -> None:
    async with running() as harness:
        harness.world.put(deployment(0))
        harness.world.put(referring())
        await harness.until(lambda: harness.status().get("phase") == "Healthy")
        containers = [{"name": "web", "image": "nginx:2"}]
        harness.world.change("Deployment", "old", {"spec": {"template": {"spec": {"containers": containers}}}})
        await harness.until(lambda: harness.status().get("phase") == "Paused")
        assert image_of_pods(harness) == "nginx:2"
        assert harness.status()["workloadObservedGeneration"] == "2"


async def test_a_change_that_says_nothing_makes_no_pass() -> None:
    async with running() as harness:
        harness.world.put(deployment(0))
        harness.world.put(referring())
        await harness.until(lambda: harness.status().get("phase") == "Healthy")
        await asyncio.sleep(30)
        before = len(harness.plans)
        harness.world.put({**deployment(0), "metadata": {**deployment(0)["metadata"], "resourceVersion": "999999"}})
        await asyncio.sleep(1)
        assert len(harness.plans) == before


async def test_a_deployment_that_comes_later_heals_the_rollout() -> None:
    async with running() as harness:
        harness.world.put(referring())
        await harness.until(lambda: harness.status().get("phase") == "Degraded")
        assert 'Deployment "old" does not exist' in harness.status()["message"]
        harness.world.put(deployment(0))
        await harness.until(lambda: harness.status().get("phase") == "Healthy", seconds=5)


async def test_a_kind_that_cannot_be_read_is_told_and_nothing_planned_on_it() -> None:
    async with running() as harness:
        harness.world.workloads.problem = "forbidden"
        harness.world.put(deployment(0))
        harness.world.put(referring())
        await harness.until(lambda: harness.status().get("phase") == "Degraded")
        assert 'spec.workloadRef: Deployment "old" can\'t be read: Deployment: forbidden' in harness.status()["message"]
        assert harness.plans == []
        harness.world.workloads.problem = None
        await harness.until(lambda: harness.status().get("phase") == "Healthy")


def notes(harness: Harness) -> dict[str, str]:
    found: dict[str, str] = harness.world.get_now("Rollout", "web")["metadata"].get("annotations", {})
    return found


async def test_the_deployment_is_scaled_by_its_scale() -> None:
    async with running() as harness:
        harness.world.put(deployment())
        harness.world.put(referring("onsuccess"))
        await harness.until(lambda: harness.world.get_now("Deployment", "old")["spec"]["replicas"] == 0)
        await harness.until(lambda: notes(harness).get(keys.WORKLOAD_REPLICAS) == "0")
        assert "patch Deployment old/scale" in harness.world.requests
        assert "ScalingDeployment" in harness.reasons()


async def test_whoever_refers_to_nothing_any_more_waits_for_nothing() -> None:
    async with running() as harness:
        harness.world.put(deployment())
        raw = harness.world.put(referring())
        await harness.until(lambda: harness.status().get("phase") == "Healthy")
        assert harness.world.workloads.followed == {"Deployment"}
        newer = harness.world.get_now("Deployment", "old")
        harness.freshness.outdated(KEY, newer, 0.0)
        assert harness.freshness.owed(KEY)
        spec = {"workloadRef": None, "template": TEMPLATE}
        harness.world.change("Rollout", raw["metadata"]["name"], {"spec": spec})
        assert harness.freshness.owed(KEY) == []
        assert harness.world.workloads.followed == set()
