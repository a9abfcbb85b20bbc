"""How many errors are there? A server of the test's own says so, for analyses to measure."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


class Errors:
    """How many errors there are, as a test says; `asked` counts how often that was measured."""

    count = 0
    host = ""
    asked = 0

    async def answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        return web.json_response(self.count)


@asynccontextmanager
async def serving_errors() -> AsyncIterator[Errors]:
    """Serve them while the context lasts, at `http://HOST/errors`."""
    server = Errors()
    app = web.Application()
    app.router.add_get("/errors", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.host = "{}:{}".format(*runner.addresses[0])
    try:
        yield server
    finally:
        await runner.cleanup()
