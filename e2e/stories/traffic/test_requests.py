"""Who reaches the canary by a cookie or a query parameter, how many requests are copied to it, and does any fail?"""

from collections.abc import Callable

import pytest

from e2e.data_plane import DataPlane
from e2e.stories.story import BEST, BETTER, GOOD, Json, Story
from e2e.stories.traffic.served import GATEWAY_API, STEADY, Served, http_proxy, http_route, is_near
from e2e.waiting import eventually

PERCENTAGE, REQUESTS = 30, 1000
INSIDER, OTHERS = "--header=Cookie: a=b; insider=yes; c=d", "--header=Cookie: insider=yesterday; c=yes"
NEXT, LAST, COPIED = "--path=/?a=b&version=next", "--path=/?version=next-but-one&a=next", "--path=/copied"
STEPS: list[Json] = [
    {"setCanaryScale": {"replicas": 2}},
    {"setHeaderRoute": {"name": "insiders", "match": [{"cookieName": "insider", "cookieValue": {"exact": "yes"}}]}},
    {
        "setHeaderRoute": {
            "name": "next",
            "match": [{"queryParamName": "version", "queryParamValue": {"exact": "next"}}],
        }
    },
    {"setMirrorRoute": {"name": "some", "percentage": PERCENTAGE, "match": [{"path": {"prefix": "/copied"}}]}},
    {"pause": {}},
    {"setWeight": 20},
    {"pause": {}},
]
PAUSED = 4
MANAGED = {"managedRoutes": [{"name": "insiders"}, {"name": "next"}, {"name": "some"}]}
ROUTERS: dict[str, tuple[Callable[[str], Json], Json, int]] = {
    # Contour copies every request that a mirror of an HTTPRoute takes, whatever its `percent` says.
    "gatewayAPI": (http_route, GATEWAY_API, 100),
    "contour": (http_proxy, {"contour": {"httpProxies": ["web"]}}, PERCENTAGE),
}


@pytest.mark.parametrize("router", ROUTERS)
async def test_who_is_meant_reaches_the_canary_as_long_as_there_is_one_and_no_request_fails(
    router: str, story: Story, gateway: DataPlane
) -> None:
    route, routing, percentage = ROUTERS[router]
    served = Served(story, gateway)
    await served.create(route(served.host), {**routing, **MANAGED}, steps=STEPS)
    await _comes(served, GOOD, BETTER)
    await _are_copied(served, percentage)

    # Another version comes, whose pods are not the ones that insiders were led to, and is promoted.
    async with gateway.loaded(served.host, *STEADY, INSIDER) as count:
        await _comes(served, GOOD, BEST)
        await story.cli("promote", "web")
        await served.paused_at(20)
        for flags in ((), (OTHERS,)):
            await served.share_is(20, *flags, version=BEST)
        for meant in (INSIDER, NEXT):
            await served.answers(BEST, meant)
        await story.cli("promote", "web")
        await story.reaches("Healthy")
        await served.answers(BEST)
        await story.comes_to({BEST: 5})
    assert not count["failures"], count

    await _comes(served, BEST, BETTER)
    async with gateway.loaded(served.host, *STEADY, INSIDER) as count:
        await story.cli("promote", "web")
        await served.paused_at(20)
        await story.cli("abort", "web")
        await story.reaches("Degraded")
        await served.answers(BEST, INSIDER)
        await story.comes_to({BEST: 5})
    assert not count["failures"], count
    assert set(count["changes"]) == {f"{BETTER} {BEST}"}, "insiders go back once, and stay"


async def _comes(served: Served, stable: str, canary: str) -> None:
    """Have a version come to its first pause, where only those who are meant reach it."""
    await served.story.set_image(canary)
    await served.story.comes_to({stable: 5, canary: 2})
    await served.story.reaches("Paused", currentStepIndex=PAUSED)
    for meant in (INSIDER, NEXT):
        await served.answers(canary, meant)
    for other in (OTHERS, LAST):
        await served.answers(stable, other)


async def _are_copied(served: Served, percentage: int) -> None:
    """Have the canary get this share of the requests as copies, while stable answers all of them."""

    async def flow() -> bool:
        before = await served.seen(BETTER)
        await served.load(20, COPIED)
        return await served.seen(BETTER) > before

    await eventually(flow, what="requests are copied")
    for _ in range(2):  # by chance alone one measurement in 370 is further away
        copies = await _copies(served)
        if is_near({"versions": {BETTER: copies, GOOD: REQUESTS - copies}}, BETTER, percentage):
            return
    raise AssertionError(f"{percentage} % of {REQUESTS} requests are to be copied, {copies} came")


async def _copies(served: Served) -> int:
    """Return how many of many requests have come to the canary as copies."""
    before = await _settled(served)
    count = await served.load(REQUESTS, COPIED)
    assert (count["versions"], count["failures"]) == ({GOOD: REQUESTS}, {}), count
    return await _settled(served) - before


async def _settled(served: Served) -> int:
    """Return how many requests have come to the canary, once no more do: a copy may come after the answer."""
    last = [-1]

    async def look() -> bool:
        last.append(await served.seen(BETTER))
        return last[-1] == last[-2]

    await eventually(look, every=0.5, what="the last copy has come")
    return last[-1]
