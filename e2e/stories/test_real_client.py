"""Does the kubectl plugin of Argo Rollouts, which others wrote, work with this controller as its users expect?"""

import json
import re
from pathlib import Path

from e2e.plugin import Plugin
from e2e.stories.story import BETTER, CRASH, GOOD, REVISION, Json, Story
from e2e.waiting import eventually
from tests.wire.objects import rollout


def rows(tree: str) -> list[list[str]]:
    """The lines of the tree: kind, status and tags or readiness of each, without names and ages."""
    found = re.findall(r"(Rollout|ReplicaSet|Pod) +\S (\w+) +\w+ *(\S*)$", tree, re.MULTILINE)
    return [list(each) for each in found]


def facts(tree: str) -> dict[str, str]:
    """What stands above the tree."""
    return dict(re.findall(r"^ *(\w+): +(.*?) *$", tree, re.MULTILINE))


async def test_it_shows_what_is_going_on(story: Story, argo: Plugin) -> None:
    await story.create()
    assert rows(await argo("get", "rollout", "web", "--no-color")) == [
        ["Rollout", "Healthy", ""],
        ["ReplicaSet", "Healthy", "stable"],
        *[["Pod", "Running", "ready:1/1"]] * 5,
    ]
    assert await argo("set", "image", "web", f"web={BETTER}") == 'rollout "web" image updated\n'
    counts: Json = {f"{each}eplicas": 5 for each in ("r", "readyR", "availableR")}
    await story.reaches("Paused", currentStepIndex=1, updatedReplicas=1, **counts)

    async def at_rest() -> str:  # a pod that ends is shown until it is gone
        shown = await argo("get", "rollout", "web", "--no-color")
        assert rows(shown) == [
            ["Rollout", "Paused", ""],
            ["ReplicaSet", "Healthy", "canary"],
            ["Pod", "Running", "ready:1/1"],
            ["ReplicaSet", "Healthy", "stable"],
            *[["Pod", "Running", "ready:1/1"]] * 4,
        ]
        return shown

    shown = await eventually(at_rest)
    assert "# revision:2" in shown
    assert "# revision:1" in shown
    assert f"{GOOD} (stable)" in shown
    assert f"{BETTER} (canary)" in shown
    told = facts(shown)
    assert (told["Status"], told["Message"], told["Strategy"]) == ("॥ Paused", "CanaryPauseStep", "Canary")
    assert (told["Step"], told["SetWeight"], told["ActualWeight"]) == ("1/5", "20", "20")
    assert [told[name] for name in ("Desired", "Current", "Updated", "Ready", "Available")] == ["5", "5", "1", "5", "5"]
    header, row = (await argo("list", "rollouts")).splitlines()
    listed = dict(zip(header.split(), row.split(), strict=True))
    assert (listed["NAME"], listed["STRATEGY"], listed["STATUS"]) == ("web", "Canary", "Paused")
    assert (listed["STEP"], listed["SET-WEIGHT"], listed["READY"], listed["UP-TO-DATE"]) == ("1/5", "20", "5/5", "1")
    async with argo.watching("get", "rollout", "web", "--no-color", "--watch") as watching:
        await watching.says("CanaryPauseStep")
    assert "not found" in await argo("get", "rollout", "nobody", code=1)


async def test_it_promotes_aborts_and_retries(story: Story, argo: Plugin) -> None:
    await story.create()
    await argo("set", "image", "web", f"*={BETTER}")
    await story.reaches("Paused", currentStepIndex=1)
    assert await argo("promote", "web") == "rollout 'web' promoted\n"
    await story.reaches("Paused", currentStepIndex=3)
    await story.comes_to({GOOD: 3, BETTER: 2})
    assert await argo("abort", "web") == "rollout 'web' aborted\n"
    await story.reaches("Degraded", currentStepIndex=0)
    await story.comes_to({GOOD: 5})
    assert await argo("retry", "rollout", "web") == "rollout 'web' retried\n"
    await story.reaches("Paused", currentStepIndex=1)
    await story.comes_to({GOOD: 4, BETTER: 1})
    await argo("promote", "web")
    await story.reaches("Paused", currentStepIndex=3)
    await argo("promote", "web")  # out of the last pause
    await story.reaches("Healthy", currentStepIndex=5)
    await story.comes_to({BETTER: 5})


