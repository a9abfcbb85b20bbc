"""Are AnalysisRuns that people make by hand measured, on a real control plane, whatever happens to the controller?"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest_asyncio
from aiohttp import web

from e2e.controller import Controller
from e2e.recorder import Recorder
from e2e.stories.story import Json, Story
from e2e.waiting import PATIENCE, eventually
from tests.serving import serving

API = "/apis/argoproj.io/v1alpha1"


@dataclass
class Metrics:
    """A metrics server: what it says can be changed, and who asked by which token is remembered."""

    url: str = ""
    value: float = 0.01
    tokens: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        """Answer with the present value."""
        self.tokens.append(request.headers.get("Authorization", ""))
        return web.json_response({"errors": self.value})


@pytest_asyncio.fixture
async def metrics() -> AsyncIterator[Metrics]:
    """Serve metrics on loopback."""
    server = Metrics()
    async with serving(server.answer) as server.url:
        yield server


def analysis_run(metrics: Metrics, name: str = "errors", *, spec: Json | None = None, **settings: Any) -> Json:
    """Return a run of one metric."""
    asked = {"url": metrics.url, "jsonPath": "{$.errors}", **settings.pop("web", {})}
    metric = {"name": "errors", "successCondition": "result < 0.05", "provider": {"web": asked}, **settings}
    body = {"metrics": [metric], **(spec or {})}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "metadata": {"name": name}, "spec": body}


async def until(story: Story, holds: Callable[[Json], Any], name: str = "errors", within: float = PATIENCE) -> Json:
    """Wait until something holds of a run's status; return it."""

    async def look() -> Json:
        status: Json = (await story.read(API, "analysisruns", name)).get("status") or {}
        assert holds(status), status
        return status

    return await eventually(look, within=within, what=f"run {name}")


async def ends(story: Story, phase: str, name: str = "errors") -> Json:
    return await until(story, lambda status: status.get("phase") == phase, name)


async def reasons(story: Story, name: str = "errors") -> set[str]:
    listed = await story.read("/api/v1", "events", fieldSelector=f"involvedObject.name={name}")
    return {each["reason"] for each in listed["items"]}


async def test_runs_by_hand_succeed_and_fail(story: Story, metrics: Metrics) -> None:
    await story.kubectl.apply(analysis_run(metrics, interval="1s", count=3))
    status = await ends(story, "Successful")
    assert [each["value"] for each in status["metricResults"][0]["measurements"]] == ["0.01"] * 3
    metrics.value = 0.2
    await story.kubectl.apply(analysis_run(metrics, "bad", interval="1s", count=3))
    status = await ends(story, "Failed", "bad")
    assert "failed (1) > failureLimit (0)" in status["message"]
    assert "Failed" in await story.kubectl("get", "analysisrun", "bad")

    async def are_told() -> bool:
        assert {"MetricSuccessful", "AnalysisRunSuccessful"} <= await reasons(story)
        assert {"MetricFailed", "AnalysisRunFailed"} <= await reasons(story, "bad")
        return True

    await eventually(are_told)


async def test_a_run_is_ended_by_kubectl_and_deleted_when_its_time_is_over(
    story: Story, metrics: Metrics, recorder: Recorder
) -> None:
    await story.kubectl.apply(analysis_run(metrics, interval="1s", spec={"ttlStrategy": {"secondsAfterCompletion": 3}}))
    await until(story, lambda status: status.get("metricResults"))
    patch = json.dumps({"spec": {"terminate": True}})
    await story.kubectl("patch", "analysisrun", "errors", "--type=merge", "-p", patch)

    async def is_gone() -> bool:
        return not await story.read(API, "analysisruns", "errors")

    await eventually(is_gone)
    last = recorder.runs[-1]["status"]  # it may have been there for three seconds only
    assert (last["phase"], last["message"]) == ("Successful", "Run Terminated")


def is_measured(least: int, status: Json) -> bool:
    results = status.get("metricResults")
    return results is not None and results[0].get("count", 0) >= least


async def test_a_killed_controller_is_followed_by_one_that_goes_on(
    story: Story, controller: Controller, metrics: Metrics
) -> None:
    await story.kubectl.apply(analysis_run(metrics, interval="1s", count=6))
    for least in (1, 3):
        await until(story, partial(is_measured, least))
        controller.kill()
        controller.start()
        await controller.ready()
    status = await ends(story, "Successful")
    assert status["metricResults"][0]["count"] == 6
    assert len(status["metricResults"][0]["measurements"]) == 6


async def test_a_secret_is_used_and_never_shown(story: Story, controller: Controller, metrics: Metrics) -> None:
    headers = [{"key": "Authorization", "value": "Bearer {{args.token}}"}]
    reference = {"secretKeyRef": {"name": "credentials", "key": "token"}}
    data = {"token": base64.b64encode(b"a-token-of-somebody").decode()}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "credentials"}, "data": data}
    await story.kubectl.apply(secret)
    args = [{"name": "token", "valueFrom": reference}]
    await story.kubectl.apply(analysis_run(metrics, web={"headers": headers}, spec={"args": args}))
    status = await ends(story, "Successful")
    assert metrics.tokens == ["Bearer a-token-of-somebody"]
    assert "a-token-of-somebody" not in json.dumps(status)
    assert "a-token-of-somebody" not in await asyncio.to_thread(controller.log.read_text)


async def test_what_cannot_work_is_said_on_the_run(story: Story, metrics: Metrics) -> None:
    await story.kubectl.apply(analysis_run(metrics, "condition", successCondition="result <"))
    await story.kubectl.apply(analysis_run(metrics, "argument", web={"url": "{{args.nobody}}"}))
    await story.kubectl.apply(analysis_run(metrics, "away", web={"url": "http://127.0.0.1:1"}, consecutiveErrorLimit=0))
    assert "successCondition" in (await ends(story, "Error", "condition"))["message"]
    assert "args.nobody" in (await ends(story, "Error", "argument"))["message"]
    assert "no connection" in (await ends(story, "Error", "away"))["message"]
