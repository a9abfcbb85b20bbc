"""What do pods answer? Each container that declares a port serves HTTP there, on the pod's own loopback address."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from rollouts.devcluster.builtin import builtin

if TYPE_CHECKING:
    from aiohttp.web_request import BaseRequest
    from aiohttp.web_response import StreamResponse

    from rollouts.devcluster.api import Api
    from rollouts.devcluster.objects import Object
    from rollouts.devcluster.store import Change

IMAGE, POD = "devcluster-image", "devcluster-pod"  # headers of each answer

_LOG = logging.getLogger(__name__)
_FAILS = re.compile(r"errors")
_KEEP_ALIVE = 3600.0  # longer than a proxy keeps a connection, so that it is the one to close it
_FAREWELL = 1.0  # seconds for answers that are on their way when a container ends


@dataclass(frozen=True, slots=True)
class Door:
    """A port at which a container answers."""

    address: str
    port: int
    image: str
    pod: str


class Answering:
    """Opens and closes the doors of all pods."""

    def __init__(self, api: Api) -> None:
        self._open: dict[str, dict[Door, asyncio.Task[None]]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        api.collection(builtin("Pod")).subscribe(self._changed)

    def _changed(self, change: Change) -> None:
        """Follow a pod's status at once: its doors are open before anybody hears that it is ready."""
        uid = change.object["metadata"]["uid"]
        wanted = set() if change.kind == "DELETED" else set(doors(change.object))
        opened = self._open.setdefault(uid, {})
        for door in opened.keys() - wanted:
            opened.pop(door).cancel()
        for door in wanted - opened.keys():
            with contextlib.suppress(OSError):
                opened[door] = self._opened(door)
        if change.kind == "DELETED":
            del self._open[uid]

    def _opened(self, door: Door) -> asyncio.Task[None]:
        try:
            listening = socket.create_server((door.address, door.port), backlog=512)
        except OSError as error:
            _LOG.warning("pod %s doesn't answer at %s:%s: %s", door.pod, door.address, door.port, error)
            raise
        task = asyncio.create_task(_serve(door, listening))
        task.add_done_callback(lambda _: listening.close())  # a task that never began has not closed it
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        return task

    async def close(self) -> None:
        """Close all doors."""
        for task in self._ending:
            task.cancel()
        await asyncio.gather(*self._ending, return_exceptions=True)


def doors(pod: Object) -> list[Door]:
    """Return where a pod answers now: at the ports of containers that run, once it has an address."""
    status = pod.get("status") or {}
    running = {each["name"] for each in status.get("containerStatuses") or [] if "running" in each["state"]}
    if not status.get("podIP"):
        return []
    return [
        Door(status["podIP"], port["containerPort"], container["image"], pod["metadata"]["name"])
        for container in pod["spec"]["containers"]
        if container["name"] in running
        for port in container.get("ports") or []
        if port.get("protocol", "TCP") == "TCP"
    ]


async def _serve(door: Door, listening: socket.socket) -> None:
    async def answer(_: BaseRequest) -> StreamResponse:
        headers = {IMAGE: door.image, POD: door.pod}
        status = 500 if _FAILS.search(door.image) else 200
        return web.Response(status=status, text=f"{door.image} {door.pod}\n", headers=headers)

    protocol = web.Server(answer, access_log=None, keepalive_timeout=_KEEP_ALIVE)
    server = await asyncio.get_running_loop().create_server(protocol, sock=listening)
    try:
        await asyncio.Event().wait()
    finally:
        server.close()
        await protocol.shutdown(_FAREWELL)
