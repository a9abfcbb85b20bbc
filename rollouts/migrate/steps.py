"""What may be done next, how does a person do it with kubectl, and what is so afterwards?"""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from rollouts.api import keys
from rollouts.api.selectors import format_selector
from rollouts.migrate.objects import DEPLOYMENT, ROLLOUT, Json, Raw, count, name_of, namespace_of, part, size_of


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


def file_of(obj: Raw) -> str:
    """Return the name of the file that an object of the output is written to."""
    return f"{str(obj.get('kind')).lower()}-{name_of(obj)}.yaml"


def commands(step: Step, *, directory: str = "", is_live: bool = True) -> tuple[str, ...]:
    """Return the kubectl commands that do the same; `is_live` unless sizes come from manifests."""
    match step:
        case Create(obj=obj):
            path = f"{directory}/{file_of(obj)}" if directory else file_of(obj)
            return (_kubectl("create", "-f", path, at=obj) if is_live else _create_at_size(path, obj),)
        case Delete(target=target):
            return (_kubectl("delete", _resource(target), name_of(target), "--cascade=foreground", at=target),)
        case Patch(target=target, body=body):
            return (_patch_command(target, body),)
        case Wait(until=until, target=target):
            return (_wait_command(until, target),)


def _resource(obj: Raw) -> str:
    group = str(obj.get("apiVersion") or "").rpartition("/")[0]
    kind = str(obj.get("kind")).lower()
    return kind if kind in ("deployment", "rollout", "service") else f"{kind}s.{group}"


def _kubectl(*words: str, at: Raw) -> str:
    where = ["-n", namespace_of(at)] if namespace_of(at) else []
    return shlex.join(["kubectl", *words, *where])


def _create_at_size(path: str, obj: Raw) -> str:
    """Return the command that creates a workload at the size that the other one has at that time."""
    other = "deployment" if obj.get("kind") == ROLLOUT else "rollout"
    where = f" -n {shlex.quote(namespace_of(obj))}" if namespace_of(obj) else ""
    size = f"$(kubectl get {other} {shlex.quote(name_of(obj))}{where} -o jsonpath='{{.spec.replicas}}')"
    local = f"kubectl patch -f {shlex.quote(path)} --local --type=merge -o yaml"
    return f'{local} -p "{{\\"spec\\":{{\\"replicas\\":{size}}}}}" | kubectl create{where} -f -'


def _patch_command(target: Raw, body: Any) -> str:
    resource, name = _resource(target), name_of(target)
    spec = part(body, "spec") if isinstance(body, Mapping) else {}
    if set(spec) == {"replicas"}:
        return _kubectl("scale", resource, name, f"--replicas={spec['replicas']}", at=target)
    form = "merge" if isinstance(body, Mapping) else "json"
    return _kubectl("patch", resource, name, f"--type={form}", "-p", json.dumps(body, separators=(",", ":")), at=target)


_TIMEOUT = "--timeout=10m"


def _wait_command(until: Until, target: Raw) -> str:
    name = name_of(target)
    if until is Until.ROLLOUT_SEEN:
        where = f" -n {namespace_of(target)}" if namespace_of(target) else ""
        generation = f"$(kubectl get rollout {name}{where} -o jsonpath='{{.metadata.generation}}')"
        condition = f"--for=jsonpath='{{.status.observedGeneration}}'=\"{generation}\""
        return f"kubectl wait rollout/{name}{where} {condition} {_TIMEOUT}"
    pods = f"{format_selector(part(target, 'spec', 'selector'))},pod-template-hash"
    words = {
        Until.ROLLOUT_HEALTHY: ("wait", f"rollout/{name}", "--for=jsonpath={.status.phase}=Healthy", _TIMEOUT),
        Until.ROLLOUT_GONE: ("wait", f"rollout/{name}", "--for=delete", _TIMEOUT),
        Until.DEPLOYMENT_GONE: ("wait", f"deployment/{name}", "--for=delete", _TIMEOUT),
        Until.DEPLOYMENT_EMPTY: ("wait", "pod", "-l", pods, "--for=delete", _TIMEOUT),
        Until.SERVED: ("get", "endpointslices", "-l", f"kubernetes.io/service-name={name}"),
    }
    return _kubectl(*words.get(until, ("rollout", "status", f"deployment/{name}", _TIMEOUT)), at=target)


def is_held(service: Raw, rollout: Raw | None) -> bool:
    """Whether a Service still selects a Rollout's revision, or is marked as managed by it."""
    owner = part(service, "metadata", "annotations").get(keys.MANAGED_BY)
    selects = keys.POD_TEMPLATE_HASH in part(service, "spec", "selector")
    return selects or (bool(owner) and owner == name_of(rollout))
