"""What is a real control plane made of, and how do the tests hold it in their hand?

`python -m e2e.plane` starts one for developers and prints its kubeconfig.
"""

import argparse
import asyncio
import contextlib
import secrets
import shutil
import signal
import ssl
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import yaml

from e2e import arguments, build, ports, slowness
from e2e.access import Access
from e2e.program import Program, ProgramError
from e2e.toolchain import BuildError
from e2e.waiting import eventually

START_DEADLINE = 180.0
USERS = ("admin", "controller-manager", "kubelet")  # each with a token of its own, so that audit logs tell them apart
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


class ControlPlane:
    """etcd, kube-apiserver, kube-controller-manager and a stand-in for scheduler and kubelets, on loopback, RBAC on.

    Belongs to no event loop. `crds` are installed before the garbage collector starts: it looks for new kinds
    only every 30 seconds.
    """

    def __init__(
        self,
        directory: Path | None = None,
        *,
        crds: Sequence[Path] = (),
        audit: bool = False,
        audit_policy: str = arguments.AUDIT_POLICY,
        workloads: bool = True,
        start_delay: float = 0.05,
        nodes: int = 3,
    ) -> None:
        self._own_directory = directory is None
        self.directory = directory or Path(tempfile.mkdtemp(prefix="rollouts-plane-"))
        self.directory.mkdir(parents=True, exist_ok=True)
        self.crds = list(crds)
        self._audit_policy = audit_policy
        self.audit_log = self.directory / "audit.log" if audit else None
        api, store, peers = ports.free(3)
        self.store = f"http://127.0.0.1:{store}"
        self._peers = f"http://127.0.0.1:{peers}"
        self.server = f"https://127.0.0.1:{api}"
        # The API server makes its own certificate at its first start; the file ends with the authority that signed it.
        self.authority = self.directory / "certificates" / "apiserver.crt"
        self._tokens = {user: secrets.token_hex(16) for user in USERS}
        self.admin = self._access("admin")
        self.admin_kubeconfig = self.directory / "admin.kubeconfig"
        self._workloads = workloads
        self._start_delay = start_delay
        self._nodes = nodes
        self._programs: dict[str, Program] = {}

    @property
    def programs(self) -> list[Program]:
        """What runs: names, pids and logs."""
        return list(self._programs.values())

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start everything; ready when it returns."""
        home = await asyncio.to_thread(build.binaries)
        self._write_configuration()
        self._define(home)
        self._programs["etcd"].start()
        await self.start_apiserver()
        await self._install_crds()
        self._programs["kube-controller-manager"].start()
        if self._workloads:
            self._programs["kubelet"].start()
        await self._controllers_work()

    async def stop(self) -> None:
        """End everything by pid, the store last; of a directory that isn't ours only the logs stay."""
        for name in ("kubelet", "kube-controller-manager", "kube-apiserver", "etcd"):
            if program := self._programs.get(name):
                program.kill()  # nothing of its state is wanted
        shutil.rmtree(self.directory if self._own_directory else self.directory / "etcd", ignore_errors=True)

    async def start_apiserver(self) -> None:
        """Start the API server and wait until it is ready."""
        self._programs["kube-apiserver"].start()
        await eventually(self._ready, within=START_DEADLINE, every=0.05, what="kube-apiserver is ready")

    @property
    def is_serving(self) -> bool:
        """Whether the API server's process is alive."""
        return self._programs["kube-apiserver"].running

    @property
    def pids(self) -> dict[str, int]:
        """The processes, by the programs' names."""
        return {name: program.pid for name, program in self._programs.items()}

    async def kill_apiserver(self) -> None:
        """kill -9: connections break in the middle of whatever they carried."""
        self._programs["kube-apiserver"].kill()

    async def restart_apiserver(self) -> None:
        """An orderly restart, as of an upgrade; its memory of past events is gone."""
        await self._programs["kube-apiserver"].stop(grace=60)
        await self.start_apiserver()

    async def restart_controllers(self) -> None:
        """Start the controllers and kubelets anew after an outage: by themselves they would need half a minute."""
        for name in ("kube-controller-manager", "kubelet"):
            if program := self._programs.get(name):
                program.kill()
                program.start()
        await self._controllers_work()

    async def compact_etcd(self) -> int:
        """Drop all history from the store and return the revision that is left.

        An API server that still holds newer events in memory serves old watches from there: restart it as well
        to have it answer 410 Gone.
        """
        async with aiohttp.ClientSession(self.store, raise_for_status=True) as store:
            async with store.post("/v3/maintenance/status", json={}) as answer:
                revision = int((await answer.json())["header"]["revision"])
            async with store.post("/v3/kv/compaction", json={"revision": revision, "physical": True}) as answer:
                await answer.read()
        return revision

    async def access_of(self, namespace: str, service_account: str, seconds: int = 3600) -> Access:
        """A client that is this ServiceAccount, with its rights only: a token from the TokenRequest API."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{service_account}/token"
        body = {"spec": {"expirationSeconds": seconds}}
        async with self.admin.session() as api, api.post(path, json=body) as answer:
            granted = await answer.json()
            if answer.status != 201:
                raise ProgramError(f"no token for {namespace}/{service_account}: {granted.get('message')}")
        return Access(self.server, self.authority, granted["status"]["token"])

    async def kubeconfig_of(self, namespace: str, service_account: str) -> Path:
        """The kubeconfig of `access_of`."""
        access = await self.access_of(namespace, service_account)
        return access.write_kubeconfig(self.directory / f"{namespace}.{service_account}.kubeconfig", namespace)

    def _access(self, user: str) -> Access:
        return Access(self.server, self.authority, self._tokens[user])

    def _write_configuration(self) -> None:
        rows = [f'{token},{user},{user},"system:masters"' for user, token in self._tokens.items()]
        tokens = self.directory / "tokens.csv"
        tokens.write_text("\n".join(rows) + "\n")
        tokens.chmod(0o600)
        self.admin.write_kubeconfig(self.admin_kubeconfig)
        self._access("controller-manager").write_kubeconfig(self.directory / "controller-manager.kubeconfig")
        (self.directory / "audit-policy.yaml").write_text(self._audit_policy)

    def _define(self, home: Path) -> None:
        at = self.directory
        api = arguments.apiserver(at, port=int(self.server.rpartition(":")[2]), store=self.store, audit=self.audit_log)
        kubelet = self._access("kubelet")
        lines: dict[str, Sequence[str | Path]] = {
            "etcd": [home / "etcd", *arguments.etcd(at, self.store, self._peers)],
            "kube-apiserver": [home / "kube-apiserver", *api],
            "kube-controller-manager": [home / "kube-controller-manager", *arguments.controller_manager(at)],
            "kubelet": [sys.executable, *arguments.kubelet(kubelet, self._start_delay, self._nodes)],
        }
        for name, line in lines.items():
            environment = arguments.environment(kubelet.token if name == "kubelet" else None)
            is_slow = name == "kube-controller-manager" and slowness.is_on("programs")
            self._programs[name] = Program(name, line, at / f"{name}.log", environment, is_slow=is_slow)

    async def _ready(self) -> bool:
        for name in ("etcd", "kube-apiserver"):
            self._programs[name].require_running()
        if not self.authority.exists():
            return False
        with contextlib.suppress(aiohttp.ClientConnectionError, TimeoutError, ssl.SSLError):
            async with self.admin.session() as api, api.get("/readyz") as answer:
                return answer.status == 200
        return False

    async def _install_crds(self) -> None:
        documents = [document for path in self.crds for document in yaml.safe_load_all(path.read_text())]
        definitions = [one for one in documents if one and one["kind"] == "CustomResourceDefinition"]
        async with self.admin.session() as api:
            for definition in definitions:
                async with api.post(CRDS, json=definition) as answer:
                    if answer.status != 201:
                        name, why = definition["metadata"]["name"], (await answer.json()).get("message")
                        raise ProgramError(f"the API server refuses the CRD {name}: {why}")
            for definition in definitions:
                name = definition["metadata"]["name"]
                await eventually(partial(_is_established, api, name), what=f"CRD {name} is established")

    async def _controllers_work(self) -> None:
        """The controllers run when they have made the default ServiceAccount; the kubelet when it shows its nodes."""
        wanted = ["/api/v1/namespaces/default/serviceaccounts/default"]
        if self._workloads:
            wanted.append(f"/api/v1/nodes/node-{self._nodes}")

        async def all_there() -> bool:
            for program in self.programs:
                if self._workloads or program.name != "kubelet":
                    program.require_running()
            return all([await _exists(api, path) for path in wanted])

        async with self.admin.session() as api:
            await eventually(all_there, within=START_DEADLINE, what="controllers and nodes are there")


async def _exists(api: aiohttp.ClientSession, path: str) -> bool:
    async with api.get(path) as answer:
        return answer.status == 200


async def _is_established(api: aiohttp.ClientSession, name: str) -> bool:
    async with api.get(f"{CRDS}/{name}") as answer:
        definition: dict[str, Any] = await answer.json()
    conditions = definition.get("status", {}).get("conditions") or []  # null at first
    return any(condition["type"] == "Established" and condition["status"] == "True" for condition in conditions)


async def _lab(crds: Sequence[Path]) -> None:
    """Run until Ctrl-C."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await asyncio.to_thread(build.binaries)
    began = time.monotonic()
    async with ControlPlane(crds=crds) as plane:
        print(f"Kubernetes {build.kubernetes_version()}, ready after {time.monotonic() - began:.1f} s, until Ctrl-C:")
        print(f"  export KUBECONFIG={plane.admin_kubeconfig}\n  logs: {plane.directory}/*.log", flush=True)
        await ended.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m e2e.plane", description="A real control plane on loopback")
    parser.add_argument("crds", nargs="*", type=Path, help="CustomResourceDefinitions to install (YAML files)")
    try:
        asyncio.run(_lab(parser.parse_args().crds))
    except (BuildError, ProgramError, AssertionError) as error:
        sys.exit(f"error: {error}")
