"""Is the controller well? Two HTTP servers: `/healthz` and `/readyz` for the kubelet, `/metrics` for Prometheus."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

Checks = Callable[[], Mapping[str, str]]


def health_app(ready: Checks, lacking: Checks = dict) -> web.Application:
    """Return the server for probes; `ready` names what isn't ready, and why, `lacking` what we can do without."""

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def readyz(_: web.Request) -> web.Response:
        if missing := ready():
            return web.Response(status=503, text=_lines(missing))
        lacks = lacking()
        return web.Response(text=f"ok, but\n{_lines(lacks)}" if lacks else "ok")

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz)])
    return app


def _lines(problems: Mapping[str, str]) -> str:
    return "".join(f"{name}: {why}\n" for name, why in problems.items())


def metrics_app(registry: CollectorRegistry) -> web.Application:
    """Return the server for Prometheus."""

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics)])
    return app


@asynccontextmanager
async def serving(app: web.Application, address: str, port: int) -> AsyncIterator[int]:
    """Serve while the context lasts; yield the port, which the system chooses for 0."""
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        site = web.TCPSite(runner, address, port)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
