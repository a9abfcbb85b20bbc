# ruff: noqa: N818 - the names are those of Kubernetes' own reasons
"""What can go wrong when we talk to an API server, and what each case asks of the caller.

::

    KubeError                     anything below
    ├── ConfigError               no usable configuration: the message names the file, the field and the way out
    └── ApiError                  one request failed
        ├── Unreachable           no answer: connection refused or cut, or a time-out; a write may have happened
        ├── BadRequest            400  the request makes no sense to the server
        ├── Unauthorized          401  the credentials are not known
        ├── Forbidden             403  RBAC, admission or a namespace that is going away
        ├── NotFound              404  no such object, or no such resource (yet)
        ├── MethodNotAllowed      405
        ├── Conflict              409  the object has changed since it was read: observe again
        ├── AlreadyExists         409  for a deterministic name that is success
        ├── Gone                  410  resourceVersion or continue token too old (`Expired`): list again
        ├── Invalid               422  the object breaks its schema; `causes` names the fields
        ├── TooManyRequests       429  overloaded, or a disruption budget forbids an eviction
        └── ServerError           5xx
            └── ServerTimeout     504, or reason `ServerTimeout`: a write may have happened
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping


class KubeError(Exception):
    """Talking to an API server failed."""


class ConfigError(KubeError):
    """There is no usable configuration; the message says where we looked and what to do."""


class ApiError(KubeError):
    """One request failed."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        reason: str = "Unknown",
        details: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
        method: str = "",
        path: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.reason = reason
        self.details: Mapping[str, Any] = details or {}
        self.retry_after = retry_after
        self.method = method
        self.path = path

    def __str__(self) -> str:
        where = f" ({self.method} {self.path})" if self.method else ""
        return f"{self.reason}: {self.message}{where}"

    @property
    def causes(self) -> list[Mapping[str, Any]]:
        """The single complaints, each with `field`, `reason` and `message` where the server says so."""
        causes = self.details.get("causes")
        return [cause for cause in causes if isinstance(cause, dict)] if isinstance(causes, list) else []


class Unreachable(ApiError):
    """No answer arrived; whether a write happened is unknown."""


class BadRequest(ApiError):
    """The request makes no sense to the server."""


class Unauthorized(ApiError):
    """The credentials are not known to the server."""


class Forbidden(ApiError):
    """RBAC, an admission controller or a terminating namespace said no."""


class NotFound(ApiError):
    """No such object, or no such resource on this server."""


class MethodNotAllowed(ApiError):
    """The resource doesn't support this verb."""


class Conflict(ApiError):
    """The object is not as the request assumed."""


class AlreadyExists(ApiError):
    """An object of this name is there."""


class Gone(ApiError):
    """The resourceVersion or continue token is too old."""


class Invalid(ApiError):
    """The object breaks its schema or a validation rule."""


class TooManyRequests(ApiError):
    """The server is overloaded, or a disruption budget forbids the eviction."""


class ServerError(ApiError):
    """The server, or a proxy in front of it, failed."""


class ServerTimeout(ServerError):
    """The server gave up waiting; whether a write happened is unknown."""


_BY_REASON: dict[str, type[ApiError]] = {
    "BadRequest": BadRequest,
    "Unauthorized": Unauthorized,
    "Forbidden": Forbidden,
    "NotFound": NotFound,
    "MethodNotAllowed": MethodNotAllowed,
    "Conflict": Conflict,
    "AlreadyExists": AlreadyExists,
    "Gone": Gone,
    "Expired": Gone,
    "Invalid": Invalid,
    "TooManyRequests": TooManyRequests,
    "InternalError": ServerError,
    "ServiceUnavailable": ServerError,
    "ServerTimeout": ServerTimeout,
    "Timeout": ServerTimeout,
}

_BY_STATUS: dict[int, tuple[type[ApiError], str]] = {
    400: (BadRequest, "BadRequest"),
    401: (Unauthorized, "Unauthorized"),
    403: (Forbidden, "Forbidden"),
    404: (NotFound, "NotFound"),
    405: (MethodNotAllowed, "MethodNotAllowed"),
    409: (Conflict, "Conflict"),
    410: (Gone, "Gone"),
    422: (Invalid, "Invalid"),
    429: (TooManyRequests, "TooManyRequests"),
    500: (ServerError, "InternalError"),
    503: (ServerError, "ServiceUnavailable"),
    504: (ServerTimeout, "Timeout"),
}

_EXCERPT = 300


def _by_status(code: int) -> tuple[type[ApiError], str]:
    if code in _BY_STATUS:
        return _BY_STATUS[code]
    return (ServerError, "ServerError") if code >= 500 else (ApiError, "Unknown")


def _seconds(text: object) -> float | None:
    """Retry-After in its number form; API servers never send the date form."""
    try:
        seconds = float(str(text))
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None


def from_status(
    status: Mapping[str, Any], *, code: int = 0, retry_after: str | None = None, method: str = "", path: str = ""
) -> ApiError:
    """Return the typed error that a Status object describes; the reason decides, else the code."""
    stated = status.get("code")
    code = stated if isinstance(stated, int) and stated else code
    by_status, default_reason = _by_status(code)
    reason = status.get("reason")
    reason = reason if isinstance(reason, str) and reason else default_reason
    details = status.get("details")
    details = details if isinstance(details, dict) else {}
    wait = retry_after if retry_after is not None else details.get("retryAfterSeconds")
    message = status.get("message")
    return _BY_REASON.get(reason, by_status)(
        message if isinstance(message, str) and message else f"the server answered {code} without a message",
        status=code,
        reason=reason,
        details=details,
        retry_after=_seconds(wait) if wait else None,
        method=method,
        path=path,
    )


def from_response(code: int, body: bytes, *, retry_after: str | None, method: str, path: str) -> ApiError:
    """Return the typed error of an HTTP answer, be it a Status or a proxy's page."""
    try:
        status = orjson.loads(body)
    except orjson.JSONDecodeError:
        status = None
    if not isinstance(status, dict) or status.get("kind") != "Status":
        text = " ".join(body[:_EXCERPT].decode(errors="replace").split())
        status = {"message": f"HTTP {code}: {text}" if text else f"HTTP {code} with an empty body"}
    return from_status(status, code=code, retry_after=retry_after, method=method, path=path)
