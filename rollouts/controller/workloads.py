"""Which objects do Rollouts take their pod templates from, by spec.workloadRef?

A kind is watched only while some Rollout refers to it. A cluster may have tens of thousands of Deployments, and most of
them are none of our business: of each is kept who it is, its counts of pods, and its template, packed.
"""

import zlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import orjson

from rollouts.api import keys
from rollouts.controller.following import Following
from rollouts.kube.cache import Cache
from rollouts.kube.client import Api
from rollouts.kube.resources import DEPLOYMENTS, POD_TEMPLATES, REPLICA_SETS, Resource

Raw = Mapping[str, Any]
Object = dict[str, Any]
OnChange = Callable[[Object | None, Object | None], None]

WORKLOAD_RESOURCES: Mapping[str, Resource] = {each.kind: each for each in (DEPLOYMENTS, REPLICA_SETS, POD_TEMPLATES)}

_IDENTITY = ("name", "namespace", "uid", "resourceVersion", "generation", "deletionTimestamp")
_COUNTS = ("replicas", "readyReplicas", "availableReplicas", "observedGeneration")
_PACKED = "packed"


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


class Workloads(Following[str]):
    """Keeps the caches of the kinds that are wanted, and no others."""

    def __init__(self, api: Api, namespace: str | None, on_change: OnChange) -> None:
        super().__init__("workloadRef names one")
        self._api = api
        self._namespace = namespace
        self._on_change = on_change
        self._caches: dict[str, Cache] = {}

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
        return (cache.problem or "") if cache is not None and self._is_late(kind) else ""

    async def _watch(self, kind: str) -> None:
        resource = WORKLOAD_RESOURCES[kind]
        self._caches[kind] = Cache(self._api, resource, self._namespace, trim=pack, on_change=self._on_change)
        try:
            await self._caches[kind].run()
        finally:
            del self._caches[kind]
