"""The whole controller against the embedded API server, over HTTP."""

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from rollouts.controller.app import Controller
from rollouts.controller.options import Options
from rollouts.devcluster import DevCluster
from rollouts.kube.client import Api
from rollouts.kube.connection import connect
from rollouts.kube.lease import LeadershipLost
from rollouts.kube.resources import EVENTS, LEASES, REPLICA_SETS, ROLLOUTS, SERVICES
from tests.controller.world import Object, rollout

CRD = Path(__file__).parents[2] / "manifests" / "crds" / "rollout.yaml"


@dataclass
class Stage:
    """A dev cluster with a controller, and a person with a client."""

    cluster: DevCluster
    controller: Controller
    api: Api

    async def create(self, *rollouts: Object) -> None:
        for each in rollouts:
            await self.api.create(ROLLOUTS, "default", each)

    async def patch(self, patch: Object, name: str = "web", subresource: str | None = None) -> Object:
        return await self.api.patch(ROLLOUTS, "default", name, patch, subresource=subresource)

    async def image(self, image: str, name: str = "web") -> None:
        await self.patch({"spec": {"template": rollout(name, image)["spec"]["template"]}}, name)

    async def until(self, condition: Callable[[Any], object], name: str = "web", seconds: float = 60) -> Any:
        """Wait until the status of a Rollout meets a condition."""
        status: Any = None
        try:
            async with asyncio.timeout(seconds):
                while True:
                    status = (await self.api.get(ROLLOUTS, "default", name)).get("status") or {}
                    if condition(status):
                        return status
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pytest.fail(f"not within {seconds} s: {status}")

    async def until_healthy(self, name: str = "web") -> Any:
        return await self.until(lambda status: status.get("phase") == "Healthy", name)

    async def sizes(self, name: str = "web") -> dict[str, int]:
        """Return the size of each ReplicaSet by image."""
        found = (await self.api.list(REPLICA_SETS, "default", label_selector=f"app={name}")).items
        return {each["spec"]["template"]["spec"]["containers"][0]["image"]: each["spec"]["replicas"] for each in found}

    async def reasons(self, count: int) -> list[str]:
        """Return the reasons of all events once there are so many."""
        async with asyncio.timeout(60):
            while True:
                events = (await self.api.list(EVENTS, "default")).items
                if len(events) >= count:
                    return [each["reason"] for each in sorted(events, key=lambda each: each["metadata"]["name"])]
                await asyncio.sleep(0.02)


async def scrape(path: str, port: int) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as response:
        return response.status, await response.text()


async def eventually(condition: Callable[[], Awaitable[object] | object], seconds: float = 60) -> None:
    """Wait until a condition holds, be it asked of the cluster or of an object in memory."""
    async with asyncio.timeout(seconds):
        while True:
            answer = condition()
            if await answer if isinstance(answer, Awaitable) else answer:
                return
            await asyncio.sleep(0.02)


def options(**changes: Any) -> Options:
    return Options(**{"address": "127.0.0.1", "health_port": 0, "metrics_port": 0, "leader_elect": False, **changes})


@cache
def crds() -> Path:
    """Return a directory with the one definition that is needed: reading them all takes a second."""
    directory = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, directory)
    shutil.copy(CRD, directory)
    return directory


@asynccontextmanager
async def controlled(cluster: DevCluster, chosen: Options) -> AsyncIterator[Controller]:
    """Run a controller while the context lasts."""
    async with await connect(kubeconfig=str(cluster.kubeconfig_path)) as connection:
        controller, stop, started = Controller(chosen, connection), asyncio.Event(), asyncio.Event()
        running = asyncio.create_task(controller.run(stop, started))
        await started.wait()
        try:
            yield controller
        finally:
            stop.set()
            async with asyncio.timeout(60):
                await running


@asynccontextmanager
async def staged(**changes: Any) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(DevCluster(crds=crds(), pod_start=0.05, crash_back_off=0.1))
        connection = await stack.enter_async_context(await connect(kubeconfig=str(cluster.kubeconfig_path)))
        controller = await stack.enter_async_context(controlled(cluster, options(**changes)))
        yield Stage(cluster, controller, Api(connection))


