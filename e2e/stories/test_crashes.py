"""Does everything come right when the controller is killed, or doubled, or loses pods?"""

import asyncio
import random
from collections.abc import Callable

import pytest

from e2e.conftest import StartController
from e2e.controller import NAMESPACE, Controller
from e2e.kubectl import Kubectl
from e2e.plane import ControlPlane
from e2e.sampler import Sampler
from e2e.stories.story import BETTER, GOOD, Json, Story
from e2e.waiting import PATIENCE, eventually
from tests.wire.objects import rollout

Sample = Callable[..., Sampler]
ROLLOUTS, KILLS, REPLICAS = 20, 30, 4
LEASE = "argo-rollouts-controller-lock"
# 25 % of 4: one pod more, none fewer.
LIMITS: Json = {"maxSurge": 1, "maxUnavailable": 0}
WEIGHTS: list[Json] = [
    {"setWeight": 25},
    {"pause": {"duration": "2s"}},
    {"setWeight": 50},
    {"pause": {"duration": "2s"}},
    {"setWeight": 75},
    {"pause": {"duration": "1s"}},
]


def fleet(image: str) -> list[Json]:
    canary = {**LIMITS, "steps": WEIGHTS}
    return [rollout(f"web-{number}", REPLICAS, image, strategy={"canary": canary}) for number in range(ROLLOUTS)]


def names() -> list[str]:
    return [f"web-{number}" for number in range(ROLLOUTS)]


async def all_healthy(story: Story, image: str, within: float = 2 * PATIENCE) -> None:
    async def look() -> bool:
        listed = (await story.read("/apis/argoproj.io/v1alpha1", "rollouts"))["items"]
        waiting = {
            each["metadata"]["name"]: (each.get("status") or {}).get("message")
            for each in listed
            if (each.get("status") or {}).get("phase") != "Healthy"
            or each["status"].get("observedGeneration") != str(each["metadata"]["generation"])
            or each["spec"]["template"]["spec"]["containers"][0]["image"] != image
        }
        assert not waiting, waiting
        return True

    await eventually(look, within=within, what="all rollouts are healthy")
    await asyncio.gather(*(story.comes_to({image: REPLICAS}, name) for name in names()))


@pytest.mark.timeout(600)
async def test_killed_at_random_moments_every_rollout_arrives_and_no_pod_is_missed(
    watcher: Story, start_controller: StartController, sample: Sample
) -> None:
    story, dice = watcher, random.Random(20)  # noqa: S311 - the same moments each time
    controller = await start_controller("--namespace", story.namespace, "--no-leader-elect")
    await story.kubectl.apply(fleet(GOOD))
    await all_healthy(story, GOOD)
    images = [f"example.test/web:{number}" for number in range(2, 100)]
    async with _samplers(sample) as samplers:
        current, kills = GOOD, 0
        while kills < KILLS:
            current = images.pop(0)
            await story.kubectl.apply(fleet(current))
            for _ in range(10):
                await asyncio.sleep(dice.uniform(0.05, 2.5))
                controller.kill()
                controller.start()
                kills += 1
            await all_healthy(story, current)
        for name, sampler in samplers.items():
            assert sampler.dips(REPLICAS) == [], f"{name}: {sampler.report(REPLICAS)}"
            assert sampler.maximum_total() <= REPLICAS + 1, f"{name}: {sampler.maximum_total()} pods"
    for name in names():
        sets = await story.replica_sets(name)
        assert len(sets) == 1 + KILLS // 10, [each["metadata"]["name"] for each in sets]
        assert [each["spec"]["replicas"] for each in sets] == [0] * (len(sets) - 1) + [REPLICAS]


class _samplers:  # noqa: N801 - reads as the function it replaces
    """One sampler for each rollout."""

    def __init__(self, sample: Sample) -> None:
        self._made = {name: sample(f"app={name}") for name in names()}

    async def __aenter__(self) -> dict[str, Sampler]:
        for each in self._made.values():
            await each.__aenter__()
        return self._made

    async def __aexit__(self, *_: object) -> None:
        for each in self._made.values():
            await each.__aexit__(None, None, None)


async def holder(plane: ControlPlane) -> str:
    async with plane.admin.session() as api:
        path = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{LEASE}"
        async with api.get(path) as answer:
            return str((await answer.json()).get("spec", {}).get("holderIdentity", "")) if answer.status == 200 else ""


def works(controller: Controller) -> bool:
    return "[info     ] working" in controller.log.read_text() or "working" in controller.log.read_text()


async def test_of_two_controllers_one_works_and_the_other_takes_over(
    plane: ControlPlane, watcher: Story, start_controller: StartController
) -> None:
    story = watcher
    both = await asyncio.gather(*(start_controller("--namespace", story.namespace) for _ in range(2)))
    await story.create(replicas=2)
    first = await holder(plane)
    assert first
    working = [each for each in both if works(each)]
    assert len(working) == 1
    (waiting,) = [each for each in both if each not in working]
    await story.set_image(BETTER)
    await story.reaches("Paused", currentStepIndex=1)
    working[0].kill()
    await story.resume()
    await story.reaches("Paused", currentStepIndex=3)
    assert await holder(plane) != first
    assert works(waiting)
    await story.patch_status({"promoteFull": True})
    await story.reaches("Healthy")


async def test_a_controller_that_is_stopped_hands_over_at_once(
    plane: ControlPlane, watcher: Story, start_controller: StartController
) -> None:
    story = watcher
    first = await start_controller("--namespace", story.namespace)
    await story.create(replicas=1)
    identity = await holder(plane)
    await start_controller("--namespace", story.namespace)
    await first.stop()
    assert first.exit_code == 0
    assert await holder(plane) != identity, "a lease that is given back needn't be waited for"
    await story.kubectl("scale", "rollout", "web", "--replicas=2")
    await story.reaches("Healthy", replicas=2)


async def test_a_node_takes_pods_away_in_mid_update(story: Story, kubectl: Kubectl, sample: Sample) -> None:
    await story.create()
    await story.set_image(BETTER)
    await story.reaches("Paused", currentStepIndex=1)
    async with sample("app=web") as sampler:
        taken = [pod["metadata"]["name"] for pod in (await story.pods())[:2]]
        sampler.will_take(taken)
        await kubectl("delete", "pod", *taken, "--wait=false")
        await story.comes_to({GOOD: 4, BETTER: 1})
        await story.resume()
        await story.reaches("Paused", currentStepIndex=3)
    assert not [dip for dip in sampler.dips(4) if dip.is_ours], sampler.report(4)
