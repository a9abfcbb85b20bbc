"""How does an action read as a request? Patches that refuse to act on what has changed meanwhile."""

from collections.abc import Mapping
from typing import Any

from rollouts.api import keys
from rollouts.api.merging import merge_patch
from rollouts.plan.actions import PatchPod, PatchRollout, ScaleWorkload, SwitchService, TemplateChange, UpdateReplicaSet
from rollouts.plan.ownership import owner_reference

Raw = Mapping[str, Any]

_ANNOTATIONS, _TEMPLATE = "/metadata/annotations", "/spec/template"


def update_replica_set(action: UpdateReplicaSet, seen: Raw) -> list[dict[str, Any]]:
    """Return a JSON patch that holds for the ReplicaSet that was seen, at the size that was seen.

    It doesn't depend on the resourceVersion: the ReplicaSet controller writes the status all the time, and what it says
    there must not keep us from scaling.
    """
    patch: list[dict[str, Any]] = [
        {"op": "test", "path": "/metadata/uid", "value": action.uid},
        {"op": "test", "path": "/spec/replicas", "value": action.seen_size},
        *_still_as_seen(action, seen),
        *_changed(_ANNOTATIONS, action.annotations, seen["metadata"].get("annotations"), seen),
    ]
    if action.hash_label is not None:
        patch.append({"op": "add", "path": f"/metadata/labels/{keys.POD_TEMPLATE_HASH}", "value": action.hash_label})
    if action.template is not None:
        patch += _change_template(action.template, seen)
    if action.size is not None:
        patch.append({"op": "replace", "path": "/spec/replicas", "value": action.size})
    if action.min_ready_seconds is not None:
        patch.append({"op": "add", "path": "/spec/minReadySeconds", "value": action.min_ready_seconds})
    return patch


def scale_workload(action: ScaleWorkload) -> list[dict[str, Any]]:
    """Return a JSON patch of the scale that holds for the Deployment as it was seen, or at least at that size."""
    version = {"op": "test", "path": "/metadata/resourceVersion", "value": action.resource_version}
    size = {"op": "test", "path": "/spec/replicas", "value": action.seen_size}
    return [
        {"op": "test", "path": "/metadata/uid", "value": action.uid},
        version if action.resource_version else size,
        {"op": "add", "path": "/spec/replicas", "value": action.size},
    ]


def _unchanged(seen: Raw) -> dict[str, Any]:
    """Return the test that nobody has written the object at all: JSON Patch has no test for what must be absent."""
    return {"op": "test", "path": "/metadata/resourceVersion", "value": seen["metadata"]["resourceVersion"]}


def _still_as_seen(action: UpdateReplicaSet, seen: Raw) -> list[dict[str, Any]]:
    return [
        _unchanged(seen) if value is None else {"op": "test", "path": f"{_ANNOTATIONS}/{_escape(key)}", "value": value}
        for key, value in action.seen_annotations.items()
    ]


def _change_template(change: TemplateChange, seen: Raw) -> list[dict[str, Any]]:
    template = seen["spec"]["template"]
    metadata = template.get("metadata") or {}
    patch = _changed(f"{_TEMPLATE}/metadata/labels", change.labels, metadata.get("labels"), seen)
    patch += _changed(f"{_TEMPLATE}/metadata/annotations", change.annotations, metadata.get("annotations"), seen)
    if change.affinity is None:
        return patch
    affinity, path = template["spec"].get("affinity"), f"{_TEMPLATE}/spec/affinity"
    patch.append(_unchanged(seen) if affinity is None else {"op": "test", "path": path, "value": affinity})
    if change.affinity:
        patch.append({"op": "add", "path": path, "value": change.affinity})
    elif affinity is not None:
        patch.append({"op": "remove", "path": path})
    return patch


def _changed(at: str, changes: Mapping[str, str | None], present: Raw | None, seen: Raw) -> list[dict[str, Any]]:
    """Return the operations that change labels or annotations, which are `present` at a path."""
    if present is None:
        added = {key: value for key, value in changes.items() if value is not None}
        if not added:
            return []
        # The whole map is added: it must still be absent.
        return [_unchanged(seen), {"op": "add", "path": at, "value": added}]
    patch: list[dict[str, Any]] = []
    for key, value in changes.items():
        path = f"{at}/{_escape(key)}"
        if value is not None:
            patch.append({"op": "add", "path": path, "value": value})
        elif key in present:
            patch.append({"op": "remove", "path": path})
    return patch


