"""A small scripted API server: real HTTP on loopback, answering what a test tells it to, broken streams included."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
import yaml
from aiohttp import web

from tests.serving import Handler


class Server:
    """Answers each request with the next handler of its script; remembers what was asked."""

    def __init__(self) -> None:
        self.script: list[Handler] = []
        self.otherwise: Handler | None = None
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.arrived = asyncio.Condition()
        self.url = ""

    def then(self, *handlers: Handler) -> "Server":
        self.script.extend(handlers)
        return self

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        async with self.arrived:
            self.requests.append(request)
            self.bodies.append(body)
            self.arrived.notify_all()
        handler = self.script.pop(0) if self.script else self.otherwise
        if handler is None:
            return web.json_response({"kind": "Status", "code": 404, "reason": "NotFound", "message": "?"}, status=404)
        return await handler(request)

    async def asked(self, count: int) -> None:
        async with asyncio.timeout(60), self.arrived:
            await self.arrived.wait_for(lambda: len(self.requests) >= count)


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(body=orjson.dumps(body), status=status, headers=headers, content_type="application/json")

    return handler


def refuse(code: int, reason: str = "", message: str = "no", **more: Any) -> Handler:
    headers = more.pop("headers", None)
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message, **more}
    if reason:
        status["reason"] = reason
    return answer(status, code, headers)


def stream(*chunks: bytes, end: str = "clean", after: asyncio.Event | None = None) -> Handler:
    """Send chunks, then end: `clean`, `cut` (the connection breaks), or `silent` (nothing more comes)."""

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        if after is not None:
            await after.wait()
        if end == "silent":
            await asyncio.Event().wait()
        if end == "cut" and request.transport is not None:
            request.transport.abort()
        return response

    return handler


def event(kind: str, obj: dict[str, Any]) -> bytes:
    return orjson.dumps({"type": kind, "object": obj}) + b"\n"


def replica_set(name: str, version: int, **more: Any) -> dict[str, Any]:
    metadata = {"namespace": "shop", "name": name, "uid": f"uid-{name}", "resourceVersion": str(version), **more}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata}


def bookmark(version: int, *, initial_end: bool = False) -> bytes:
    metadata: dict[str, Any] = {"resourceVersion": str(version)}
    if initial_end:
        metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
    return event("BOOKMARK", {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata})


def write_kubeconfig(
    path: Path, server: str, user: Mapping[str, Any] | None = None, cluster: Mapping[str, Any] | None = None
) -> Path:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
        "clusters": [{"name": "c", "cluster": {"server": server, **(cluster or {})}}],
        "users": [{"name": "u", "user": dict(user or {})}],
    }
    path.write_text(yaml.safe_dump(document))
    return path


async def eventually(true: Callable[[], bool], within: float = 60.0) -> None:
    """Wait, with a deadline, for something that no event announces."""
    async with asyncio.timeout(within):
        while not true():  # noqa: ASYNC110 - nobody announces the condition
            await asyncio.sleep(0.005)