async def test_a_canary_from_beginning_to_end() -> None:
    async with staged() as stage:
        await stage.create(rollout())
        await stage.until_healthy()
        await stage.image("nginx:2")
        await stage.until(lambda status: status.get("pauseConditions"))
        assert await stage.sizes() == {"nginx:1": 4, "nginx:2": 1}
        await stage.patch({"status": {"pauseConditions": None}}, subresource="status")
        await stage.until_healthy()
        assert await stage.sizes() == {"nginx:1": 0, "nginx:2": 5}
        reasons = await stage.reasons(19)
        assert reasons[:6] == [
            "RolloutAddedToInformer",
            "RolloutUpdated",
            "NewReplicaSetCreated",
            "RolloutNotCompleted",
            "ScalingReplicaSet",
            "RolloutCompleted",
        ]
        assert reasons.count("RolloutCompleted") == 2
        assert reasons.count("RolloutPaused") == 1


async def test_probes_and_metrics() -> None:
    async with staged() as stage:
        await stage.create(rollout())
        await stage.until_healthy()
        assert await scrape("/healthz", stage.controller.health_port) == (200, "ok")
        status, text = await scrape("/readyz", stage.controller.health_port)
        assert status == 200
        assert text.startswith("ok, but\n")
        assert "\nanalysisruns.argoproj.io: analysisruns.argoproj.io is not installed on this API server\n" in text
        status, text = await scrape("/metrics", stage.controller.metrics_port)
        assert status == 200
        for line in (
            'rollout_info{name="web",namespace="default",phase="Completed",strategy="canary",traffic_router=""} 1.0',
            'rollout_info_replicas_available{name="web",namespace="default"} 5.0',
            'rollouts_writes_total{kind="ReplicaSet",verb="create"} 1.0',
            'workqueue_depth{name="rollouts"} 0.0',
        ):
            assert line in text
        for part in ("observe", "plan", "perform"):
            assert f'rollouts_pass_part_seconds_count{{part="{part}"}}' in text
        for name in ("rollout_reconcile_bucket", "rollout_events_total", "controller_clientset_k8s_request_total"):
            assert name in text
        await stage.api.delete(ROLLOUTS, "default", "web")
        await stage.reasons(7)
        _, text = await scrape("/metrics", stage.controller.metrics_port)
        assert 'name="web"' not in text


async def test_it_is_not_ready_before_it_has_seen_the_cluster() -> None:
    async with DevCluster() as cluster, controlled(cluster, options()) as controller:
        port, answers = controller.health_port, []

        async def lacks_rollouts_alone() -> bool:
            answers.append(await scrape("/readyz", port))
            return answers[-1][1].count("\n") == 1

        await eventually(lacks_rollouts_alone)
        status, text = answers[-1]
        assert status == 503
        assert text == "rollouts.argoproj.io: rollouts.argoproj.io is not installed on this API server\n"


async def test_it_goes_on_after_every_watch_was_cut() -> None:
    async with staged() as stage:
        await stage.create(rollout())
        await stage.until_healthy()
        for number in (2, 3):
            stage.cluster.server.drop_watches()
            await stage.image(f"nginx:{number}")
            stage.cluster.server.drop_watches()
            await stage.until(lambda status: status.get("pauseConditions"))
            await stage.patch({"status": {"promoteFull": True}}, subresource="status")
            await stage.until_healthy()
        assert await stage.sizes() == {"nginx:1": 0, "nginx:2": 0, "nginx:3": 5}


async def test_a_user_who_writes_at_the_same_moment_is_heard() -> None:
    async with staged() as stage:
        await stage.create(rollout(steps=[{"setWeight": 20}, {"pause": {}}, {"setWeight": 40}, {"pause": {}}]))
        await stage.until_healthy()
        await stage.image("nginx:2")
        for turn in range(60):  # metadata changes all the while: every write of ours may conflict
            await stage.patch({"metadata": {"annotations": {"turn": str(turn)}}})
            await asyncio.sleep(0.005)
        await stage.until(lambda status: status.get("pauseConditions"))
        await stage.patch({"status": {"pauseConditions": None, "abort": True}}, subresource="status")
        await stage.until(lambda status: status.get("phase") == "Degraded")

        async def is_back() -> bool:
            return await stage.sizes() == {"nginx:1": 5, "nginx:2": 0}

        await eventually(is_back)


async def test_a_template_that_the_server_refuses_is_shown_and_can_be_mended() -> None:
    async with staged() as stage:
        await stage.create(rollout())
        await stage.until_healthy()
        broken = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "Not A Name!"}]}}
        await stage.patch({"spec": {"template": broken}})
        status = await stage.until(lambda status: "ReplicaSetCreateError" in str(status.get("conditions")))
        assert status["availableReplicas"] >= 4
        await stage.image("nginx:2")
        await stage.until(lambda status: status.get("pauseConditions"))


