"""How does work go on beside the passes? As tasks for an object each, which end with it, and with the controller."""

import asyncio
from typing import Any, Generic, Protocol, Self, TypeVar

from rollouts.controller.key import Key


class Work(Protocol):
    """What goes on for one object."""

    @property
    def under_way(self) -> dict[Any, asyncio.Task[None]]:
        """The tasks, by what each is about."""


W = TypeVar("W", bound=Work)


class Beside(Generic[W]):
    """Keeps what goes on for each object while its context lasts. At most `most` tasks hold `_limit` at once."""

    def __init__(self, most: int) -> None:
        self._limit = asyncio.Semaphore(most)
        self._work: dict[Key, W] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = [task for work in self._work.values() for task in work.under_way.values()]
        for key in list(self._work):
            self.forget(key)
        if tasks:
            await asyncio.wait(tasks)

    def forget(self, key: Key) -> None:
        """Drop everything of an object that is gone; what is under way is cut off."""
        work = self._work.pop(key, None)
        for task in work.under_way.values() if work is not None else ():
            task.cancel()
