"""What does the controller keep a live copy of, and how is it looked up?

Without Rollouts, ReplicaSets and Services there is no work. What belongs to analyses may be missing: its definition
isn't installed, or we may not read it. That stops nobody but those who use it. What Rollouts take their pod templates
from is followed on demand: `rollouts.controller.workloads`.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from rollouts.api import keys
from rollouts.api.selectors import parse_selector
from rollouts.api.services import service_names
from rollouts.controller.following import PATIENCE
from rollouts.controller.key import Key
from rollouts.controller.templates import (
    EXPERIMENT_INDEXES,
    ROLLOUT_TEMPLATE_INDEXES,
    TEMPLATE_INDEXES,
    TEMPLATE_KINDS,
    kind_of,
)
from rollouts.controller.traffic import TrafficLookup
from rollouts.controller.workloads import WorkloadLookup
from rollouts.kube.cache import Cache
from rollouts.kube.client import Api
from rollouts.kube.resources import (
    ANALYSIS_RUNS,
    ANALYSIS_TEMPLATES,
    CLUSTER_ANALYSIS_TEMPLATES,
    DEPLOYMENTS,
    EXPERIMENTS,
    REPLICA_SETS,
    ROLLOUTS,
    SERVICES,
    Resource,
)
from rollouts.plan.analysis.templates import TemplateKey
from rollouts.plan.workload import Reference, reference_in

Raw = Mapping[str, Any]
Object = dict[str, Any]
OnChange = Callable[[Object | None, Object | None], None]

ESSENTIAL = frozenset({ROLLOUTS.kind, REPLICA_SETS.kind, SERVICES.kind})
"""The kinds that there is no work without."""

BY_LABEL = "label"
BY_OWNER = "owner"
BY_SERVICE = "service"
BY_MANAGER = "manager"
BY_WORKLOAD = "workload"
BY_WORKLOAD_KIND = "workload kind"
ORPHANS = "orphans"


class Lookup(Protocol):
    """The part of a cache that passes read."""

    def get(self, namespace: str | None, name: str) -> Object | None:
        """Return one object, if it is there."""

    def items(self) -> list[Object]:
        """Return all objects."""

    def by_index(self, name: str, key: str) -> list[Object]:
        """Return the objects of an index."""


class Known(Protocol):
    """Which kinds can be looked up at all."""

    def is_known(self, kind: str) -> bool:
        """Tell whether what isn't found isn't there."""

    def trouble(self, kind: str) -> str:
        """Say what keeps a kind from being known; nothing while it is only slow."""


@dataclass(frozen=True, slots=True)
class Lookups:
    """Everything that passes read from: caches in production, plain stores in tests; `kept` has one by kind."""

    kept: Mapping[str, Lookup]
    known: Known
    workloads: WorkloadLookup
    traffic: TrafficLookup

    @property
    def rollouts(self) -> Lookup:
        return self.kept[ROLLOUTS.kind]

    @property
    def replica_sets(self) -> Lookup:
        return self.kept[REPLICA_SETS.kind]

    @property
    def services(self) -> Lookup:
        return self.kept[SERVICES.kind]

    def of(self, kind: str) -> Lookup:
        """Return the objects of a kind; none of one that isn't kept."""
        return self.kept.get(kind, _NOTHING)

    def find(self, kind: str, namespace: str, name: str) -> Object | None:
        """Return an object of any kind that we write to."""
        if kind == DEPLOYMENTS.kind:
            return self.workloads.get(kind, namespace, name)
        if kind in self.kept:
            return self.kept[kind].get(namespace, name)
        return self.traffic.find(kind, namespace, name)

    def identity_of(self, kind: str, namespace: str, name: str) -> str:
        """Return what changes when an object does, its status apart; empty without one."""
        found = self.find(kind, namespace, name)
        if found is None:
            return ""
        metadata = found["metadata"]
        return f"{metadata['uid']} {metadata.get('generation') or metadata['resourceVersion']}"

    def template(self, key: TemplateKey, namespace: str) -> Raw | None:
        """Return the raw spec of an analysis template, as seen from a namespace."""
        found = self.of(kind_of(key)).get(None if key.is_cluster else namespace, key.name)
        spec: Raw | None = None if found is None else found.get("spec") or {}
        return spec

    def missing(self, templates: Iterable[TemplateKey], needs: Iterable[str]) -> tuple[str, str] | None:
        """Return a kind that analyses need and that we have no copy of, and what it is needed for."""
        needed = {kind: f"its analyses need {kind}s" for kind in needs if kind not in TEMPLATE_KINDS}
        needed |= {kind_of(template): f"its analyses need {template}" for template in templates}
        return next((each for each in needed.items() if not self.known.is_known(each[0])), None)

    def owned(self, kind: str, uid: str) -> list[Raw]:
        """Return the objects of a kind that the one with this uid controls."""
        found = self.of(kind).by_index(BY_OWNER, uid)
        return [each for each in found if (controller_of(each) or {}).get("uid") == uid]


class _Nothing:
    """What is found of a kind that isn't kept."""

    def get(self, namespace: str | None, name: str) -> None:
        """Find nothing."""

    def items(self) -> list[Object]:
        return []

    def by_index(self, name: str, key: str) -> list[Object]:
        del name, key
        return []


_NOTHING: Lookup = _Nothing()


def controller_of(raw: Raw) -> Raw | None:
    """Return the reference to the object that controls this one."""
    references = raw["metadata"].get("ownerReferences") or ()
    return next((each for each in references if each.get("controller")), None)


