"""How is a dev cluster started and stopped?"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

from aiohttp import web

from rollouts.devcluster.api import INTERNAL, Api
from rollouts.devcluster.builtin import builtin, builtin_kinds
from rollouts.devcluster.definitions import serve_definitions
from rollouts.devcluster.kinds import Kinds
from rollouts.devcluster.kubeconfig import kubeconfig
from rollouts.devcluster.objects import Clock
from rollouts.devcluster.server import Server
from rollouts.devcluster.store import Store

if TYPE_CHECKING:
    from types import TracebackType

_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


class DevCluster:
    """An embedded Kubernetes cluster on loopback: `async with DevCluster() as cluster: cluster.url`."""

    def __init__(self, *, port: int = 0, kubeconfig_path: Path | None = None, pod_start: float = 0.3) -> None:
        self._port = port
        self._wanted_path = kubeconfig_path
        self._pod_start = pod_start
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        self.store = Store()
        self.api = Api(self.store, Kinds(builtin_kinds()), Clock(asyncio.get_running_loop()))
        serve_definitions(self.store, self.api.kinds)
        self.server = Server(self.api)
        for name in _NAMESPACES:
            self.api.create(builtin("Namespace"), "", {"metadata": {"name": name}}, INTERNAL)
        self._runner = web.AppRunner(
            self.server.app(), handler_cancellation=True, access_log=None, shutdown_timeout=1.0
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.drop_watches()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._directory is not None:
            self._directory.cleanup()

    def kubeconfig(self) -> str:
        """Return the text of a kubeconfig."""
        return kubeconfig(self.url)

    @property
    def kubeconfig_path(self) -> Path:
        """The file that holds the kubeconfig; written when first asked for."""
        path = self._wanted_path
        if path is None:
            self._directory = tempfile.TemporaryDirectory(prefix="devcluster-")
            path = self._wanted_path = Path(self._directory.name) / "kubeconfig"
        if not path.exists() or path.read_text() != self.kubeconfig():
            path.write_text(self.kubeconfig())
        return path