async def test_a_rollout_deleted_in_mid_update_takes_everything_with_it() -> None:
    async with staged() as stage:
        await stage.create(rollout())
        await stage.until_healthy()
        await stage.image("nginx:2")
        await stage.until(lambda status: status.get("currentStepIndex") == 0)
        await stage.api.delete(ROLLOUTS, "default", "web", propagation="Background")

        async def is_empty() -> bool:
            return not await stage.sizes()

        await eventually(is_empty)


async def test_a_broken_rollout_does_not_slow_the_others() -> None:
    async with staged() as stage:
        broken = rollout("broken", steps=[{"setWeight": 20, "pause": {}}])
        await stage.create(broken, *(rollout(f"web-{number}", replicas=2) for number in range(5)))
        for number in range(5):
            await stage.until_healthy(f"web-{number}")
        status = await stage.until(lambda status: status.get("phase") == "Degraded", "broken")
        assert status["message"].startswith("InvalidSpec")


async def test_services_follow_the_revisions() -> None:
    async with staged() as stage:
        for name in ("stable", "canary"):
            spec = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
            await stage.api.create(SERVICES, "default", {"metadata": {"name": name}, "spec": spec})
        await stage.create(rollout(stableService="stable", canaryService="canary"))
        await stage.until_healthy()
        await stage.image("nginx:2")
        status = await stage.until(lambda status: status.get("pauseConditions"))
        async with asyncio.timeout(60):
            while True:
                services = [await stage.api.get(SERVICES, "default", name) for name in ("stable", "canary")]
                hashes = [each["spec"]["selector"].get("rollouts-pod-template-hash") for each in services]
                if hashes == [status["stableRS"], status["currentPodHash"]]:
                    break
                await asyncio.sleep(0.02)
        assert services[0]["metadata"]["annotations"] == {"argo-rollouts.argoproj.io/managed-by-rollouts": "web"}


async def test_a_restart_replaces_every_pod() -> None:
    async with staged() as stage:
        await stage.create(rollout(replicas=2, maxUnavailable=1))
        await stage.until_healthy()
        await asyncio.sleep(1.1)  # restartAt and creation times are whole seconds
        await stage.patch({"spec": {"restartAt": "2026-01-01T00:00:00Z"}})
        await stage.until(lambda status: status.get("restartedAt") == "2026-01-01T00:00:00Z")


async def test_rollouts_of_other_instances_are_left_alone() -> None:
    async with staged(instance_id="blue") as stage:
        mine = rollout("mine")
        mine["metadata"]["labels"] = {"argo-rollouts.argoproj.io/controller-instance-id": "blue"}
        await stage.create(rollout("other"), mine)
        await stage.until_healthy("mine")
        assert "status" not in await stage.api.get(ROLLOUTS, "default", "other")


async def test_only_the_leader_works_and_the_next_one_takes_over() -> None:
    async with staged(leader_elect=True, identity="first", retry_period=0.2) as stage:
        await stage.create(rollout())
        await stage.until_healthy()
        lease = await stage.api.get(LEASES, "default", "argo-rollouts-controller-lock")
        assert lease["spec"]["holderIdentity"] == "first"
        async with controlled(stage.cluster, options(leader_elect=True, identity="second", retry_period=0.2)) as other:
            assert (await scrape("/healthz", other.health_port))[0] == 200
            assert not other.is_working
            assert stage.controller.is_working


async def test_a_lost_lease_ends_the_process() -> None:
    chosen = options(leader_elect=True, lease_duration=3, renew_deadline=2, retry_period=0.2)
    async with (
        DevCluster(crds=crds()) as cluster,
        await connect(kubeconfig=str(cluster.kubeconfig_path)) as connection,
    ):
        controller = Controller(chosen, connection)
        running = asyncio.create_task(controller.run(asyncio.Event()))
        await eventually(lambda: controller.is_working)
        spec = {"holderIdentity": "thief", "leaseDurationSeconds": 60}
        await Api(connection).patch(LEASES, "default", chosen.lease_name, {"spec": spec})
        with pytest.raises(LeadershipLost):
            await asyncio.wait_for(running, 60)
        assert not controller.is_working


async def test_stopping_releases_the_lease_and_flushes_events() -> None:
    async with staged() as stage:
        async with controlled(stage.cluster, options(leader_elect=True, instance_id="blue")):
            mine = rollout("mine")
            mine["metadata"]["labels"] = {"argo-rollouts.argoproj.io/controller-instance-id": "blue"}
            await stage.create(mine)
            await stage.until_healthy("mine")
        lease = await stage.api.get(LEASES, "default", "argo-rollouts-controller-lock-blue")
        assert not lease["spec"].get("holderIdentity")
        events = (await stage.api.list(EVENTS, "default")).items
        assert "RolloutCompleted" in [each["reason"] for each in events]
