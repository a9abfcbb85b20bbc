"""Does a Rollout take its template from a real Deployment, and the Deployment's pods over without a drop, and back?"""

import json
from collections.abc import Callable
from typing import Any

from e2e.conftest import StartController
from e2e.sampler import Sampler
from e2e.stories.story import BETTER, GOOD, Json, Story
from e2e.waiting import eventually
from tests.wire.objects import deployment, rollout, template

Sample = Callable[..., Sampler]

STEPS: list[Json] = [{"setWeight": 20}, {"pause": {}}]
LABELS = {"app": "web"}
FIRST = "rollout.argoproj.io/workload-replicas"
GENERATION = "rollout.argoproj.io/workload-generation"


def old(replicas: int = 4, image: str = GOOD) -> Json:
    """Return a Deployment whose pods carry the Rollout's labels."""
    return deployment("old", replicas, selector={"matchLabels": LABELS}, template=template(LABELS, image))


def referring(replicas: int | None = 4, **reference: Any) -> Json:
    """Return a Rollout without template and selector of its own."""
    raw = rollout(replicas=replicas, steps=STEPS)
    del raw["spec"]["template"], raw["spec"]["selector"]
    raw["spec"]["workloadRef"] = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "old", **reference}
    return raw


async def the_deployment(story: Story) -> Json:
    return await story.read("/apis/apps/v1", "deployments", "old")


async def deployment_comes_to(story: Story, size: int, available: int | None = None) -> None:
    """Wait until the Deployment has a size, and all of its pods."""

    async def look() -> bool:
        found = await the_deployment(story)
        counts = (found["spec"]["replicas"], found.get("status", {}).get("availableReplicas", 0))
        assert counts == (size, size if available is None else available), counts
        return True

    await eventually(look, what="Deployment old")


async def is_written_down(story: Story) -> None:
    """Wait until the Rollout remembers that the Deployment's size is none of its business any more."""

    async def look() -> bool:
        assert (await story.rollout())["metadata"]["annotations"].get(FIRST) == "0"
        return True

    await eventually(look)


async def pods_by_owner(story: Story) -> dict[str, int]:
    """Count the pods that carry the Deployment's own label, and those that carry ours."""
    found = [pod["metadata"]["labels"] for pod in await story.pods()]
    return {
        label: sum(label in each for each in found) for label in ("pod-template-hash", "rollouts-pod-template-hash")
    }


async def pods_come_to(story: Story, theirs: int, ours: int) -> None:
    """Wait until so many pods are the Deployment's, and so many ours: those that end take their time."""
    wanted = {"pod-template-hash": theirs, "rollouts-pod-template-hash": ours}

    async def look() -> bool:
        found = await pods_by_owner(story)
        assert found == wanted, found
        return True

    await eventually(look, what="pods")


async def test_progressively_without_a_drop_and_back(story: Story, sample: Sample) -> None:
    await story.kubectl.apply(old())
    await deployment_comes_to(story, 4)
    async with sample("app=web") as sampler:
        since = sampler.now()
        await story.kubectl.apply(referring(None, scaleDown="progressively"))
        await deployment_comes_to(story, 0)
        await story.reaches("Healthy", availableReplicas=4, HPAReplicas=4)
        await is_written_down(story)
        assert (await story.rollout())["spec"]["replicas"] == 4
        await pods_come_to(story, theirs=0, ours=4)

        # The way back: scale the Deployment up, wait, delete the Rollout.
        await story.kubectl("scale", "deployment", "old", "--replicas=4")
        await deployment_comes_to(story, 4)
        text = await story.cli("explain", "web")
        assert "Deployment old has 4 pods again" in text, text
        await story.kubectl("delete", "rollout", "web")
        await pods_come_to(story, theirs=4, ours=0)
    assert sampler.dips(4, since) == [], sampler.report(4)
    assert sampler.maximum_total(since) <= 8


