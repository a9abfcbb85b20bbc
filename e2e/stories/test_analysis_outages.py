"""What becomes of analyses when the controller or Prometheus goes away in the middle?"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from e2e.conftest import StartController
from e2e.servers.prometheus import Prometheus
from e2e.stories.analyses import constant, measured, result, run_reaches, runs, template
from e2e.stories.story import BETTER, Story
from e2e.waiting import eventually


@pytest_asyncio.fixture
async def own_prometheus(prometheus_program: Path, tmp_path: Path) -> AsyncIterator[Prometheus]:
    """A Prometheus that a test may end."""
    running = Prometheus(prometheus_program, tmp_path)
    try:
        yield await running.open()
    finally:
        running.kill()


async def test_a_controller_that_is_killed_goes_on_where_it_was(
    watcher: Story, start_controller: StartController, prometheus: Prometheus
) -> None:
    story = watcher
    controller = await start_controller("--namespace", story.namespace, "--no-leader-elect")
    await story.kubectl.apply(template("ten", constant(prometheus, 0, interval="1s", count=10)))
    await story.create(replicas=2, steps=[{"analysis": {"templates": [{"templateName": "ten"}]}}])
    await story.set_image(BETTER)
    for count in (2, 4):
        before = await measured(story, count)
        controller.kill()
        controller.start()
    await story.reaches("Healthy")
    (run,) = await runs(story)
    assert run["metadata"]["uid"] == before["metadata"]["uid"]
    assert run["status"]["phase"] == "Successful"
    assert (result(run)["count"], result(run)["successful"]) == (10, 10)
    begun = [each["startedAt"] for each in result(run)["measurements"]]
    assert len(set(begun)) == len(begun) == 10


async def test_prometheus_is_away_for_a_while(story: Story, own_prometheus: Prometheus) -> None:
    metric = constant(own_prometheus, 0, interval="1s", consecutiveErrorLimit=1000)
    await story.kubectl.apply(template("watch", metric))
    canary = {"analysis": {"templates": [{"templateName": "watch"}]}, "steps": [{"setWeight": 50}, {"pause": {}}]}
    await story.create(replicas=2, strategy={"canary": canary})
    await story.set_image(BETTER)
    run = (await measured(story, 2))["metadata"]["name"]
    own_prometheus.kill()

    async def fails() -> bool:  # a question that is under way when it goes may end in other words
        (found,) = await runs(story)
        assert result(found).get("consecutiveError", 0) >= 1, found["status"]
        assert "no connection" in result(found)["measurements"][-1]["message"], found["status"]
        return True

    await eventually(fails)
    assert "without an answer" in await story.cli("explain", "web")
    await own_prometheus.open()

    async def recovers() -> bool:
        (found,) = await runs(story)
        assert result(found).get("consecutiveError", 0) == 0, found["status"]
        return True

    await eventually(recovers)
    await story.reaches("Paused")
    await story.resume()
    await story.reaches("Healthy")
    ended = await run_reaches(story, run, "Successful")
    assert result(ended)["error"] >= 1
