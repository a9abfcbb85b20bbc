"""Which servers do tests ask? Small ones on loopback, that answer as a test tells them to."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

from aiohttp import web

TLS = Path(__file__).parent / "kube" / "tls"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def server_tls() -> ssl.SSLContext:
    """Return what makes a server one of HTTPS, with the certificate of the tests."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(TLS / "server.pem", TLS / "server.key.pem")
    return context


@contextlib.asynccontextmanager
async def serving_app(app: web.Application, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve an application, and give the URL."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def serving(handler: Handler, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve what a handler answers at every path, and give the URL."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with serving_app(app, tls=tls) as url:
        yield url


@contextlib.contextmanager
def serving_beside(handler: Handler) -> Iterator[str]:
    """Serve the same in a thread of its own, for commands that run an event loop themselves."""
    loop = asyncio.new_event_loop()
    started, stop = threading.Event(), asyncio.Event()
    urls: list[str] = []

    async def run() -> None:
        async with serving(handler) as url:
            urls.append(url)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    assert started.wait(60)
    try:
        yield urls[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
