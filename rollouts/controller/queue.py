"""Who works on the keys that are ready? An agenda on the event loop's clock: one timer, and a task per running key."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, Protocol, TypeVar

from rollouts.controller.agenda import Agenda, Taken

K = TypeVar("K", bound=Hashable)


class Meter(Protocol):
    """What a queue tells of itself."""

    def added(self) -> None:
        """Count a key that became ready."""

    def taken(self, waited: float) -> None:
        """Count a run that begins, of a key that was ready for `waited` seconds."""

    def finished(self, worked: float) -> None:
        """Count a run that ended, after `worked` seconds."""

    def retried(self) -> None:
        """Count a key that failed and will come back."""


class Queue(Generic[K]):
    """Keys to work on, `workers` at a time, in the order of their arrival."""

    def __init__(self, meter: Meter, *, workers: int, agenda: Agenda[K] | None = None) -> None:
        self._agenda: Agenda[K] = Agenda() if agenda is None else agenda
        self._meter = meter
        self._workers = workers
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = 0.0
        self._is_closed = False

    @property
    def depth(self) -> int:
        """How many keys are waiting to be worked on."""
        return len(self._agenda)

    @property
    def running(self) -> int:
        """How many keys are being worked on."""
        return self._agenda.running

    def add(self, key: K) -> None:
        """Have `key` worked on, now or right after its present run."""
        if self._agenda.add(key, self._loop.time()):
            self._meter.added()
            self._changed.set()

    def wake(self, key: K, delay: float) -> None:
        """Have `key` worked on after `delay` seconds; the earliest wake counts."""
        self._agenda.wake(key, self._loop.time() + delay)
        self._set_timer()

    def retry(self, key: K) -> float:
        """Have `key` worked on after its back-off; return the delay in seconds."""
        self._meter.retried()
        delay = self._agenda.retry(key, self._loop.time())
        self._set_timer()
        return delay

    def succeeded(self, key: K) -> None:
        """Let the back-off of `key` begin from its shortest next time."""
        self._agenda.succeeded(key)

    def forget(self, key: K) -> None:
        """Drop what is known of a key whose object is gone."""
        self._agenda.forget(key)

    def close(self) -> None:
        """Take no more keys; `run` ends when the present runs have."""
        self._is_closed = True
        self._changed.set()

    async def run(self, work: Callable[[K], Awaitable[None]]) -> None:
        """Work on keys until the queue is closed. `work` must handle its own errors: one that escapes ends it all."""
        try:
            async with asyncio.TaskGroup() as group:
                while not self._is_closed:
                    self._changed.clear()
                    while self.running < self._workers and (taken := self._agenda.take(self._loop.time())):
                        group.create_task(self._work(taken, work))
                    await self._changed.wait()
        finally:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    async def _work(self, taken: Taken[K], work: Callable[[K], Awaitable[None]]) -> None:
        started = self._loop.time()
        self._meter.taken(taken.waited)
        try:
            await work(taken.key)
        finally:
            now = self._loop.time()
            self._meter.finished(now - started)
            self._agenda.done(taken.key, now)
            self._changed.set()

    def _set_timer(self) -> None:
        """Keep the one timer at the earliest wake. Too early a timer is harmless: it finds nothing and is set again."""
        at = self._agenda.next_wake()
        if at is None or self._is_closed or (self._timer is not None and self._rings_at <= at):
            return
        if self._timer is not None:
            self._timer.cancel()
        # Kept here, not asked of the timer: uvloop's handle for a time that has passed doesn't know it.
        self._rings_at = at
        self._timer = self._loop.call_at(at, self._ring, at)

    def _ring(self, at: float) -> None:
        self._timer = None
        # A loop may call a tick of its clock too early; the key that it called for must not ring in vain.
        for _ in range(self._agenda.ring(max(at, self._loop.time()))):
            self._meter.added()
        self._changed.set()
        self._set_timer()
