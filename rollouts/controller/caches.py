"""What does the controller keep a live copy of? Rollouts, their ReplicaSets, Services; and how they are looked up.

What Rollouts take their pod templates from is followed on demand: `rollouts.controller.workloads`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from rollouts.api import keys
from rollouts.api.selectors import parse_selector
from rollouts.api.services import service_names
from rollouts.controller.key import Key
from rollouts.controller.workloads import WorkloadLookup
from rollouts.kube.cache import Cache
from rollouts.kube.client import Api
from rollouts.kube.resources import DEPLOYMENTS, REPLICA_SETS, ROLLOUTS, SERVICES, Resource
from rollouts.plan.workload import Reference, reference_in

Raw = Mapping[str, Any]
Object = dict[str, Any]
OnChange = Callable[[Object | None, Object | None], None]

BY_NAMESPACE = "namespace"
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


@dataclass(frozen=True, slots=True)
class Lookups:
    """Everything that passes read from: caches in production, plain stores in tests."""

    rollouts: Lookup
    replica_sets: Lookup
    services: Lookup
    workloads: WorkloadLookup

    def find(self, kind: str, namespace: str, name: str) -> Object | None:
        """Return an object of any kind that we write to."""
        if kind == DEPLOYMENTS.kind:
            return self.workloads.get(kind, namespace, name)
        kept = {
            ROLLOUTS.kind: self.rollouts,
            REPLICA_SETS.kind: self.replica_sets,
            SERVICES.kind: self.services,
        }
        return kept[kind].get(namespace, name) if kind in kept else None


def controller_of(raw: Raw) -> Raw | None:
    """Return the reference to the object that controls this one."""
    references = raw["metadata"].get("ownerReferences") or ()
    return next((each for each in references if each.get("controller")), None)


def manager_of(service: Raw) -> Key | None:
    """Return the key of the Rollout that a Service is marked with."""
    metadata = service["metadata"]
    name = (metadata.get("annotations") or {}).get(keys.MANAGED_BY)
    return Key(metadata["namespace"], name) if name else None


def rollout_selector(instance_id: str) -> str:
    """Return the label selector for the Rollouts of one controller instance; without an id, for those of none."""
    return f"{keys.INSTANCE_ID}={instance_id}" if instance_id else f"!{keys.INSTANCE_ID}"


def is_kept(resource: Resource, raw: Raw, instance_id: str) -> bool:
    """Tell whether an object is one that our cache of its kind selects."""
    labels = raw["metadata"].get("labels") or {}
    if resource is ROLLOUTS:
        return parse_selector(rollout_selector(instance_id)).matches(labels)
    return resource is not REPLICA_SETS or keys.POD_TEMPLATE_HASH in labels


ROLLOUT_INDEXES: Mapping[str, Callable[[Raw], tuple[str, ...]]] = {
    BY_NAMESPACE: lambda raw: (raw["metadata"]["namespace"],),
    BY_SERVICE: lambda raw: tuple(f"{raw['metadata']['namespace']}/{name}" for name in service_names(raw)),
    BY_WORKLOAD: lambda raw: tuple(workload_key(raw["metadata"]["namespace"], each) for each in _references(raw)),
    BY_WORKLOAD_KIND: lambda raw: tuple(each.kind for each in _references(raw)),
}

SERVICE_INDEXES: Mapping[str, Callable[[Raw], tuple[str, ...]]] = {
    BY_MANAGER: lambda raw: (str(manager),) if (manager := manager_of(raw)) else (),
}


def workload_key(namespace: str, reference: Reference) -> str:
    """Return the key of an object in the index of those that Rollouts refer to."""
    return f"{reference.kind}/{namespace}/{reference.name}"


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


def make_caches(api: Api, namespace: str | None, instance_id: str, on_change: Mapping[str, OnChange]) -> list[Cache]:
    """Return the caches of Rollouts, ReplicaSets and Services; `on_change` has a listener by kind for each."""
    return [
        Cache(
            api,
            ROLLOUTS,
            namespace,
            label_selector=rollout_selector(instance_id),
            indexes=ROLLOUT_INDEXES,
            on_change=on_change[ROLLOUTS.kind],
        ),
        Cache(
            api,
            REPLICA_SETS,
            namespace,
            label_selector=keys.POD_TEMPLATE_HASH,  # only those that a Rollout made, never a Deployment's
            indexes=REPLICA_SET_INDEXES,
            trim=trim_replica_set,
            on_change=on_change[REPLICA_SETS.kind],
        ),
        Cache(
            api,
            SERVICES,
            namespace,
            indexes=SERVICE_INDEXES,
            trim=trim_service,
            on_change=on_change[SERVICES.kind],
        ),
    ]
