"""How is one request sent, and what may come back? Bounded in time and size, to the host that it was meant for."""

import ssl
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from rollouts.ports.provider import MeasurementError, Request, Response

MAX_BODY = 10 * 1024 * 1024
CONNECT_TIMEOUT = 10.0
MAX_REDIRECTS = 5
_PORTS = {"http": 80, "https": 443}
_REDIRECTS = {301, 302, 303, 307, 308}
_HARMLESS = {"accept", "accept-encoding", "accept-language", "content-type", "user-agent"}


def open_session() -> aiohttp.ClientSession:
    """Open what requests are sent by. No cookies are kept: one metric's answer must not change another's."""
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        connector=aiohttp.TCPConnector(limit=0, limit_per_host=50, ttl_dns_cache=10),
        headers={"User-Agent": "rollouts"},
    )


async def exchange(session: aiohttp.ClientSession, request: Request) -> Response:
    """Send a request and return the answer, after redirects. Raises MeasurementError."""
    for _ in range(MAX_REDIRECTS + 1):
        response = await _sent(session, request)
        where = response.headers.get("location")
        if response.status not in _REDIRECTS or not where:
            return response
        request = _redirected(request, response.status, urljoin(request.url, where))
    raise MeasurementError(f"{_host(request.url)} redirects more than {MAX_REDIRECTS} times; is the address right?")


def _redirected(request: Request, status: int, url: str) -> Request:
    """Return the request that follows a redirect. Credentials stay with the host that they are for."""
    here, there = _origin(request.url), _origin(url)
    if there[0] not in _PORTS or not there[1]:
        raise MeasurementError(f"{_host(request.url)} redirects to something that is no HTTP server")
    upgraded = here[:2] == ("http", there[1]) and there[0] == "https" and here[2] == 80 and there[2] == 443
    if here != there and not upgraded and _has_credentials(request):
        raise MeasurementError(
            f"{_host(request.url)} redirects to {there[0]}://{_host(url)}, and headers or a body that may hold "
            "credentials aren't sent to another server: set the address to where it redirects, if you trust it"
        )
    keeps = status in {307, 308} or request.method in {"GET", "HEAD"}
    return replace(request, url=url) if keeps else replace(request, url=url, method="GET", body=None)


def _has_credentials(request: Request) -> bool:
    """Whether anything but the URL itself tells a secret."""
    return (
        request.body is not None
        or "@" in urlsplit(request.url).netloc
        or any(name.lower() not in _HARMLESS for name in request.headers)
    )


def _origin(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return "", "", 0


def _host(url: str) -> str:
    """Return host and port for a message, without a password that may stand before them."""
    scheme, host, port = _origin(url)
    return f"{host}:{port}" if port != _PORTS.get(scheme) else host or "the server"


async def _sent(session: aiohttp.ClientSession, request: Request) -> Response:
    limits = aiohttp.ClientTimeout(total=request.timeout, sock_connect=min(CONNECT_TIMEOUT, request.timeout))
    try:
        async with session.request(
            request.method,
            URL(request.url, encoded=True),  # as it was signed
            headers=request.headers,
            data=request.body,
            timeout=limits,
            allow_redirects=False,
            ssl=request.verify,
            proxy=_proxy(request.url),
        ) as response:
            body = await _body(response, request)
            return Response(response.status, _lowered(response.headers), body)
    except TimeoutError:
        raise MeasurementError(
            f"{_host(request.url)} didn't answer within {request.timeout:g} s: "
            "look at the server, or set a longer timeout"
        ) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise MeasurementError(f"{_host(request.url)}: {_explained(error)}") from None


def _proxy(url: str) -> str | None:
    """Return the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name.

    Not by aiohttp's `trust_env`, which takes credentials from .netrc, too.
    """
    scheme, host, port = _origin(url)
    found = getproxies().get(scheme)
    if not found or proxy_bypass(f"{host}:{port}") or proxy_bypass(host):
        return None
    return found if "://" in found else f"http://{found}"


async def _body(response: aiohttp.ClientResponse, request: Request) -> bytes:
    """Read the body as far as it may go; what it grows to when it is unpacked counts."""
    pieces: list[bytes] = []
    left = MAX_BODY
    async for piece in response.content.iter_chunked(64 * 1024):
        left -= len(piece)
        if left < 0:
            raise MeasurementError(
                f"the answer of {_host(request.url)} is larger than {MAX_BODY // 1024**2} MB: ask for less"
            )
        pieces.append(piece)
    return b"".join(pieces)


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _explained(error: Exception) -> str:
    """Say what went wrong and what to do. The texts of the libraries may hold the URL, so only causes are shown."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError | ssl.SSLError):
        cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
        why = getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or type(cause).__name__
        if why in _NO_TLS:
            return f"no secure connection ({why}): the port doesn't speak TLS; is it one for http:// addresses?"
        return f"no secure connection ({why}): is the server's certificate from a known authority and for this host?"
    if isinstance(error, aiohttp.ClientConnectorError) and not isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"no connection ({error.os_error.strerror or type(error.os_error).__name__}): is the server running?"
    known = (text for kinds, text in _EXPLANATIONS if isinstance(error, kinds))
    return next(known, f"no answer: {type(error).__name__}")


# What OpenSSL says of an answer that is no TLS at all.
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"})

_EXPLANATIONS: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    (
        (aiohttp.ClientConnectorDNSError,),
        "the name can't be found: is the host written correctly, and does DNS know it?",
    ),
    ((aiohttp.ClientResponseError,), "the answer is no HTTP: is this the port of an HTTP server?"),
    (
        (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, ConnectionError),
        "the connection was cut before the answer was complete",
    ),
    (
        (aiohttp.InvalidURL, ValueError),
        "the URL or a header can't be sent: is the address written correctly?",
    ),
)
