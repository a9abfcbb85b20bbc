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
from rollouts.devcluster.offspring import ending_with_us

_READY = 120.0  # it only bounds a failure: machines may be slow
_ENDS_WITHIN = 30.0
_TAIL = 4_000


@dataclass(frozen=True, slots=True)
class Programs:
    """A dev cluster and a controller, each a process of its own, as in production: they meet over HTTP only."""

    directory: Path
    has_traffic: bool = False

    @property
    def title(self) -> str:
        """Which programs there are."""
        return f"An embedded Kubernetes API server{', Envoy' if self.has_traffic else ''} and the controller"

    @property
    def kubeconfig(self) -> Path:
        """The file that says where the dev cluster is."""
        return self.directory / "kubeconfig"

    @property
    def controller_log(self) -> Path:
        """What the controller says."""
        return self.directory / "controller.log"

    @property
    def cluster_log(self) -> Path:
        """What the dev cluster says."""
        return self.directory / "devcluster.log"

    @property
    def path(self) -> Path:
        """Where the programs are that a user types."""
        return Path(sys.executable).parent

    @contextlib.asynccontextmanager
    async def running(self, crds: Path) -> AsyncIterator[None]:
        """Start both, and end them by their pids."""
        cluster = ["devcluster", "--kubeconfig", str(self.kubeconfig), "--crds", str(crds)]
        cluster += ["--traffic"] if self.has_traffic else []
        ports = ["--healthzPort", "0", "--metricsPort", "0", "--bind-address", "127.0.0.1"]
        # Counts reach the screen soon: nobody else loads this API server.
        ports += ["--status-delay", "1s"]
        controller = ["--kubeconfig", str(self.kubeconfig), "controller", "--namespace", "default", *ports]
        async with (
            _program(cluster, self.cluster_log) as server,
            _until_written(self.kubeconfig, server),
            _program(controller, self.controller_log),
        ):
            yield

    def last_words(self) -> str:
        """Return the end of what the cluster and the controller have said, if they have said anything."""
        logs = (each for each in (self.cluster_log, self.controller_log) if each.exists())
        return "\n".join(each.read_text(errors="replace")[-_TAIL:] for each in logs)


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
            preexec_fn=ending_with_us(),
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _ENDS_WITHIN)
            except TimeoutError:
                process.kill()
                await process.wait()


def _is_written(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


@contextlib.asynccontextmanager
async def _until_written(path: Path, process: asyncio.subprocess.Process) -> AsyncIterator[None]:
    """Wait for the file that a program writes once it serves."""
    async with asyncio.timeout(_READY):
        while not _is_written(path):
            if process.returncode is not None:
                raise CommandError(f"the dev cluster ended with {process.returncode} before it served anything")
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