async def test_onsuccess_and_an_update_through_the_deployment(story: Story, sample: Sample) -> None:
    await story.kubectl.apply(old())
    await deployment_comes_to(story, 4)
    async with sample("app=web") as sampler:
        await story.kubectl.apply(referring(scaleDown="onsuccess"))
        await story.reaches("Healthy")
        await deployment_comes_to(story, 0)
        await is_written_down(story)
        await story.cli("set", "image", "web", f"web={BETTER}")
        status = await story.reaches("Paused", currentStepIndex=1)
        await story.comes_to({GOOD: 4, BETTER: 1})
        found = await the_deployment(story)
        assert found["spec"]["template"]["spec"]["containers"][0]["image"] == BETTER
        assert status["workloadObservedGeneration"] == str(found["metadata"]["generation"])
        await story.resume()
        await story.reaches("Healthy")
        await story.comes_to({BETTER: 4})
        await story.cli("undo", "web")
        await story.reaches("Paused", currentStepIndex=1)
        await story.comes_to({GOOD: 1, BETTER: 4})
        await story.patch_status({"promoteFull": True})
        await story.reaches("Healthy")
    assert sampler.dips(3) == [], sampler.report(3)


async def test_never_leaves_the_deployment_alone(story: Story) -> None:
    await story.kubectl.apply(old(2))
    await story.kubectl.apply(referring(1))
    await story.reaches("Healthy")
    await deployment_comes_to(story, 2)
    assert FIRST not in (await story.rollout())["metadata"]["annotations"]
    await story.kubectl("delete", "deployment", "old")
    status = await story.reaches("Degraded")
    assert 'Deployment "old" does not exist' in status["message"]
    await pods_come_to(story, theirs=0, ours=1)
    await story.kubectl.apply(old(0))
    await story.reaches("Healthy")


async def test_a_controller_that_is_killed_half_way_goes_on(
    watcher: Story, start_controller: StartController, sample: Sample
) -> None:
    story = watcher
    await story.kubectl.apply(old(8))
    await deployment_comes_to(story, 8)
    controller = await start_controller("--namespace", story.namespace, "--no-leader-elect")
    async with sample("app=web") as sampler:
        since = sampler.now()
        await story.kubectl.apply(referring(8, scaleDown="progressively"))

        async def has_begun() -> bool:
            return bool((await the_deployment(story))["spec"]["replicas"] < 8)

        await eventually(has_begun)
        controller.kill()
        controller.start()
        await deployment_comes_to(story, 0)
        await story.reaches("Healthy")
        await is_written_down(story)
    assert sampler.dips(8, since) == [], sampler.report(8)


async def test_a_replica_sets_template_without_its_label(story: Story) -> None:
    """The ReplicaSet is a Deployment's own: its pods carry a label that ours must not carry."""
    await story.kubectl.apply(old(1))
    await deployment_comes_to(story, 1)
    (owned,) = (await story.read("/apis/apps/v1", "replicasets", labelSelector="app=web"))["items"]
    raw = referring(2)
    raw["spec"]["workloadRef"] |= {"kind": "ReplicaSet", "name": owned["metadata"]["name"], "scaleDown": "onsuccess"}
    await story.kubectl.apply(raw)
    await story.reaches("Healthy", replicas=2)
    await pods_come_to(story, theirs=1, ours=2)
    await deployment_comes_to(story, 1)


async def test_a_pod_template(story: Story) -> None:
    holder: Json = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "old"}}
    await story.kubectl.apply({**holder, "template": template(LABELS, GOOD)})
    raw = rollout(replicas=2, steps=STEPS)
    del raw["spec"]["template"]
    raw["spec"]["workloadRef"] = {"apiVersion": "v1", "kind": "PodTemplate", "name": "old"}
    await story.kubectl.apply(raw)
    await story.reaches("Healthy", workloadObservedGeneration="1")
    operation = [{"op": "replace", "path": "/template/spec/containers/0/image", "value": BETTER}]
    await story.kubectl("patch", "podtemplate", "old", "--type=json", "-p", json.dumps(operation))
    await story.reaches("Paused", workloadObservedGeneration="2")
