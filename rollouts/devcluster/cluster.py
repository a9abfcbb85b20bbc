"""How is a dev cluster started and stopped?"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import yaml
from aiohttp import web

from rollouts.devcluster.answering import Answering
from rollouts.devcluster.api import INTERNAL, Api, Write
from rollouts.devcluster.budgets import Budgets
from rollouts.devcluster.builtin import builtin, builtin_kinds
from rollouts.devcluster.definitions import serve_definitions
from rollouts.devcluster.deployments import Deployments
from rollouts.devcluster.gateway.gateways import DEFINITIONS, Gateways
from rollouts.devcluster.gc import GarbageCollector
from rollouts.devcluster.jobs import Jobs
from rollouts.devcluster.kinds import Kinds
from rollouts.devcluster.kubeconfig import kubeconfig
from rollouts.devcluster.network import Invented, Loopback
from rollouts.devcluster.objects import Clock
from rollouts.devcluster.pods import NODE, Pods
from rollouts.devcluster.replicasets import ReplicaSets
from rollouts.devcluster.server import Server
from rollouts.devcluster.services import Services
from rollouts.devcluster.store import Store

if TYPE_CHECKING:
    from types import TracebackType

    from rollouts.devcluster.network import Network
    from rollouts.devcluster.work import Worker

_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


class DevCluster:
    """An embedded Kubernetes cluster on loopback: `async with DevCluster() as cluster: cluster.url`."""

    def __init__(
        self,
        *,
        port: int = 0,
        kubeconfig_path: Path | None = None,
        pod_start: float = 0.3,
        crash_back_off: float = 1.0,
        crds: Path | None = None,
        traffic: bool = False,
    ) -> None:
        self._port = port
        self._wanted_path = kubeconfig_path
        self._pod_start = pod_start
        self._back_off = crash_back_off
        self._crds = crds
        self._has_traffic = traffic
        self._beside = contextlib.AsyncExitStack()
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._workers: list[Worker[Any]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.url = ""

    async def __aenter__(self) -> Self:
        self.store = Store()
        self.api = Api(self.store, Kinds(builtin_kinds()), Clock(asyncio.get_running_loop()))
        serve_definitions(self.store, self.api.kinds)
        self.server = Server(self.api)
        for name in _NAMESPACES:
            self.api.create(builtin("Namespace"), "", {"metadata": {"name": name}}, INTERNAL)
        self._add_node()
        async with contextlib.AsyncExitStack() as beside:
            listening = socket.create_server(("127.0.0.1", self._port))
            beside.callback(listening.close)
            port = listening.getsockname()[1]
            network = Loopback(port) if self._has_traffic else None
            self._start_controllers(network or Invented())
            beside.push_async_callback(self._stop_controllers)
            for path in sorted(self._crds.glob("*.yaml")) if self._crds else ():
                self.apply(path.read_text())
            if network is not None:
                await self._let_traffic_in(network, beside)
            runner = web.AppRunner(self.server.app(), handler_cancellation=True, access_log=None, shutdown_timeout=1.0)
            await runner.setup()
            beside.push_async_callback(runner.cleanup)
            beside.callback(self.server.drop_watches)
            await web.SockSite(runner, listening).start()
            self.url = f"http://127.0.0.1:{port}"
            self._beside = beside.pop_all()
        return self

    async def _let_traffic_in(self, network: Loopback, beside: contextlib.AsyncExitStack) -> None:
        answering = Answering(self.api)
        beside.push_async_callback(answering.close)
        self.apply(DEFINITIONS.read_text("utf-8"))
        await beside.enter_async_context(Gateways(self.api, network).running())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._beside.aclose()
        if self._directory is not None:
            self._directory.cleanup()

    async def _stop_controllers(self) -> None:
        for worker in self._workers:
            worker.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _add_node(self) -> None:
        kind = builtin("Node")
        labels = {"kubernetes.io/hostname": NODE, "kubernetes.io/os": "linux"}
        node = self.api.create(kind, "", {"metadata": {"name": NODE, "labels": labels}}, INTERNAL)
        now = self.api.clock.stamp()
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "the dev cluster is ready"}
        times = {"lastHeartbeatTime": now, "lastTransitionTime": now}
        addresses = [{"type": "InternalIP", "address": "127.0.0.1"}, {"type": "Hostname", "address": NODE}]
        room = {"cpu": "1000", "memory": "1Ti", "pods": "100k"}
        status = {"conditions": [{**ready, **times}], "addresses": addresses, "capacity": room, "allocatable": room}
        self.api.put_status(kind, node, status)

    def _start_controllers(self, network: Network) -> None:
        self._workers = [
            GarbageCollector(self.api).worker,
            Pods(self.api, self._pod_start, self._back_off, network).worker,
            ReplicaSets(self.api).worker,
            Deployments(self.api).worker,
            Jobs(self.api, self._back_off).worker,
            Services(self.api).worker,
            Budgets(self.api).worker,
        ]
        self._tasks = [asyncio.create_task(worker.run()) for worker in self._workers]

    def apply(self, text: str) -> None:
        """Create the objects of a YAML text; leave out what is not of a kind that is served, as kustomizations are."""
        for obj in yaml.safe_load_all(text):
            kind = self.api.kinds.by_name(obj.get("apiVersion", ""), obj.get("kind", "")) if obj else None
            if kind is not None:
                namespace = obj["metadata"].get("namespace", "default") if kind.namespaced else ""
                self.api.create(kind, namespace, obj, Write(manager="devcluster"))

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
            whole = path.with_name(f".{path.name}.new")  # whoever waits for the file sees it whole
            whole.write_text(self.kubeconfig())
            whole.replace(path)
        return path
