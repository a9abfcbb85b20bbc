"""What does a pod answer when it is asked for real?"""

import asyncio
import contextlib

from aiohttp import web

PORT = 8080
SEEN = "/-/seen"  # asked of the pod itself, never by way of a proxy
VERSION, POD = "X-Version", "X-Pod"
DRAIN = 10.0  # seconds for requests that are under way when the pod ends


class PodServer:
    """A small HTTP server on the pod's own address: it answers with the version that it is.

    `?delay=0.2` has the answer take its time, as answers of real pods do.
    """

    def __init__(self, address: str, name: str, version: str) -> None:
        self._address = address
        self._told = {POD: name, VERSION: version}
        self._seen: dict[str, int] = {}  # requests by the host that they asked for
        self._protocol: web.Server | None = None
        self._listener: asyncio.Server | None = None

    @property
    def is_open(self) -> bool:
        """Whether it takes connections."""
        return self._listener is not None

    async def open(self) -> None:
        """Take connections, from now on."""
        self._protocol = web.Server(self._answer, keepalive_timeout=3600.0, access_log=None)
        self._listener = await asyncio.get_running_loop().create_server(self._protocol, self._address, PORT)

    async def close(self) -> None:
        """End in order: no new connection, answers to what has been asked, then the end of each connection."""
        if (protocol := self._protocol) is not None and self._stop_listening():
            await protocol.shutdown(DRAIN)

    def crash(self) -> None:
        """End as a process does that is killed: whoever waits for an answer gets none."""
        if (protocol := self._protocol) is not None and self._stop_listening():
            for connection in protocol.connections:
                if connection.transport is not None:
                    connection.transport.abort()

    def _stop_listening(self) -> bool:
        """Whether there was anything to stop."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
        return listener is not None

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == SEEN:
            return web.json_response(self._seen)
        self._seen[request.host] = self._seen.get(request.host, 0) + 1
        with contextlib.suppress(ValueError):
            await asyncio.sleep(float(request.query.get("delay", "0")))
        return web.Response(text=self._told[VERSION], headers=self._told)
