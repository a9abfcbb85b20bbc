"""What does a data plane run in? A network of its own, in which pods serve and load is made; the rest is outside."""

import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from e2e import arguments
from e2e.network import Network
from e2e.plane import ControlPlane
from e2e.pod_server import PORT, SEEN
from e2e.program import Program, ask
from e2e.waiting import PATIENCE, eventually

Json = dict[str, Any]
GATEWAY = "127.0.0.1:8080"  # where requests go in, in the network


class DataPlane:
    """Serving pods of a control plane, and what is started beside them."""

    def __init__(self, plane: ControlPlane, directory: Path) -> None:
        self.plane = plane
        self.directory = directory
        self.network = Network(directory)
        self.envoy = directory / "envoy.sock"  # where the proxy that is started in it tells about itself
        self._programs: list[Program] = []

    async def open(self) -> None:
        """Make the network, bring the API server into it, and run the kubelets there."""
        await self.network.open()
        server, socket = self.plane.server.removeprefix("https://"), str(self.directory / "api.sock")
        outside = Program("relay outside", self._python("e2e.relay", socket, server), self._log("relay-outside"), _ENV)
        self._started(outside)
        await self.start("relay", *self._python("e2e.relay", server, socket))
        who = self.plane.admin
        flags = (f"--server={who.server}", f"--certificate-authority={who.authority}")
        await eventually(self._reaches_the_api, what="the API server is there in the network")
        await self.start("kubelet", *self._python("e2e.serving_kubelet", *flags))

    def close(self) -> None:
        """End everything by pid, the network last."""
        for program in reversed(self._programs):
            program.kill()
        self.network.close()

    @property
    def programs(self) -> list[Program]:
        """What runs in the network: names, pids and logs."""
        return list(self._programs)

    async def start(self, name: str, *line: str | Path) -> Program:
        """Start a program in the network."""
        environment = arguments.environment(self.plane.admin.token if name == "kubelet" else None)
        return self._started(Program(name, self.network.inside(*line), self._log(name), environment))

    async def load(self, host: str, requests: int, *flags: str, to: str = GATEWAY) -> Json:
        """Ask so many times; what came of it."""
        line = self._load(to, host, f"--requests={requests}", *flags)
        answer = await ask(*line, within=PATIENCE, environment=_ENV)
        assert answer.code == 0, answer.text
        found: Json = json.loads(answer.out)
        return found

    async def seen(self, address: str) -> int:
        """How many requests a pod has seen."""
        return sum(json.loads(await self.read(f"http://{address}:{PORT}{SEEN}")).values())

    async def read(self, url: str) -> str:
        """What is served in the network."""
        read = f"import urllib.request; print(urllib.request.urlopen({url!r}, timeout=60).read().decode(), end='')"
        answer = await ask(*self.network.inside(sys.executable, "-c", read), within=PATIENCE, environment=_ENV)
        assert answer.code == 0, answer.text
        return answer.out

    @contextlib.asynccontextmanager
    async def loaded(self, host: str, *flags: str, to: str = GATEWAY) -> AsyncIterator[Json]:
        """Ask all the time; what came of it is there at the end."""
        log = self.directory / f"load-{host}.log"
        log.unlink(missing_ok=True)
        program = Program("load", self._load(to, host, *flags), log, _ENV)
        program.start()
        count: Json = {}
        try:
            yield count
            program.require_running()
        finally:
            await program.stop(grace=30)
        count.update(json.loads(log.read_text().splitlines()[-1]))

    def _load(self, to: str, host: str, *flags: str) -> list[str | Path]:
        return self.network.inside(*self._python("e2e.load", to, f"--host={host}", *flags))

    def _python(self, module: str, *words: str) -> list[str]:
        return [sys.executable, "-m", module, *words]

    def _log(self, name: str) -> Path:
        return self.directory / f"{name}.log"

    def _started(self, program: Program) -> Program:
        self._programs.append(program)
        program.start()
        return program

    async def _reaches_the_api(self) -> bool:
        for program in self._programs:
            program.require_running()
        host, _, port = self.plane.server.removeprefix("https://").rpartition(":")
        probe = f"import socket; socket.create_connection(({host!r}, {port}), 5)"
        return (await ask(*self.network.inside(sys.executable, "-c", probe), within=PATIENCE)).code == 0


_ENV = arguments.environment()
