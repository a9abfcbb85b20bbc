"""What do the metrics of the demo's analysis say? A version's answers of late, and how many were errors."""

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from rollouts.cli.demos.requests import Requests

_LATELY = 3.0


@contextlib.asynccontextmanager
async def counted(requests: "Requests") -> AsyncIterator[str]:
    """Serve the counts on loopback, until left; yield the address. `?image=` says which version's."""

    async def answer(request: web.Request) -> web.Response:
        answers = list(requests.latest(request.query["image"], _LATELY))
        return web.json_response({"requests": len(answers), "errors": sum(each.is_error for each in answers)})

    app = web.Application()
    app.router.add_get("/requests", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/requests"
    finally:
        await runner.cleanup()
