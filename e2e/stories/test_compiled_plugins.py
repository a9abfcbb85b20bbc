"""Do plugins that were compiled for Argo Rollouts work as they are, and are they started again when they die?

The routers, steps and metrics are the samples that Argo Rollouts comes with, unmodified. The router writes a real
Ingress, with a client of its own and with the controller's rights.
"""

import hashlib
import json
import os
import re
import signal
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml
from aiohttp import web

from e2e import controller
from e2e.conftest import StartController
from e2e.controller import Controller
from e2e.kubectl import Kubectl
from e2e.plane import ControlPlane
from e2e.stories import test_ingress_nginx as nginx
from e2e.stories.story import BETTER, GOOD, Story
from e2e.waiting import eventually
from tests.serving import serving
from tests.wire.objects import rollout

Json = dict[str, Any]
CONFIG_MAP = "argo-rollouts-config"
ROUTER, METRIC, STEP, RECORDER = "argoproj/sample-nginx", "argoproj/sample-prometheus", "argoproj/step", "test/recorder"


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """Where the recorder writes down what it is told."""
    return tmp_path / "records.jsonl"


def configuration(compiled: Path, records: Path) -> Mapping[str, Any]:
    def entry(name: str, program: str, **more: Any) -> Json:
        path = compiled / program
        return {
            "name": name,
            "location": f"file://{path}",
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            **more,
        }

    return {
        "trafficRouterPlugins": [
            entry(ROUTER, "trafficrouter-plugin-sample"),
            {"name": "test/other", "location": f"file://{compiled}/recorder", "sha256": "0" * 64},
        ],
        "stepPlugins": [
            entry(STEP, "step-plugin-sample", args=["--seed", "7"]),
            entry(RECORDER, "recorder", args=[str(records)]),
        ],
        "metricProviderPlugins": [entry(METRIC, "metrics-plugin-sample")],
    }


@pytest_asyncio.fixture
async def running(
    plane: ControlPlane,
    watcher: Story,
    start_controller: StartController,
    controller_kubeconfig: Path,
    compiled_plugins: Path,
    records: Path,
) -> AsyncIterator[Controller]:
    """A controller with these plugins."""
    home = Kubectl(plane.admin_kubeconfig, controller.NAMESPACE)
    data = {key: yaml.safe_dump(entries) for key, entries in configuration(compiled_plugins, records).items()}
    await home.apply([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": CONFIG_MAP}, "data": data}])
    try:
        line = ("env", f"KUBECONFIG={controller_kubeconfig}", controller.PROGRAM)
        yield await start_controller("--namespace", watcher.namespace, program=line)
    finally:
        await home("delete", "configmap", CONFIG_MAP)


def recorded(records: Path) -> list[Json]:
    return [json.loads(line) for line in records.read_text().splitlines()]


def plugin_pid(program: Controller) -> int:
    """Return the number of the last plugin that was started."""
    log = re.sub(r"\x1b\[[0-9;]*m", "", program.log.read_text())
    found = re.findall(r"plugin started .*?pid=(\d+)", log)
    return int(found[-1])


def routed(name: str) -> list[Json]:
    """What the page about Ingress NGINX shows, by a plugin."""
    web_rollout, *others = nginx.manifests()
    canary = web_rollout["spec"]["strategy"]["canary"]
    canary["trafficRouting"] = {"plugins": {name: {"stableIngress": "shop"}}}
    return [web_rollout, *others]


async def test_a_router_moves_an_ingress_through_an_update_though_it_is_killed(
    watcher: Story, running: Controller
) -> None:
    story = watcher
    await story.kubectl.apply(routed(ROUTER))
    await story.reaches("Healthy")
    await story.set_image("web:2.0")
    await story.until(nginx.paused_at(20))
    await nginx.weighs(story, 20)
    said = await story.cli("explain", "web")
    assert "installed" not in said, said
    first = plugin_pid(running)
    os.kill(first, signal.SIGKILL)
    await story.cli("promote", "web")
    await story.until(nginx.paused_at(60))
    await nginx.weighs(story, 60)
    assert plugin_pid(running) != first
    await story.cli("abort", "web")
    await nginx.weighs(story, 0)
    await story.reaches("Degraded")


@pytest.mark.usefixtures("running")
async def test_a_program_that_is_another_one_holds_up_only_who_needs_it(watcher: Story) -> None:
    story = watcher
    await story.kubectl.apply(routed("test/other"))

    async def is_told() -> bool:
        events = await story.kubectl("get", "events", "-o", "json")
        notes = [each.get("message") or each.get("note") or "" for each in json.loads(events)["items"]]
        return any("test/other" in note and "the checksum is wrong" in note for note in notes)

    await eventually(is_told, what="an event says that the program is another one")
    other = rollout("fine", image=GOOD, replicas=1, steps=[])
    await story.kubectl.apply([other])
    await story.reaches("Healthy", "fine")


@pytest.mark.usefixtures("running")
async def test_steps_and_metrics(watcher: Story, records: Path) -> None:
    story = watcher

    async def prometheus(request: web.Request) -> web.Response:
        assert request.path == "/api/v1/query"
        result = [{"metric": {}, "value": [0, "0.97"]}]
        return web.json_response({"status": "success", "data": {"resultType": "vector", "result": result}})

    async with serving(prometheus) as url:
        provider = {"plugin": {METRIC: {"address": url, "query": "up"}}}
        metric = {"name": "rate", "successCondition": "result[0] > 0.9", "provider": provider}
        template = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AnalysisTemplate",
            "metadata": {"name": "rate"},
            "spec": {"metrics": [metric]},
        }
        steps: list[Json] = [
            {"plugin": {"name": STEP, "config": {"aggregate": False}}},
            {
                "plugin": {
                    "name": RECORDER,
                    "config": {"phase": "Successful", "times": 1, "seconds": 1, "message": "ok"},
                }
            },
            {"analysis": {"templates": [{"templateName": "rate"}]}},
        ]
        await story.kubectl.apply([template, rollout("web", image=GOOD, replicas=1, steps=steps)])
        await story.reaches("Healthy")
        await story.set_image(BETTER)
        await story.until(
            lambda status: status.get("phase") == "Healthy" and status.get("currentStepIndex") == len(steps)
        )
    told = recorded(records)
    runs = [each for each in told if each["method"] == "Run"]
    assert [each["context"].get("Status") for each in runs] == [None, {"calls": 1}]
    assert runs[0]["rollout"]["metadata"]["name"] == "web"
    listed = await story.read("/apis/argoproj.io/v1alpha1", "analysisruns")
    (result,) = listed["items"][0]["status"]["metricResults"]
    assert (result["phase"], result["measurements"][0]["value"]) == ("Successful", "[0.97]")
    assert result["metadata"] == {"ResolvedPrometheusQuery": "up"}
