"""What does a ReplicaSet's pod template carry beside the user's own, because of the ReplicaSet's role?

The metadata of its role, and while an update is under way a term that keeps its pods away from stable's. Neither counts
when templates are compared, nor for the hash and the digest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from rollouts.api import keys
from rollouts.api.meta import Metadata
from rollouts.api.placement import AntiAffinity
from rollouts.api.rollout import Strategy
from rollouts.plan.actions import TemplateChange
from rollouts.plan.antiaffinity import Apart, has_only, with_term, without_term
from rollouts.plan.ephemeral import NONE, Changes, PodMetadata, Record, lay_over, metadata_change
from rollouts.plan.equality import templates_equal
from rollouts.plan.observed import Observed, ReplicaSet
from rollouts.plan.state import State

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Additions:
    """What one ReplicaSet's template gets from us."""

    metadata: PodMetadata = NONE
    apart: Apart | None = None


_NOTHING: Final = Additions()


def additions_for(here: Observed, state: State, pod_hash: str) -> Additions:
    """Return what the template of the ReplicaSet with this hash gets, by its role.

    While an update is under way the current one is canary (or preview); once promoted it is stable (or active), and so
    is the very first. Of the older ones nothing is left to tell.
    """
    strategy = here.rollout.spec.strategy
    if strategy is None:
        return _NOTHING
    current, stable, anti_affinity = _settings(strategy)
    if pod_hash == (state.stable_hash or state.pod_hash):
        return Additions(PodMetadata.of(stable))
    if pod_hash == state.pod_hash:
        return Additions(PodMetadata.of(current), Apart.of(anti_affinity, state.stable_hash, here.namespace))
    return _NOTHING


def _settings(strategy: Strategy) -> tuple[Metadata | None, Metadata | None, AntiAffinity | None]:
    if strategy.canary is not None:
        return strategy.canary.canary_metadata, strategy.canary.stable_metadata, strategy.canary.anti_affinity
    if strategy.blue_green is not None:
        blue_green = strategy.blue_green
        return blue_green.preview_metadata, blue_green.active_metadata, blue_green.anti_affinity
    return None, None, None


def added_to(template: Raw, additions: Additions) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the template that a new ReplicaSet gets, and the annotations that remember what is not the user's."""
    own = template.get("metadata") or {}
    metadata, notes = lay_over(PodMetadata.read(own), additions.metadata)
    parts = {"labels": metadata.labels, "annotations": metadata.annotations}
    whole = {**template, "metadata": {**own, **{name: dict(part) for name, part in parts.items() if part}}}
    if additions.apart is not None:
        spec = template.get("spec") or {}
        whole["spec"] = {**spec, "affinity": with_term(spec.get("affinity"), additions.apart)}
    return whole, notes


def change_of(each: ReplicaSet, additions: Additions) -> tuple[TemplateChange | None, Changes]:
    """Return how a living ReplicaSet's template changes, if it does, and which annotations remember it."""
    change, notes = metadata_change(each, additions.metadata)
    affinity = (each.template.get("spec") or {}).get("affinity")
    if not has_only(affinity, additions.apart):
        change = replace(change, affinity=with_term(affinity, additions.apart))
    return (change if change != TemplateChange() else None), notes


def own_template(replica_set: Raw) -> dict[str, Any]:
    """Return the pod template of a raw ReplicaSet as its user wrote it, but for the hash label."""
    template: dict[str, Any] = dict(replica_set["spec"]["template"])
    metadata, spec = template.get("metadata") or {}, template.get("spec") or {}
    if keys.EPHEMERAL_METADATA in (replica_set["metadata"].get("annotations") or {}):
        own = Record.of(replica_set).lifted(PodMetadata.read(metadata))
        parts = {"labels": dict(own.labels), "annotations": dict(own.annotations)}
        rest = {key: value for key, value in metadata.items() if key not in parts}
        template["metadata"] = {**rest, **{name: part for name, part in parts.items() if part}}
    if not has_only(spec.get("affinity"), None):
        template["spec"] = _with_own_affinity(spec)
    return template


def _with_own_affinity(spec: Raw) -> dict[str, Any]:
    affinity = without_term(spec.get("affinity"))
    rest = {key: value for key, value in spec.items() if key != "affinity"}
    return {**rest, "affinity": affinity} if affinity else rest


def is_made_from(desired: Raw, each: ReplicaSet) -> bool:
    """Tell whether a ReplicaSet's own template asks for the same pods as the desired one.

    Where another controller has laid metadata over the template's own, what was hidden is not known: such keys don't
    count.
    """
    record = Record.of(each.raw)
    unknown = record.laid.without(record.hidden)
    return templates_equal(_without(desired, unknown), _without(own_template(each.raw), NONE))


def _without(template: Raw, unknown: PodMetadata) -> Raw:
    """Return a template without some keys, and without an affinity that says nothing."""
    metadata = template.get("metadata") or {}
    left = PodMetadata.read(metadata).without(unknown)
    return {
        **template,
        "metadata": {**metadata, "labels": left.labels, "annotations": left.annotations},
        "spec": _with_own_affinity(template.get("spec") or {}),
    }
