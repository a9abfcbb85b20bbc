"""Do a real Prometheus' numbers decide how far an update goes?"""

import asyncio

from e2e.servers.prometheus import Prometheus
from e2e.servers.shop import Shop
from e2e.stories.analyses import (
    ARGS,
    condition,
    constant,
    errors,
    measured,
    of_page,
    of_version,
    result,
    run_reaches,
    runs,
    template,
)
from e2e.stories.customers import Customers, image
from e2e.stories.story import BETTER, GOOD, REVISION, Json, Story
from e2e.waiting import eventually
from tests.wire.objects import rollout

FIRST, SECOND, BAD = image(1), image(2, errors=1), image(3, errors=50)


async def test_the_page_a_good_version_passes_and_a_bad_one_goes_back(
    story: Story, prometheus: Prometheus, shop: Shop
) -> None:
    async with Customers(story, shop) as customers:
        templates, web = of_page(prometheus, customers.app, FIRST)
        await story.kubectl.apply([*templates, web])
        await story.reaches("Healthy")
        assert await runs(story) == [], "the first version is not analysed"

        await story.set_image(SECOND)
        status = await story.reaches("Healthy")
        background, step = await runs(story)
        newest = status["currentPodHash"]
        assert background["metadata"]["name"] == f"web-{newest}-2"
        assert step["metadata"]["name"] == f"web-{newest}-2-2"
        assert step["status"]["phase"] == "Successful"
        assert result(step)["count"] == 3
        background = await run_reaches(story, background["metadata"]["name"], "Successful")
        assert background["metadata"]["labels"]["rollout-type"] == "Background"
        assert background["spec"]["terminate"] is True
        await story.tells("AnalysisRunRunning", "AnalysisRunSuccessful")

        await story.set_image(BAD)
        status = await story.reaches("Degraded", abort=True)
        assert 'Metric "errors" assessed Failed due to failed (2) > failureLimit (1)' in status["message"]
        failed = await run_reaches(story, f"web-{status['currentPodHash']}-3", "Failed")
        assert float(result(failed)["measurements"][-1]["value"].strip("[]")) > 0.4
        found = await story.rollout()
        assert condition(found, "Progressing")["reason"] == "RolloutAborted"
        assert 'Metric "errors" assessed Failed' in condition(found, "Progressing")["message"]
        await story.tells("AnalysisRunFailed", "RolloutAborted")
        await story.comes_to({SECOND: 5})
        explained = await story.cli("explain", "web")
        assert "failed (2) > failureLimit (1)" in explained


async def test_without_data_the_policy_decides(story: Story, prometheus: Prometheus, shop: Shop) -> None:
    policies: dict[str, Json] = {
        "left-out": {"consecutiveErrorLimit": 0},
        "fail": {"noData": "fail"},
        "inconclusive": {"noData": "inconclusive"},
        "wait": {"noData": "wait"},
    }
    for policy, fields in policies.items():
        app = f"{story.namespace}-{policy}"
        await story.kubectl.apply(template(policy, errors(prometheus, count=2, **fields), args=ARGS))
        steps: list[Json] = [{"setWeight": 50}, {"analysis": of_version(policy, app)}]
        await story.kubectl.apply(rollout(policy, 2, FIRST, steps))
    await asyncio.gather(*(story.reaches("Healthy", policy) for policy in policies))
    await asyncio.gather(*(story.set_image(SECOND, policy) for policy in policies))

    status = await story.reaches("Degraded", "left-out", abort=True)
    assert "assessed Error due to consecutiveErrors (1) > consecutiveErrorLimit (0)" in status["message"]
    status = await story.reaches("Degraded", "fail", abort=True)
    assert "assessed Failed" in status["message"]
    assert "no series for the query" in status["message"] or "failed (1)" in status["message"]

    status = await story.reaches("Paused", "inconclusive")
    assert [each["reason"] for each in status["pauseConditions"]] == ["InconclusiveAnalysisRun"]
    await story.resume("inconclusive")  # which asks once more
    await measured(story, 1, f"inconclusive-{status['currentPodHash']}-2-1.1")
    await story.reaches("Paused", "inconclusive")
    await story.cli("promote", "inconclusive")
    await story.reaches("Healthy", "inconclusive")

    status = await story.reaches("Progressing", "wait")

    async def waits() -> Json:
        (found,) = await runs(story, "wait")
        assert result(found).get("count", 0) == 0
        assert any("waits for data" in each.get("message", "") for each in result(found).get("measurements", ()))
        return found

    waiting = await eventually(waits, what="the run waits for data")
    async with Customers(story, shop, "wait"):
        await story.reaches("Healthy", "wait")
    ended = await run_reaches(story, waiting["metadata"]["name"], "Successful")
    assert result(ended)["count"] == 2


async def test_promoting_fully_and_aborting_end_the_runs(story: Story, prometheus: Prometheus) -> None:
    await story.kubectl.apply(template("watch", constant(prometheus, 0, interval="1s")))
    watch = {"templates": [{"templateName": "watch"}]}
    canary = {"analysis": watch, "steps": [{"setWeight": 50}, {"pause": {}}]}
    await story.create(replicas=2, strategy={"canary": canary})
    await story.set_image(BETTER)
    run = await measured(story, 1)
    await story.cli("promote", "web", "--full")
    await story.reaches("Healthy")
    ended = await run_reaches(story, run["metadata"]["name"], "Successful")
    assert ended["spec"]["terminate"] is True
    assert ended["status"]["message"] == "Run Terminated"

    await story.set_image(GOOD)
    run = await measured(story, 1, revision=3)
    await story.cli("abort", "web")
    await story.reaches("Degraded", abort=True)
    ended = await run_reaches(story, run["metadata"]["name"], "Successful")
    assert ended["spec"]["terminate"] is True


async def test_a_run_that_somebody_terminates_is_no_failure(story: Story, prometheus: Prometheus) -> None:
    await story.kubectl.apply(template("watch", constant(prometheus, 0, interval="1s", count=1000)))
    steps = [{"setWeight": 50}, {"analysis": {"templates": [{"templateName": "watch"}]}}]
    await story.create(replicas=2, steps=steps)
    await story.set_image(BETTER)
    run = await measured(story, 2)
    await story.cli("terminate", "analysisrun", run["metadata"]["name"])
    await story.reaches("Healthy")
    await run_reaches(story, run["metadata"]["name"], "Successful")


async def test_only_so_many_runs_are_kept(story: Story, prometheus: Prometheus) -> None:
    await story.kubectl.apply(template("good", constant(prometheus, 0)))
    steps = [{"analysis": {"templates": [{"templateName": "good"}]}}]
    limits = {"successfulRunHistoryLimit": 1, "unsuccessfulRunHistoryLimit": 1}
    await story.create(replicas=1, steps=steps, analysis=limits)
    for number in range(2, 6):
        await story.set_image(image(number))
        await story.reaches("Healthy")

    async def one_is_left() -> bool:
        left = [each["metadata"]["annotations"][REVISION] for each in await runs(story)]
        assert left == ["5"], left
        return True

    await eventually(one_is_left)
