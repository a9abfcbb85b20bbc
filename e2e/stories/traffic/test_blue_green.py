"""Does every request get an answer while a blue-green rollout switches, there and back?"""

from e2e.data_plane import DataPlane
from e2e.stories.story import BETTER, GOOD, Story
from e2e.stories.traffic.served import DELAYS, ENDS, STEADY, Served, http_route, service
from tests.wire.objects import rollout

BLUE_GREEN = {"activeService": "web", "autoPromotionEnabled": False}


async def test_no_request_fails_in_a_switch_there_and_back(story: Story, gateway: DataPlane) -> None:
    served = Served(story, gateway)
    body = rollout("web", 3, image=GOOD, strategy={"blueGreen": {**BLUE_GREEN, **DELAYS}})
    body["spec"]["template"]["metadata"]["annotations"] = ENDS
    await story.kubectl.apply([service("web"), http_route(served.host, "web"), body])
    await story.reaches("Healthy")
    await served.answers(GOOD)
    for image, last in ((BETTER, GOOD), (GOOD, BETTER)):
        async with gateway.loaded(served.host, *STEADY) as count:
            await story.set_image(image)
            await story.reaches("Paused")
            await served.answers(last)
            await story.cli("promote", "web")
            await story.reaches("Healthy")
            await served.answers(image)
            await story.comes_to({image: 3})
        assert not count["failures"], count
