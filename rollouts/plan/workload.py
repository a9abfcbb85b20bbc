"""Where does the pod template come from when the Rollout doesn't hold it, and what can be wrong with that place?

`spec.workloadRef` names an object of another kind. Its pod template, and its selector where the Rollout has none, are
read each time and never written into the Rollout.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rollouts.api import keys
from rollouts.plan.problem import Problem

Raw = Mapping[str, Any]

DEPLOYMENT, REPLICA_SET, POD_TEMPLATE = "Deployment", "ReplicaSet", "PodTemplate"
API_VERSIONS: Mapping[str, str] = {DEPLOYMENT: "apps/v1", REPLICA_SET: "apps/v1", POD_TEMPLATE: "v1"}
"""The kinds that may be named, with the apiVersion of each."""

NEVER, ON_SUCCESS, PROGRESSIVELY = "never", "onsuccess", "progressively"

_PATH = "spec.workloadRef"
_KINDS = "Deployment or ReplicaSet of apps/v1, or PodTemplate of v1"
# A Deployment's own label of its ReplicaSets' pods: ours must not look like them.
_DEPLOYMENTS_HASH = "pod-template-hash"


@dataclass(frozen=True, slots=True)
class Reference:
    """The object that a Rollout takes its pod template from, in its own namespace."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f'{self.kind} "{self.name}"'


def reference_in(rollout: Raw) -> Reference | None:
    """Return what a raw Rollout refers to, whatever else is wrong with it; None unless that can be looked up."""
    spec = rollout.get("spec")
    reference = spec.get("workloadRef") if isinstance(spec, Mapping) else None
    if not isinstance(reference, Mapping):
        return None
    kind, name = reference.get("kind"), reference.get("name")
    if not (isinstance(kind, str) and isinstance(name, str) and name):
        return None
    return Reference(kind, name) if API_VERSIONS.get(kind) == reference.get("apiVersion") else None


def meant_spec(spec: Raw, workload: Raw | None) -> Raw:
    """Return a Rollout's spec as it is meant: with the template, and where it has none the selector, of `workload`."""
    if workload is None or spec.get("workloadRef") is None:
        return spec
    meant = {**spec, "template": _template(workload)}
    if not spec.get("selector"):
        meant["selector"] = _selector(workload)
    return meant


def generation_of(workload: Raw) -> str:
    """Return the generation of a workload as annotations and status tell it."""
    return str(workload["metadata"].get("generation") or "")


def is_same_workload(before: Raw | None, now: Raw | None) -> bool:
    """Whether an API server vouches for it that two pictures of a workload have the same template."""
    if before is None or now is None:
        return before is now
    old, new = before["metadata"], now["metadata"]
    kinds = before.get("kind") == now.get("kind")
    versions = ("uid", "generation") if new.get("generation") else ("uid", "resourceVersion")
    return kinds and all(old.get(each) == new.get(each) is not None for each in versions)


def _template(workload: Raw) -> Raw:
    template = (
        _part(workload, "template") if workload.get("kind") == POD_TEMPLATE else _part(workload, "spec", "template")
    )
    labels = _without_hash(_part(template, "metadata", "labels"))
    return {**template, "metadata": {**_part(template, "metadata"), "labels": labels}} if template else {}


def _selector(workload: Raw) -> Raw:
    selector = _part(workload, "spec", "selector")
    return {**selector, "matchLabels": _without_hash(_part(selector, "matchLabels"))} if selector else {}


def _part(raw: Raw, *path: str) -> Raw:
    """Return the mapping at a path, empty where there is none: an object in a file may have any shape."""
    here: Any = raw
    for key in path:
        here = here.get(key) if isinstance(here, Mapping) else None
    return here if isinstance(here, Mapping) else {}


def _without_hash(labels: Raw) -> Raw:
    return {key: value for key, value in labels.items() if key != _DEPLOYMENTS_HASH}


def reference_problems(spec: Raw, workload: Raw | None, *, is_looked_up: bool) -> Iterator[Problem]:
    """Yield what is wrong with a spec's reference; `is_looked_up` tells that no workload means: it isn't there."""
    reference = spec["workloadRef"]
    kind, name, api_version = (reference.get(each) or "" for each in ("kind", "name", "apiVersion"))
    if API_VERSIONS.get(kind) != api_version:
        yield Problem(f"{_PATH}.kind", f'"{kind}" of apiVersion "{api_version}" can\'t be referred to: write {_KINDS}')
        return
    if not name:
        yield Problem(f"{_PATH}.name", f"is missing: name the {kind} that holds the pod template")
        return
    if _says_something(spec.get("template")):
        yield Problem("spec.template", f'must be left out: spec.workloadRef takes it from {kind} "{name}"; keep one')
    if (mode := reference.get("scaleDown") or NEVER) not in (NEVER, ON_SUCCESS, PROGRESSIVELY):
        yield Problem(f"{_PATH}.scaleDown", f'"{mode}" is unknown: write {NEVER}, {ON_SUCCESS} or {PROGRESSIVELY}')
    if workload is not None:
        yield from _object_problems(Reference(kind, name), spec, workload)
    elif is_looked_up:
        yield Problem(f"{_PATH}.name", f'{kind} "{name}" does not exist: create it, or correct the name')


def _object_problems(reference: Reference, spec: Raw, workload: Raw) -> Iterator[Problem]:
    if "deletionTimestamp" in workload["metadata"]:
        yield Problem(
            f"{_PATH}.name", f"{reference} is being deleted: create it again, or write its template into spec.template"
        )
    if keys.POD_TEMPLATE_HASH in (workload["metadata"].get("labels") or {}):
        yield Problem(f"{_PATH}.name", f"{reference} belongs to a Rollout itself: name one that doesn't")
    if reference.kind == POD_TEMPLATE and not spec.get("selector"):
        yield Problem("spec.selector", f"is missing, and {reference} has none: name the labels that its pods carry")


def _says_something(value: object) -> bool:
    """Whether anything but nulls and empty mappings is there: clients with typed structs write an empty template."""
    return any(map(_says_something, value.values())) if isinstance(value, Mapping) else value not in (None, [])
