"""What happens when an object is deleted? Grace, propagation policies, preconditions, finalizers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from rollouts.api.timestamps import format_time
from rollouts.devcluster.errors import conflict, invalid, unsupported_value
from rollouts.devcluster.objects import FOREGROUND, ORPHAN, is_terminating, key_of, with_metadata

if TYPE_CHECKING:
    from rollouts.devcluster.api import Api
    from rollouts.devcluster.kinds import Kind
    from rollouts.devcluster.objects import Object

_POLICIES = frozenset({"Background", "Foreground", "Orphan"})
# kinds whose deletion answers the object instead of a Status
_RETURNED = frozenset({"pods", "services", "serviceaccounts", "podtemplates"})
# held until the cluster has removed what depends on them
_HELD = {"customresourcedefinitions.apiextensions.k8s.io": "customresourcecleanup.apiextensions.k8s.io"}


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """How to delete."""

    policy: str = ""
    grace: int | None = None
    uid: str = ""
    resource_version: str = ""
    dry_run: bool = False


def read_options(body: Object, query: dict[str, str]) -> DeleteOptions:
    """Read DeleteOptions from a body and a query; the body wins."""
    grace = body.get("gracePeriodSeconds", query.get("gracePeriodSeconds"))
    policy = body.get("propagationPolicy") or query.get("propagationPolicy", "")
    orphans = body.get("orphanDependents", query.get("orphanDependents"))
    if orphans is not None and not policy:
        policy = "Orphan" if str(orphans).lower() == "true" else "Background"
    if policy and policy not in _POLICIES:
        supported = [*sorted(_POLICIES), "nil"]
        raise invalid("DeleteOptions", "", "", [unsupported_value("propagationPolicy", policy, supported)])
    asked = body.get("preconditions") or {}
    dry_run = body.get("dryRun") or query.get("dryRun")
    return DeleteOptions(
        policy=policy,
        grace=None if grace is None else int(grace),
        uid=asked.get("uid") or "",
        resource_version=asked.get("resourceVersion") or "",
        dry_run=bool(dry_run),
    )


def delete(api: Api, kind: Kind, obj: Object, options: DeleteOptions) -> tuple[Object, bool]:
    """Delete an object as far as its finalizers and its grace allow; say whether it is gone."""
    _check(kind, obj, options)
    finalizers = _finalizers(kind, obj, options.policy)
    grace = _grace(kind, obj, options)
    if options.dry_run:
        return obj, not finalizers and not grace
    if not finalizers and not grace and kind.resource != "namespaces":
        return api.store.remove(kind.resource, key_of(obj)), True
    changes: dict[str, object] = {"finalizers": finalizers or None}
    shorter = grace < (obj["metadata"].get("deletionGracePeriodSeconds") or 0)
    if not is_terminating(obj) or shorter:
        deadline = api.clock.now() + timedelta(seconds=grace)
        changes |= {"deletionTimestamp": format_time(deadline), "deletionGracePeriodSeconds": grace}
    new = with_metadata(obj, **changes)
    if kind.resource == "namespaces":
        new["status"] = {**new.get("status", {}), "phase": "Terminating"}
    return (obj if new == obj else api.settle(kind, obj, new)), False


def _check(kind: Kind, obj: Object, options: DeleteOptions) -> None:
    meta = obj["metadata"]
    if options.uid and options.uid != meta["uid"]:
        text = f"Precondition failed: UID in precondition: {options.uid}, UID in object meta: {meta['uid']}"
        raise conflict(kind, meta["name"], text)
    if options.resource_version and options.resource_version != meta["resourceVersion"]:
        text = (
            f"Precondition failed: ResourceVersion in precondition: {options.resource_version}, "
            f"ResourceVersion in object meta: {meta['resourceVersion']}"
        )
        raise conflict(kind, meta["name"], text)


def _finalizers(kind: Kind, obj: Object, policy: str) -> list[str]:
    current = list(obj["metadata"].get("finalizers") or [])
    if policy:
        current = [each for each in current if each not in {ORPHAN, FOREGROUND}]
    wanted = {"Orphan": ORPHAN, "Foreground": FOREGROUND}.get(policy)
    if wanted:
        current.append(wanted)
    held = _HELD.get(kind.resource)
    if held and not is_terminating(obj) and held not in current:
        current.append(held)
    return current


def _grace(kind: Kind, obj: Object, options: DeleteOptions) -> int:
    if kind.resource != "pods":
        return 0
    spec, phase = obj.get("spec") or {}, (obj.get("status") or {}).get("phase")
    if not spec.get("nodeName") or phase in {"Succeeded", "Failed"}:
        return 0
    grace = spec.get("terminationGracePeriodSeconds", 30) if options.grace is None else options.grace
    current = obj["metadata"].get("deletionGracePeriodSeconds")
    return int(grace) if current is None else min(int(grace), int(current))


def answer(kind: Kind, obj: Object, *, gone: bool) -> Object:
    """Return what a DELETE request answers."""
    if not gone or kind.resource in _RETURNED:
        return kind.present(obj)
    details = {"name": obj["metadata"]["name"], "kind": kind.plural, "uid": obj["metadata"]["uid"]}
    if kind.group:
        details["group"] = kind.group
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
