"""How does the suite talk to an API server, whichever it is? By raw HTTP: no client library smooths anything over."""

import asyncio
import contextlib
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

Json = dict[str, Any]
DEADLINE = 60.0  # of what fails: a busy machine may be slow
MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
JSON_PATCH, APPLY = "application/json-patch+json", "application/apply-patch+yaml"
GROUPS = {
    "deployments": "/apis/apps/v1",
    "replicasets": "/apis/apps/v1",
    "jobs": "/apis/batch/v1",
    "leases": "/apis/coordination.k8s.io/v1",
    "endpointslices": "/apis/discovery.k8s.io/v1",
    "poddisruptionbudgets": "/apis/policy/v1",
    "rollouts": "/apis/argoproj.io/v1alpha1",
    "analysisruns": "/apis/argoproj.io/v1alpha1",
    "analysistemplates": "/apis/argoproj.io/v1alpha1",
    "experiments": "/apis/argoproj.io/v1alpha1",
    "gadgets": "/apis/wire.test/v1",
}


@dataclass(frozen=True)
class Server:
    """An API server that runs, and how its administrator reaches it."""

    url: str
    kubeconfig: Path
    forget: Callable[[], Awaitable[None]]  # lose the history of changes
    tls: ssl.SSLContext | bool = True
    headers: Mapping[str, str] = field(default_factory=dict)

    def session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            self.url,
            headers={"Accept": "application/json", **self.headers},
            connector=aiohttp.TCPConnector(ssl=self.tls),
            timeout=aiohttp.ClientTimeout(total=DEADLINE),
        )


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    code: int
    body: Any
    headers: Mapping[str, str]

    @property
    def object(self) -> Json:
        """The object that a successful request is answered with."""
        assert 200 <= self.code < 300, f"{self.code}: {self.body}"
        assert isinstance(self.body, dict), self.body
        return self.body

    def refused(self, code: int, reason: str) -> str:
        """Hold that the request was refused so; return the message."""
        assert self.code == code, f"{self.code}: {self.body}"
        assert self.body["kind"] == "Status"
        assert self.body["status"] == "Failure"
        assert self.body["code"] == code
        assert self.body.get("reason", "") == reason, self.body
        message: str = self.body["message"]
        return message

    @property
    def causes(self) -> list[tuple[str, str]]:
        """Field and reason of each cause of a refusal."""
        return [(cause.get("field", ""), cause.get("reason", "")) for cause in self.body["details"]["causes"]]


class Events:
    """The events of a watch, as they come."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self._rest = b""

    @property
    def code(self) -> int:
        return self._response.status

    async def next(self, within: float = DEADLINE) -> Json | None:
        """Return the next event; None when the server has ended the stream."""
        async with asyncio.timeout(within):
            while b"\n" not in self._rest:
                chunk = await self._response.content.readany()
                if not chunk:
                    return None
                self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        event: Json = json.loads(line)
        return event

    async def told(self, count: int) -> list[tuple[str, str]]:
        """Return type and name of the next events, bookmarks left out."""
        found: list[tuple[str, str]] = []
        while len(found) < count:
            event = await self.next()
            assert event is not None, f"the stream ended after {found}"
            if event["type"] != "BOOKMARK":
                found.append((event["type"], event["object"]["metadata"]["name"]))
        return found


class Client:
    """Requests in one namespace."""

    def __init__(self, session: aiohttp.ClientSession, namespace: str, server: Server) -> None:
        self.session = session
        self.namespace = namespace
        self.server = server

    def path(self, resource: str, name: str = "", sub: str = "", namespace: str | None = None) -> str:
        """Return the path of a collection, an object or a subresource."""
        where = self.namespace if namespace is None else namespace
        parts = [GROUPS.get(resource, "/api/v1"), *(["namespaces", where] if where else []), resource, name, sub]
        return "/".join(part for part in parts if part)

    async def send(
        self, method: str, path: str, body: Any = None, kind: str = "application/json", accept: str = "", **query: Any
    ) -> Answer:
        """Send any request."""
        headers = {"Content-Type": kind, **({"Accept": accept} if accept else {})}
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        params = {name: str(value) for name, value in query.items()}
        async with self.session.request(method, path, data=data, headers=headers, params=params) as response:
            text = await response.read()
            is_json = text.startswith(b"{")  # not always called so
            return Answer(response.status, json.loads(text) if is_json else text.decode(), response.headers)

    async def get(self, resource: str, name: str = "", sub: str = "", **query: Any) -> Answer:
        return await self.send("GET", self.path(resource, name, sub), **query)

    async def read(self, resource: str, name: str) -> Json:
        return (await self.get(resource, name)).object

    async def create(self, resource: str, body: Json, **query: Any) -> Answer:
        return await self.send("POST", self.path(resource), body, **query)

    async def made(self, resource: str, body: Json) -> Json:
        """Create an object that must be accepted."""
        return (await self.create(resource, body)).object

    async def put(self, resource: str, body: Json, sub: str = "", name: str = "", **query: Any) -> Answer:
        return await self.send("PUT", self.path(resource, name or body["metadata"]["name"], sub), body, **query)

    async def patch(
        self, resource: str, name: str, body: Any, kind: str = MERGE, sub: str = "", **query: Any
    ) -> Answer:
        return await self.send("PATCH", self.path(resource, name, sub), body, kind, **query)

    async def delete(self, resource: str, name: str, options: Json | None = None, **query: Any) -> Answer:
        return await self.send("DELETE", self.path(resource, name), options, **query)

    async def names(self, resource: str, **query: Any) -> list[str]:
        """Return the names in a collection, sorted."""
        listed = (await self.get(resource, **query)).object
        return sorted(item["metadata"]["name"] for item in listed["items"])

    @contextlib.asynccontextmanager
    async def watch(self, resource: str, **query: Any) -> AsyncIterator[Events]:
        """Open a watch."""
        params = {"watch": "true", **{name: str(value) for name, value in query.items()}}
        timeout = aiohttp.ClientTimeout(total=2 * DEADLINE)
        async with self.session.get(self.path(resource), params=params, timeout=timeout) as response:
            yield Events(response)

    async def until(self, resource: str, name: str, holds: Callable[[Json], Any], within: float = DEADLINE) -> Json:
        """Read an object until something holds of it."""
        end = time.monotonic() + within
        while True:
            answer = await self.get(resource, name)
            if answer.code == 200 and holds(answer.body):
                return answer.object
            assert time.monotonic() < end, f"{resource}/{name} never came to it: {json.dumps(answer.body)}"
            await asyncio.sleep(0.03)

    async def until_names(self, resource: str, holds: Callable[[list[str]], Any], **query: Any) -> list[str]:
        """Read a collection until something holds of its names."""
        end = time.monotonic() + DEADLINE
        while True:
            names = await self.names(resource, **query)
            if holds(names):
                return names
            assert time.monotonic() < end, f"{resource} never came to it: {names}"
            await asyncio.sleep(0.03)

    async def wait(self, check: Callable[[], Awaitable[Any]]) -> None:
        """Ask until the answer is truthy."""
        end = time.monotonic() + DEADLINE
        while not await check():
            assert time.monotonic() < end, "it never came to it"
            await asyncio.sleep(0.05)

    async def gone(self, resource: str, name: str) -> None:
        """Wait until an object is no longer there."""
        end = time.monotonic() + DEADLINE
        while (await self.get(resource, name)).code != 404:
            assert time.monotonic() < end, f"{resource}/{name} is still there"
            await asyncio.sleep(0.03)
