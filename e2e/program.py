"""How is a real program started so that it never outlives the tests, and what did it say when it failed?"""

import asyncio
import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from e2e import slowness

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


def _die_with_parent(parent: int) -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we could ask to be told
        os._exit(1)


class ProgramError(Exception):
    """A program ended by itself, or didn't do what was waited for; carries the end of its log."""


class Program:
    """One child process: its own session, its output in a file, killed by the kernel when its parent dies.

    Belongs to no event loop, so a fixture of the session may start it and any test may stop it. Start it from the main
    thread: the kernel counts the death of the *thread* that started it.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str | Path],
        log: Path,
        environment: Mapping[str, str] | None = None,
        *,
        is_slow: bool = False,
    ) -> None:
        self.name = name
        self.is_slow = is_slow
        self.argv = [str(part) for part in argv]
        self.log = log
        self.environment = dict(environment) if environment is not None else None
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it (again): the log is appended to."""
        if self.running:
            raise ProgramError(f"{self.name} is running already, pid {self.pid}")
        parent = os.getpid()
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment,
                start_new_session=True,  # Ctrl-C is for us: we end it in order
                preexec_fn=lambda: _die_with_parent(parent),  # noqa: PLW1509 - a prctl, nothing that takes a lock
            )
        if self.is_slow:
            slowness.hold_up(self._child)

    @property
    def pid(self) -> int:
        """The process id of the latest start."""
        if self._child is None:
            raise ProgramError(f"{self.name} has not been started")
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether it is alive."""
        return self._child is not None and self._child.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Its exit code, negative for a signal, None while it runs."""
        return None if self._child is None else self._child.poll()

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    async def stop(self, grace: float = 60.0) -> None:
        """Ask it to end, as a kubelet does: SIGTERM, then SIGKILL when the grace is over."""
        if not self.running:
            return
        os.kill(self.pid, signal.SIGTERM)
        try:
            await self.wait(grace)
        except TimeoutError:
            self.kill()

    async def wait(self, within: float) -> int:
        """Wait for its end and return the exit code; TimeoutError when it's still running."""
        child = self._child
        if child is None:
            raise ProgramError(f"{self.name} has not been started")
        try:
            return await asyncio.to_thread(child.wait, within)
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(f"{self.name} still runs after {within:g} s") from error

    def tail(self, lines: int = 40) -> str:
        """The last lines of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def require_running(self) -> None:
        """Raise with the end of its log when it isn't running."""
        if not self.running:
            raise ProgramError(f"{self.name} ended with exit code {self.exit_code}; {self.log} ends:\n{self.tail()}")


@dataclass(frozen=True)
class Answer:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """All that it said, errors last."""
        return self.out + self.err


async def ask(
    *line: str | Path, within: float, stdin: str | None = None, environment: Mapping[str, str] | None = None
) -> Answer:
    """Run a command to its end, however it ends; one that takes longer is killed, and TimeoutError raised."""
    child = await asyncio.create_subprocess_exec(
        *line,
        env=environment,
        stdin=asyncio.subprocess.PIPE if stdin is not None else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(within):
            out, err = await child.communicate(stdin.encode() if stdin is not None else None)
    except BaseException:
        child.kill()
        await child.wait()
        raise
    return Answer(child.returncode or 0, out.decode(), err.decode())
