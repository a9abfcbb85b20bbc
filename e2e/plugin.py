"""How do the tests type `kubectl argo rollouts` commands, with the plugin that others wrote?"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from e2e.kubectl import DEADLINE, PROGRAM, Kubectl
from e2e.program import Answer, ask
from e2e.waiting import PATIENCE


class Plugin:
    """kubectl with the plugin of Argo Rollouts on its PATH, as one user in one namespace."""

    def __init__(self, directory: Path, kubectl: Kubectl) -> None:
        self._kubectl = kubectl
        self._environment = {**os.environ, "PATH": f"{directory}{os.pathsep}{os.environ.get('PATH', '')}"}

    async def __call__(self, *words: str, code: int = 0, within: float = DEADLINE) -> str:
        """Run a command that ends with this exit code; return what it printed, errors last."""
        answer = await self.ask(*words, within=within)
        assert answer.code == code, f"kubectl argo rollouts {' '.join(words)}: exit code {answer.code}\n{answer.text}"
        return answer.text

    @asynccontextmanager
    async def watching(self, *words: str) -> AsyncIterator["Watching"]:
        """Run a command that goes on, and read what it says; it is ended with the block."""
        child = await asyncio.create_subprocess_exec(
            *self._line(*words),
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            yield Watching(child)
        finally:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()

    async def ask(self, *words: str, within: float = DEADLINE) -> Answer:
        """Run a command, however it ends."""
        return await ask(*self._line(*words), within=within, environment=self._environment)

    def _line(self, *words: str) -> tuple[str | Path, ...]:
        who = (f"--kubeconfig={self._kubectl.kubeconfig}", f"--namespace={self._kubectl.namespace}")
        return (PROGRAM, "argo", "rollouts", *words, *who)


class Watching:
    """A command that goes on and says what changes."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self._child = child

    async def says(self, *words: str) -> None:
        """Read on until all of these words were said since this was asked last."""
        assert self._child.stdout is not None
        said = ""
        try:
            async with asyncio.timeout(PATIENCE):
                while not all(word in said for word in words):
                    line = await self._child.stdout.readline()
                    assert line, f"ended without {words}: {said}"
                    said += line.decode()
        except TimeoutError:
            raise AssertionError(f"not within {PATIENCE:g} s: {words}; said: {said[-2000:]}") from None

    async def ends(self) -> int:
        """Wait for its end; return the exit code."""
        async with asyncio.timeout(PATIENCE):
            return await self._child.wait()
