"""How do the tests type kubectl commands?"""

import json
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from e2e.program import ask
from e2e.waiting import PATIENCE, eventually

PROGRAM = Path(sysconfig.get_path("scripts")) / "kubectl"
DEADLINE = 240.0

Manifest = str | Path | Mapping[str, Any] | Sequence[Mapping[str, Any]]


class KubectlError(AssertionError):
    """kubectl ended with another exit code than 0."""

    def __init__(self, arguments: Sequence[str], code: int, stdout: str, stderr: str) -> None:
        super().__init__(f"kubectl {' '.join(arguments)}: exit code {code}\n{stderr}{stdout}")
        self.code = code
        self.stdout = stdout
        self.stderr = stderr


class Kubectl:
    """The real kubectl, as one user in one namespace."""

    def __init__(self, kubeconfig: Path, namespace: str = "default") -> None:
        self.kubeconfig = kubeconfig
        self.namespace = namespace

    async def __call__(self, *arguments: str, stdin: str | None = None, within: float = DEADLINE) -> str:
        """Run a command and return what it printed; KubectlError when it fails."""
        at = (f"--kubeconfig={self.kubeconfig}", f"--namespace={self.namespace}")
        answer = await ask(PROGRAM, *at, *arguments, within=within, stdin=stdin)
        if answer.code:
            raise KubectlError(arguments, answer.code, answer.out, answer.err)
        return answer.out

    async def json(self, *arguments: str) -> Any:
        """Run `kubectl get ...` or another command with -o json and return the object."""
        return json.loads(await self(*arguments, "-o", "json"))

    async def apply(self, manifest: Manifest, *arguments: str) -> str:
        """`kubectl apply`: a file or directory, YAML text, an object or several."""
        if isinstance(manifest, Path):
            return await self("apply", *arguments, "-f", str(manifest))
        return await self("apply", *arguments, "-f", "-", stdin=_text(manifest))

    async def create(self, manifest: Manifest, *arguments: str) -> str:
        """`kubectl create`, as `apply`."""
        if isinstance(manifest, Path):
            return await self("create", *arguments, "-f", str(manifest))
        return await self("create", *arguments, "-f", "-", stdin=_text(manifest))

    async def wait(self, *arguments: str, within: float = PATIENCE) -> str:
        """`kubectl wait`, e.g. wait("deploy/web", "--for=condition=Available")."""
        return await self("wait", *arguments, f"--timeout={within:g}s", within=within + 10)

    async def serves(self, *definitions: str) -> None:
        """Wait until kinds can be asked for, by the names of their definitions.

        Not by `kubectl wait`: it fails on a definition that nobody has looked at yet, and what is established is served
        a moment later.
        """

        async def is_served() -> bool:
            try:
                for name in definitions:
                    await self("get", name, "--all-namespaces")
            except KubectlError:
                return False
            return True

        await eventually(is_served, what=f"{', '.join(definitions)} are served")


def _text(manifest: str | Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> str:
    if isinstance(manifest, str):
        return manifest
    if isinstance(manifest, Mapping):
        return json.dumps(manifest)
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifest)})
