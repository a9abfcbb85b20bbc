"""Which objects do Rollouts take their pod templates from, by spec.workloadRef?

A kind is watched only while some Rollout refers to it. A cluster may have tens of thousands of Deployments, and most of
them are none of our business: of each is kept who it is, its counts of pods, and its template, packed.
"""

import asyncio
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import orjson
import structlog

from rollouts.api import keys
from rollouts.kube.cache import Cache
from rollouts.kube.client import Api
from rollouts.kube.resources import DEPLOYMENTS, POD_TEMPLATES, REPLICA_SETS, Resource

Raw = Mapping[str, Any]
Object = dict[str, Any]
OnChange = Callable[[Object | None, Object | None], None]

WORKLOAD_RESOURCES: Mapping[str, Resource] = {each.kind: each for each in (DEPLOYMENTS, REPLICA_SETS, POD_TEMPLATES)}

PATIENCE = 10.0
"""Seconds after which a watch that has not begun is told of: before that it may just be slow."""

_IDENTITY = ("name", "namespace", "uid", "resourceVersion", "generation", "deletionTimestamp")
_COUNTS = ("replicas", "readyReplicas", "availableReplicas", "observedGeneration")
_PACKED = "packed"

_log = structlog.get_logger(__name__)


class WorkloadLookup(Protocol):
    """The part of the workloads that passes read."""

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """Return one object, if it is there."""

    def is_known(self, kind: str) -> bool:
        """Tell whether what `get` doesn't find isn't there."""

    def trouble(self, kind: str) -> str:
        """Say what keeps a kind from being known; nothing while it is only slow."""


def pack(raw: Object) -> Object:
    """Keep what plans read, the bulky part packed."""
    metadata, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    kept: Object = {
        "apiVersion": raw["apiVersion"],
        "kind": raw["kind"],
        "metadata": {key: metadata[key] for key in _IDENTITY if key in metadata},
    }
    labels = metadata.get("labels") or {}
    if keys.POD_TEMPLATE_HASH in labels:
        kept["metadata"]["labels"] = {keys.POD_TEMPLATE_HASH: labels[keys.POD_TEMPLATE_HASH]}
    if "replicas" in spec:
        kept["spec"] = {"replicas": spec["replicas"]}
    if counts := {key: status[key] for key in _COUNTS if key in status}:
        kept["status"] = counts
    bulk = {"template": raw.get("template") or spec.get("template"), "selector": spec.get("selector")}
    kept[_PACKED] = zlib.compress(orjson.dumps(bulk), 1)
    return kept


def unpack(kept: Raw) -> Object:
    """Return an object as plans read it."""
    raw = {key: value for key, value in kept.items() if key != _PACKED}
    bulk = {key: value for key, value in orjson.loads(zlib.decompress(kept[_PACKED])).items() if value is not None}
    return {**raw, **bulk} if raw["kind"] == POD_TEMPLATES.kind else {**raw, "spec": {**raw.get("spec", {}), **bulk}}


class Workloads:
    """Keeps the caches of the kinds that are wanted, and no others."""

    def __init__(self, api: Api, namespace: str | None, on_change: OnChange) -> None:
        self._api = api
        self._namespace = namespace
        self._on_change = on_change
        self._wanted: dict[str, float] = {}
        self._caches: dict[str, Cache] = {}
        self._changed = asyncio.Event()

    def follow(self, kind: str) -> None:
        """Keep a copy of a kind from now on."""
        if kind not in self._wanted:
            self._wanted[kind] = asyncio.get_running_loop().time()
            self._changed.set()

    def unfollow(self, kind: str) -> None:
        """Keep a copy of a kind no longer."""
        if self._wanted.pop(kind, None) is not None:
            self._changed.set()

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """Return one object, if it is there."""
        cache = self._caches.get(kind)
        kept = cache.get(namespace, name) if cache is not None else None
        return unpack(kept) if kept is not None else None

    def is_known(self, kind: str) -> bool:
        """Tell whether what `get` doesn't find isn't there."""
        cache = self._caches.get(kind)
        return cache is not None and cache.synced.is_set()

    def trouble(self, kind: str) -> str:
        """Say what keeps a kind from being known; nothing while it is only slow."""
        cache = self._caches.get(kind)
        waited = asyncio.get_running_loop().time() - self._wanted.get(kind, float("inf"))
        return (cache.problem or "") if cache is not None and waited > PATIENCE else ""

    async def run(self) -> None:
        """Watch what is wanted until cancelled."""
        watches: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                self._changed.clear()
                for kind in watches.keys() - self._wanted.keys():
                    await self._stop(kind, watches.pop(kind))
                for kind in self._wanted.keys() - watches.keys():
                    watches[kind] = asyncio.create_task(self._start(kind).run())
                change = asyncio.create_task(self._changed.wait())
                try:
                    await asyncio.wait({change, *watches.values()}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    change.cancel()
                for watch in watches.values():
                    if watch.done():
                        watch.result()  # a watch never ends: what broke it must not go unheard
        finally:
            for watch in watches.values():
                watch.cancel()
            if watches:
                await asyncio.wait(watches.values())

    def _start(self, kind: str) -> Cache:
        _log.info("watching", kind=kind, reason="a Rollout's workloadRef names one")
        self._caches[kind] = Cache(
            self._api, WORKLOAD_RESOURCES[kind], self._namespace, trim=pack, on_change=self._on_change
        )
        return self._caches[kind]

    async def _stop(self, kind: str, watch: asyncio.Task[None]) -> None:
        _log.info("no longer watching", kind=kind, reason="no Rollout's workloadRef names one")
        self._caches.pop(kind)
        watch.cancel()
        await asyncio.wait({watch})
