"""How does an update go, when all is well and when people interfere?"""

import asyncio
from collections.abc import Callable

from e2e.recorder import Recorder
from e2e.sampler import Sampler
from e2e.stories.story import BEST, BETTER, GOOD, HASH, REVISION, STEPS, Story
from e2e.waiting import eventually

Sample = Callable[..., Sampler]


async def test_a_first_deploy_becomes_healthy(story: Story) -> None:
    status = await story.create(replicas=3)
    (made,) = await story.replica_sets()
    assert status["stableRS"] == status["currentPodHash"] == made["metadata"]["labels"][HASH]
    assert status["currentStepIndex"] == len(STEPS)
    counts = {name: status[name] for name in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")}
    assert counts == dict.fromkeys(counts, 3)
    assert status["selector"] == "app=web"
    assert made["metadata"]["name"] == f"web-{status['stableRS']}"
    assert (await story.rollout())["metadata"]["annotations"][REVISION] == "1"
    wanted = [
        "RolloutAddedToInformer",
        "RolloutUpdated",
        "NewReplicaSetCreated",
        "RolloutNotCompleted",
        "ScalingReplicaSet",
        "RolloutCompleted",
    ]
    await story.tells(*wanted)
    assert await story.events() == wanted


async def test_an_update_goes_through_weights_and_pauses(story: Story, sample: Sample, recorder: Recorder) -> None:
    steps = [{"setWeight": 20}, {"pause": {"duration": "5s"}}, {"setWeight": 40}, {"pause": {}}, {"setWeight": 80}]
    await story.create(steps=steps)
    async with sample("app=web") as sampler:
        since = sampler.now()
        await story.set_image(BETTER)
        status = await story.reaches("Paused", currentStepIndex=3)
        assert sampler.now() - since > 4  # the first pause lies between: five seconds, from a whole second on
        assert paused_at(recorder, 1) == [(5, 1)]
        assert status["controllerPause"] is True
        assert [each["reason"] for each in status["pauseConditions"]] == ["CanaryPauseStep"]
        await story.comes_to({GOOD: 3, BETTER: 2})
        await story.resume()
        status = await story.reaches("Healthy", currentStepIndex=5)
        await story.comes_to({BETTER: 5})
    assert not status.get("pauseConditions")
    assert not status.get("controllerPause")
    assert sampler.dips(4, since) == [], sampler.report(4)
    assert sampler.maximum_total(since) <= 7
    old, new = await story.replica_sets()
    assert (old["spec"]["replicas"], new["spec"]["replicas"]) == (0, 5)
    assert new["metadata"]["annotations"][REVISION] == "2"


def paused_at(recorder: Recorder, index: int) -> list[tuple[int, int]]:
    """Return with how many pods, and how many of the newest version, a Rollout was at rest in a step's pause."""
    states = [each.get("status") or {} for each in recorder.states]
    counts = {
        (each["availableReplicas"], each["updatedReplicas"])
        for each in states
        if (each.get("phase"), each.get("currentStepIndex")) == ("Paused", index)
        and each["replicas"] == each["availableReplicas"]
    }
    return sorted(counts)


async def test_abort_and_retry_by_patch(story: Story) -> None:
    await story.create()
    await story.set_image(BETTER)
    await story.reaches("Paused", currentStepIndex=1)
    await story.resume()
    await story.reaches("Paused", currentStepIndex=3)
    await story.patch_status({"abort": True})
    status = await story.reaches("Degraded", currentStepIndex=0, abort=True)
    assert status["message"] == "RolloutAborted: Rollout aborted update to revision 2"
    assert status["abortedAt"]
    assert "pauseConditions" not in status
    await story.comes_to({GOOD: 5})

    await story.patch_status({"abort": False})
    status = await story.reaches("Paused", currentStepIndex=1)
    assert not status.get("abort")
    await story.comes_to({GOOD: 4, BETTER: 1})
    await story.patch_status({"abort": True})
    await story.reaches("Degraded", abort=True)

    await story.patch_status({"abort": None})  # as another client writes it
    await story.reaches("Paused", currentStepIndex=1)
    await story.patch_status({"promoteFull": True})
    status = await story.reaches("Healthy", currentStepIndex=5)
    assert not status.get("promoteFull")
    await story.comes_to({BETTER: 5})


async def test_steps_are_skipped_by_their_index(story: Story) -> None:
    await story.create()
    await story.set_image(BETTER)
    await story.reaches("Paused", currentStepIndex=1)
    await story.patch_status({"pauseConditions": None, "currentStepIndex": 3})
    await story.reaches("Paused", currentStepIndex=3)
    await asyncio.sleep(2)  # a pause that somebody moved to holds
    await story.reaches("Paused", currentStepIndex=3)
    await story.comes_to({GOOD: 3, BETTER: 2})
    await story.patch_status({"pauseConditions": None, "currentStepIndex": 5})
    await story.reaches("Healthy", currentStepIndex=5)
    await story.comes_to({BETTER: 5})


async def test_a_pause_by_hand_holds_everything(story: Story) -> None:
    await story.create()
    await story.set_image(BETTER)
    await story.reaches("Paused", currentStepIndex=1)
    await story.patch({"paused": True})
    await story.reaches("Paused", message="manually paused")
    await story.resume()
    await story.patch({"replicas": 6})
    await story.comes_to({GOOD: 5, BETTER: 1})
    await asyncio.sleep(1)
    await story.reaches("Paused", currentStepIndex=1)
    await story.comes_to({GOOD: 5, BETTER: 1})
    await story.patch({"paused": False})
    await story.reaches("Paused", currentStepIndex=3)
    await story.comes_to({GOOD: 4, BETTER: 3})


async def test_a_third_template_takes_the_seconds_place(story: Story) -> None:
    await story.create()
    await story.set_image(BETTER)
    await story.reaches("Paused", currentStepIndex=1)
    await story.set_image(BEST)
    await story.reaches("Paused", currentStepIndex=1)
    await story.comes_to({GOOD: 4, BEST: 1})
    await story.patch_status({"promoteFull": True})
    await story.reaches("Healthy")
    await story.comes_to({BEST: 5})
    assert [each["spec"]["replicas"] for each in await story.replica_sets()] == [0, 0, 5]


async def test_back_to_stable_in_mid_update_skips_the_steps(story: Story) -> None:
    first = await story.create()
    await story.set_image(BETTER)
    await story.reaches("Paused", currentStepIndex=1)
    await story.set_image(GOOD)
    status = await story.reaches("Healthy", currentStepIndex=5)
    assert status["stableRS"] == first["stableRS"]
    await story.comes_to({GOOD: 5})
    assert (await story.rollout())["metadata"]["annotations"][REVISION] == "3"


async def test_scaling_keeps_the_weights(story: Story) -> None:
    await story.create()
    await story.kubectl("scale", "rollout", "web", "--replicas=3")
    await story.reaches("Healthy", replicas=3)
    await story.comes_to({GOOD: 3})
    await story.set_image(BETTER)
    await story.reaches("Paused", currentStepIndex=1)
    await story.kubectl("scale", "rollout", "web", "--replicas=10")
    await story.comes_to({GOOD: 8, BETTER: 2})
    await story.reaches("Paused", currentStepIndex=1)
    await story.kubectl("scale", "rollout", "web", "--replicas=0")
    await story.comes_to({})
    await story.kubectl("scale", "rollout", "web", "--replicas=5")
    await story.comes_to({GOOD: 4, BETTER: 1})


async def test_changed_steps_begin_again(story: Story) -> None:
    await story.create()
    await story.set_image(BETTER)
    await story.reaches("Paused", currentStepIndex=1)
    await story.resume()
    await story.reaches("Paused", currentStepIndex=3)
    await story.patch({"strategy": {"canary": {"steps": [{"setWeight": 60}, {"pause": {}}]}}})
    await story.reaches("Paused", currentStepIndex=1)
    await story.comes_to({GOOD: 2, BETTER: 3})


async def test_an_annotation_is_no_update(story: Story) -> None:
    before = await story.create(replicas=1)
    await story.kubectl("annotate", "rollout", "web", "example.com/note=1")
    await story.patch({"revisionHistoryLimit": 3})
    after = await story.reaches("Healthy")
    assert after["currentPodHash"] == before["currentPodHash"]
    assert len(await story.replica_sets()) == 1


async def test_old_revisions_are_kept_to_the_limit(story: Story) -> None:
    await story.create(replicas=1, steps=[], revisionHistoryLimit=1)
    for number in (2, 3, 4):
        await story.set_image(f"example.test/web:{number}")
        await story.reaches("Healthy")

    async def two_are_left() -> bool:
        revisions = [each["metadata"]["annotations"][REVISION] for each in await story.replica_sets()]
        return revisions == ["3", "4"]

    await eventually(two_are_left)


async def test_an_autoscaler_scales_through_the_scale(story: Story) -> None:
    await story.create(replicas=2)
    scale = await story.kubectl.json("get", "rollout", "web", "--subresource=scale")
    assert scale["status"] == {"replicas": 2, "selector": "app=web"}
