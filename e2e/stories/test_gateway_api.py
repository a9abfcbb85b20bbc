"""Do routes of the Gateway API follow a Rollout on a real control plane, whatever others do to them meanwhile?

There is no data plane: who reports on the routes is the test.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from e2e.conftest import StartController
from e2e.kubectl import Kubectl
from e2e.plane import ControlPlane
from e2e.stories.story import Story
from e2e.test_gateway_objects import GROUP, KINDS, installed
from e2e.waiting import eventually
from tests.docs.pages import ROOT, first_yaml

Json = dict[str, Any]

PAGE = ROOT / "docs" / "how-to" / "gateway-api.md"
LABEL = "rollouts.argoproj.io/gatewayapi-canary"
RULE = {"type": "PathPrefix", "value": "/"}


@pytest_asyncio.fixture
async def definitions(plane: ControlPlane, gateway_api: Path) -> Path:
    """The definitions of the Gateway API, installed."""
    await installed(Kubectl(plane.admin_kubeconfig), gateway_api)
    return gateway_api


def manifests() -> list[Json]:
    """What the page shows."""
    return list(yaml.safe_load_all(first_yaml(PAGE)))


async def route(story: Story) -> Json:
    return await story.read(f"/apis/{GROUP}/v1", "httproutes", "web")


async def weights(story: Story) -> Json:
    rules = (await route(story))["spec"]["rules"]
    return {each["name"]: each["weight"] for each in rules[-1]["backendRefs"]}


async def all_goes_to_stable(story: Story) -> None:
    """Wait until the route looks as it did before there was an update."""

    async def look() -> bool:
        assert await weights(story) == {"web-stable": 100}
        assert (await route(story))["metadata"].get("labels") is None
        return True

    await eventually(look)


def weight(status: Json) -> int | None:
    found: int | None = ((status.get("canary") or {}).get("weights") or {}).get("canary", {}).get("weight")
    return found


async def at_rest(story: Story) -> None:
    """Apply the page's manifests, and wait until the Rollout is complete."""
    await story.kubectl.apply(manifests())
    await story.until(lambda status: status.get("phase") == "Healthy" and weight(status) == 0)


async def update(story: Story, image: str = "web:2.0") -> None:
    await story.set_image(image)


async def paused_at(story: Story, wanted: int) -> None:
    await story.until(lambda status: status.get("phase") == "Paused" and weight(status) == wanted)


async def generation(story: Story) -> int:
    number: int = (await route(story))["metadata"]["generation"]
    return number


@pytest.mark.usefixtures("definitions")
async def test_weights_follow_the_steps_and_each_change_is_one_write(story: Story) -> None:
    await at_rest(story)
    begin = await route(story)
    assert begin["metadata"]["generation"] == 1, "nothing is written before there is something to say"
    await update(story)
    await paused_at(story, 20)
    assert await weights(story) == {"web-stable": 80, "web-canary": 20}
    assert (await route(story))["metadata"]["labels"] == {LABEL: "in-progress"}
    assert await generation(story) == 2
    await story.cli("promote", "web")
    await paused_at(story, 60)
    assert await weights(story) == {"web-stable": 40, "web-canary": 60}
    await story.cli("promote", "web")
    await story.until(lambda status: status.get("phase") == "Healthy" and weight(status) == 0)
    await all_goes_to_stable(story)
    end = await route(story)
    assert end["spec"]["rules"][0]["matches"] == begin["spec"]["rules"][0]["matches"]
    assert end["metadata"]["generation"] == 5
    await story.tells(*["TrafficWeightUpdated"] * 5)
    assert (await story.events()).count("TrafficWeightUpdated") == 5


@pytest.mark.usefixtures("definitions")
async def test_an_abort_takes_all_traffic_away(story: Story) -> None:
    await at_rest(story)
    await update(story)
    await paused_at(story, 20)
    await story.cli("abort", "web")
    await story.until(lambda status: status.get("phase") == "Degraded" and weight(status) == 0)
    await all_goes_to_stable(story)


@pytest.mark.usefixtures("definitions")
async def test_what_others_do_to_a_route_in_mid_flight(story: Story) -> None:
    await at_rest(story)
    await update(story)
    await paused_at(story, 20)
    found = await route(story)
    theirs = {"matches": [{"path": {**RULE, "value": "/docs"}}], "backendRefs": [{"name": "docs", "port": 80}]}
    rules = [theirs, {**found["spec"]["rules"][0], "backendRefs": [{"name": "web-stable", "port": 80}]}]
    await story.kubectl("patch", "httproute", "web", "--type=merge", "-p", json.dumps({"spec": {"rules": rules}}))

    async def is_right() -> bool:
        return await weights(story) == {"web-stable": 80, "web-canary": 20}

    await eventually(is_right)
    assert (await route(story))["spec"]["rules"][0]["matches"] == theirs["matches"]
    await story.kubectl("delete", "httproute", "web")
    message = (await story.reaches("Degraded"))["message"]
    assert "HTTPRoute web doesn't exist in namespace" in message
    await story.kubectl.apply([each for each in manifests() if each["kind"] == "HTTPRoute"])
    await paused_at(story, 20)
    await eventually(is_right)


async def report(story: Story, observed: int) -> None:
    """Say of the route what a Gateway's controller says."""
    now = "2026-01-01T00:00:00Z"
    conditions = [
        {
            "type": each,
            "status": "True",
            "reason": each,
            "message": "",
            "observedGeneration": observed,
            "lastTransitionTime": now,
        }
        for each in ("Accepted", "ResolvedRefs")
    ]
    parent = {"parentRef": {"name": "public"}, "controllerName": "example.com/gateway", "conditions": conditions}
    patch = json.dumps({"status": {"parents": [parent]}})
    await story.kubectl("patch", "httproute", "web", "--type=merge", "--subresource=status", "-p", patch)


@pytest.mark.usefixtures("definitions")
async def test_it_waits_for_a_gateway_that_reports(story: Story) -> None:
    await at_rest(story)
    await report(story, 1)
    await update(story)

    async def is_written() -> bool:
        return await generation(story) == 2

    await eventually(is_written)
    said = "Gateway public has not taken in HTTPRoute web yet: it knows generation 1 of 2"

    async def is_told() -> bool:
        explained = await story.cli("explain", "web")
        assert said in explained, explained
        return True

    await eventually(is_told)
    assert (await story.rollout())["status"]["phase"] == "Progressing"
    await report(story, 2)
    await paused_at(story, 20)
    await story.until(lambda status: status["canary"]["weights"]["verified"] is True)


async def test_definitions_that_are_installed_later(
    plane: ControlPlane, watcher: Story, kubectl: Kubectl, gateway_api: Path, start_controller: StartController
) -> None:
    admin = Kubectl(plane.admin_kubeconfig)
    await admin("delete", "crd", "--ignore-not-found", *(f"{kind}.{GROUP}" for kind in KINDS))
    controller = await start_controller("--namespace", kubectl.namespace)
    assert controller.running
    *ours, _ = manifests()
    await kubectl.apply(ours)
    message = (await watcher.reaches("Degraded"))["message"]
    assert f"the API server doesn't serve HTTPRoute.{GROUP}: install its definition" in message
    await installed(admin, gateway_api)
    await asyncio.gather(
        kubectl.apply([each for each in manifests() if each["kind"] == "HTTPRoute"]),
        watcher.reaches("Healthy"),
    )
