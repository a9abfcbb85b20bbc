"""Who runs the compiled plugins? Each is started when it is needed first, and again when it has crashed or hung.

One that can't be had, or that doesn't stay alive, is tried again after a while, which doubles. Until then those who
need it are told why; nobody else notices.
"""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from weakref import WeakValueDictionary

import structlog

from rollouts.compiled.config import Entry
from rollouts.compiled.process import CallError, Process, ProcessError, Program
from rollouts.compiled.program import Headers, ProgramError, fetch_program
from rollouts.goplugin.handshake import Kind
from rollouts.ports import MeasurementError
from rollouts.ports.checked import cut
from rollouts.ports.compiled import CompiledCall, CompiledKind

LONGEST_PAUSE = 300.0
SETTLED = 60.0
"""Seconds after which a plugin that ran so long counts as well again."""

MOST_AT_ONCE = 64
"""Calls of one plugin under way; the rest waits."""

CALL_LIMITS = {CompiledKind.ROUTER: 60.0, CompiledKind.STEP: 240.0, CompiledKind.METRIC: 240.0}
PASSED_ON = (
    "PATH",
    "HOME",
    "TZ",
    "KUBECONFIG",
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT",
    "KUBERNETES_SERVICE_PORT_HTTPS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
)
"""What plugins find of our environment: where the cluster is, and how one gets out of it."""

_KINDS = {CompiledKind.ROUTER: Kind.TRAFFIC, CompiledKind.STEP: Kind.STEP, CompiledKind.METRIC: Kind.METRIC}

_log = structlog.get_logger(__name__)

Start = Callable[[Program], Awaitable[Process]]


class _Plugin:
    """One plugin, running or not."""

    def __init__(self, entry: Entry, variables: Mapping[str, str], headers: Headers, start: Start) -> None:
        self.limit = asyncio.Semaphore(MOST_AT_ONCE)
        self._entry = entry
        self._variables = variables
        self._headers = headers
        self._start = start
        self._process: Process | None = None
        self._starting: asyncio.Task[Process] | None = None
        self._started_at = 0.0
        self._failures = 0
        self._not_before = 0.0
        self._why = ""

    async def process(self, folder: Path) -> Process:
        """Return the process, started if there is none. Raises ProcessError."""
        if self._process is not None and self._process.gone.is_set():
            self._ended(self._process)
        if self._process is not None:
            return self._process
        if self._starting is None:
            if (left := self._not_before - time.monotonic()) > 0:
                raise ProcessError(f"{self._why}; it is started again in {left:.0f} seconds")
            self._starting = asyncio.create_task(self._begin(folder))
            self._starting.add_done_callback(self._begun)
        return await asyncio.shield(self._starting)

    async def close(self) -> None:
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait({self._starting})
        if self._process is not None:
            await self._process.close()

    async def _begin(self, folder: Path) -> Process:
        try:
            path = await fetch_program(self._entry, folder, self._headers)
            kind = _KINDS[self._entry.kind]
            return await self._start(Program(self._entry.name, kind, path, self._entry.args, folder, self._variables))
        except (ProgramError, ProcessError) as error:
            self._failed(str(error))
            raise ProcessError(str(error)) from error

    def _begun(self, starting: asyncio.Task[Process]) -> None:
        self._starting = None
        if not starting.cancelled() and starting.exception() is None:
            self._process, self._started_at = starting.result(), time.monotonic()

    def _ended(self, process: Process) -> None:
        self._process = None
        if time.monotonic() - self._started_at >= SETTLED:
            self._failures = 0
        self._failed(process.why)

    def _failed(self, why: str) -> None:
        """Note a failure: the first is tried again at once."""
        self._failures += 1
        pause = min(2.0 ** (self._failures - 1), LONGEST_PAUSE) if self._failures > 1 else 0.0
        self._why, self._not_before = why, time.monotonic() + pause
        _log.warning("plugin failed", plugin=self._entry.name, reason=why, again_in=pause)


class Host:
    """Makes calls while its context lasts. `environment` is ours, `more` names what else of it plugins may see."""

    def __init__(
        self,
        entries: Sequence[Entry],
        environment: Mapping[str, str],
        more: Sequence[str],
        headers: Headers,
        start: Start = Process.start,
    ) -> None:
        variables = {name: environment[name] for name in (*PASSED_ON, *more) if name in environment}
        self._plugins = {(each.kind, each.name): _Plugin(each, variables, headers, start) for each in entries}
        self._orders: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._ordered: set[asyncio.Task[Any]] = set()
        self._folder: Path | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._ordered:
            task.cancel()
        await asyncio.gather(*self._ordered, *(each.close() for each in self._plugins.values()), return_exceptions=True)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def call(self, call: CompiledCall) -> Any:
        """Return what a plugin answers. Raises MeasurementError."""
        if not call.order:
            return await self._made(call)
        task = asyncio.create_task(self._made_in_order(call))
        self._ordered.add(task)
        task.add_done_callback(self._ordered.discard)
        return await asyncio.shield(task)

    async def _made_in_order(self, call: CompiledCall) -> Any:
        lock = self._orders.setdefault(call.order, asyncio.Lock())
        async with lock:
            return await self._made(call)

    async def _made(self, call: CompiledCall) -> Any:
        plugin = self._plugins[call.kind, call.plugin]
        try:
            async with plugin.limit:
                return await self._tried(call, plugin)
        except (CallError, ProcessError, OSError) as error:
            raise MeasurementError(cut(f"the {call.kind.value} {call.plugin} can't be called: {error}")) from error

    async def _tried(self, call: CompiledCall, plugin: _Plugin) -> Any:
        """Make a call. It is made again where the plugin has died of something, once: plugins must bear that."""
        for last in (False, True):
            process = await plugin.process(self._home())
            try:
                return await process.call(call.method, call.arguments, CALL_LIMITS[call.kind])
            except ProcessError:
                if last:
                    raise
        raise AssertionError("the last try ends it")

    def _home(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="plugins-"))
        return self._folder
