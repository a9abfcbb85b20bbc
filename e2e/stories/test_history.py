"""What of the past counts: edits by hand that are mended, and a way back that needs no steps."""

import pytest

from e2e.stories.story import BETTER, GOOD, HASH, REVISION, Story
from e2e.waiting import eventually

DIGEST = "rollout.argoproj.io/template-digest"
DESIRED = "rollout.argoproj.io/desired-replicas"
DEADLINE = "scale-down-deadline"


@pytest.mark.parametrize(
    "edit",
    [
        ("label", f"{HASH}-"),
        ("label", f"{HASH}=abc"),
        ("annotate", f"{REVISION}=0"),
        ("annotate", f"{DESIRED}=many"),
        ("annotate", f"{DIGEST}=0123"),
        ("annotate", f"{DEADLINE}=soon"),
    ],
    ids=" ".join,
)
async def test_an_edit_of_what_is_ours_is_mended(story: Story, edit: tuple[str, str]) -> None:
    await story.create(replicas=2)
    (before,) = await story.replica_sets()
    pods = {pod["metadata"]["uid"] for pod in await story.pods()}
    verb, change = edit
    await story.kubectl(verb, "replicaset", before["metadata"]["name"], change, "--overwrite")

    async def mended() -> bool:
        (after,) = await story.replica_sets()
        kept = ("labels", "annotations", "ownerReferences")
        return all(after["metadata"][each] == before["metadata"][each] for each in kept)

    await eventually(mended, what="mended")
    await story.reaches("Healthy")
    assert {pod["metadata"]["uid"] for pod in await story.pods()} == pods
    if change.startswith(DEADLINE):
        await story.tells("InvalidScaleDownDeadline")


async def test_back_within_the_window_without_a_step(story: Story) -> None:
    await story.create(rollbackWindow={"revisions": 1})
    await story.set_image(BETTER)
    await story.reaches("Paused", currentStepIndex=1)
    await story.patch_status({"promoteFull": True})
    await story.reaches("Healthy")
    await story.tells("RolloutPaused")
    paused = (await story.events()).count("RolloutPaused")

    await story.cli("undo", "web")
    await story.comes_to({GOOD: 5})
    status = await story.reaches("Healthy")

    assert status["duration"]["completionStatus"] == "FastRolledBack"
    await story.tells("SkipSteps")
    assert (await story.events()).count("RolloutPaused") == paused
