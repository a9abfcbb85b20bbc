"""How is strangers' code run so that it can't stop us? In a thread of its own, which has a few seconds.

A thread can't be killed. One that runs Python code is interrupted in its midst; one that waits for something is left
behind, and its plugin isn't called again before it has come back. A plugin that has done so a few times counts as
broken for as long as this process lives. What no thread can hold is code that never gives up the interpreter, or all
memory: there the kubelet's liveness probe helps, or a process of its own.
"""

import asyncio
import contextlib
import ctypes
import threading
from collections.abc import Callable, Collection
from typing import Any, Generic, Protocol, TypeVar

from rollouts.ports.checked import Interrupted, PluginError

LIMIT = 5.0
LOADING_LIMIT = 30.0
MOST_HANGS = 3
_LOOKS = 10

T = TypeVar("T")
Names = frozenset[str]


class Run(Protocol):
    """Runs a piece of code of a plugin, and returns what it returns."""

    async def __call__(self, work: Callable[[], T]) -> T: ...


async def directly(work: Callable[[], T]) -> T:
    """Run code that is ours."""
    return work()


def within(limit: float, work: Callable[[], T], says: str) -> T:
    """Run strangers' code, waiting for it no longer than so many seconds. Raises PluginError with what it `says`."""
    done = threading.Event()
    job = _Job(work, done.set)
    job.start()
    if not done.wait(limit):
        job.interrupt()
        raise PluginError(f"{says} within {limit:g} seconds")
    return job.result()


def in_time(plugins: Collection[str], work: Callable[[], T]) -> T:
    """Run code in which these plugins have their part, for somebody who waits at a terminal. Raises PluginError."""
    return within(LIMIT, work, f"{_title(frozenset(plugins))} didn't return") if plugins else work()


class Guard:
    """Runs the code of strangers' plugins, one piece at a time for each of them."""

    def __init__(self, limit: float = LIMIT, most_hangs: int = MOST_HANGS) -> None:
        self._limit = limit
        self._most_hangs = most_hangs
        self._locks: dict[Names, asyncio.Lock] = {}
        self._hung: dict[Names, list[_Job[Any]]] = {}

    def runner(self, plugins: Collection[str]) -> Run:
        """Return what runs the code of these plugins: strangers' in a thread, ours, where there are none, directly."""
        if not plugins:
            return directly
        names = frozenset(plugins)

        async def run(work: Callable[[], T]) -> T:
            return await self.run(names, work)

        return run

    async def run(self, plugins: Names, work: Callable[[], T]) -> T:
        """Run code in which these plugins have their part. Raises PluginError, and what the code raises."""
        async with self._locks.setdefault(plugins, asyncio.Lock()):
            self._refuse(plugins)
            loop, done = asyncio.get_running_loop(), asyncio.Event()

            def tell() -> None:
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    loop.call_soon_threadsafe(done.set)

            job = _Job(work, tell)
            job.start()
            try:
                if not await _is_done(done, self._limit):
                    self._hung.setdefault(plugins, []).append(job)
                    raise PluginError(f"{_title(plugins)} didn't return within {self._limit:g} seconds")
            finally:
                job.interrupt()
            return job.result()

    def _refuse(self, plugins: Names) -> None:
        """Raise PluginError where one that has a part in it hangs already, or has done so too often."""
        for names, jobs in self._hung.items():
            if not names <= plugins:
                continue
            if len(jobs) >= self._most_hangs:
                raise PluginError(
                    f"{_title(names)} has hung {len(jobs)} times: not called again before the controller is restarted"
                )
            if any(job.is_alive for job in jobs):
                raise PluginError(f"{_title(names)} still hangs in an earlier call: not called again before it is back")


async def _is_done(done: asyncio.Event, limit: float) -> bool:
    """Wait for something, no longer than so many seconds in which we could have seen it.

    While the whole process gets no time, nobody hangs.
    """
    for _ in range(_LOOKS):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit / _LOOKS):
                await done.wait()
        if done.is_set():
            return True
    return False


class _Job(Generic[T]):
    """A piece of code in a thread of its own, and what becomes of it."""

    def __init__(self, work: Callable[[], T], tell: Callable[[], None]) -> None:
        self._work = work
        self._tell = tell
        self._outcome: tuple[T] | BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="plugin", daemon=True)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def interrupt(self) -> None:
        """Raise Interrupted in the midst of the code, if it still runs."""
        thread = self._thread.ident
        if self._outcome is None and thread is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(Interrupted))

    def result(self) -> T:
        """Return what the code has returned, or raise what it has raised."""
        if isinstance(self._outcome, tuple):
            return self._outcome[0]
        if isinstance(self._outcome, Exception):
            raise self._outcome
        raise PluginError(f"a plugin ended its thread: {type(self._outcome).__name__}")

    def _run(self) -> None:
        with contextlib.suppress(Interrupted):
            try:
                self._outcome = (self._work(),)
            except BaseException as error:  # noqa: BLE001 - whatever strangers' code raises must not leave its thread
                self._outcome = error
            self._tell()


def _title(names: Names) -> str:
    first, *more = sorted(names)
    return f"the plugin {first!r}" if not more else f"one of the plugins {', '.join(map(repr, (first, *more)))}"
