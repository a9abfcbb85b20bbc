"""What does Prometheus scrape? Request counters and durations of a shop that has customers all by itself.

`python -m e2e.servers.shop PORT`. Who tests says how each version does: `PUT /versions/APP/VERSION` with requests a
second, and the shares of them that fail and that are slow.
"""

import asyncio
import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import aiohttp
from aiohttp import web

from e2e import arguments, ports
from e2e.program import Program
from e2e.serving import answers

QUICK, SLOW = 0.05, 2.0  # seconds that a request takes


@dataclass
class Till:
    """The counters of one version. They go up as time passes; nothing but a restart takes them back."""

    rate: float = 0.0
    errors: float = 0.0
    slow: float = 0.0
    good: float = 0.0
    bad: float = 0.0
    late: float = 0.0

    def advance(self, seconds: float) -> None:
        """Count the customers of some seconds."""
        requests = self.rate * seconds
        self.good += requests * (1 - self.errors)
        self.bad += requests * self.errors
        self.late += requests * self.slow

    def lines(self, labels: str) -> Iterator[str]:
        """Yield what is exported. A version without errors says so: a series that isn't there has no rate."""
        total, name = self.good + self.bad, "http_request_duration_seconds"
        yield f'http_requests_total{{{labels},code="200"}} {self.good}'
        yield f'http_requests_total{{{labels},code="500"}} {self.bad}'
        for bound, count in (("0.1", total - self.late), ("1", total - self.late), ("5", total), ("+Inf", total)):
            yield f'{name}_bucket{{{labels},le="{bound}"}} {count}'
        yield f"{name}_sum{{{labels}}} {(total - self.late) * QUICK + self.late * SLOW}"
        yield f"{name}_count{{{labels}}} {total}"


@dataclass
class Tills:
    """The counters of all versions of all apps."""

    _tills: dict[tuple[str, str], Till] = field(default_factory=dict)
    _counted: float = field(default_factory=time.monotonic)

    async def export(self, request: web.Request) -> web.Response:
        """Answer a scrape."""
        del request
        self._count()
        lines = ["# TYPE http_requests_total counter", "# TYPE http_request_duration_seconds histogram"]
        for (app, version), till in self._tills.items():
            lines += till.lines(f'app="{app}",version="{version}"')
        return web.Response(text="\n".join(lines) + "\n")

    async def direct(self, request: web.Request) -> web.Response:
        """Let a version do as it is told from now on."""
        self._count()
        named = (request.match_info["app"], request.match_info["version"])
        till = self._tills.setdefault(named, Till())
        wishes = await request.json()
        till.rate, till.errors, till.slow = (wishes.get(each, 0.0) for each in ("rate", "errors", "slow"))
        return web.Response()

    def _count(self) -> None:
        now = time.monotonic()
        for till in self._tills.values():
            till.advance(now - self._counted)
        self._counted = now


class Shop(Program):
    """The shop as a program, and the hand that directs it."""

    def __init__(self, directory: Path) -> None:
        (port,) = ports.free(1)
        self.address = f"127.0.0.1:{port}"
        line: list[str | Path] = [sys.executable, "-m", "e2e.servers.shop", str(port)]
        super().__init__("shop", line, directory / "shop.log", arguments.environment())

    async def open(self) -> Self:
        """Start it; ready when it returns."""
        self.start()
        await answers(self, f"http://{self.address}/metrics")
        return self

    async def direct(self, app: str, version: str, rate: float = 20.0, errors: float = 0.0, slow: float = 0.0) -> None:
        """Say how a version does."""
        wishes = {"rate": rate, "errors": errors, "slow": slow}
        url = f"http://{self.address}/versions/{app}/{version}"
        async with aiohttp.ClientSession() as http, http.put(url, json=wishes) as answer:
            answer.raise_for_status()


def _serve(port: int) -> None:
    tills, app = Tills(), web.Application()
    app.add_routes([web.get("/metrics", tills.export), web.put("/versions/{app}/{version}", tills.direct)])
    web.run_app(app, host="127.0.0.1", port=port, print=None, loop=asyncio.new_event_loop())


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        _serve(int(sys.argv[1]))
