"""Does each command of `rollouts` do on a real cluster what it says, with the exit code that scripts rely on?"""

import asyncio
import json
from pathlib import Path

import yaml

from e2e.stories.story import BETTER, CRASH, GOOD, REVISION, Story
from tests.wire.objects import rollout


async def test_a_person_looks_around(story: Story) -> None:
    await story.create(replicas=2)
    shown = await story.cli("get", "rollout", "web")
    assert "Healthy" in shown
    assert GOOD in shown
    assert (await story.cli("get", "rollout", "web", "-o", "name")).strip() == "rollout.argoproj.io/web"
    raw = json.loads(await story.cli("get", "rollout", "web", "-o", "json"))
    assert raw["status"]["phase"] == "Healthy"
    assert yaml.safe_load(await story.cli("get", "rollout", "web", "-o", "yaml"))["metadata"]["name"] == "web"
    listed = await story.cli("list", "rollouts")
    assert "web" in listed
    assert "Canary" in listed
    assert (await story.cli("status", "web")).startswith("Healthy")
    assert "web" in await story.cli("explain", "web")
    assert (await story.cli("version")).strip()


async def test_what_is_not_there_is_an_error(story: Story) -> None:
    for words in (["get", "rollout"], ["status"], ["promote"], ["abort"], ["retry", "rollout"], ["undo"], ["explain"]):
        assert "nobody" in await story.cli(*words, "nobody", code=1)
    await story.cli("nonsense", code=2)
    await story.cli("get", "rollout", "web", "--kubeconfig=/nowhere/at/all", code=1)


async def test_a_person_steers_an_update(story: Story) -> None:
    await story.create()
    assert "image updated" in await story.cli("set", "image", "web", f"web={BETTER}")
    await story.reaches("Paused", currentStepIndex=1)
    explained = await story.cli("explain", "web")
    assert "pause" in explained.lower()
    assert "Paused" in await story.cli("status", "web", "--no-watch")
    assert "Paused" in await story.cli("status", "web", "--timeout=1s", code=1)
    await story.cli("promote", "web")
    await story.reaches("Paused", currentStepIndex=3)
    await story.cli("abort", "web")
    await story.reaches("Degraded", abort=True)
    assert "RolloutAborted" in await story.cli("status", "web", code=1)
    await story.cli("retry", "rollout", "web")
    await story.reaches("Paused", currentStepIndex=1)
    await story.cli("promote", "web", "--full")
    assert "Healthy" in await story.cli("status", "web", "--timeout=120s")
    await story.comes_to({BETTER: 5})


async def test_a_person_pauses_and_goes_on(story: Story) -> None:
    await story.create(replicas=2)
    await story.cli("pause", "web")
    await story.reaches("Paused", message="manually paused")
    await story.cli("promote", "web")
    await story.reaches("Healthy")


async def test_a_person_goes_back(story: Story) -> None:
    await story.create(replicas=2, steps=[])
    await story.cli("set", "image", "web", f"*={BETTER}")
    await story.reaches("Healthy")
    await story.cli("undo", "web")
    await story.reaches("Healthy")
    await story.comes_to({GOOD: 2})
    await story.cli("undo", "web", "--to-revision=2")
    await story.reaches("Healthy")
    await story.comes_to({BETTER: 2})
    assert (await story.rollout())["metadata"]["annotations"][REVISION] == "4"
    await story.cli("undo", "web", "--to-revision=99", code=1)


async def test_a_person_goes_back_in_mid_update(story: Story) -> None:
    await story.create()
    await story.set_image(BETTER)
    await story.reaches("Paused", currentStepIndex=1)
    await story.cli("undo", "web")
    await story.reaches("Healthy", currentStepIndex=5)
    await story.comes_to({GOOD: 5})


async def test_a_person_restarts_the_pods(story: Story) -> None:
    await story.create(replicas=3)
    before = {pod["metadata"]["uid"] for pod in await story.pods()}
    await asyncio.sleep(1.1)  # pods are as old as the second they were made in
    await story.cli("restart", "web")
    await story.until(lambda status: status.get("restartedAt") and status["phase"] == "Healthy")
    after = {pod["metadata"]["uid"] for pod in await story.pods()}
    assert len(after) == 3
    assert not before & after


async def test_a_pipeline_waits_for_the_end(story: Story) -> None:
    await story.create(replicas=2, steps=[], progressDeadlineSeconds=3)
    await story.cli("set", "image", "web", f"web={CRASH}")
    assert "ProgressDeadlineExceeded" in await story.cli("status", "web", "--timeout=120s", code=1)
    await story.patch({"progressDeadlineSeconds": 600})
    await story.cli("set", "image", "web", "web=example.test/web:9")
    assert "Healthy" in await story.cli("status", "web", "--timeout=120s")


async def test_a_watch_shows_what_changes(story: Story) -> None:
    await story.create(replicas=1)
    shown = await story.cli("get", "rollout", "web", "-w", "--timeout-seconds=2", "--no-color")
    assert "Healthy" in shown


async def test_manifests_are_checked_without_a_cluster(story: Story, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(json.dumps(rollout()))
    wrong = rollout(steps=[{"setWeight": 20, "pause": {}}])
    wrong["spec"]["strategy"]["canary"]["maxSurg"] = 1
    bad.write_text(json.dumps(wrong))
    await story.cli("lint", "-f", str(good))
    told = await story.cli("lint", "-f", str(bad), code=1)
    assert "maxSurg" in told
    assert "maxSurge" in told
    assert "steps[0]" in told
    assert "CustomResourceDefinition" in await story.cli("crds")
    assert "rollouts" in await story.cli("completion", "bash")
