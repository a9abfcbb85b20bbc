"""How do the tests' own programs follow a kind of object?

Plain list and watch, written apart from the product's cache so that one mistake can't hide in both.
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp
import orjson

Kind = Literal["LISTED", "ADDED", "MODIFIED", "DELETED", "LOST"]
WATCH_SECONDS = 290
RETRY_PAUSE = 0.2


@dataclass(frozen=True)
class Change:
    """LISTED: all objects anew. LOST: the server is away; what follows is what happened meanwhile, or a new LISTED."""

    kind: Kind
    objects: list[dict[str, Any]]


class GoneError(Exception):
    """The server has forgotten the resourceVersion: 410."""


async def follow(api: aiohttp.ClientSession, path: str, **selection: str) -> AsyncGenerator[Change, None]:
    """Every change for ever: LISTED first, and again when the server has forgotten where we were."""
    version: str | None = None
    while True:
        try:
            if version is None:
                objects, version = await _list(api, path, selection)
                yield Change("LISTED", objects)
            async for event in watch_once(api, path, version, **selection):
                version = event["object"]["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    yield Change(event["type"], [event["object"]])
        except GoneError:
            version = None
        except aiohttp.ClientResponseError as error:
            if error.status < 500 and error.status != 429:
                raise  # forbidden or not there: asking again won't help
            yield Change("LOST", [])
            await asyncio.sleep(RETRY_PAUSE)
        except (aiohttp.ClientError, TimeoutError, ConnectionError):
            yield Change("LOST", [])
            await asyncio.sleep(RETRY_PAUSE)


async def watch_once(
    api: aiohttp.ClientSession, path: str, version: str, **selection: str
) -> AsyncGenerator[dict[str, Any], None]:
    """One watch request from a resourceVersion: its raw events; `GoneError` when the server says 410, either way."""
    query = {"watch": "1", "resourceVersion": version, "allowWatchBookmarks": "true", **selection}
    query["timeoutSeconds"] = str(WATCH_SECONDS)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=WATCH_SECONDS + 10)
    async with api.get(path, params=query, timeout=timeout) as answer:
        if answer.status == 410:
            raise GoneError(await answer.text())
        answer.raise_for_status()
        # Not readline(): an object may be longer than the reader's line limit.
        rest = b""
        async for chunk in answer.content.iter_any():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                event: dict[str, Any] = orjson.loads(line)
                if event["type"] == "ERROR":  # 410 or not, a fresh list is the cure
                    raise GoneError(event["object"].get("message", ""))
                yield event


async def _list(api: aiohttp.ClientSession, path: str, selection: dict[str, str]) -> tuple[list[dict[str, Any]], str]:
    async with api.get(path, params=selection, raise_for_status=True) as answer:
        body = orjson.loads(await answer.read())
    return body["items"], body["metadata"]["resourceVersion"]
