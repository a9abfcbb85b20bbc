"""How many errors are there? A server of the test's own says so, for analyses to measure."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from tests.serving import serving


class Errors:
    """How many errors there are, as a test says; None: nobody knows. `asked` counts how often that was measured."""

    count: int | None = 0
    host = ""
    asked = 0

    async def answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        return web.json_response({} if self.count is None else {"errors": self.count})


@asynccontextmanager
async def serving_errors() -> AsyncIterator[Errors]:
    """Serve them while the context lasts, at `http://HOST/errors`."""
    server = Errors()
    async with serving(server.answer) as url:
        server.host = url.removeprefix("http://")
        yield server
