"""Do analyses before and after the switch of blue-green hold it, let it through, and take it back?"""

from e2e.servers.prometheus import Prometheus
from e2e.stories.analyses import constant, measured, run_reaches, runs, template
from e2e.stories.story import BEST, BETTER, GOOD, HASH, Json, Story
from e2e.waiting import eventually
from tests.wire.objects import service


def strategy(**analyses: str) -> Json:
    """Return blue-green with analyses by these templates."""
    named = {each: {"templates": [{"templateName": name}]} for each, name in analyses.items()}
    return {"blueGreen": {"activeService": "web-active", "previewService": "web-preview", **named}}


async def active(story: Story) -> str:
    found = await story.read("/api/v1", "services", "web-active")
    return str(found["spec"]["selector"].get(HASH, ""))


async def prepared(story: Story, prometheus: Prometheus, **analyses: str) -> str:
    """Make templates, Services and a healthy Rollout; return the hash of its version."""
    await story.kubectl.apply(
        [
            *(service(f"web-{each}", selector={"app": "web"}) for each in ("active", "preview")),
            template("good", constant(prometheus, 0, interval="1s", count=3)),
            template("bad", constant(prometheus, 7, interval="1s", count=3)),
            template("endless", constant(prometheus, 0, interval="1s", count=1000)),
        ]
    )
    status = await story.create(replicas=2, strategy=strategy(**analyses))
    return str(status["stableRS"])


async def test_before_and_after_the_switch(story: Story, prometheus: Prometheus) -> None:
    first = await prepared(story, prometheus, prePromotionAnalysis="endless", postPromotionAnalysis="good")
    await story.set_image(BETTER)
    run = await measured(story, 3)
    assert await active(story) == first, "not switched while the first analysis runs"
    await story.cli("terminate", "analysisrun", run["metadata"]["name"])
    status = await story.reaches("Healthy")
    assert await active(story) == status["currentPodHash"] == status["stableRS"]
    kinds = {each["metadata"]["labels"]["rollout-type"]: each["status"]["phase"] for each in await runs(story)}
    assert kinds == {"PrePromotion": "Successful", "PostPromotion": "Successful"}


async def test_a_failure_before_the_switch_holds_it(story: Story, prometheus: Prometheus) -> None:
    first = await prepared(story, prometheus, prePromotionAnalysis="bad")
    await story.set_image(BETTER)
    status = await story.reaches("Degraded", abort=True)
    assert 'Metric "constant" assessed Failed due to failed (1) > failureLimit (0)' in status["message"]
    assert await active(story) == first
    await story.set_image(GOOD)
    await story.reaches("Healthy")
    assert await active(story) == first


async def test_a_failure_after_the_switch_takes_it_back(story: Story, prometheus: Prometheus) -> None:
    first = await prepared(story, prometheus, postPromotionAnalysis="bad")
    await story.set_image(BEST)
    status = await story.reaches("Degraded", abort=True)
    assert 'Metric "constant" assessed Failed' in status["message"]
    assert status["stableRS"] == first

    async def is_back() -> bool:
        return await active(story) == first

    await eventually(is_back)
    (run,) = await runs(story)
    assert run["metadata"]["labels"]["rollout-type"] == "PostPromotion"
    await run_reaches(story, run["metadata"]["name"], "Failed")
    await story.tells("AnalysisRunFailed", "RolloutAborted")
