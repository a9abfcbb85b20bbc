"""What does a watch stream say, from which resource version on, and when does it end?"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rollouts.devcluster.errors import ApiError, bad_request, expired, forbidden_value, invalid
from rollouts.devcluster.store import resource_version

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterable

    from rollouts.devcluster.kinds import Kind
    from rollouts.devcluster.objects import Object
    from rollouts.devcluster.selectors import Filter
    from rollouts.devcluster.store import Change, Collection, Store

INITIAL_EVENTS_END = "k8s.io/initial-events-end"
BOOKMARK_EVERY = 60.0  # seconds
_MOST_PENDING = 20_000  # changes; a client that reads so slowly must come back


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """From where to watch, and what besides changes is wanted."""

    resource_version: str = ""
    bookmarks: bool = False
    initial_events: bool | None = None
    timeout: float | None = None


def check_options(options: WatchOptions, match: str) -> None:
    """Refuse combinations that the API server refuses."""
    causes = []
    if options.initial_events is not None and match != "NotOlderThan":
        text = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        causes.append(forbidden_value("resourceVersionMatch", text))
    if options.initial_events is None and match:
        text = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        causes.append(forbidden_value("resourceVersionMatch", text))
    if causes:
        raise invalid("ListOptions", "meta.k8s.io", "", causes)


def parse_version(text: str) -> int:
    """Read a resource version."""
    if text and not text.isdecimal():
        cause = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        raise bad_request(cause)
    return int(text or 0)


class Watch:
    """One watch connection. The store pushes changes; the connection takes them when it can write."""

    def __init__(self, store: Store, kind: Kind, chosen: Filter, options: WatchOptions) -> None:
        self._store = store
        self._kind = kind
        self._chosen = chosen
        self._options = options
        self._pending: deque[Change] = deque()
        self._arrived = asyncio.Event()
        self._closed = False

    def close(self) -> None:
        """End the stream."""
        self._closed = True
        self._arrived.set()

    def check(self) -> None:
        """Raise what the stream would begin with if its resource version is gone."""
        asked = parse_version(self._options.resource_version)
        compacted = self._store.collection(self._kind.resource).compacted
        if asked and not self._options.initial_events and asked < compacted:
            raise expired(f"too old resource version: {asked} ({compacted})")

    def _push(self, change: Change) -> None:
        self._pending.append(change)
        if len(self._pending) > _MOST_PENDING:
            self._pending.clear()
            self.close()
        self._arrived.set()

    async def batches(self) -> AsyncGenerator[list[tuple[str, Object | bytes]], None]:
        """Yield what to write: event types with objects, encoded or not."""
        collection = self._store.collection(self._kind.resource)
        try:
            first = list(self._beginning(collection))
        except ApiError as error:
            yield [("ERROR", error.status())]
            return
        unsubscribe = collection.subscribe(self._push)
        try:
            if first:
                yield first
            async for batch in self._changes():
                yield batch
        finally:
            unsubscribe()

    def _beginning(self, collection: Collection) -> Iterable[tuple[str, Object | bytes]]:
        asked = parse_version(self._options.resource_version)
        initial = self._options.initial_events
        if initial is None:
            initial = asked == 0
        if initial:
            for obj in sorted(collection.objects(self._chosen.namespace), key=resource_version):
                if self._chosen.matches(obj):
                    yield "ADDED", obj
            if self._options.initial_events and self._options.bookmarks:
                yield "BOOKMARK", self._bookmark(end=True)
            return
        if not asked:
            return
        self.check()
        for change in collection.since(asked):
            yield from self._events(change)

    async def _changes(self) -> AsyncIterator[list[tuple[str, Object | bytes]]]:
        loop = asyncio.get_running_loop()
        end = None if self._options.timeout is None else loop.time() + self._options.timeout
        while not self._closed:
            wait = BOOKMARK_EVERY if self._options.bookmarks else None
            if end is not None:
                left = max(0.0, end - loop.time())
                wait = left if wait is None else min(wait, left)
            try:
                async with asyncio.timeout(wait):
                    await self._arrived.wait()
            except TimeoutError:
                if self._options.bookmarks:
                    yield [("BOOKMARK", self._bookmark(end=False))]
                if end is not None and loop.time() >= end:
                    return
                continue
            self._arrived.clear()
            batch = [event for change in self._drain() for event in self._events(change)]
            if batch:
                yield batch

    def _drain(self) -> list[Change]:
        changes = list(self._pending)
        self._pending.clear()
        return changes

    def _events(self, change: Change) -> Iterable[tuple[str, Object | bytes]]:
        was = change.before is not None and self._chosen.matches(change.before)
        matches = change.kind != "DELETED" and self._chosen.matches(change.object)
        if not was and not matches:
            return
        kind = "MODIFIED" if was and matches else ("ADDED" if matches else "DELETED")
        obj = change.object
        if kind == "DELETED" and change.kind != "DELETED" and change.before is not None:
            # it left the selection: the last matching state, at the revision at which it left
            version = change.object["metadata"]["resourceVersion"]
            obj = {**change.before, "metadata": {**change.before["metadata"], "resourceVersion": version}}
            yield kind, obj
        elif obj["apiVersion"] == self._kind.api_version:
            yield kind, change.encoded()
        else:
            yield kind, obj

    def _bookmark(self, *, end: bool) -> Object:
        meta: Object = {"resourceVersion": str(self._store.revision)}
        if end:
            meta["annotations"] = {INITIAL_EVENTS_END: "true"}
        return {"kind": self._kind.kind, "apiVersion": self._kind.api_version, "metadata": meta}
