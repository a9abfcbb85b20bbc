"""Does the traffic go where a Rollout's steps say, by Contour and Envoy, and does every request get an answer?"""

import pytest

from e2e.controller import Controller
from e2e.data_plane import DataPlane
from e2e.stories.story import BETTER, GOOD, Story
from e2e.stories.traffic import courses
from e2e.stories.traffic.served import STEADY, Served, http_proxy

# Contour's own kind can have Envoy ask again what a pod didn't answer.
AGAIN = {"count": 3, "retryOn": ["connect-failure", "reset", "gateway-error"]}


@pytest.fixture
def served(story: Story, gateway: DataPlane) -> Served:
    return Served(story, gateway)


async def test_the_share_is_the_weight_at_each_step_and_no_request_fails(served: Served) -> None:
    await served.create()
    await courses.whole(served)


async def test_no_request_fails_in_an_abort_and_all_go_back(served: Served) -> None:
    await served.create()
    await courses.aborted(served)


async def test_no_request_fails_when_the_controller_is_killed(served: Served, controller: Controller) -> None:
    await served.create()
    await courses.without_a_controller_for_a_while(served, controller)


async def test_no_request_fails_when_pods_crash_behind_a_proxy_that_asks_again(served: Served) -> None:
    await served.create(http_proxy(served.host, retryPolicy=AGAIN), {"contour": {"httpProxies": ["web"]}})
    async with served.loaded(*STEADY) as count:
        await served.story.set_image(BETTER)
        await served.paused_at(20)
        await served.crash(GOOD)
        await served.story.cli("promote", "web")
        await served.paused_at(60)
        await served.crash(BETTER)
        await served.share_is(60)
        await served.story.cli("promote", "web")
        await served.story.reaches("Healthy")
        await served.answers(BETTER)
    assert not count["failures"], count
