"""Does the traffic go where a Rollout's steps say, by Contour and Envoy, and does every request get an answer?"""

import pytest

from e2e.data_plane import DataPlane
from e2e.stories.story import BETTER, Story
from e2e.stories.traffic.served import Served


@pytest.fixture
def served(story: Story, gateway: DataPlane) -> Served:
    return Served(story, gateway)


async def test_the_share_is_the_weight_at_each_step_and_no_request_fails(served: Served) -> None:
    await served.create()
    async with served.data.loaded(served.host, "--rate=150", "--path=/?delay=0.05") as count:
        await served.story.set_image(BETTER)
        for weight in (20, 60):
            await served.paused_at(weight)
            await served.share_is(weight)
            await served.story.cli("promote", "web")
        await served.story.reaches("Healthy", within=90)
        await served.answers(BETTER)
        await served.story.comes_to({BETTER: 5}, within=60)
    assert not count["failures"], count
