"""How do the tests type `kubectl argo rollouts` commands, with the plugin that others wrote?"""

import os
from pathlib import Path

from e2e.kubectl import PROGRAM, Kubectl
from e2e.program import Answer, ask


class Plugin:
    """kubectl with the plugin of Argo Rollouts on its PATH, as one user in one namespace."""

    def __init__(self, directory: Path, kubectl: Kubectl) -> None:
        self._kubectl = kubectl
        self._environment = {**os.environ, "PATH": f"{directory}{os.pathsep}{os.environ.get('PATH', '')}"}

    async def __call__(self, *words: str, code: int = 0, within: float = 60.0) -> str:
        """Run a command that ends with this exit code; return what it printed, errors last."""
        answer = await self.ask(*words, within=within)
        assert answer.code == code, f"kubectl argo rollouts {' '.join(words)}: exit code {answer.code}\n{answer.text}"
        return answer.text

    async def ask(self, *words: str, within: float = 60.0) -> Answer:
        """Run a command, however it ends."""
        who = [f"--kubeconfig={self._kubectl.kubeconfig}", f"--namespace={self._kubectl.namespace}"]
        return await ask(PROGRAM, "argo", "rollouts", *words, *who, within=within, environment=self._environment)