async def test_it_promotes_to_the_end_while_somebody_watches(story: Story, argo: Plugin) -> None:
    await story.create()
    await argo("set", "image", "web", f"web={BETTER}")
    await story.reaches("Paused", currentStepIndex=1)
    # No room for a pod more: the update goes on only when we have seen that it does.
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "room"}}
    await story.kubectl.apply({**quota, "spec": {"hard": {"pods": "0"}}})
    async with (
        argo.watching("status", "web") as status,
        argo.watching("get", "rollout", "web", "--watch", "--no-color") as tree,
    ):
        await status.says("Paused - ")
        await tree.says("Paused")
        assert "fully promoted" in await argo("promote", "web", "--full")
        await status.says("Progressing - ")
        await tree.says("Progressing")
        await story.kubectl("delete", "resourcequota", "room")
        await status.says("Healthy")
        await tree.says(f"{BETTER} (stable)")
        assert await status.ends() == 0
    await story.comes_to({BETTER: 5})


async def test_it_waits_as_a_pipeline_does(story: Story, argo: Plugin) -> None:
    await story.create(replicas=2, progressDeadlineSeconds=3)
    assert await argo("status", "web") == "Healthy\n"
    await argo("set", "image", "web", f"web={CRASH}")
    assert "ProgressDeadlineExceeded" in await argo("status", "web", "--timeout=120s", code=1)
    await argo("set", "image", "web", f"web={BETTER}")
    await story.reaches("Paused", currentStepIndex=1)
    assert await argo("status", "web", "--watch=false") == "Paused - CanaryPauseStep\n"
    assert "exceeded timeout" in await argo("status", "web", "--timeout=1s", code=1)
    await argo("abort", "web")
    await story.reaches("Degraded")
    assert "RolloutAborted" in await argo("status", "web", "--watch=false", code=1)


async def test_it_pauses_and_resumes(story: Story, argo: Plugin) -> None:
    await story.create(replicas=2)
    assert await argo("pause", "web") == "rollout 'web' paused\n"
    await story.reaches("Paused", message="manually paused")
    await argo("set", "image", "web", f"web={BETTER}")
    await story.reaches("Paused", message="manually paused", updatedReplicas=0)
    await story.comes_to({GOOD: 2})
    await argo("promote", "web")
    await story.reaches("Paused", message="CanaryPauseStep")


async def test_it_restarts_the_pods(story: Story, argo: Plugin) -> None:
    await story.create(replicas=3)
    before = {pod["metadata"]["uid"] for pod in await story.pods()}

    async def all_are_replaced() -> bool:
        assert "restarts in 0s" in await argo("restart", "web")  # pods of the very second are spared: again, then
        await story.until(lambda status: status.get("restartedAt") and status["phase"] == "Healthy")
        return not before & {pod["metadata"]["uid"] for pod in await story.pods()}

    await eventually(all_are_replaced, every=1.0)
    await story.comes_to({GOOD: 3})


async def test_it_goes_back(story: Story, argo: Plugin) -> None:
    await story.create(replicas=2, steps=[])
    await argo("set", "image", "web", f"web={BETTER}")
    await story.reaches("Healthy")
    assert "undo" in await argo("undo", "web")
    await story.reaches("Healthy")
    await story.comes_to({GOOD: 2})
    await argo("undo", "web", "--to-revision=2")
    await story.reaches("Healthy")
    await story.comes_to({BETTER: 2})
    assert (await story.rollout())["metadata"]["annotations"][REVISION] == "4"
    assert "unable to find specified revision" in await argo("undo", "web", "--to-revision=99", code=1)


async def test_it_goes_back_in_mid_update(story: Story, argo: Plugin) -> None:
    await story.create()
    await argo("set", "image", "web", f"web={BETTER}")
    await story.reaches("Paused", currentStepIndex=1)
    await argo("undo", "web")
    await story.reaches("Healthy", currentStepIndex=5)
    await story.comes_to({GOOD: 5})


async def test_it_lints_what_this_project_shows(argo: Plugin, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(json.dumps(rollout(steps=[{"setWeight": 20}, {"pause": {"duration": "5m"}}])))
    bad.write_text(json.dumps(rollout(steps=[{"setWeight": 20, "pause": {}}])))
    await argo("lint", "-f", str(good))
    assert "steps[0]" in await argo("lint", "-f", str(bad), code=1)
    assert re.match(r"kubectl-argo-rollouts: v\d", await argo("version", "--short"))
