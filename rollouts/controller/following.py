"""Which kinds are watched only while somebody needs them? One watch for each, begun and ended on demand."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Hashable
from typing import Generic, TypeVar

import structlog

PATIENCE = 10.0
"""Seconds after which a watch that has not begun is told of: before that it may just be slow."""

K = TypeVar("K", bound=Hashable)

_log = structlog.get_logger(__name__)


class Following(ABC, Generic[K]):
    """Keeps watches of the kinds that are wanted, and of no others. `need` says in the log what a kind is for."""

    def __init__(self, need: str) -> None:
        self._need = need
        self._wanted: dict[K, float] = {}
        self._changed = asyncio.Event()

    def follow(self, kind: K) -> None:
        """Keep a copy of a kind from now on."""
        if kind not in self._wanted:
            self._wanted[kind] = asyncio.get_running_loop().time()
            self._changed.set()

    def unfollow(self, kind: K) -> None:
        """Keep a copy of a kind no longer."""
        if self._wanted.pop(kind, None) is not None:
            self._changed.set()

    async def run(self) -> None:
        """Watch what is wanted until cancelled."""
        watches: dict[K, asyncio.Task[None]] = {}
        try:
            while True:
                self._changed.clear()
                for kind in watches.keys() - self._wanted.keys():
                    _log.info("no longer watching", kind=str(kind), reason=f"no Rollout's {self._need}")
                    await ended(watches.pop(kind))
                for kind in self._wanted.keys() - watches.keys():
                    _log.info("watching", kind=str(kind), reason=f"a Rollout's {self._need}")
                    watches[kind] = asyncio.create_task(self._watch(kind))
                change = asyncio.create_task(self._changed.wait())
                try:
                    await asyncio.wait({change, *watches.values()}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    change.cancel()
                for watch in watches.values():
                    if watch.done():
                        watch.result()  # a watch never ends: what broke it must not go unheard
        finally:
            for watch in watches.values():
                await ended(watch)

    def _is_late(self, kind: K) -> bool:
        """Whether a watch has had time enough to begin."""
        return asyncio.get_running_loop().time() - self._wanted.get(kind, float("inf")) > PATIENCE

    @abstractmethod
    async def _watch(self, kind: K) -> None:
        """Keep a copy of a kind until cancelled."""


async def ended(task: asyncio.Task[None]) -> None:
    """Cancel a task, and wait until it has ended."""
    task.cancel()
    await asyncio.wait({task})
