"""Which programs does the demo run beside itself, and how do they end?"""

import asyncio
import contextlib
import os
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rollouts.cli.errors import CommandError

_READY = 30.0
_TAIL = 4_000


@dataclass(frozen=True, slots=True)
class Programs:
    """A dev cluster and a controller, each a process of its own, as in production: they meet over HTTP only."""

    directory: Path

    @property
    def kubeconfig(self) -> Path:
        """The file that says where the dev cluster is."""
        return self.directory / "kubeconfig"

    @property
    def controller_log(self) -> Path:
        """What the controller says."""
        return self.directory / "controller.log"

    @contextlib.asynccontextmanager
    async def running(self, crds: Path) -> AsyncIterator[None]:
        """Start both, and end them by their pids."""
        cluster = ["devcluster", "--kubeconfig", str(self.kubeconfig), "--crds", str(crds)]
        ports = ["--healthzPort", "0", "--metricsPort", "0", "--bind-address", "127.0.0.1"]
        # Counts reach the screen soon: nobody else loads this API server.
        ports += ["--status-delay", "1s"]
        controller = ["--kubeconfig", str(self.kubeconfig), "controller", "--namespace", "default", *ports]
        async with (
            _program(cluster, self.directory / "devcluster.log") as server,
            _until_written(self.kubeconfig, server, self.directory / "devcluster.log"),
            _program(controller, self.controller_log),
        ):
            yield

    def last_words(self) -> str:
        """Return the end of the controller's log, if it has said anything."""
        return _tail(self.controller_log) if self.controller_log.exists() else ""


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-_TAIL:]


@contextlib.asynccontextmanager
async def _program(arguments: Sequence[str], log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "rollouts.cli.main",
            *arguments,
            env={**os.environ, "POD_NAMESPACE": "default"},  # where the controller keeps its lease
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 15)
            except TimeoutError:
                process.kill()
                await process.wait()


def _is_written(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


@contextlib.asynccontextmanager
async def _until_written(path: Path, process: asyncio.subprocess.Process, log: Path) -> AsyncIterator[None]:
    """Wait for the file that a program writes once it serves."""
    async with asyncio.timeout(_READY):
        while not _is_written(path):
            if process.returncode is not None:
                raise CommandError(f"the dev cluster ended with {process.returncode}: {_tail(log)}")
            await asyncio.sleep(0.02)
    yield


def find_kubectl() -> str | None:
    """Return the kubectl beside our Python, or the one on the path."""
    beside = Path(sys.executable).with_name("kubectl")
    return str(beside) if beside.exists() else shutil.which("kubectl")


async def run_kubectl(kubectl: str, kubeconfig: Path, arguments: Sequence[str], stdin: str = "") -> str:
    """Run kubectl as a user would and return what it prints; an error carries its words."""
    process = await asyncio.create_subprocess_exec(
        kubectl,
        "--kubeconfig",
        str(kubeconfig),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate(stdin.encode())
    text = output.decode(errors="replace").strip()
    if process.returncode:
        raise CommandError(f"kubectl {' '.join(arguments)}: {text}")
    return text
