"""Who waits for the API server? Writes that go on beside the passes, one at a time for each key.

Thousands of small writes would otherwise keep all workers of the queue waiting whenever the API server is slow, and
with them the measurements that are due, and the Rollouts.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self

from rollouts.controller.key import Key
from rollouts.controller.pace import SHORTEST_WAKE

MOST_AT_ONCE = 64
PATIENCE = 3.0
"""Seconds that writes under way get when the work ends."""

Wake = Callable[[Key, float], None]
Write = Callable[[], Awaitable[float]]
"""Writes, and returns after how many seconds the next pass is due. ApiErrors may be raised."""


class Writing:
    """Writes while its context lasts. What has failed is raised by the next pass, which thereby gets its back-off."""

    def __init__(self, wake: Wake, *, most: int = MOST_AT_ONCE) -> None:
        self._wake = wake
        self._limit = asyncio.Semaphore(most)
        self._under_way: dict[Key, asyncio.Task[None]] = {}
        self._passed_over: set[Key] = set()
        self._failures: dict[Key, Exception] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        tasks = set(self._under_way.values())
        if tasks:
            _, unfinished = await asyncio.wait(tasks, timeout=PATIENCE)
            for task in unfinished:
                task.cancel()

    def start(self, key: Key, write: Write) -> None:
        """Begin to write."""
        self._under_way[key] = asyncio.create_task(self._carry_out(key, write))

    def is_busy(self, key: Key) -> bool:
        """Tell whether a write is under way: a pass has to wait for it, and is made up for afterwards.

        Raises what the last write has raised.
        """
        if (failure := self._failures.pop(key, None)) is not None:
            raise failure
        if key not in self._under_way:
            return False
        self._passed_over.add(key)
        return True

    def nothing_missed(self, key: Key) -> None:
        """Say that a pass that had to wait would see nothing new: the write's own echo has brought it."""
        self._passed_over.discard(key)

    def forget(self, key: Key) -> None:
        """Drop everything of a key whose object is gone."""
        self._failures.pop(key, None)
        self._passed_over.discard(key)
        if (task := self._under_way.pop(key, None)) is not None:
            task.cancel()

    async def _carry_out(self, key: Key, write: Write) -> None:
        delay = 0.0
        try:
            async with self._limit:
                delay = await write()
        except Exception as error:  # noqa: BLE001 - it is raised where the loop looks at it
            self._failures[key] = error
        del self._under_way[key]
        if key in self._passed_over:
            self._passed_over.discard(key)
            delay = min(delay, SHORTEST_WAKE)
        self._wake(key, delay)
