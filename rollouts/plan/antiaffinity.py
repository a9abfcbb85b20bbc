"""How are the pods of an update kept away from nodes that run stable pods? By a term in their template's affinity.

Only while an update is under way: the term names the stable ReplicaSet's hash. Afterwards it is taken out again, and
the next pods of that ReplicaSet go where they like. Pods that run already keep it, which changes nothing: a scheduler
asks once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rollouts.api import keys
from rollouts.api.placement import AntiAffinity

Raw = Mapping[str, Any]

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_NODE = "kubernetes.io/hostname"


@dataclass(frozen=True, slots=True)
class Apart:
    """From whose pods to stay away, and how much that counts: without a `weight` it must be so."""

    pod_hash: str
    namespace: str
    weight: int | None = None

    @classmethod
    def of(cls, wanted: AntiAffinity | None, pod_hash: str, namespace: str) -> "Apart | None":
        """Return what a strategy's antiAffinity asks for."""
        if wanted is None or not pod_hash:
            return None
        return cls(pod_hash, namespace, wanted.preferred.weight if wanted.preferred is not None else None)

    @property
    def term(self) -> tuple[str, dict[str, Any]]:
        """The term, and the list that it belongs to."""
        expression = {"key": keys.POD_TEMPLATE_HASH, "operator": "In", "values": [self.pod_hash]}
        term: dict[str, Any] = {
            "labelSelector": {"matchExpressions": [expression]},
            "namespaces": [self.namespace],
            "topologyKey": _NODE,
        }
        return (_REQUIRED, term) if self.weight is None else (_PREFERRED, _weighed(self.weight, term))


def _weighed(weight: int, term: Raw) -> dict[str, Any]:
    return {"weight": weight, "podAffinityTerm": term}


def has_only(affinity: Raw | None, apart: Apart | None) -> bool:
    """Tell whether a pod's affinity has the one term that is wanted of us; no term of ours if none is."""
    pods = (affinity or {}).get("podAntiAffinity")
    ours = [
        (kind, entry)
        for kind in (_REQUIRED, _PREFERRED)
        for entry in _entries(pods if isinstance(pods, Mapping) else {}, kind)
        if _is_ours(entry)
    ]
    return ours == ([] if apart is None else [apart.term])


def with_term(affinity: Raw | None, apart: Apart | None) -> dict[str, Any]:
    """Return a pod's affinity with the one term that is wanted of us, behind the user's own; empty if none is left."""
    theirs = without_term(affinity)
    if apart is None:
        return theirs
    kind, entry = apart.term
    pods = dict(theirs.get("podAntiAffinity") or {})
    pods[kind] = [*_entries(pods, kind), entry]
    return {**theirs, "podAntiAffinity": pods}


def without_term(affinity: Raw | None) -> dict[str, Any]:
    """Return a pod's affinity without our terms, and without what is empty."""
    rest = dict(affinity or {})
    if isinstance(pods := rest.get("podAntiAffinity"), Mapping):
        rest["podAntiAffinity"] = _without_ours(pods)
    return {kind: value for kind, value in rest.items() if value}


def _without_ours(pods: Raw) -> dict[str, Any]:
    rest = dict(pods)
    for kind in (_REQUIRED, _PREFERRED):
        rest[kind] = [each for each in _entries(rest, kind) if not _is_ours(each)]
    return {kind: value for kind, value in rest.items() if value}


def _entries(pods: Raw, kind: str) -> list[Any]:
    entries = pods.get(kind)
    return entries if isinstance(entries, list) else []


def _is_ours(entry: Any) -> bool:
    """Tell our own term from a user's: nobody else selects one single hash on a node."""
    term = entry.get("podAffinityTerm", entry) if isinstance(entry, Mapping) else None
    if not isinstance(term, Mapping) or term.get("topologyKey") != _NODE:
        return False
    selector = term.get("labelSelector")
    if not isinstance(selector, Mapping) or selector.get("matchLabels"):
        return False
    expressions = selector.get("matchExpressions")
    if not isinstance(expressions, list) or len(expressions) != 1:
        return False
    only = expressions[0]
    return (
        isinstance(only, Mapping) and (only.get("key"), only.get("operator")) == (keys.POD_TEMPLATE_HASH, "In")
    )  # fmt: skip
