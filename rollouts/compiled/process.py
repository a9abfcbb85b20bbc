"""How does a compiled plugin run? As a process of its own, in a group of its own, which is killed with it.

It finds little in its environment, and what it prints goes to the log, a bounded part of it. Nobody waits for it
without a deadline. Whatever it does wrong ends it, and is told to whoever was waiting.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from rollouts.compiled.prints import Prints
from rollouts.goplugin.gob import GobError
from rollouts.goplugin.handshake import LONGEST_LINE, Address, HandshakeError, Kind, environment, read_line
from rollouts.goplugin.methods import SaidError, method
from rollouts.goplugin.session import Answered, Event, Printed, Ready, Session, SessionError

START_LIMIT = 60.0
"""Seconds until a plugin has said where it listens, was connected and is initialised."""

PING_LIMIT = 5.0
_CHUNK = 64 * 1024
_LAST_WORDS = 1.0
_LOCAL = frozenset({"127.0.0.1", "::1", "localhost"})

_log = structlog.get_logger(__name__)


class ProcessError(Exception):
    """A plugin doesn't run, or any more; the message says why. It may be started anew."""


class CallError(Exception):
    """A call came to nothing; the plugin runs."""


@dataclass(frozen=True, slots=True)
class Program:
    """What is started: `folder` is where its socket lies, `variables` are those of its environment."""

    name: str
    kind: Kind
    path: Path
    args: Sequence[str]
    folder: Path
    variables: Mapping[str, str]


