"""What may be done next, and what is so afterwards?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from rollouts.api import keys
from rollouts.migrate.objects import DEPLOYMENT, ROLLOUT, Json, Raw, count, name_of, part, size_of


@dataclass(frozen=True, slots=True)
class Seen:
    """All that a decision takes into account: one workload, as a Deployment, as a Rollout, and what is around it."""

    deployment: Raw | None = None
    rollout: Raw | None = None
    scalers: tuple[Raw, ...] = ()
    services: tuple[Raw, ...] = ()
    budgets: tuple[Raw, ...] = ()
    replica_sets: tuple[Raw, ...] = ()  # the Rollout's
    unserved: frozenset[str] = frozenset()  # Services that don't yet send requests to the Deployment's pods


class Until(StrEnum):
    """What a wait is for."""

    DEPLOYMENT_SETTLED = "settled"
    DEPLOYMENT_AVAILABLE = "available"
    DEPLOYMENT_EMPTY = "empty"
    DEPLOYMENT_GONE = "deleted"
    ROLLOUT_HEALTHY = "healthy"
    ROLLOUT_SEEN = "seen"
    ROLLOUT_GONE = "gone"
    SERVED = "served"


@dataclass(frozen=True, slots=True)
class Create:
    """Create the Deployment or the Rollout."""

    title: str
    obj: Json


@dataclass(frozen=True, slots=True)
class Patch:
    """Change a part of an object; `result` is what becomes of it."""

    title: str
    target: Raw
    body: Mapping[str, Any] | Sequence[Mapping[str, Any]]
    result: Json


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the Deployment or the Rollout."""

    title: str
    target: Raw


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do yet; `because` says what it is like now."""

    title: str
    until: Until
    target: Raw
    because: str


@dataclass(frozen=True, slots=True)
class Stuck:
    """It can't go on: why, and what to do."""

    why: str
    way_out: str


@dataclass(frozen=True, slots=True)
class Done:
    """All of it is so."""

    said: str


Step = Create | Patch | Delete | Wait
Decision = Step | Stuck | Done


def spec_patch(title: str, target: Raw, **fields: Any) -> Patch:
    """Return a patch of whole fields of the spec."""
    result = {**target, "spec": {**part(target, "spec"), **fields}}
    metadata = part(target, "metadata")
    if "generation" in metadata:
        result["metadata"] = {**metadata, "generation": count(metadata, "generation") + 1}
    return Patch(title, target, {"spec": fields}, result)


def after(seen: Seen, step: Step) -> Seen:
    """Return what is so once the step is done, in a world where all goes well."""
    match step:
        case Create(obj=obj):
            return _with(seen, str(obj.get("kind")), obj)
        case Delete(target=target):
            return _with(seen, str(target.get("kind")), None)
        case Patch(target=target, result=result):
            return _patched(seen, target, result)
        case Wait(until=until):
            return _waited(seen, until)


def _with(seen: Seen, kind: str, obj: Raw | None) -> Seen:
    return replace(seen, deployment=obj) if kind == DEPLOYMENT else replace(seen, rollout=obj)


def _patched(seen: Seen, target: Raw, result: Json) -> Seen:
    kind = str(target.get("kind"))
    if kind in (DEPLOYMENT, ROLLOUT):
        # Of a manifest nobody knows how many pods there are: as many as it asks for, until they have had time to go.
        return _with(seen, kind, {"status": {"replicas": size_of(target)}, **result})
    if kind == "Service":
        services = tuple(result if each is target else each for each in seen.services)
        return replace(seen, services=services, unserved=seen.unserved | {name_of(target)})
    return replace(seen, scalers=tuple(result if each is target else each for each in seen.scalers))


def _waited(seen: Seen, until: Until) -> Seen:
    match until:
        case Until.ROLLOUT_GONE:
            return replace(seen, rollout=None)
        case Until.DEPLOYMENT_GONE:
            return replace(seen, deployment=None)
        case Until.SERVED:
            return replace(seen, unserved=frozenset())
        case Until.ROLLOUT_HEALTHY | Until.ROLLOUT_SEEN:
            return replace(seen, rollout=_settled(seen.rollout))
        case Until.DEPLOYMENT_EMPTY:
            return replace(seen, deployment=_settled(spec_patch("", seen.deployment or {}, replicas=0).result))
        case _:
            return replace(seen, deployment=_settled(seen.deployment))


def _settled(workload: Raw | None) -> Json:
    """Return a workload of which all pods are there."""
    size = size_of(workload)
    generation = part(workload, "metadata").get("generation") or 0
    counts = {"replicas": size, "updatedReplicas": size, "readyReplicas": size, "availableReplicas": size}
    status = {**part(workload, "status"), **counts, "observedGeneration": str(generation), "phase": "Healthy"}
    return {**(workload or {}), "status": status}


def is_held(service: Raw, rollout: Raw | None) -> bool:
    """Whether a Service still selects a Rollout's revision, or is marked as managed by it."""
    owner = part(service, "metadata", "annotations").get(keys.MANAGED_BY)
    selects = keys.POD_TEMPLATE_HASH in part(service, "spec", "selector")
    return selects or (bool(owner) and owner == name_of(rollout))
