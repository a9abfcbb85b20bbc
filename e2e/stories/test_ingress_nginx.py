"""Does a canary Ingress follow a Rollout on a real control plane, whatever others do to it meanwhile?

There is no data plane: what is looked at is what Ingress NGINX would read.
"""

import json
from typing import Any

import yaml

from e2e.stories.story import Story
from e2e.waiting import eventually
from tests.docs.pages import ROOT, first_yaml

Json = dict[str, Any]

PAGE = ROOT / "docs" / "how-to" / "routers" / "nginx.md"
CANARY = "web-shop-canary"
WEIGHT = "nginx.ingress.kubernetes.io/canary-weight"


def manifests() -> list[Json]:
    """What the page about Ingress NGINX shows."""
    return list(yaml.safe_load_all(first_yaml(PAGE)))


async def canary(story: Story) -> Json:
    return await story.read("/apis/networking.k8s.io/v1", "ingresses", CANARY)


async def weighs(story: Story, weight: int) -> None:
    """Wait until the canary Ingress has a weight; it may not be there yet."""

    async def is_so() -> bool:
        text = await story.kubectl("get", "ingress", CANARY, "--ignore-not-found", "-o", "json")
        return bool(text) and json.loads(text)["metadata"]["annotations"].get(WEIGHT) == str(weight)

    await eventually(is_so, what=f"the canary Ingress has the weight {weight}")


def paused_at(weight: int) -> Any:
    """Return whether a status is that of an update which waits at a weight, and has been seen to have it."""

    def check(status: Json) -> bool:
        weights = (status.get("canary") or {}).get("weights") or {}
        return status.get("phase") == "Paused" and weights.get("canary", {}).get("weight") == weight

    return check


async def test_a_canary_ingress_through_an_update(story: Story) -> None:
    await story.kubectl.apply(manifests())
    await story.reaches("Healthy")
    await story.set_image("web:2.0")
    await story.until(paused_at(20))
    await weighs(story, 20)
    begin = await canary(story)
    assert begin["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] == "web-canary"
    await story.cli("promote", "web")
    await story.until(paused_at(60))
    await weighs(story, 60)
    await story.cli("promote", "web")
    await story.reaches("Healthy")
    await weighs(story, 0)
    end = await canary(story)
    assert (end["metadata"]["uid"], end["metadata"]["generation"]) == (begin["metadata"]["uid"], 1)


async def test_what_others_do_in_mid_flight_is_mended(story: Story) -> None:
    await story.kubectl.apply(manifests())
    await story.reaches("Healthy")
    await story.set_image("web:2.0")
    await story.until(paused_at(20))
    await story.kubectl("annotate", "ingress", CANARY, f"{WEIGHT}=77", "team=shop", "--overwrite")
    await weighs(story, 20)
    assert (await canary(story))["metadata"]["annotations"]["team"] == "shop"
    await story.kubectl("delete", "ingress", CANARY)
    await weighs(story, 20)
    await story.kubectl("delete", "ingress", "shop")
    assert "Ingress shop doesn't exist in namespace" in (await story.reaches("Degraded"))["message"]
    await story.kubectl.apply([each for each in manifests() if each["kind"] == "Ingress"])
    await story.until(paused_at(20))
    await story.cli("abort", "web")
    await story.reaches("Degraded")
    await weighs(story, 0)


async def test_an_ingress_of_others_with_the_name_of_the_copy_is_left_alone(story: Story) -> None:
    every = manifests()
    theirs = {**every[-1], "metadata": {"name": CANARY}}
    await story.kubectl.create(theirs)
    await story.kubectl.apply(every)
    message = (await story.reaches("Degraded"))["message"]
    assert f"Ingress {CANARY} wasn't made by this Rollout, and its name is needed: delete or rename it" in message
    assert "annotations" not in (await canary(story))["metadata"]
    await story.kubectl("delete", "ingress", CANARY)
    await story.reaches("Healthy")
    await weighs(story, 0)
