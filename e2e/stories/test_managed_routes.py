"""Do header routes and mirrors come and go on a real API server as their pages say, with other rules left alone?"""

from pathlib import Path
from typing import Any

import pytest

from e2e.kubectl import Kubectl
from e2e.plane import ControlPlane
from e2e.stories.story import Story
from e2e.stories.test_router_pages import is_shown
from e2e.test_gateway_objects import GROUP, installed
from e2e.waiting import eventually
from tests.docs.router_pages import MANAGED, Example, examples

Json = dict[str, Any]

EACH = pytest.mark.parametrize("example", list(examples(MANAGED)), ids=str)
THEIRS: Json = {
    "name": "docs",
    "matches": [{"path": {"type": "PathPrefix", "value": "/docs"}}],
    "filters": [
        {"type": "RequestHeaderModifier", "requestHeaderModifier": {"add": [{"name": "X-From", "value": "us"}]}}
    ],
    "backendRefs": [{"group": "", "kind": "Service", "name": "docs", "port": 80, "weight": 1}],
}
"""A rule that the Rollout has nothing to do with."""


async def rules(story: Story) -> list[Json]:
    found: list[Json] = (await story.read(f"/apis/{GROUP}/v1", "httproutes", "web"))["spec"]["rules"]
    return found


async def at_rest(story: Story, example: Example) -> None:
    """Apply a page's manifests, with a rule of somebody else's last, and wait until the Rollout is complete."""
    (route,) = example.objects
    with_theirs = {**route, "spec": {**route["spec"], "rules": [*route["spec"]["rules"], THEIRS]}}
    await story.kubectl.apply([example.rollout, *example.services, with_theirs])
    await story.reaches("Healthy")


async def is_in_force(story: Story, example: Example) -> None:
    """Wait until the route is as the page shows it, with their rule after it."""
    (shown,) = example.at_weight
    await is_shown(story, {**shown, "spec": {"rules": [*shown["spec"]["rules"], THEIRS]}})


async def is_gone(story: Story, example: Example) -> None:
    """Wait until the route has the rules that it had before the update, and no other."""
    (route,) = example.objects

    async def look() -> bool:
        ours, theirs = await rules(story)
        assert theirs == THEIRS
        assert ours["matches"] == route["spec"]["rules"][0]["matches"]
        assert "filters" not in ours
        assert [each["name"] for each in ours["backendRefs"]] == ["web-stable"]
        return True

    await eventually(look)


@EACH
async def test_it_comes_with_its_step_and_is_gone_at_the_end(
    example: Example, story: Story, plane: ControlPlane, gateway_api: Path
) -> None:
    await installed(Kubectl(plane.admin_kubeconfig), gateway_api)
    await at_rest(story, example)
    await story.set_image("web:2.0")
    await story.reaches("Paused")
    await is_in_force(story, example)
    await story.resume()
    await story.until(lambda status: status.get("phase") == "Paused" and status.get("currentStepIndex") == 5)
    ours, _ = await rules(story)
    assert [each["weight"] for each in ours["backendRefs"]] == [80, 20]
    await story.resume()
    await story.reaches("Healthy")
    await is_gone(story, example)


@EACH
async def test_an_abort_takes_it_away(example: Example, story: Story, plane: ControlPlane, gateway_api: Path) -> None:
    await installed(Kubectl(plane.admin_kubeconfig), gateway_api)
    await at_rest(story, example)
    await story.set_image("web:2.0")
    await story.reaches("Paused")
    await is_in_force(story, example)
    await story.cli("abort", "web")
    await story.reaches("Degraded")
    await is_gone(story, example)
