"""What becomes of a Rollout whose route is fought over, never taken in, or loses its definition, on a real server?"""

import asyncio
import json
import time
from pathlib import Path

import pytest

from e2e.kubectl import Kubectl
from e2e.plane import ControlPlane
from e2e.stories.story import Story
from e2e.stories.test_gateway_api import (
    all_goes_to_stable,
    at_rest,
    definitions,
    manifests,
    paused_at,
    report,
    update,
    weights,
)
from e2e.test_gateway_objects import GROUP, installed
from e2e.waiting import end, eventually

__all__ = ["definitions"]

MOST = 30
LULL = 10.0
"""Seconds without a write of ours: who writes back at once takes none of them."""


THEIRS = [{"name": "web-stable", "port": 80}]


async def changes_back(story: Story, times: list[float]) -> None:
    """Write the route as another controller would that wants something else, as soon as it isn't so."""
    patch = json.dumps([{"op": "replace", "path": "/spec/rules/0/backendRefs", "value": THEIRS}])
    while True:
        if len(await weights(story)) > 1:
            times.append(time.monotonic())
            await story.kubectl("patch", "httproute", "web", "--type=json", "-p", patch)
        await asyncio.sleep(0.02)


@pytest.mark.usefixtures("definitions")
async def test_two_who_want_different_things_do_not_write_as_fast_as_they_can(story: Story) -> None:
    await at_rest(story)
    await update(story)
    await paused_at(story, 20)
    times: list[float] = []
    other = asyncio.create_task(changes_back(story, times))

    async def is_slow() -> bool:
        assert times
        return time.monotonic() - times[-1] > LULL

    await eventually(is_slow)

    async def is_told() -> bool:
        told = json.loads(await story.kubectl("get", "events", "-o", "json"))["items"]
        notes = [each["message"] for each in told if each["reason"] == "TrafficRoutingConflict"]
        return any("has changed back what the Rollout writes to HTTPRoute web" in each for each in notes)

    await eventually(is_told)
    await end(other)
    assert len(times) < MOST, "each write of ours is answered by one of theirs"

    async def is_right() -> bool:
        return await weights(story) == {"web-stable": 80, "web-canary": 20}

    await eventually(is_right)


@pytest.mark.usefixtures("definitions")
async def test_the_services_of_a_route_belong_to_the_rollout_that_was_first(story: Story) -> None:
    await at_rest(story)
    (late,) = (each for each in manifests() if each["kind"] == "Rollout")
    late["metadata"]["name"] = "late"
    await story.kubectl.apply(late)
    message = (await story.reaches("Degraded", "late"))["message"]
    assert 'Service "web-canary" is managed by another Rollout, "web": use a Service of your own' in message
    await update(story)
    await paused_at(story, 20)


@pytest.mark.usefixtures("definitions")
async def test_a_gateway_that_never_takes_the_route_in_is_named_and_the_deadline_counts(story: Story) -> None:
    await at_rest(story)
    await report(story, 1)
    await story.patch({"progressDeadlineSeconds": 5, "progressDeadlineAbort": True})
    await update(story)

    async def is_told() -> bool:
        explained = await story.cli("explain", "web")
        assert "Gateway public has not taken in HTTPRoute web yet" in explained, explained
        return True

    await eventually(is_told)
    await story.until(lambda status: status.get("abort") is True)
    await all_goes_to_stable(story)


async def test_a_definition_that_goes_and_comes_back(plane: ControlPlane, story: Story, definitions: Path) -> None:
    admin = Kubectl(plane.admin_kubeconfig)
    await at_rest(story)
    await update(story)
    await paused_at(story, 20)
    await admin("delete", "crd", f"httproutes.{GROUP}")
    missing = f"the API server doesn't serve HTTPRoute.{GROUP}: install its definition"
    await story.until(lambda status: missing in (status.get("message") or ""))
    await installed(admin, definitions)
    await story.kubectl.apply([each for each in manifests() if each["kind"] == "HTTPRoute"])
    await paused_at(story, 20)
    assert await weights(story) == {"web-stable": 80, "web-canary": 20}