class Process:
    """A plugin that runs."""

    def __init__(self, program: Program, child: asyncio.subprocess.Process) -> None:
        self.gone = asyncio.Event()
        self._program = program
        self._child = child
        self._session = Session(program.kind)
        self._writer: asyncio.StreamWriter | None = None
        self._ready = asyncio.get_running_loop().create_future()
        self._calls: dict[tuple[str, int], asyncio.Future[Answered]] = {}
        self.why = ""
        self._tasks: list[asyncio.Task[None]] = []
        self._prints = Prints(program.name)

    @classmethod
    async def start(cls, program: Program, limit: float = START_LIMIT) -> "Process":
        """Start a plugin, and return it once it can be called. Raises ProcessError."""
        variables = {**program.variables, **environment(program.kind, str(program.folder))}
        try:
            child = await asyncio.create_subprocess_exec(
                program.path,
                *program.args,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=variables,
                cwd=program.folder,
                start_new_session=True,
                limit=LONGEST_LINE,
            )
        except OSError as error:
            raise ProcessError(f"its program can't be started: {error.strerror or type(error).__name__}") from error
        process = cls(program, child)
        try:
            async with asyncio.timeout(limit):
                await process._connect()
        except TimeoutError:
            process.kill(f"it wasn't ready within {limit:g} seconds")
        except (HandshakeError, OSError, CallError) as error:
            process.kill(str(error))
        except BaseException:
            process.kill("it is not needed any more")
            await process.close()
            raise
        if process.gone.is_set():
            await process.close()
            raise ProcessError(process.why)
        _log.info("plugin started", plugin=program.name, pid=child.pid)
        return process

    @property
    def pid(self) -> int:
        return self._child.pid

    async def call(self, name: str, values: Mapping[str, Any], limit: float) -> Any:
        """Return what a method answers. Raises CallError, and ProcessError where the plugin is gone."""
        called = method(self._program.kind, name)
        try:
            kind, argument = called.sent(values)
            answered = await self._answered(lambda: self._session.call(name, kind, argument), limit)
        except GobError as error:
            raise CallError(f"{name} can't be told: {error}") from error
        except TimeoutError:
            await self._ping()
            raise CallError(f"{name} was given up after {limit:g} seconds") from None
        if answered.error:
            raise CallError(f"{name} failed: {answered.error}")
        try:
            return called.answer(answered.value)
        except SaidError as said:
            raise CallError(f"{name}: {said}") from None
        except GobError as error:
            raise CallError(f"{name} answered what makes no sense: {error}") from error

    async def close(self) -> None:
        """Ask it to end, and see to it that it does."""
        if not self.gone.is_set():
            with contextlib.suppress(TimeoutError, ProcessError):
                await self._answered(self._session.quit, _LAST_WORDS)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.gone.wait(), _LAST_WORDS)
        self.kill("it is not needed any more")
        await self._child.wait()
        _, unfinished = await asyncio.wait(self._tasks, timeout=_LAST_WORDS)
        for task in unfinished:
            task.cancel()
        if self._writer is not None:
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()

    def kill(self, why: str) -> None:
        """End it with all that it has started, unless it is gone. `why` is told to those who wait for it."""
        if self.gone.is_set():
            return
        self.gone.set()
        self.why = why
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)
        for future in (self._ready, *self._calls.values()):
            if not future.done():
                future.set_exception(ProcessError(why))
                future.exception()  # somebody may wait for it, or nobody
        if self._writer is not None:
            self._writer.close()
        _log.info("plugin ended", plugin=self._program.name, pid=self._child.pid, reason=why)

    async def _connect(self) -> None:
        stdout, stderr = self._child.stdout, self._child.stderr
        if stdout is None or stderr is None:
            raise AssertionError("both are pipes")
        self._tasks += [asyncio.create_task(self._prints.follow(stderr)), asyncio.create_task(self._wait())]
        try:
            line = await stdout.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            line = error.partial
        except asyncio.LimitOverrunError:
            raise HandshakeError(f"its first line has more than {LONGEST_LINE} characters") from None
        finally:
            self._tasks.append(asyncio.create_task(self._prints.follow(stdout)))
        reader, self._writer = await _connection(read_line(line.decode("utf-8", "replace")))
        self._tasks.append(asyncio.create_task(self._listen(reader)))
        self._flush()
        with contextlib.suppress(ProcessError):
            await self._ready
            await self.call("InitPlugin", {}, START_LIMIT)

    async def _answered(self, send: Callable[[], tuple[str, int]], limit: float) -> Answered:
        """Send something, and return its answer. Raises ProcessError, TimeoutError, GobError."""
        if self.gone.is_set():
            raise ProcessError(self.why)
        try:
            number = send()
        except SessionError as error:
            self.kill(str(error))
            raise ProcessError(self.why) from None
        future: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._calls[number] = future
        self._flush()
        try:
            async with asyncio.timeout(limit):
                return await future
        finally:
            self._calls.pop(number, None)

    async def _ping(self) -> None:
        """See whether it lives; one that hangs is killed. Raises ProcessError."""
        try:
            await self._answered(self._session.ping, PING_LIMIT)
        except TimeoutError:
            self.kill("it hangs: it doesn't answer any more")
            raise ProcessError(self.why) from None

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while data := await reader.read(_CHUNK):
                for event in self._session.receive(data):
                    self._heard(event)
                self._flush()
            self.kill("it has closed the connection")
        except SessionError as error:
            self.kill(str(error))
        except OSError:
            self.kill("the connection to it broke")

    def _heard(self, event: Event) -> None:
        match event:
            case Ready():
                if not self._ready.done():
                    self._ready.set_result(None)
            case Answered(call):
                future = self._calls.get(call)
                if future is not None and not future.done():
                    future.set_result(event)
            case Printed(data):
                self._prints.heard(data)

    def _flush(self) -> None:
        if self._writer is not None and (data := self._session.outgoing()):
            self._writer.write(data)

    async def _wait(self) -> None:
        code = await self._child.wait()
        self.kill(f"it has ended by signal {-code}" if code < 0 else f"it has ended with exit code {code}")


async def _connection(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if address.network == "unix":
        return await asyncio.open_unix_connection(address.place)
    host, _, port = address.place.rpartition(":")
    if host.strip("[]") not in _LOCAL or not port.isdecimal():
        raise HandshakeError(f"it listens at {address.place[:100]}, which isn't on this machine")
    return await asyncio.open_connection(host.strip("[]"), int(port))
