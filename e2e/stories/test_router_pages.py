"""Is what the pages about traffic routers show what a real API server and the controller make of it?

There is no data plane: what is looked at is what one would read.
"""

import json
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from e2e.controller import Controller
from e2e.plane import ControlPlane
from e2e.router_kinds import RouterKinds, install
from e2e.stories.story import Story
from e2e.waiting import eventually
from rollouts.ports.affinity import update_of
from tests.docs.router_pages import WEIGHT, Example, differences, examples

Json = dict[str, Any]

SUBJECTS = {"DestinationRule", "VirtualNode"}
"""Kinds that say which pods a version has; of a change of weight they learn nothing."""


@pytest.mark.parametrize("example", list(examples()), ids=str)
async def test_an_update_goes_as_the_page_says_with_one_write_for_each_weight(
    example: Example, story: Story, controller: Controller, plane: ControlPlane, router_kinds: RouterKinds
) -> None:
    await install(plane, router_kinds.of(example.router))
    await story.kubectl.apply([in_namespace(each, story.namespace) for each in example.manifests])
    await story.until(lambda status: status.get("phase") == "Healthy" and weight(status) == 0)
    counts = [await writes(controller, example)]
    await story.set_image("web:2.0")
    for each in (WEIGHT, 60):
        await paused_at(story, each)
        if each == WEIGHT:
            for shown in example.at_weight:
                await is_shown(
                    story, cookies_in_namespace(example, in_namespace(shown, story.namespace), story.namespace)
                )
        counts.append(await writes(controller, example))
        await story.resume()
    await story.until(lambda status: status.get("phase") == "Healthy" and weight(status) == 0)
    counts.append(await writes(controller, example))
    first, second, last = (after - before for before, after in pairwise(counts))
    routes = Counter(each["kind"] for each in example.at_weight if each["kind"] not in SUBJECTS)
    assert (first, second) == (routes, routes)
    assert last == routes + routes, "all to the new version, and back to the Service of stable"


def in_namespace(raw: Json, namespace: str) -> Json:
    """Return a manifest with references to the test's namespace, where the page has `default`."""

    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: namespace if (key, each) == ("namespace", "default") else moved(each)
                for key, each in value.items()
            }
        return [moved(each) for each in value] if isinstance(value, list) else value

    found: Json = moved(raw)
    return found


def cookies_in_namespace(example: Example, raw: Json, namespace: str) -> Json:
    """Return an object as it is in a namespace: cookies have values that begin with digits for it and the Rollout."""
    rollout = example.rollout["metadata"]["name"]
    shown, here = (update_of(f"{each}/{rollout}", "", "")[:5] for each in ("default", namespace))
    found: Json = json.loads(json.dumps(raw).replace(f"ro-{shown}", f"ro-{here}"))
    return found


def weight(status: Json) -> int | None:
    found: int | None = ((status.get("canary") or {}).get("weights") or {}).get("canary", {}).get("weight")
    return found


async def paused_at(story: Story, wanted: int) -> None:
    await story.until(lambda status: status.get("phase") == "Paused" and weight(status) == wanted)


async def is_shown(story: Story, shown: Json) -> None:
    """Wait until an object is as the page shows it."""
    group = shown["apiVersion"].rpartition("/")[0]
    kind, name = f"{shown['kind'].lower()}.{group}", shown["metadata"]["name"]

    async def look() -> bool:
        live = await story.kubectl.json("get", kind, name)
        assert list(differences(shown, live)) == []
        return True

    await eventually(look, what=f"{kind} {name} is as the page shows it")


async def writes(controller: Controller, example: Example) -> Counter[str]:
    """Count the controller's writes so far to the kinds that carry weights."""
    kinds = {each["kind"] for each in example.at_weight} - SUBJECTS
    samples = await controller.samples("rollouts_writes_total")
    return Counter(labels["kind"] for labels, value in samples if labels["kind"] in kinds for _ in range(int(value)))
