"""How is a real InfluxDB run beside the tests?

It is the last 1.x that speaks Flux and is Go alone. Versions 2 and 3 are partly Rust, and no registry has a program of
them. It answers `/api/v2/query` as version 2 does, but for two things: its token is `user:password`, and it knows no
organizations.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import aiohttp

from e2e import arguments, ports
from e2e.program import Program
from e2e.serving import answers

USER, PASSWORD = "shop", "password-of-the-tests"
START_DEADLINE = 90.0  # it compiles the library of Flux first, for five seconds of processor time

_CONFIGURATION = """\
reporting-disabled = true
bind-address = "127.0.0.1:{backup}"
[meta]
dir = "{at}/meta"
[data]
dir = "{at}/data"
wal-dir = "{at}/wal"
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:{port}"
flux-enabled = true
auth-enabled = true
"""


class InfluxDB(Program):
    """A database `shop` behind a password, on loopback."""

    def __init__(self, program: Path, directory: Path) -> None:
        port, backup = ports.free(2)
        self.url = f"http://127.0.0.1:{port}"
        at = directory / "influxdb"
        at.mkdir()
        configuration = at / "influxdb.conf"
        configuration.write_text(_CONFIGURATION.format(at=at, port=port, backup=backup))
        environment = {**arguments.environment(), "HOME": str(at)}
        line: list[str | Path] = [program / "influxd", "run", "-config", configuration]
        super().__init__("influxdb", line, directory / "influxdb.log", environment)

    @property
    def secret(self) -> dict[str, str]:
        """What a Secret holds for a template that asks here."""
        return {"address": self.url, "authToken": f"{USER}:{PASSWORD}", "org": "shop"}

    async def open(self) -> Self:
        """Start it and make the user and the database; ready when it returns."""
        self.start()
        await answers(self, f"{self.url}/ping", START_DEADLINE)
        await self._execute(f"CREATE USER {USER} WITH PASSWORD '{PASSWORD}' WITH ALL PRIVILEGES")
        await self._execute("CREATE DATABASE shop")
        return self

    async def write(self, measurement: str, tags: Mapping[str, str], value: float | str) -> None:
        """Write a point of now. A text `12i` is an integer."""
        labels = "".join(f",{name}={text}" for name, text in tags.items())
        line = f"{measurement}{labels} value={value} {time.time_ns()}"
        await self._post("/write", {"db": "shop"}, line)

    async def _execute(self, statement: str) -> None:
        await self._post("/query", {"q": statement}, "")

    async def _post(self, path: str, query: Mapping[str, str], body: str) -> None:
        headers = {"Authorization": aiohttp.encode_basic_auth(USER, PASSWORD)}
        async with (
            aiohttp.ClientSession(self.url, headers=headers) as http,
            http.post(path, params=query, data=body) as answer,
        ):
            assert answer.status < 300, await answer.text()
