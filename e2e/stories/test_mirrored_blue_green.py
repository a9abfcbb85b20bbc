"""Does a blue-green preview get copies of requests on a real API server, and are they gone before the switch?"""

from pathlib import Path
from typing import Any

import pytest_asyncio
import yaml

from e2e.kubectl import Kubectl
from e2e.plane import ControlPlane
from e2e.servers.prometheus import Prometheus
from e2e.stories.analyses import constant, measured, template
from e2e.stories.story import HASH, Story
from e2e.test_gateway_objects import GROUP, installed
from e2e.waiting import eventually
from tests.docs.pages import ROOT, blocks
from tests.wire.objects import rollout

Json = dict[str, Any]

PAGE = ROOT / "docs" / "how-to" / "mirror-traffic.md"
ACTIVE: Json = {"name": "web", "port": 80}
ROUTE: Json = {
    "apiVersion": f"{GROUP}/v1",
    "kind": "HTTPRoute",
    "metadata": {"name": "web"},
    "spec": {"parentRefs": [{"name": "public"}], "rules": [{"backendRefs": [ACTIVE]}]},
}


def service(name: str) -> Json:
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


@pytest_asyncio.fixture
async def at_rest(story: Story, plane: ControlPlane, gateway_api: Path) -> Story:
    """A Rollout that mirrors to its preview and is promoted by people, complete."""
    await installed(Kubectl(plane.admin_kubeconfig), gateway_api)
    routing = {"gatewayAPI": {"httpRoutes": [{"name": "web"}]}, "mirror": {"percentage": 30}}
    services = {"activeService": "web", "previewService": "web-preview"}
    strategy = {"blueGreen": {**services, "autoPromotionEnabled": False, "trafficRouting": routing}}
    raw = rollout("web", 3)
    raw["spec"]["strategy"] = strategy
    await story.kubectl.apply([service("web"), service("web-preview"), ROUTE, raw])
    await story.reaches("Healthy")
    return story


async def mirrors(story: Story) -> list[Json]:
    """Return what is copied where, of each rule that does it."""
    rules = (await story.read(f"/apis/{GROUP}/v1", "httproutes", "web"))["spec"]["rules"]
    assert all([each["name"] for each in rule["backendRefs"]] == ["web"] for rule in rules), rules
    found = [each["requestMirror"] for rule in rules for each in rule.get("filters", ())]
    return [{"to": each["backendRef"]["name"], "percent": each.get("percent")} for each in found]


async def copies_come(story: Story, *wanted: Json) -> None:
    async def look() -> bool:
        found = await mirrors(story)
        assert found == [*wanted], found
        return True

    await eventually(look)


COPY: Json = {"to": "web-preview", "percent": 30}


async def test_copies_come_in_the_pause_and_are_gone_after_the_promotion(at_rest: Story) -> None:
    assert await mirrors(at_rest) == []
    await at_rest.set_image("web:2.0")
    paused = await at_rest.reaches("Paused")
    assert await mirrors(at_rest) == [COPY], "the pause begins once they come"
    await at_rest.resume()
    await at_rest.reaches("Healthy", stableRS=paused["currentPodHash"])
    active = await at_rest.read("/api/v1", "services", "web")
    assert active["spec"]["selector"][HASH] == paused["currentPodHash"]
    assert await mirrors(at_rest) == []


async def test_an_abort_ends_them_and_a_retry_brings_them_back(at_rest: Story) -> None:
    await at_rest.set_image("web:2.0")
    await at_rest.reaches("Paused")
    await at_rest.cli("abort", "web")
    await at_rest.reaches("Degraded")
    await copies_come(at_rest)
    await at_rest.cli("retry", "rollout", "web")
    await at_rest.reaches("Paused")
    await copies_come(at_rest, COPY)


async def test_a_strategy_without_the_router_leaves_the_route_as_it_was(at_rest: Story) -> None:
    await at_rest.set_image("web:2.0")
    await at_rest.reaches("Paused")
    await copies_come(at_rest, COPY)
    await at_rest.patch({"strategy": {"blueGreen": {"trafficRouting": None}}})
    await copies_come(at_rest)
    await at_rest.until(lambda status: status.get("phase") == "Paused" and "routedBy" not in status)


async def test_the_strategy_of_the_page(
    story: Story, plane: ControlPlane, gateway_api: Path, prometheus: Prometheus
) -> None:
    await installed(Kubectl(plane.admin_kubeconfig), gateway_api)
    *_, shown = (block.text for block in blocks(PAGE) if block.language == "yaml")
    raw = rollout("web", 3)
    raw["spec"] |= yaml.safe_load(shown)
    judging = template("error-rate", constant(prometheus, 0, interval="1s", count=1000))
    await story.kubectl.apply([service("web"), service("web-preview"), ROUTE, judging, raw])
    await story.reaches("Healthy")
    await story.set_image("web:2.0")
    run = await measured(story, 1)
    assert await mirrors(story) == [COPY], "what is measured has come before"
    await story.cli("terminate", "analysisrun", run["metadata"]["name"])
    status = await story.reaches("Healthy")
    active = await story.read("/api/v1", "services", "web")
    assert active["spec"]["selector"][HASH] == status["currentPodHash"] == status["stableRS"]
    assert await mirrors(story) == []
