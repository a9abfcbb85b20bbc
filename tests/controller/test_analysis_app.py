"""AnalysisRuns made by hand: the whole controller, the embedded API server and a metrics server, over HTTP."""

import asyncio
import base64
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from rollouts.controller.app import Controller
from rollouts.devcluster import DevCluster
from rollouts.kube.client import Api
from rollouts.kube.connection import connect
from rollouts.kube.errors import NotFound
from rollouts.kube.resources import ANALYSIS_RUNS, CUSTOM_RESOURCE_DEFINITIONS, EVENTS, SECRETS
from tests.controller.test_analysis import metric, run
from tests.controller.test_app import controlled, eventually, options, scrape
from tests.controller.world import Object
from tests.serving import serving

CRDS = Path(__file__).parents[2] / "manifests" / "crds"


pytestmark = pytest.mark.usefixtures("no_proxy")


@dataclass
class Metrics:
    """A metrics server: `/slow` answers when it is let go, any other path with the next of its values."""

    url: str = ""
    values: dict[str, list[float]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        name = request.path.strip("/")
        self.asked.append(name)
        self.tokens.append(request.headers.get("Authorization", ""))
        if name == "slow":
            await self.let_go.wait()
        values = self.values.get(name, [1.0])
        return web.json_response(values.pop(0) if len(values) > 1 else values[0])


@dataclass
class Stage:
    """A dev cluster with a controller, a metrics server, and a person with a client."""

    cluster: DevCluster
    api: Api
    metrics: Metrics
    controller: Controller | None = None

    def metric(self, name: str, **settings: Any) -> Object:
        provider = {"web": {"url": f"{self.metrics.url}/{name}", **settings.pop("web", {})}}
        return metric(name, **{"provider": provider, **settings})

    async def create(self, *metrics: Object, **spec: Any) -> Object:
        return await self.api.create(ANALYSIS_RUNS, "default", run(*metrics, **spec))

    async def read(self, name: str = "run") -> Object:
        return await self.api.get(ANALYSIS_RUNS, "default", name)

    async def until(self, phase: str, name: str = "run", seconds: float = 60) -> Any:
        return await self.status(lambda status: status.get("phase") == phase, name, seconds)

    async def status(self, condition: Callable[[Any], object], name: str = "run", seconds: float = 60) -> Any:
        """Wait until the status of a run meets a condition."""
        status: Any = None
        try:
            async with asyncio.timeout(seconds):
                while True:
                    status = (await self.read(name)).get("status") or {}
                    if condition(status):
                        return status
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pytest.fail(f"not within {seconds} s: {status}")

    async def writes(self) -> float:
        assert self.controller is not None
        _, text = await scrape("/metrics", self.controller.metrics_port)
        line = next((each for each in text.splitlines() if each.startswith(PATCHES)), f"{PATCHES} 0")
        return float(line.split()[-1])


PATCHES = 'rollouts_writes_total{kind="AnalysisRun",verb="patch"}'


@asynccontextmanager
async def staged(*, is_controlled: bool = True, crds: Path = CRDS) -> AsyncIterator[Stage]:
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        metrics.url = await stack.enter_async_context(serving(metrics.answer))
        cluster = await stack.enter_async_context(DevCluster(crds=crds))
        connection = await stack.enter_async_context(await connect(kubeconfig=str(cluster.kubeconfig_path)))
        stage = Stage(cluster, Api(connection), metrics)
        if is_controlled:
            stage.controller = await stack.enter_async_context(controlled(cluster, options()))
        stack.callback(metrics.let_go.set)  # a handler that waits would hold up the server's end
        yield stage


async def test_runs_succeed_fail_and_err() -> None:
    async with staged() as stage:
        stage.metrics.values = {"bad": [9.0]}
        await stage.create(stage.metric("good", count=2, interval="1s"))
        await stage.create(stage.metric("bad"), name="failing")
        broken = stage.metric("good", web={"url": "http://127.0.0.1:1/"}, consecutiveErrorLimit=0)
        await stage.create(broken, name="erring")
        await stage.create({"name": "nothing", "provider": {}}, name="invalid")
        assert (await stage.until("Successful"))["runSummary"] == {"count": 1, "successful": 1}
        assert "failed (1) > failureLimit (0)" in (await stage.until("Failed", "failing"))["message"]
        assert "no connection" in (await stage.until("Error", "erring"))["message"]
        assert "exactly one provider" in (await stage.until("Error", "invalid"))["message"]

        async def reasons() -> Sequence[str]:
            return [each["reason"] for each in (await stage.api.list(EVENTS, "default")).items]

        async def are_told() -> bool:
            wanted = {"MetricSuccessful", "AnalysisRunSuccessful", "AnalysisRunFailed", "AnalysisRunError"}
            return wanted <= set(await reasons())

        await eventually(are_told)


async def test_two_metrics_share_each_write() -> None:
    async with staged() as stage:
        await stage.create(*(stage.metric(name, count=2, interval="1s") for name in ("a", "b")))
        await stage.until("Successful")
        assert sorted(stage.metrics.asked) == ["a", "a", "b", "b"]
        assert await stage.writes() == 2


async def test_a_run_is_terminated_while_a_metric_waits_for_its_server() -> None:
    async with staged() as stage:
        await stage.create(stage.metric("slow"))
        await stage.until("Running")
        await stage.api.patch(ANALYSIS_RUNS, "default", "run", {"spec": {"terminate": True}})
        assert (await stage.until("Successful"))["message"] == "Run Terminated"


async def test_a_slow_server_delays_nobody_else() -> None:
    async with staged() as stage:
        for number in range(60):  # more than the connections that one host gets
            await stage.create(stage.metric("slow"), name=f"slow-{number}")
        await eventually(lambda: len(stage.metrics.asked) == 50)
        async with serving(stage.metrics.answer) as elsewhere:
            await stage.create(stage.metric("good", web={"url": f"{elsewhere}/good"}))
            await stage.until("Successful", seconds=5)
        stage.metrics.let_go.set()
        await stage.until("Successful", "slow-59")


async def test_a_run_deleted_while_it_is_measured_leaves_nothing() -> None:
    async with staged() as stage:
        assert stage.controller is not None
        await stage.create(stage.metric("slow"))
        await eventually(lambda: stage.metrics.asked)
        await stage.api.delete(ANALYSIS_RUNS, "default", "run")
        await stage.create(stage.metric("good"))
        await stage.until("Successful")
        measuring = stage.controller._measuring
        await eventually(lambda: measuring.count == 0)


async def test_a_secret_that_is_missing_at_first_is_read_once_it_is_there_and_never_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rollouts.plan.analysis.due.ERROR_RETRY", timedelta(seconds=1))
    async with staged() as stage:
        headers = [{"key": "Authorization", "value": "Bearer {{args.token}}"}]
        reference = {"secretKeyRef": {"name": "credentials", "key": "token"}}
        await stage.create(
            stage.metric("good", web={"headers": headers}),
            args=[{"name": "token", "valueFrom": reference}],
        )
        status = await stage.status(lambda status: status.get("metricResults"))
        assert status["metricResults"][0]["measurements"][0]["message"] == 'the Secret "credentials" does not exist'
        data = {"token": base64.b64encode(b"top-secret-token").decode()}
        await stage.api.create(SECRETS, "default", {"metadata": {"name": "credentials"}, "data": data})
        status = await stage.until("Successful", seconds=20)
        assert stage.metrics.tokens == ["Bearer top-secret-token"]
        assert "top-secret-token" not in str(status)


async def test_a_controller_that_dies_in_mid_run_is_followed_by_one_that_goes_on() -> None:
    async with staged(is_controlled=False) as stage:
        await stage.create(stage.metric("good", count=3, interval="1s"))
        async with controlled(stage.cluster, options()):
            await stage.status(lambda status: status.get("metricResults"))
        before = (await stage.read())["status"]["metricResults"][0]
        async with controlled(stage.cluster, options()):
            status = await stage.until("Successful")
        kept = status["metricResults"][0]["measurements"]
        assert kept[: len(before["measurements"])] == before["measurements"]
        assert (len(kept), len(stage.metrics.asked)) == (3, 3)


async def test_a_run_that_has_ended_goes_when_its_time_is_over() -> None:
    async with staged() as stage:
        await stage.create(stage.metric("good"), ttlStrategy={"secondsAfterSuccess": 1})
        await stage.until("Successful")

        async def is_gone() -> bool:
            try:
                await stage.read()
            except NotFound:
                return True
            return False

        await eventually(is_gone)


async def test_a_person_who_writes_all_the_while_disturbs_nothing() -> None:
    async with staged() as stage:
        await stage.create(stage.metric("good", count=3, interval="1s"))
        for turn in itertools.count():
            annotations = {"metadata": {"annotations": {"turn": str(turn)}}}
            written = await stage.api.patch(ANALYSIS_RUNS, "default", "run", annotations)
            if written.get("status", {}).get("phase") == "Successful":
                break
            await asyncio.sleep(0.005)
        assert len(stage.metrics.asked) == 3


async def test_definitions_that_come_later_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "rollout.yaml").write_text((CRDS / "rollout.yaml").read_text())
    async with staged(crds=tmp_path) as stage:
        assert stage.controller is not None
        code, text = await scrape("/readyz", stage.controller.health_port)
        await eventually(lambda: stage.controller is not None and stage.controller.is_working)
        code, text = await scrape("/readyz", stage.controller.health_port)
        assert (code, "analysisruns.argoproj.io is not installed" in text) == (200, True)
        definition = yaml.safe_load((CRDS / "analysisrun.yaml").read_text())
        await stage.api.create(CUSTOM_RESOURCE_DEFINITIONS, None, definition)

        async def is_served() -> bool:
            try:
                await stage.create(stage.metric("good"))
            except NotFound:
                return False
            return True

        await eventually(is_served)
        await stage.until("Successful", seconds=40)


async def test_what_prometheus_hears_of_runs() -> None:
    async with staged() as stage:
        assert stage.controller is not None
        await stage.create(stage.metric("good"))
        await stage.until("Successful")

        async def is_told() -> bool:
            assert stage.controller is not None
            _, text = await scrape("/metrics", stage.controller.metrics_port)
            of = 'name="run",namespace="default"'
            lines = (
                f'analysis_run_info{{{of},phase="Successful"}} 1.0',
                f'analysis_run_phase{{{of},phase="Successful"}} 1.0',
                f'analysis_run_metric_type{{metric="good",{of},type="WebMetric"}} 1.0',
                f'{{dry_run="false",metric="good",{of},phase="Successful",type="WebMetric"}} 1.0',
                f"analysis_run_reconcile_count{{{of}}}",
            )
            return all(line in text for line in lines)

        await eventually(is_told)
