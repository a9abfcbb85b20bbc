"""Do requests with a header reach the canary whatever its weight, and copies of requests without their answers?"""

from e2e.data_plane import DataPlane
from e2e.stories.story import BETTER, GOOD, Json, Story
from e2e.stories.traffic.served import GATEWAY_API, Served
from e2e.waiting import eventually

BETA, COPIED = "--header=X-Version: beta", "--path=/copied"
STEPS: list[Json] = [
    {"setCanaryScale": {"replicas": 1}},
    {"setHeaderRoute": {"name": "beta", "match": [{"headerName": "X-Version", "headerValue": {"exact": "beta"}}]}},
    {"setMirrorRoute": {"name": "copy", "percentage": 100, "match": [{"path": {"prefix": "/copied"}}]}},
    {"pause": {}},
    {"setMirrorRoute": {"name": "copy"}},
    {"setWeight": 20},
    {"pause": {}},
]
REQUESTS = 300


async def test_a_header_leads_to_the_canary_and_copies_leave_no_trace_in_answers(
    story: Story, gateway: DataPlane
) -> None:
    served = Served(story, gateway)
    await served.create(routing={**GATEWAY_API, "managedRoutes": [{"name": "beta"}, {"name": "copy"}]}, steps=STEPS)
    await story.set_image(BETTER)
    await story.reaches("Paused", currentStepIndex=3)
    await served.answers(BETTER, BETA)
    await served.answers(GOOD)
    await _are_copied(served)

    await story.cli("promote", "web")
    await served.paused_at(20)
    await served.answers(BETTER, BETA)
    await served.share_is(20)
    await story.cli("promote", "web")
    await story.reaches("Healthy")
    await served.answers(BETTER)


async def _are_copied(served: Served) -> None:
    """Have the canary get a copy of each request, while stable answers all of them."""

    async def flows() -> bool:
        before = await served.seen(BETTER)
        await served.load(1, COPIED)
        return await served.seen(BETTER) > before

    await eventually(flows, what="requests are copied")
    before = await served.seen(BETTER)
    count = await served.load(REQUESTS, COPIED)
    assert (count["versions"], count["failures"]) == ({GOOD: REQUESTS}, {}), count

    async def all_have_come() -> bool:
        return await served.seen(BETTER) >= before + REQUESTS

    await eventually(all_have_come, what=f"{REQUESTS} copies have come")