def _escape(key: str) -> str:
    """Write a key as a part of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def relabel(seen: Raw, pod_hash: str) -> dict[str, Any]:
    """Return a merge patch that puts a ReplicaSet's pod template hash label back, if nobody has changed it."""
    version = seen["metadata"]["resourceVersion"]
    return {"metadata": {"resourceVersion": version, "labels": {keys.POD_TEMPLATE_HASH: pod_hash}}}


def patch_pod(action: PatchPod) -> dict[str, Any]:
    """Return a merge patch of a pod's labels and annotations; another pod of its name refuses the uid."""
    metadata: dict[str, Any] = {"uid": action.uid}
    for part, changes in (("labels", action.labels), ("annotations", action.annotations)):
        if changes:
            metadata[part] = dict(changes)
    return {"metadata": metadata}


def adopt(seen: Raw, rollout: Raw) -> dict[str, Any]:
    """Return a merge patch that makes the Rollout the controller of a ReplicaSet, if nobody has changed it."""
    metadata, ours = seen["metadata"], owner_reference(rollout)
    others = [each for each in metadata.get("ownerReferences") or () if each.get("uid") != ours["uid"]]
    return _owned_by(metadata, [*others, ours])


def release(seen: Raw, rollout: Raw) -> dict[str, Any]:
    """Return a merge patch that takes our reference off a ReplicaSet, if nobody has changed it."""
    metadata, uid = seen["metadata"], rollout["metadata"]["uid"]
    return _owned_by(metadata, [each for each in metadata.get("ownerReferences") or () if each.get("uid") != uid])


def _owned_by(metadata: Raw, references: list[Raw]) -> dict[str, Any]:
    version = metadata["resourceVersion"]
    return {"metadata": {"resourceVersion": version, "ownerReferences": references or None}}


def patch_rollout(action: PatchRollout, seen: Raw) -> dict[str, Any]:
    """Return a merge patch of metadata and spec that conflicts if anybody has written since."""
    metadata: dict[str, Any] = {"resourceVersion": seen["metadata"]["resourceVersion"]}
    if action.annotations:
        metadata["annotations"] = dict(action.annotations)
    patch: dict[str, Any] = {"metadata": metadata}
    if action.replicas is not None:
        patch["spec"] = {"replicas": action.replicas}
    return patch


def patch_status(seen: Raw, resource_version: str, status: Raw) -> dict[str, Any] | None:
    """Return a merge patch from the status that was seen to `status`; None when there is no difference."""
    old = seen.get("status")
    change = merge_patch(old if isinstance(old, Mapping) else {}, status)
    return {"metadata": {"resourceVersion": resource_version}, "status": change} if change else None


def switch_service(action: SwitchService, rollout_name: str) -> dict[str, Any]:
    """Return a merge patch that points a Service at one hash and marks it as managed, if nobody has changed it."""
    return {
        "metadata": {
            "resourceVersion": action.resource_version,
            "annotations": {keys.MANAGED_BY: rollout_name},
        },
        "spec": {"selector": {keys.POD_TEMPLATE_HASH: action.pod_hash}},
    }


def release_service(resource_version: str) -> dict[str, Any]:
    """Return a merge patch that takes our hash and our mark off a Service, if nobody has changed it."""
    return {
        "metadata": {"resourceVersion": resource_version, "annotations": {keys.MANAGED_BY: None}},
        "spec": {"selector": {keys.POD_TEMPLATE_HASH: None}},
    }


def terminate(uid: str) -> list[dict[str, Any]]:
    """Return a JSON patch that asks an AnalysisRun or an Experiment to end, if it is the one that was seen."""
    return [
        {"op": "test", "path": "/metadata/uid", "value": uid},
        {"op": "add", "path": "/spec/terminate", "value": True},
    ]
