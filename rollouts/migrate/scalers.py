"""Which autoscalers name a workload, and how are they pointed at another one?"""

from collections.abc import Iterable
from typing import Any

from rollouts.api.names import GROUP
from rollouts.migrate.objects import (
    DEPLOYMENT,
    ROLLOUT,
    Json,
    Raw,
    are_neighbours,
    group_of,
    name_of,
    part,
    reference_to,
)

# In which field each kind of autoscaler names what it scales.
_FIELDS = {
    ("autoscaling", "HorizontalPodAutoscaler"): "scaleTargetRef",
    ("keda.sh", "ScaledObject"): "scaleTargetRef",
    ("autoscaling.k8s.io", "VerticalPodAutoscaler"): "targetRef",
}
_GROUPS = {DEPLOYMENT: ("apps", "extensions"), ROLLOUT: (GROUP,)}


def field_of(scaler: Raw) -> str:
    """Return the field that names the target; empty for what is no autoscaler."""
    return _FIELDS.get((group_of(scaler), str(scaler.get("kind"))), "")


def scales(scaler: Raw, kind: str, workload: Raw) -> bool:
    """Whether an autoscaler names this Deployment or Rollout, as `kind` says, by the name of `workload`."""
    field = field_of(scaler)
    target = part(scaler, "spec", field) if field else {}
    if not target or target.get("name") != name_of(workload) or not are_neighbours(scaler, workload):
        return False
    # KEDA takes a target without a kind for a Deployment.
    version, named = str(target.get("apiVersion") or "apps/v1"), str(target.get("kind") or DEPLOYMENT)
    return named == kind and version.rpartition("/")[0] in _GROUPS[kind]


def is_made_by_another(scaler: Raw) -> bool:
    """Whether something else (KEDA) writes this autoscaler, and would undo a change of it."""
    owners: Any = part(scaler, "metadata").get("ownerReferences") or ()
    return any(owner.get("controller") for owner in owners)


def scalers_of(objects: Iterable[Raw], kind: str, workload: Raw) -> tuple[Raw, ...]:
    """Return the autoscalers that name a workload and are ours to change."""
    return tuple(each for each in objects if scales(each, kind, workload) and not is_made_by_another(each))


def retargeting(scaler: Raw, kind: str, name: str) -> Json:
    """Return the merge patch that points an autoscaler at a workload."""
    return {"spec": {field_of(scaler): reference_to(kind, name)}}


def retargeted(scaler: Raw, kind: str, name: str) -> Json:
    """Return an autoscaler that names a workload; the order of its fields stays."""
    field = field_of(scaler)
    target = {**part(scaler, "spec", field), **reference_to(kind, name)}
    return {**scaler, "spec": {**part(scaler, "spec"), field: target}}
