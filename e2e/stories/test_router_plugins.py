"""Do traffic routers of others work once they are installed, and hurt nobody but who uses them when they are bad?"""

from pathlib import Path
from typing import Any

import pytest_asyncio

from e2e.conftest import StartController
from e2e.plane import ControlPlane
from e2e.stories.story import BETTER, GOOD, Json, Story
from e2e.stories.test_plugins import PLUGINS
from e2e.stories.test_rights import grant, rules_of
from e2e.venv import Venv
from e2e.waiting import eventually
from tests.wire.objects import config, rollout

BAD_PROJECT = """
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"
[project]
name = "rollouts-bad-routers"
version = "6.6"
[project.entry-points."rollouts.traffic"]
hangs = "bad_routers:Hangs"
steals = "bad_routers:Steals"
nginx = "bad_routers:Nginx"
[tool.hatch.build.targets.wheel]
only-include = ["bad_routers.py"]
"""
BAD_CODE = '''
import time
from rollouts.api.base import Model
from rollouts.ports import Reference, Router

class Nothing(Model):
    """No settings."""

class Hangs(Router):
    key = "hangs"
    model = Nothing
    def reads(self, spec, owner):
        time.sleep(1e6)
    def write(self, spec, owner, route, objects):
        return ()

class Steals(Hangs):
    key = "steals"
    def reads(self, spec, owner):
        return (Reference("", "Secret", owner.namespace, "token"),)

class Nginx(Steals):
    key = "nginx"
'''
CONFIG_MAPS = {("", "configmaps", verb) for verb in ("get", "list", "watch", "patch")}


def routed(name: str, router: str, spec: Json) -> Json:
    """Return a Rollout with a router of somebody else's."""
    raw = rollout(name, 2, steps=[{"setWeight": 20}, {"pause": {}}], image=GOOD)
    services = {"canaryService": f"{name}-canary", "stableService": f"{name}-stable"}
    raw["spec"]["strategy"]["canary"] |= {**services, "trafficRouting": {"plugins": {router: spec}}}
    return raw


def services(name: str) -> list[Json]:
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": f"{name}-{part}"},
            "spec": {"selector": {"app": name}, "ports": [{"port": 80}]},
        }
        for part in ("canary", "stable")
    ]


@pytest_asyncio.fixture
async def story(
    plane: ControlPlane, watcher: Story, start_controller: StartController, controller_kubeconfig: Path, tmp_path: Path
) -> Story:
    """A story whose controller has our example, bad routers, and the right to see and to change ConfigMaps."""
    del controller_kubeconfig  # that is: the installation
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "pyproject.toml").write_text(BAD_PROJECT)
    (bad / "bad_routers.py").write_text(BAD_CODE)
    installed = Venv(tmp_path / "venv")
    await installed.install(PLUGINS / "router-config-map", bad)
    await watcher.kubectl("create", "serviceaccount", "limited")
    ours: set[Any] = rules_of(await watcher.kubectl.json("get", "clusterrole", "rollouts-controller"))
    await grant(watcher, ours | CONFIG_MAPS)
    subject = f"--serviceaccount={watcher.namespace}:limited"
    await watcher.kubectl("create", "rolebinding", "limited", "--role=limited", subject)
    kubeconfig = await plane.kubeconfig_of(watcher.namespace, "limited")
    flags = ("--namespace", watcher.namespace, "--no-leader-elect")
    await start_controller(*flags, kubeconfig=kubeconfig, program=installed.rollouts)
    return watcher


async def weights(story: Story) -> Json:
    found: Json = (await story.read("/api/v1", "configmaps", "proxy")).get("data") or {}
    return found


async def has(story: Story, wanted: str) -> None:
    async def look() -> bool:
        assert await weights(story) == {"weights": wanted, "proxy.cfg": "theirs"}
        return True

    await eventually(look, what="the weights in the ConfigMap")


async def test_the_example_shares_traffic_while_bad_routers_hurt_their_own_rollouts_only(story: Story) -> None:
    await story.kubectl.apply(services("web"))
    await story.kubectl.apply([routed("hanging", "hangs", {}), routed("stealing", "steals", {})])
    await story.kubectl.apply(routed("web", "example.com/config-map", {"name": "proxy"}))
    message = (await story.reaches("Degraded"))["message"]
    assert "ConfigMap proxy doesn't exist in namespace" in message
    await story.kubectl.apply(config("proxy") | {"data": {"proxy.cfg": "theirs"}})
    await story.reaches("Healthy")
    await story.set_image(BETTER)
    await has(story, "web-canary 20\nweb-stable 80\n")
    await story.reaches("Paused")
    await story.patch_status({"abort": True})
    await has(story, "web-canary 0\nweb-stable 100\n")
    hanging = (await story.reaches("Degraded", "hanging"))["message"]
    assert "'hangs'" in hanging
    stealing = (await story.reaches("Degraded", "stealing"))["message"]
    assert "the traffic router 'steals' (of rollouts-bad-routers 6.6) is broken: it asks for Secret token" in stealing
