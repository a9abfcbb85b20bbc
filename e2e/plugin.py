"""How do the tests type `kubectl argo rollouts` commands, with the plugin that others wrote?"""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from e2e.kubectl import PROGRAM, Kubectl


@dataclass(frozen=True)
class Answer:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str


class Plugin:
    """kubectl with the plugin of Argo Rollouts on its PATH, as one user in one namespace."""

    def __init__(self, directory: Path, kubectl: Kubectl) -> None:
        self._kubectl = kubectl
        self._environment = {**os.environ, "PATH": f"{directory}{os.pathsep}{os.environ.get('PATH', '')}"}

    async def __call__(self, *words: str, code: int = 0, within: float = 60.0) -> str:
        """Run a command that ends with this exit code; return what it printed, errors last."""
        answer = await self.ask(*words, within=within)
        text = answer.out + answer.err
        assert answer.code == code, f"kubectl argo rollouts {' '.join(words)}: exit code {answer.code}\n{text}"
        return text

    async def ask(self, *words: str, within: float = 60.0) -> Answer:
        """Run a command, however it ends."""
        who = [f"--kubeconfig={self._kubectl.kubeconfig}", f"--namespace={self._kubectl.namespace}"]
        child = await asyncio.create_subprocess_exec(
            PROGRAM,
            "argo",
            "rollouts",
            *words,
            *who,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(within):
                out, err = await child.communicate()
        except BaseException:
            child.kill()
            await child.wait()
            raise
        return Answer(child.returncode or 0, out.decode(), err.decode())
