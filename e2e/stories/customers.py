"""Who uses the versions that are up, so that there is something to measure?"""

import asyncio
import re
from types import TracebackType
from typing import Self

from e2e.servers.shop import Shop
from e2e.stories.story import HASH, Json, Story
from e2e.waiting import end

RATE = 20.0  # requests a second that a version with ready pods gets
PAUSE = 0.3
BAD = re.compile(r"errors-(\d+)")


def image(number: int, errors: int = 0) -> str:
    """Return the image of a version of which so many requests in a hundred fail."""
    return f"example.test/web:{number}-errors-{errors}"


class Customers:
    """An asynchronous context manager: while it is open, the ready pods of a Rollout have customers.

    The shop counts them under the namespace's name and the Rollout's, so that tests don't see each other's.
    """

    def __init__(self, story: Story, shop: Shop, rollout: str = "web") -> None:
        self._story = story
        self._shop = shop
        self._rollout = rollout
        self.app = f"{story.namespace}-{rollout}"
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._come())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        await end(self._task)

    async def _come(self) -> None:
        known: dict[str, tuple[float, float]] = {}
        while True:
            served = {pod["metadata"]["labels"][HASH]: _errors(pod) for pod in await self._pods()}
            wanted = {
                version: (RATE if version in served else 0.0, served.get(version, 0.0)) for version in {*known, *served}
            }
            for version, (rate, errors) in wanted.items():
                if known.get(version) != (rate, errors):
                    await self._shop.direct(self.app, version, rate, errors)
            known = wanted
            await asyncio.sleep(PAUSE)

    async def _pods(self) -> list[Json]:
        return [pod for pod in await self._story.pods(self._rollout) if _is_ready(pod)]


def _is_ready(pod: Json) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _errors(pod: Json) -> float:
    found = BAD.search(pod["spec"]["containers"][0]["image"])
    return int(found[1]) / 100 if found else 0.0
