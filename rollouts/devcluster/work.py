"""When does a controller of the cluster look at an object again? At a change, or at the time it asked for."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

_LOG = logging.getLogger(__name__)
_RETRY = 1.0  # seconds after an error
_TURN = 20  # keys in a row, before requests get their turn

K = TypeVar("K", bound="Hashable")


class Worker(Generic[K]):
    """Runs `sync` once per changed key. `sync` returns in how many seconds it wants to run again, or None."""

    def __init__(self, sync: Callable[[K], float | None]) -> None:
        self._sync = sync
        self._loop = asyncio.get_running_loop()
        self._pending: dict[K, None] = {}
        self._timers: dict[K, asyncio.TimerHandle] = {}
        self._arrived = asyncio.Event()

    def add(self, key: K) -> None:
        """Look at a key soon."""
        self._pending[key] = None
        self._arrived.set()

    def add_after(self, key: K, seconds: float) -> None:
        """Look at a key later; the earliest time wins."""
        timer = self._timers.get(key)
        when = self._loop.time() + seconds
        if timer is not None:
            if timer.when() <= when:
                return
            timer.cancel()
        self._timers[key] = self._loop.call_at(when, self._ring, key)

    def _ring(self, key: K) -> None:
        self._timers.pop(key, None)
        self.add(key)

    def stop(self) -> None:
        """Cancel the timers."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            done = 0
            while self._pending:
                key = next(iter(self._pending))
                del self._pending[key]
                self._run_once(key)
                done += 1
                if done % _TURN == 0:
                    await asyncio.sleep(0)

    def _run_once(self, key: K) -> None:
        try:
            again = self._sync(key)
        except Exception:  # noqa: BLE001 - one broken object must not stop the others
            _LOG.exception("the dev cluster failed at %s; it tries again", key)
            again = _RETRY
        if again is not None:
            self.add_after(key, again)
