"""Do clients that keep a cookie stay where they were sent, over all steps, and are they free afterwards?"""

from e2e.data_plane import DataPlane
from e2e.stories.story import BEST, BETTER, GOOD, Story
from e2e.stories.traffic.served import GATEWAY_API, STEADY, Served

USERS = 40
RETURNING = (*STEADY, f"--users={USERS}", "--cookies")


async def test_who_has_seen_the_canary_goes_back_only_when_it_is_given_up(story: Story, gateway: DataPlane) -> None:
    served = Served(story, gateway)
    await served.create(routing={**GATEWAY_API, "sessionAffinity": {}})
    async with gateway.loaded(served.host, *RETURNING) as count:
        await story.set_image(BETTER)
        for weight in (20, 60):
            await served.paused_at(weight)
            await served.share_is(weight)
            await story.cli("promote", "web")
        await story.reaches("Healthy")
        await served.answers(BETTER)
    assert not count["failures"], count
    assert set(count["changes"]) == {f"{GOOD} {BETTER}"}, count
    assert sum(count["changes"].values()) <= USERS, count

    async with gateway.loaded(served.host, *RETURNING) as count:
        await story.set_image(BEST)
        await served.paused_at(20)
        await story.cli("promote", "web")
        await served.paused_at(60)
        await story.cli("abort", "web")
        await story.reaches("Degraded")
        await served.answers(BETTER)
        await story.comes_to({BETTER: 5})
    assert not count["failures"], count
    assert set(count["changes"]) == {f"{BETTER} {BEST}", f"{BEST} {BETTER}"}, count
    assert sum(count["changes"].values()) <= 2 * USERS, count
