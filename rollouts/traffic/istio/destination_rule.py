"""Which pods should the subsets of a DestinationRule select?

Each side's subset gets the hash of its pods as a label. Pods of an experiment that no Service finds get a subset of
ours.
"""

from collections.abc import Collection
from typing import Any

from rollouts.api.keys import MANAGED_BY, POD_TEMPLATE_HASH
from rollouts.api.traffic import IstioDestinationRule
from rollouts.ports import Owner, Route
from rollouts.ports.router import Raw
from rollouts.traffic.additions import Added, added_by, metadata_patch, written_down
from rollouts.traffic.istio.destinations import subset_of
from rollouts.traffic.istio.virtual_service import ADDED


def subsets_of(raw: Raw) -> list[Raw]:
    """Return the subsets of a DestinationRule."""
    subsets: list[Raw] = (raw.get("spec") or {}).get("subsets") or []
    return subsets


def subsets_missing(raw: Raw, route: Route, owner: Owner) -> bool:
    """Whether a route goes to subsets of ours that aren't there yet."""
    known = {subset["name"] for subset in subsets_of(raw)}
    return any(subset_of(each, owner) not in {"", *known} for each in route.additional)


def patch(
    raw: Raw, rule: IstioDestinationRule, owner: Owner, route: Route, *, in_use: Collection[str]
) -> dict[str, Any]:
    """Return what is due for a Route; nothing if all is as it should be.

    A subset of ours stays while a route still names it (`in_use`): traffic to one that is gone would fail.
    """
    rollout = owner.rollout
    ours = {subset: each.pod_hash for each in route.additional if (subset := subset_of(each, owner))}
    added = added_by(raw, ADDED, rollout).backends
    gone = {name for name in added if name not in ours and name not in in_use}
    hashes = {
        rule.canary_subset_name: route.canary.pod_hash,
        rule.stable_subset_name: route.stable.pod_hash,
        **ours,
    }
    kept = [_selecting(each, hashes.get(each["name"], "")) for each in subsets_of(raw) if each["name"] not in gone]
    known = {each["name"] for each in kept}
    new = [{"name": name, "labels": {POD_TEMPLATE_HASH: ours[name]}} for name in ours if name not in known]
    subsets = [*kept, *new]
    names = tuple(sorted(({*added} & {*in_use}) | ours.keys()))
    annotations = {MANAGED_BY: owner.name, ADDED: written_down(raw, ADDED, rollout, Added(backends=names))}
    metadata = metadata_patch(raw, annotations=annotations)
    return {
        **({"metadata": metadata} if metadata else {}),
        **({"spec": {"subsets": subsets}} if subsets != subsets_of(raw) else {}),
    }


def left(raw: Raw, rule: IstioDestinationRule, owner: Owner, *, in_use: Collection[str]) -> dict[str, Any]:
    """Return what takes the Rollout's hands off: subsets select the pods of every version again."""
    if (raw["metadata"].get("annotations") or {}).get(MANAGED_BY) != owner.name:
        return {}
    rollout = owner.rollout
    gone = {*added_by(raw, ADDED, rollout).backends} - {*in_use}
    sides = (rule.canary_subset_name, rule.stable_subset_name)
    kept = [
        _selecting_any(each) if each["name"] in sides else each for each in subsets_of(raw) if each["name"] not in gone
    ]
    annotations = {MANAGED_BY: None, ADDED: written_down(raw, ADDED, rollout, Added())}
    metadata = metadata_patch(raw, annotations=annotations)
    return {
        **({"metadata": metadata} if metadata else {}),
        **({"spec": {"subsets": kept}} if kept != subsets_of(raw) else {}),
    }


def _selecting_any(subset: Raw) -> Raw:
    labels = {key: value for key, value in (subset.get("labels") or {}).items() if key != POD_TEMPLATE_HASH}
    rest = {key: value for key, value in subset.items() if key != "labels"}
    return {**rest, "labels": labels} if labels else rest


def _selecting(subset: Raw, pod_hash: str) -> Raw:
    """Return a subset that selects the pods of a hash; it stays as it is where there is none."""
    labels = subset.get("labels") or {}
    if not pod_hash or labels.get(POD_TEMPLATE_HASH) == pod_hash:
        return subset
    return {**subset, "labels": {**labels, POD_TEMPLATE_HASH: pod_hash}}
