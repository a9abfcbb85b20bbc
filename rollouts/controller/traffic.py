"""Which objects do the traffic routers of Rollouts read?

A kind is watched only while some Rollout's router reads it, in the version that the API server serves. Where its
definition isn't installed, it is asked for again and again; where it goes, the watch begins anew once it is back. So it
does where the kind turns out to be in another cluster.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import structlog

from rollouts.controller.clusters import Cluster, Clusters
from rollouts.controller.following import Following, ended
from rollouts.kube.cache import Cache
from rollouts.kube.client import Api
from rollouts.kube.discovery import discover
from rollouts.kube.errors import KubeError
from rollouts.kube.resources import Resource
from rollouts.ports import Objects, Reads, Reference, Selected

Raw = Mapping[str, Any]
Object = dict[str, Any]
OnChange = Callable[[Object | None, Object | None], None]

RETRY = 5.0
"""How often it is looked whether a kind is served by now, or still."""

_BY_NAMESPACE = "namespace"

_log = structlog.get_logger(__name__)


class Kind(NamedTuple):
    """A kind, whatever version of it is served."""

    group: str
    kind: str

    def __str__(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind


class Served(NamedTuple):
    """Where a kind is served: by whose API, and as what."""

    api: Api
    resource: Resource


class Obstacle(NamedTuple):
    """What can't be seen, and why; the trouble is empty while it is only slow.

    `is_unserved` tells that the API server knows no such kind, so that there are no objects of it.
    """

    what: str
    trouble: str
    is_unserved: bool = False


class TrafficLookup(Protocol):
    """The part of routers' objects that passes read."""

    def picked(self, reads: Reads) -> Objects:
        """Return what is read."""

    def obstacle(self, reads: Reads) -> Obstacle | None:
        """Return what keeps some of it from being seen."""

    def find(self, kind: str, namespace: str, name: str) -> Object | None:
        """Return an object by the name of its kind, with its group or without."""

    def served(self, kind: str, group: str) -> Served | None:
        """Return where a kind is served, as far as that is known."""


def kind_of(read: Reference | Selected) -> Kind:
    """Return the kind of what a router reads."""
    return Kind(read.group, read.kind)


def reference_to(raw: Raw) -> Reference:
    """Return the reference to an object."""
    group, _, _ = raw.get("apiVersion", "").rpartition("/")
    return Reference(group, raw["kind"], raw["metadata"]["namespace"], raw["metadata"]["name"])


