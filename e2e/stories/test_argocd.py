"""Does each action of Argo CD do what it says when its outcome is written as Argo CD writes it?"""

from e2e.judging import Judge
from e2e.recorder import Recorder
from e2e.stories.buttons import ArgoCD
from e2e.stories.story import BETTER, CRASH, GOOD, Story
from e2e.waiting import eventually


async def test_resume_goes_on_to_the_next_pause_and_to_the_end(story: Story, argocd: ArgoCD) -> None:
    await story.create()
    assert await argocd.offered() == {"restart"}
    await story.set_image(BETTER)
    await argocd.shows("Suspended", currentStepIndex=1)
    assert await argocd.offered() == {"restart", "resume", "abort", "pause", "promote-full", "skip-current-step"}
    await argocd.press("resume")
    await argocd.shows("Suspended", currentStepIndex=3)
    await argocd.press("resume")
    await argocd.shows("Healthy", currentStepIndex=5)
    await story.comes_to({BETTER: 5})


async def test_skipping_goes_one_step_further(story: Story, argocd: ArgoCD) -> None:
    await story.create()
    await story.set_image(BETTER)
    await argocd.shows("Suspended", currentStepIndex=1)
    await argocd.press("skip-current-step")
    await argocd.shows("Suspended", currentStepIndex=3)
    await story.comes_to({GOOD: 3, BETTER: 2})
    await argocd.press("skip-current-step")
    await argocd.shows("Healthy", currentStepIndex=5)
    assert "skip-current-step" not in await argocd.offered()


async def test_abort_goes_back_retry_begins_again_and_promotion_completes(story: Story, argocd: ArgoCD) -> None:
    await story.create()
    await story.set_image(BETTER)
    await argocd.shows("Suspended", currentStepIndex=1)
    await argocd.press("abort")
    await argocd.shows("Degraded", currentStepIndex=0)
    await story.comes_to({GOOD: 5})
    assert await argocd.offered() == {"restart", "retry", "promote-full", "skip-current-step"}
    await argocd.press("retry")
    await argocd.shows("Suspended", currentStepIndex=1)
    await story.comes_to({GOOD: 4, BETTER: 1})
    await argocd.press("promote-full")
    await argocd.shows("Healthy", currentStepIndex=5)
    await story.comes_to({BETTER: 5})


async def test_an_aborted_update_can_be_promoted(story: Story, argocd: ArgoCD) -> None:
    await story.create()
    await story.set_image(BETTER)
    await argocd.shows("Suspended", currentStepIndex=1)
    await argocd.press("abort")
    await argocd.shows("Degraded", currentStepIndex=0)
    await argocd.press("promote-full")  # the later request counts
    await argocd.shows("Healthy", currentStepIndex=5)
    await story.comes_to({BETTER: 5})


async def test_a_pause_by_hand_is_resumed(story: Story, argocd: ArgoCD) -> None:
    steps = [{"setWeight": 20}, {"pause": {"duration": "1h"}}]
    await story.create(steps=steps)
    await story.set_image(BETTER)
    await argocd.shows("Suspended", currentStepIndex=1)
    await argocd.press("pause")
    await argocd.shows("Suspended", message="manually paused")
    assert "pause" not in await argocd.offered()
    await argocd.press("resume")
    await argocd.shows("Healthy", currentStepIndex=2)
    await story.comes_to({BETTER: 5})


async def test_restart_replaces_every_pod(story: Story, argocd: ArgoCD) -> None:
    await story.create(replicas=3)
    before = {pod["metadata"]["uid"] for pod in await story.pods()}

    async def a_second_has_passed() -> bool:
        await argocd.press("restart")  # pods of the very second of the restart are spared: press again
        return not before & {pod["metadata"]["uid"] for pod in await story.pods()}

    await eventually(a_second_has_passed, every=1.0)
    restarted = (await story.rollout())["spec"]["restartAt"]
    await argocd.shows("Healthy", restartedAt=restarted)
    await story.comes_to({GOOD: 3})


async def test_every_health_is_seen(story: Story, argocd: ArgoCD, judge: Judge, recorder: Recorder) -> None:
    await story.create(replicas=2, progressDeadlineSeconds=3)
    await story.set_image(CRASH)
    await argocd.shows("Degraded")
    await story.set_image(BETTER)
    await argocd.shows("Suspended")
    await story.kubectl("patch", "rollout", "web", "--type=merge", "-p", '{"spec":{"minReadySeconds":-1}}')
    await argocd.shows("Degraded")
    await story.kubectl("patch", "rollout", "web", "--type=merge", "-p", '{"spec":{"minReadySeconds":0}}')
    await argocd.shows("Suspended")
    seen = {judge.scripts.health(state)[0] for state in recorder.states}
    assert seen == {"Healthy", "Progressing", "Suspended", "Degraded"}
