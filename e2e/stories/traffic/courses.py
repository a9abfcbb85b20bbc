"""What does an update go through under load, whoever shares the requests out, without one that fails?

`meant` are flags of requests that the canary always answers, as long as it is there.
"""

from e2e.controller import Controller
from e2e.stories.story import BETTER, GOOD
from e2e.stories.traffic.served import STEADY, Served


async def whole(served: Served, *meant: str) -> None:
    """From the first step to the last, each share measured."""
    async with served.loaded(*STEADY) as count:
        await served.story.set_image(BETTER)
        for weight in (20, 60):
            await served.paused_at(weight)
            await served.share_is(weight)
            for flag in meant:
                await served.answers(BETTER, flag)
            await served.story.cli("promote", "web")
        await served.story.reaches("Healthy")
        await served.answers(BETTER)
        await served.story.comes_to({BETTER: 5})
        for flag in meant:
            await served.answers(BETTER, flag)
    assert not count["failures"], count


async def aborted(served: Served, *meant: str) -> None:
    """Given up when most of the requests go to the canary."""
    async with served.loaded(*STEADY) as count:
        await served.story.set_image(BETTER)
        await served.paused_at(20)
        await served.story.cli("promote", "web")
        await served.paused_at(60)
        await served.story.cli("abort", "web")
        await served.story.reaches("Degraded")
        await served.answers(GOOD)
        await served.story.comes_to({GOOD: 5})
        for flag in meant:
            await served.answers(GOOD, flag)
    assert not count["failures"], count
    assert count["versions"][BETTER] > 0


async def without_a_controller_for_a_while(served: Served, controller: Controller) -> None:
    """The controller is killed in the middle of a step, and comes back."""
    async with served.loaded(*STEADY) as count:
        await served.story.set_image(BETTER)
        await served.paused_at(20)
        await served.story.resume()
        controller.kill()
        await served.load(500)
        controller.start()
        await controller.ready()
        await served.paused_at(60)
        await served.share_is(60)
        await served.story.resume()
        await served.story.reaches("Healthy")
        await served.answers(BETTER)
        await served.story.comes_to({BETTER: 5})
    assert not count["failures"], count