class Traffic(Following[Kind]):
    """Keeps the caches of the kinds that are wanted, and no others."""

    def __init__(
        self,
        clusters: Clusters,
        namespace: str | None,
        on_change: OnChange,
        on_known: Callable[[str], None],
        *,
        retry: float = RETRY,
    ) -> None:
        super().__init__("router reads it")
        self._clusters = clusters
        self._namespace = namespace
        self._on_change = on_change
        self._on_known = on_known
        self._retry = retry
        self._caches: dict[Kind, Cache] = {}
        self._apis: dict[Kind, Api] = {}
        self._problems: dict[Kind, str] = {}
        self._unserved: set[Kind] = set()

    def picked(self, reads: Reads) -> Objects:
        """Return what is read: None for what is named and doesn't exist."""
        found: dict[Reference, Raw | None] = {}
        for read in reads:
            cache = self._caches.get(kind_of(read))
            if isinstance(read, Reference):
                found[read] = cache.get(read.namespace, read.name) if cache is not None else None
            elif cache is not None:
                found |= _selected(read, cache.by_index(_BY_NAMESPACE, read.namespace))
        return found

    def obstacle(self, reads: Reads) -> Obstacle | None:
        """Return what keeps some of it from being seen."""
        return next((found for read in reads if (found := self._obstacle(read)) is not None), None)

    def _obstacle(self, read: Reference | Selected) -> Obstacle | None:
        if self._namespace is not None and read.namespace != self._namespace:
            trouble = f"it is in namespace {read.namespace}, and this controller looks after {self._namespace} only"
            return Obstacle(str(read), trouble)
        kind = kind_of(read)
        cache = self._caches.get(kind)
        if cache is not None and cache.synced.is_set() and not cache.is_missing:
            return None
        return Obstacle(str(read), self._trouble(kind, cache), kind in self._unserved)

    def _trouble(self, kind: Kind, cache: Cache | None) -> str:
        if kind in self._problems:
            return self._problems[kind]
        return (cache.problem or "") if cache is not None and self._is_late(kind) else ""

    def find(self, kind: str, namespace: str, name: str) -> Object | None:
        """Return an object by the name of its kind, with its group or without."""
        caches = (cache for known, cache in self._caches.items() if kind in (str(known), known.kind))
        every = (cache.get(namespace, name) for cache in caches)
        return next((each for each in every if each is not None), None)

    def served(self, kind: str, group: str) -> Served | None:
        """Return where a kind is served, as far as that is known."""
        known = Kind(group, kind)
        cache = self._caches.get(known)
        return Served(self._apis[known], cache.resource) if cache is not None else None

    async def _watch(self, kind: Kind) -> None:
        """Keep a copy of a kind, in the cluster that has it at the time."""
        try:
            while True:
                cluster = self._clusters.of(kind.group)
                work = asyncio.create_task(self._copy(kind, cluster))
                change = asyncio.create_task(self._clusters.other_than(kind.group, cluster))
                try:
                    await asyncio.wait({work, change}, return_when=asyncio.FIRST_COMPLETED)
                    if work.done():
                        work.result()
                finally:
                    await ended(work)
                    await ended(change)
        finally:
            self._problems.pop(kind, None)
            self._unserved.discard(kind)

    async def _copy(self, kind: Kind, cluster: Cluster) -> None:
        """Keep a copy of a kind, as long as it is served; and wait for it while it isn't."""
        while True:
            api, resource = await self._discovered(kind, cluster)
            indexes = {_BY_NAMESPACE: lambda raw: (raw["metadata"].get("namespace", ""),)}
            cache = Cache(api, resource, self._namespace, indexes=indexes, on_change=self._on_change)
            self._caches[kind], self._apis[kind] = cache, api
            feeds = [asyncio.create_task(cache.run()), asyncio.create_task(self._tell_of(kind, cache))]
            try:
                while not cache.is_missing:
                    await asyncio.wait({feeds[0]}, timeout=self._retry)
                    if feeds[0].done():
                        feeds[0].result()
            finally:
                for feed in feeds:
                    await ended(feed)
                del self._caches[kind], self._apis[kind]
            self._on_known(str(kind))

    async def _tell_of(self, kind: Kind, cache: Cache) -> None:
        await cache.synced.wait()
        self._on_known(str(kind))

    async def _discovered(self, kind: Kind, cluster: Cluster) -> Served:
        """Return where a kind is served, once it is."""
        while True:
            served, problem, is_unserved = await _search(kind, cluster)
            if served is not None:
                self._problems.pop(kind, None)
                self._unserved.discard(kind)
                return served
            if is_unserved:
                self._unserved.add(kind)
            else:
                self._unserved.discard(kind)
            if problem and self._problems.get(kind) != problem:
                self._problems[kind] = problem
                _log.warning("not watching", kind=str(kind), reason=problem)
                self._on_known(str(kind))
            await asyncio.sleep(self._retry)


async def _search(kind: Kind, cluster: Cluster) -> tuple[Served | None, str, bool]:
    """Return where a kind is served; else why not, and whether a server has said so."""
    if cluster.api is None:
        return None, cluster.trouble, False
    try:
        found = await discover(cluster.api, *kind)
    except KubeError as error:
        return None, f"nobody can tell whether {cluster.title} serves {kind}: {error}", False
    if found is None:
        return None, f"{cluster.title} doesn't serve {kind}: install its definition", True
    return Served(cluster.api, found), "", False


def _selected(read: Selected, raws: list[Object]) -> dict[Reference, Raw | None]:
    every = ((reference_to(raw), raw) for raw in raws)
    return {reference: raw for reference, raw in every if read.matches(reference, raw)}
