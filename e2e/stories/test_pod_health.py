"""Do the pods themselves abort a bad version, with the rights of the controller's own account?"""

import json
from functools import partial
from typing import Any

from e2e.stories.story import BETTER, CRASH, GOOD, Json, Story
from e2e.waiting import eventually

WATCHED: Json = {"analysis": {"podHealth": True}}
STEPS: list[Json] = [{"setWeight": 20}, {"pause": {}}]


async def create(story: Story, **canary: Any) -> None:
    await story.create(strategy={"canary": {**WATCHED, "steps": STEPS, **canary}})


async def guard(story: Story) -> Json:
    """Return what is known of the pods in the newest run."""
    runs = (await story.read("/apis/argoproj.io/v1alpha1", "analysisruns"))["items"]
    newest = max(runs, key=lambda each: int(each["metadata"]["resourceVersion"]))
    results = (newest.get("status") or {}).get("metricResults")
    assert results, "nothing is measured yet"
    result: Json = results[0]
    return result


async def pod_of(story: Story, image: str) -> str:
    names = [each["metadata"]["name"] for each in await story.pods() if each["spec"]["containers"][0]["image"] == image]
    return str(names[0])


async def test_a_version_that_crashes_is_aborted_by_one_line(story: Story) -> None:
    await create(story)
    await story.set_image(CRASH)
    status = await story.reaches("Degraded", abort=True)
    assert 'Metric "pod-health" assessed Failed' in status["message"]
    assert "canary pod web-" in status["message"]
    assert "in 1 canary pod, 0 in " in status["message"]
    await story.comes_to({GOOD: 5})
    explained = await story.cli("explain", "web")
    assert "canary pod web-" in explained, explained


async def test_a_healthy_version_is_measured_and_goes_through(story: Story) -> None:
    await create(story)
    await story.set_image(BETTER)
    await story.reaches("Paused", currentStepIndex=1)

    async def is_measured() -> bool:
        value = json.loads((await guard(story))["measurements"][-1]["value"])
        # The first look may come before the first pod of the canary.
        return bool(value["canary"]["ready"] == 1 and value["stable"]["ready"] == 4)

    await eventually(is_measured, every=0.5)
    await story.resume()
    await story.reaches("Healthy")
    await story.comes_to({BETTER: 5})


async def test_readiness_that_is_lost_again_and_again_aborts_an_update(story: Story) -> None:
    await create(story)
    await story.set_image(BETTER)
    await story.reaches("Paused", currentStepIndex=1)
    name = await pod_of(story, BETTER)

    async def is_seen(ready: int) -> bool:
        result = await guard(story)
        assert json.loads(result["measurements"][-1]["value"])["canary"]["ready"] == ready, result
        return True

    for ready in (1, 0, 1, 0):  # each is shown until the guard has looked: nobody counts what he hasn't seen
        unready = "false" if ready else "true"
        await story.kubectl("annotate", "pod", name, f"devcluster/unready={unready}", "--overwrite")
        await eventually(partial(is_seen, ready), every=0.5)
    status = await story.reaches("Degraded", abort=True)
    assert f"canary pod {name} had been ready and was so no longer 2 times" in status["message"]
    await story.comes_to({GOOD: 5})