def manager_of(service: Raw) -> Key | None:
    """Return the key of the Rollout that a Service is marked with."""
    metadata = service["metadata"]
    name = (metadata.get("annotations") or {}).get(keys.MANAGED_BY)
    return Key(metadata["namespace"], name) if name else None


def instance_selector(instance_id: str) -> str:
    """Return the label selector for what one controller instance looks after; without an id, for what none does."""
    return f"{keys.INSTANCE_ID}={instance_id}" if instance_id else f"!{keys.INSTANCE_ID}"


def is_kept(resource: Resource, raw: Raw, instance_id: str) -> bool:
    """Tell whether an object is one that our cache of its kind selects."""
    labels = raw["metadata"].get("labels") or {}
    if resource.group == ROLLOUTS.group:
        return parse_selector(instance_selector(instance_id)).matches(labels)
    return resource is not REPLICA_SETS or keys.POD_TEMPLATE_HASH in labels


ROLLOUT_INDEXES: Mapping[str, Callable[[Raw], tuple[str, ...]]] = {
    BY_LABEL: lambda raw: (_place_by_label(raw),),
    BY_SERVICE: lambda raw: tuple(f"{raw['metadata']['namespace']}/{name}" for name in service_names(raw)),
    BY_WORKLOAD: lambda raw: tuple(workload_key(raw["metadata"]["namespace"], each) for each in _references(raw)),
    BY_WORKLOAD_KIND: lambda raw: tuple(each.kind for each in _references(raw)),
    **ROLLOUT_TEMPLATE_INDEXES,
}

SERVICE_INDEXES: Mapping[str, Callable[[Raw], tuple[str, ...]]] = {
    BY_MANAGER: lambda raw: (str(manager),) if (manager := manager_of(raw)) else (),
}


def workload_key(namespace: str, reference: Reference) -> str:
    """Return the key of an object in the index of those that Rollouts refer to."""
    return f"{reference.kind}/{namespace}/{reference.name}"


def label_places(metadata: Raw) -> Iterator[str]:
    """Yield where in the index of Rollouts those are that may select an object with this metadata."""
    namespace = metadata["namespace"]
    yield f"{namespace}/"
    for key, value in (metadata.get("labels") or {}).items():
        yield f"{namespace}/{key}={value}"


def _place_by_label(rollout: Raw) -> str:
    """Return the place of a Rollout by a label that it selects, if it names one."""
    namespace, selector = rollout["metadata"]["namespace"], (rollout.get("spec") or {}).get("selector")
    labels = selector.get("matchLabels") if isinstance(selector, Mapping) else None
    if not isinstance(labels, Mapping) or not labels:
        return f"{namespace}/"
    key = min(labels)
    return f"{namespace}/{key}={labels[key]}"


def _references(rollout: Raw) -> tuple[Reference, ...]:
    reference = reference_in(rollout)
    return () if reference is None else (reference,)


REPLICA_SET_INDEXES: Mapping[str, Callable[[Raw], tuple[str, ...]]] = {
    ORPHANS: lambda raw: () if controller_of(raw) else (raw["metadata"]["namespace"],),
}


def trim_replica_set(raw: Object) -> Object:
    """Keep what plans read: all of metadata and spec, and the counts of the status."""
    (raw.get("status") or {}).pop("conditions", None)
    return raw


def trim_service(raw: Object) -> Object:
    """Keep metadata and selector: a cluster has many Services, and most are none of our business."""
    selector = (raw.get("spec") or {}).get("selector")
    raw["spec"] = {"selector": selector} if selector else {}
    raw.pop("status", None)
    return raw


def make_caches(
    api: Api, namespace: str | None, instance_id: str, on_change: Callable[[str], OnChange]
) -> dict[str, Cache]:
    """Return the caches by kind; `on_change` makes the listener of a kind."""

    def cache(resource: Resource, selector: str | None = None, **settings: Any) -> Cache:
        listener = on_change(resource.kind)
        return Cache(api, resource, namespace, label_selector=selector, on_change=listener, **settings)

    ours = instance_selector(instance_id)
    caches = [
        cache(ROLLOUTS, ours, indexes=ROLLOUT_INDEXES),
        # Only those that a Rollout made, never a Deployment's.
        cache(REPLICA_SETS, keys.POD_TEMPLATE_HASH, indexes=REPLICA_SET_INDEXES, trim=trim_replica_set),
        cache(SERVICES, indexes=SERVICE_INDEXES, trim=trim_service),
        cache(ANALYSIS_RUNS, ours),
        cache(EXPERIMENTS, ours, indexes=EXPERIMENT_INDEXES),
        cache(ANALYSIS_TEMPLATES, ours, indexes=TEMPLATE_INDEXES),
    ]
    if namespace is None:  # who looks after one namespace has no rights beyond it
        caches.append(cache(CLUSTER_ANALYSIS_TEMPLATES, ours, indexes=TEMPLATE_INDEXES))
    return {each.resource.kind: each for each in caches}


class Copies:
    """Which of the caches know their kind?"""

    def __init__(self, caches: Mapping[str, Cache]) -> None:
        self._caches = caches
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()

    def is_known(self, kind: str) -> bool:
        """Tell whether what a cache doesn't find isn't there."""
        return kind in self._caches and self._caches[kind].synced.is_set()

    def trouble(self, kind: str) -> str:
        """Say what keeps a kind from being known; nothing while it is only slow."""
        if kind not in self._caches:
            return f"a controller that looks after one namespace doesn't read {kind}s, so use one of the namespace"
        if self.is_known(kind) or self._clock() < self._began + PATIENCE:
            return ""
        return self._caches[kind].problem or ""
