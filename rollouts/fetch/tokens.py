"""Which answers are asked for once and used again? Those that hold a token, for as long as that lives.

A thousand metrics behind one identity provider would otherwise ask it a thousand times per interval.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from rollouts.ports.provider import Request, Response

MOST = 512
LONGEST = 3600.0
"""Seconds after which a token is asked for anew, even if it lives longer: a right may have been taken away."""

MARGIN = 0.8
"""The part of a token's life in which it is used: it must still be good when the request with it arrives."""

Send = Callable[[Request], Awaitable[Response]]
Key = tuple[str, str, str]


@dataclass(slots=True)
class _Kept:
    """One answer, and the lock of whoever asks for it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    response: Response | None = None
    until: float = 0.0


class Tokens:
    """Keeps answers that say how long they are good. Nothing of it is written anywhere."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic, clock: Callable[[], float] = time.time) -> None:
        self._monotonic = monotonic
        self._clock = clock
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()

    async def answer(self, request: Request, send: Send) -> Response:
        """Return the answer to a request that names what it may be reused as; several at once are asked as one."""
        key = _key(request)
        kept = self._kept.setdefault(key, _Kept())
        self._kept.move_to_end(key)
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)
        async with kept.lock:
            if kept.response is None or kept.until <= self._monotonic():
                kept.response = None
                response = await send(request)
                seconds = min(lifetime(response, self._clock()) * MARGIN, LONGEST)
                if seconds <= 0:
                    return response
                kept.response, kept.until = response, self._monotonic() + seconds
            return kept.response

    def drop(self, request: Request) -> None:
        """Forget an answer whose token has been refused."""
        self._kept.pop(_key(request), None)


def _key(request: Request) -> Key:
    return request.method, request.url, request.reuse


def lifetime(response: Response, now: float) -> float:
    """Return for how many seconds the token of an answer is good; 0 if it has none, or doesn't say.

    OAuth 2.0 says `expires_in` (RFC 6749, section 5.1), and so does Google; AWS' token service says `Expiration`, in
    seconds since 1970.
    """
    if not 200 <= response.status < 300:
        return 0.0
    try:
        said = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return 0.0
    if not isinstance(said, Mapping):
        return 0.0
    if "expires_in" in said:
        return _number(said["expires_in"])
    return max(0.0, _number(_expiration(said, 4)) - now)


def _expiration(said: Mapping[str, Any], depth: int) -> object:
    if "Expiration" in said:
        return said["Expiration"]
    below = (each for each in said.values() if isinstance(each, Mapping))
    return next((found for each in below if depth and (found := _expiration(each, depth - 1))), 0)


def _number(value: object) -> float:
    try:
        return float(value) if isinstance(value, int | float | str) else 0.0
    except (ValueError, OverflowError):
        return 0.0
