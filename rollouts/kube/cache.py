"""How a local copy of a collection stays true: fetch once, then follow the watch, and recover from anything.

::

            ┌────────────── 410 Gone, lost position ──────────────┐
            v                                                     │
    fetch everything ──────────────> synced, position known ──> watch from the position
      WatchList: a stream of ADDED,    differences are told        │            ^
      ended by a marked bookmark                                   └── ended, cut, silent:
      refused -> list in pages                                         again from the position
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING, Any

from rollouts.kube.backoff import Backoff
from rollouts.kube.client import WATCH_GRACE
from rollouts.kube.errors import (
    BadRequest,
    Gone,
    Invalid,
    KubeError,
    MethodNotAllowed,
    NotFound,
    ServerError,
)
from rollouts.kube.store import Store, key_of, version_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rollouts.kube.client import Api
    from rollouts.kube.resources import Resource
    from rollouts.kube.store import Index, Key, OnChange, Trim

INITIAL_EVENTS_END = "k8s.io/initial-events-end"
WATCH_SECONDS = (240, 300)  # a watch is renewed within 5 minutes, caches not all at once
SUSPICIOUSLY_SHORT = 1.0  # no server means to end a stream this early
STEADY_AFTER = 10.0  # a stream that lived this long ends a series of failures


class Cache:
    """A live copy of one resource, optionally of one namespace and of what selectors choose.

    Objects are shared with all readers and must not be changed. They lack managedFields and kubectl's last-applied
    annotation. `on_change(old, new)` is called in the event loop for each change, also for those found by a relist.
    `problem` says what is in the way, `is_missing` that the server has no such resource.
    """

    def __init__(
        self,
        api: Api,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        trim: Trim | None = None,
        indexes: Mapping[str, Index] | None = None,
        on_change: OnChange | None = None,
        watch_seconds: tuple[int, int] = WATCH_SECONDS,
        watch_grace: float = WATCH_GRACE,
        backoff: Backoff | None = None,
    ) -> None:
        self.resource = resource
        self.synced = asyncio.Event()
        self.problem: str | None = None
        self.is_missing = False
        self._api = api
        self._scope: dict[str, Any] = {
            "resource": resource,
            "namespace": namespace,
            "label_selector": label_selector,
            "field_selector": field_selector,
        }
        self._store = Store(indexes=indexes, on_change=on_change, trim=trim)
        self._position: str | None = None
        self._watch_list = True
        self._watch_seconds = watch_seconds
        self._watch_grace = watch_grace
        self._backoff = backoff or Backoff()
        self._heard_at: float | None = None

    def __len__(self) -> int:
        return len(self._store)

    def get(self, namespace: str | None, name: str) -> dict[str, Any] | None:
        """Return one object, if it is there."""
        return self._store.get(namespace, name)

    def items(self) -> list[dict[str, Any]]:
        """Return all objects."""
        return self._store.items()

    def by_index(self, name: str, key: str) -> list[dict[str, Any]]:
        """Return the objects of an index; `owner` (by the owners' uids) is always there."""
        return self._store.by_index(name, key)

    def age(self) -> float:
        """Return the seconds since the server last said anything: an event, a bookmark, a list."""
        if self._heard_at is None:
            return float("inf")
        return asyncio.get_running_loop().time() - self._heard_at

    async def wait_synced(self, timeout: float) -> None:  # noqa: ASYNC109 - the error must name the problem
        """Wait until everything has been fetched once; TimeoutError says what is in the way."""
        try:
            async with asyncio.timeout(timeout):
                await self.synced.wait()
        except TimeoutError:
            why = self.problem or "the server has not sent everything yet"
            raise TimeoutError(f"{self.resource.title} not synced within {timeout:g} s: {why}") from None

    async def run(self) -> None:
        """Keep the copy true until cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            started = clock()
            try:
                await self._advance()
                failed = False
            except KubeError as error:
                failed = True
                self._take_note_of(error)
            lived = clock() - started
            if lived >= STEADY_AFTER:
                self._backoff.reset()
            if failed or lived < SUSPICIOUSLY_SHORT:
                await asyncio.sleep(self._backoff.next())

    async def _advance(self) -> None:
        """Fetch everything if the position is lost, then follow the changes until the stream ends."""
        if self._position is None and self._watch_list:
            self._watch_list = await self._stream_everything()
            if self._watch_list:
                return
        if self._position is None:
            listing = await self._api.list(**self._scope)
            self._replace([self._store.slim(obj) for obj in listing.items], listing.resource_version)
        await self._follow()

    async def _stream_everything(self) -> bool:
        """Fetch and follow in one stream; False when this server can't."""
        try:
            await self._follow()
        except (BadRequest, Invalid, MethodNotAllowed, ServerError) as error:
            if self._position is None and (not isinstance(error, ServerError) or error.status == 501):
                return False
            raise
        # An old server may ignore the wish for initial events, and then never marks their end.
        return self._position is not None

    async def _follow(self) -> None:
        """Read one stream to its end; from nowhere it begins with everything that exists."""
        arriving: dict[Key, dict[str, Any]] | None = {} if self._position is None else None
        seconds = random.randint(*self._watch_seconds)  # noqa: S311 - jitter, not a secret
        stream = self._api.watch(
            **self._scope,
            resource_version=self._position,
            send_initial_events=arriving is not None,
            seconds=seconds,
            silence=seconds + self._watch_grace,
            on_open=self._opened,
        )
        async with contextlib.aclosing(stream) as events:
            async for event in events:
                self._heard()
                obj = event["object"]
                if arriving is None:
                    self._apply(event["type"], obj)
                elif event["type"] != "BOOKMARK":
                    self._collect(arriving, event["type"], obj)
                elif (obj["metadata"].get("annotations") or {}).get(INITIAL_EVENTS_END) == "true":
                    self._replace(list(arriving.values()), version_of(obj))
                    arriving = None

    def _collect(self, arriving: dict[Key, dict[str, Any]], kind: str, obj: dict[str, Any]) -> None:
        if kind == "DELETED":
            arriving.pop(key_of(obj), None)
        else:
            arriving[key_of(obj)] = self._store.slim(obj)

    def _apply(self, kind: str, obj: dict[str, Any]) -> None:
        if kind in {"ADDED", "MODIFIED"}:
            self._position = version_of(obj)
            self._store.put(self._store.slim(obj))
        elif kind == "DELETED":
            self._position = version_of(obj)
            self._store.remove(key_of(obj))
        elif kind == "BOOKMARK":
            self._position = version_of(obj)

    def _replace(self, objects: list[dict[str, Any]], position: str) -> None:
        self._store.replace(objects)
        self._position = position
        self._opened()
        self.synced.set()

    def _opened(self) -> None:
        self._heard()
        self.problem = None
        self.is_missing = False

    def _heard(self) -> None:
        self._heard_at = asyncio.get_running_loop().time()

    def _take_note_of(self, error: KubeError) -> None:
        if isinstance(error, Gone | NotFound | BadRequest | Invalid) or _is_too_large(error):
            self._position = None
        self.is_missing = isinstance(error, NotFound)
        if isinstance(error, NotFound):
            self.problem = f"{self.resource.title} is not installed on this API server"
        elif not isinstance(error, Gone):
            self.problem = f"{self.resource.title}: {error}"


def _is_too_large(error: KubeError) -> bool:
    """Tell whether the server has lost history: it was restored from a backup and is behind our position."""
    return isinstance(error, ServerError) and any(
        cause.get("reason") == "ResourceVersionTooLarge" for cause in error.causes
    )
