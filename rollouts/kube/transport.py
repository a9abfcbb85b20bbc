"""What happens to one request between us and the API server: credentials, time-outs, repeats, errors, event lines.

Reads are repeated when the connection fails, writes never are: a write that got no answer may have happened, and only a
fresh observation can tell. A refusal that carries Retry-After (429, 503) changed nothing for sure, so it is repeated
for every verb.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import aiohttp

from rollouts.kube.backoff import Backoff
from rollouts.kube.errors import ApiError, ServerError, TooManyRequests, Unauthorized, Unreachable, from_response

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from rollouts.kube.connection import Connection

    OnRequest = Callable[[str, str, str, int, float], None]

ATTEMPTS = 5
LONGEST_RETRY_AFTER = 30.0
CONNECT_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request without its credentials; verb, kind and subresource are for metrics."""

    verb: str
    method: str
    path: str
    kind: str = ""
    subresource: str = ""
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    content_type: str = "application/json"

    @property
    def url(self) -> str:
        """The path with its query."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


class Transport:
    """Sends requests over a connection and makes typed errors of whatever goes wrong."""

    def __init__(self, connection: Connection, on_request: OnRequest | None = None) -> None:
        self.connection = connection
        self.on_request = on_request

    async def send(self, request: Request, *, timeout: float) -> bytes:  # noqa: ASYNC109 - of each attempt, not of all
        """Return the body of a successful answer."""
        limits = aiohttp.ClientTimeout(total=timeout, sock_connect=CONNECT_TIMEOUT)
        backoff = Backoff(first=0.2, longest=2.0)
        for left in reversed(range(ATTEMPTS)):
            try:
                return await self._exchange_once(request, limits)
            except ApiError as error:
                if not left or not _may_repeat(request, error):
                    raise
                delay = backoff.next() if error.retry_after is None else min(error.retry_after, LONGEST_RETRY_AFTER)
            await asyncio.sleep(delay)
        raise AssertionError("the last attempt returns or raises")

    async def lines(
        self, request: Request, *, silence: float, on_open: Callable[[], None] | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Yield the lines of an endless answer; Unreachable when nothing at all comes for `silence` seconds."""
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=silence)
        async with self._exchange(request, limits, for_watch=True) as response:
            if on_open is not None:
                on_open()
            begun: list[bytes] = []
            async for chunk in response.content.iter_any():
                *complete, rest = chunk.split(b"\n")
                if complete:
                    complete[0] = b"".join((*begun, complete[0]))
                    begun = []
                if rest:
                    begun.append(rest)
                for line in complete:
                    if line:
                        yield line
            if begun:
                raise self._unreachable(request, "the stream was cut in the middle of an event")

    async def _exchange_once(self, request: Request, limits: aiohttp.ClientTimeout) -> bytes:
        """Return the whole body. Not a use of `_exchange`: a context manager costs a tenth of a small request."""
        try:
            response = await self._accepted(request, limits, for_watch=False)
            return await response.read()
        except TimeoutError as error:
            raise self._silent(request, limits) from error
        except (aiohttp.ClientError, OSError) as error:
            raise self._unreachable(request, _explained(error)) from error

    @contextlib.asynccontextmanager
    async def _exchange(
        self, request: Request, limits: aiohttp.ClientTimeout, *, for_watch: bool
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            response = await self._accepted(request, limits, for_watch=for_watch)
            async with response:
                yield response
        except TimeoutError as error:
            raise self._silent(request, limits) from error
        except (aiohttp.ClientError, OSError) as error:
            raise self._unreachable(request, _explained(error)) from error

    async def _accepted(
        self, request: Request, limits: aiohttp.ClientTimeout, *, for_watch: bool
    ) -> aiohttp.ClientResponse:
        """Return the answer if it is a success; new credentials are tried once after a 401."""
        try:
            return await self._once(request, limits, for_watch=for_watch)
        except Unauthorized:
            self.connection.renew_credentials()
            return await self._once(request, limits, for_watch=for_watch)

    async def _once(
        self, request: Request, limits: aiohttp.ClientTimeout, *, for_watch: bool
    ) -> aiohttp.ClientResponse:
        session, arguments = await self.connection.prepare(for_watch=for_watch)
        started = time.perf_counter()
        status = 0
        try:
            response = await session.request(
                request.method,
                self.connection.server + request.url,
                data=request.body,
                timeout=limits,
                allow_redirects=False,
                **_typed(arguments, request),
            )
            status = response.status
            if 200 <= status < 300:
                return response
            async with response:
                body = await response.read()
            raise from_response(
                status, body, retry_after=response.headers.get("Retry-After"), method=request.method, path=request.path
            )
        finally:
            if self.on_request is not None:
                self.on_request(request.verb, request.kind, request.subresource, status, time.perf_counter() - started)

    def _silent(self, request: Request, limits: aiohttp.ClientTimeout) -> Unreachable:
        return self._unreachable(request, f"no answer within {limits.total or limits.sock_read:g} s")

    def _unreachable(self, request: Request, why: str) -> Unreachable:
        return Unreachable(
            f"API server {self.connection.server} ({self.connection.source}): {why}",
            reason="Unreachable",
            method=request.method,
            path=request.path,
        )


def _typed(arguments: dict[str, Any], request: Request) -> dict[str, Any]:
    if request.body is None:
        return arguments
    return {**arguments, "headers": (*arguments.get("headers", ()), ("Content-Type", request.content_type))}


def _explained(error: Exception) -> str:
    text = str(error) or type(error).__name__
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"{text}; does certificate-authority in the kubeconfig belong to this cluster?"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"{text}; is the cluster running, and is this the right context?"
    return text


def _may_repeat(request: Request, error: ApiError) -> bool:
    if isinstance(error, TooManyRequests | ServerError):
        return error.status in {429, 503} and error.retry_after is not None
    return isinstance(error, Unreachable) and request.method == "GET"
