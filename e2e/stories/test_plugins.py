"""Do plugins of others work once they are installed, and hurt nobody but who uses them when they are bad?"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest_asyncio
from aiohttp import web

from e2e.conftest import StartController
from e2e.kubectl import DEADLINE
from e2e.program import ask
from e2e.stories.story import BETTER, GOOD, Json, Story
from e2e.venv import ROOT, Venv
from e2e.waiting import eventually
from tests.serving import serving_app

PLUGINS = ROOT / "plugins"
BAD_PROJECT = """
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"
[project]
name = "rollouts-bad"
version = "6.6"
[project.entry-points."rollouts.steps"]
spins = "bad:Spins"
raises = "bad:Raises"
[project.entry-points."rollouts.measure"]
hangs = "bad:Hangs"
lost = "nowhere:Lost"
[tool.hatch.build.targets.wheel]
only-include = ["bad.py"]
"""
BAD_CODE = '''
import time
from rollouts.api.base import Model
from rollouts.ports import CalledStep, Provider, Step

class Spins(Step):
    key = "spins"
    def gate(self, spec, here, now):
        while True:
            pass

class Raises(CalledStep):
    key = "raises"
    def run(self, spec, here):
        raise SystemExit("good bye")
        yield

class Nothing(Model):
    """No settings."""

class Hangs(Provider):
    key = "hangs"
    model = Nothing
    def flow(self, spec, asked):
        time.sleep(1e6)
        yield
'''


@dataclass
class Gate:
    """A service that is asked whether rollouts may go on, and an application with a page of metrics; both by HTTP."""

    verdict: str = "wait"
    errors: int = 0
    url: str = ""
    questions: list[Json] = field(default_factory=list)
    taken_back: list[str] = field(default_factory=list)

    async def ask(self, request: web.Request) -> web.Response:
        self.questions.append(await request.json())
        return web.json_response({"verdict": self.verdict, "reason": f"ann says {self.verdict}", "ticket": "T-7"})

    async def take_back(self, request: web.Request) -> web.Response:
        self.taken_back.append(request.match_info["ticket"])
        return web.Response(status=204)

    async def metrics(self, _: web.Request) -> web.Response:
        return web.Response(text=f'http_total{{code="200"}} 100\nhttp_total{{code="500"}} {self.errors}\n')


@pytest_asyncio.fixture
async def gate() -> AsyncIterator[Gate]:
    """A gate and an application."""
    here, app = Gate(), web.Application()
    app.router.add_post("/gate", here.ask)
    app.router.add_delete("/gate/{ticket}", here.take_back)
    app.router.add_get("/metrics", here.metrics)
    async with serving_app(app) as here.url:
        yield here


@pytest_asyncio.fixture
async def installed(tmp_path: Path) -> Venv:
    """An environment with our two examples and a bad plugin."""
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "pyproject.toml").write_text(BAD_PROJECT)
    (bad / "bad.py").write_text(BAD_CODE)
    environment = Venv(tmp_path / "venv")
    await environment.install(PLUGINS / "metric-scrape", PLUGINS / "step-http-gate", bad)
    return environment


@pytest_asyncio.fixture
async def story(watcher: Story, start_controller: StartController, installed: Venv) -> Story:
    """A story whose controller has the plugins."""
    await start_controller("--namespace", watcher.namespace, program=installed.rollouts)
    return watcher


def steps(gate: Gate) -> list[Json]:
    asks: Json = {"plugin": {"name": "http-gate", "config": {"url": f"{gate.url}/gate", "every": "1s"}}}
    return [{"setWeight": 20}, asks, {"analysis": {"templates": [{"templateName": "few-errors"}]}}, {"setWeight": 60}]


def template(gate: Gate) -> Json:
    scrape = {
        "addresses": [f"{gate.url}/metrics"],
        "series": {"name": "http_total", "labels": {"code": "500"}},
        "dividedBy": {"name": "http_total"},
    }
    metric = {"name": "errors", "successCondition": "result < 0.05", "provider": {"plugin": {"scrape": scrape}}}
    return _template("few-errors", metric)


def _template(name: str, metric: Json) -> Json:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": name},
        "spec": {"metrics": [metric]},
    }


def entries(status: Json) -> list[Json]:
    found: list[Json] = (status.get("canary") or {}).get("stepPluginStatuses") or []
    return found


async def test_a_rollout_that_uses_both_goes_up(story: Story, gate: Gate) -> None:
    await story.kubectl.apply([template(gate)])
    await story.create(replicas=2, steps=steps(gate))
    await story.set_image(BETTER)
    await story.until(lambda status: entries(status) and (entries(status)[0].get("executions") or 0) >= 2)
    assert gate.questions[-1]["rollout"] == "web"
    assert gate.questions[-1]["ticket"] == "T-7"
    gate.verdict = "go"
    status = await story.reaches("Healthy", currentStepIndex=4)
    (entry,) = entries(status)
    assert (entry["phase"], entry["message"]) == ("Successful", "ann says go")
    (run,) = (await story.read("/apis/argoproj.io/v1alpha1", "analysisruns"))["items"]
    assert run["status"]["phase"] == "Successful"
    assert run["status"]["metricResults"][0]["measurements"][0]["value"] == "0"
    await story.tells("StepPluginTransition")


async def test_what_the_gate_or_the_metric_refuses_goes_back_and_the_ticket_with_it(story: Story, gate: Gate) -> None:
    await story.kubectl.apply([template(gate)])
    await story.create(replicas=2, steps=steps(gate))
    gate.verdict, gate.errors = "go", 50
    await story.set_image(BETTER)
    status = await story.until(lambda status: status.get("abort") and len(entries(status)) == 2)
    assert 'Metric "errors" assessed Failed' in status["status"]["message"]
    await story.until(lambda status: entries(status)[-1].get("phase") == "Successful")
    assert set(gate.taken_back) == {"T-7"}
    await story.comes_to({GOOD: 2})
    gate.verdict = "stop"
    await story.patch_status({"abort": False})
    status = (await story.until(lambda status: "ann says stop" in (status.get("message") or "")))["status"]
    assert "step 2 (plugin: http-gate) failed: ann says stop" in status["message"]


async def test_bad_plugins_hurt_their_own_rollouts_only(story: Story, gate: Gate) -> None:
    gate.verdict = "go"
    hanging = _template("hanging", {"name": "theirs", "provider": {"plugin": {"hangs": {}}}})
    await story.kubectl.apply([template(gate), hanging])
    bad: dict[str, list[Json]] = {
        "spinning": [{"plugin": {"name": "spins"}}],
        "raising": [{"plugin": {"name": "raises"}}],
        "measuring": [{"analysis": {"templates": [{"templateName": "hanging"}]}}],
    }
    for name, its_steps in bad.items():
        await story.create(name, replicas=1, steps=its_steps)
    await story.create(replicas=2, steps=steps(gate))
    for name in (*bad, "web"):
        await story.set_image(BETTER, name)
    await story.reaches("Healthy", currentStepIndex=4)
    spinning = await story.reaches("Degraded", "spinning")
    assert "the plugin 'spins' didn't return" in spinning["message"] or "'spins' still hangs" in spinning["message"]
    raising = await story.until(lambda status: entries(status) and entries(status)[0]["phase"] == "Error", "raising")
    assert "(of rollouts-bad 6.6) is broken: run raised SystemExit" in entries(raising["status"])[0]["message"]

    async def measured() -> bool:
        runs = (await story.read("/apis/argoproj.io/v1alpha1", "analysisruns"))["items"]
        assert "the plugin 'hangs' didn't return" in json.dumps(runs)
        return True

    await eventually(measured, what="the measurement that hangs is given up")


async def test_what_is_installed_is_told(installed: Venv) -> None:
    answer = await ask(*installed.rollouts, "plugins", "--strangers", "-o", "json", within=DEADLINE)
    assert answer.code == 1, answer.text  # one of them can't be loaded
    found: dict[str, Any] = {each["name"]: each for each in json.loads(answer.out)}
    assert found["http-gate"]["distribution"] == "rollouts-step-http-gate"
    assert found["scrape"]["kind"] == "metric provider"
    assert "No module named 'nowhere'" in found["lost"]["problem"]
