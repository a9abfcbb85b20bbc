"""How does a PATCH request become an update? By media type, for objects and for their subresources."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
import yaml

from rollouts.api.merging import merged
from rollouts.devcluster.api import StrictDecodingError
from rollouts.devcluster.errors import (
    ApiError,
    bad_request,
    invalid,
    missing_value,
    unsupported_media_type,
    wrong_value,
)
from rollouts.devcluster.objects import metadata
from rollouts.devcluster.ownership import applied
from rollouts.devcluster.patches import json_patched, strategic_patched
from rollouts.devcluster.structure import Walk, kept

if TYPE_CHECKING:
    from rollouts.devcluster.api import Api, Write
    from rollouts.devcluster.kinds import Kind
    from rollouts.devcluster.objects import Object

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


def decode_patch(kind: Kind, media_type: str, body: bytes) -> Any:
    """Read the body of a PATCH request."""
    accepted = [JSON_PATCH, MERGE_PATCH, *([] if kind.custom else [STRATEGIC_PATCH]), APPLY_PATCH]
    if media_type not in accepted:
        raise unsupported_media_type(accepted)
    try:
        return yaml.safe_load(body) if media_type == APPLY_PATCH else orjson.loads(body)
    except (orjson.JSONDecodeError, yaml.YAMLError) as error:
        raise bad_request(f"error decoding patch: {error}") from error


def patched(kind: Kind, media_type: str, obj: Object, patch: Any) -> Object:
    """Return an object after a patch that is not an apply."""
    if media_type == JSON_PATCH:
        result = json_patched(obj, patch)
    elif not isinstance(patch, dict):
        raise bad_request(
            "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"
        )
    elif media_type == MERGE_PATCH:
        result = merged(obj, patch)
    else:
        result = strategic_patched(kind.schema, obj, patch)
    return result


def patch_object(api: Api, kind: Kind, namespace: str, name: str, media_type: str, patch: Any, write: Write) -> Object:
    """Patch an object or its status by JSON patch, merge patch or strategic merge patch."""
    live = kind.present(api.get(kind, namespace, name))
    result = patched(kind, media_type, live, patch)
    uid = metadata(result).get("uid")
    if uid and uid != live["metadata"]["uid"]:
        raise invalid(kind.kind, kind.group, name, [wrong_value("metadata.uid", uid, "field is immutable")])
    try:
        return api.update(kind, namespace, name, result, write)
    except StrictDecodingError as error:
        shown = orjson.dumps(result).decode()
        raise invalid("", "", "", [wrong_value("patch", shown, error.found)]) from error


def apply_object(
    api: Api, kind: Kind, namespace: str, name: str, config: Any, write: Write, *, force: bool
) -> tuple[Object, bool]:
    """Apply a configuration server-side; say whether that created the object."""
    if not write.manager:
        cause = missing_value("fieldManager", "is required for apply patch")
        raise invalid("PatchOptions", "meta.k8s.io", "", [cause])
    config = _checked(kind, namespace, name, config, write)
    write = replace(write, operation="Apply")
    live = api.collection(kind).get((namespace, name))
    now = api.clock.stamp()
    if live is None:
        if write.subresource:
            api.get(kind, namespace, name)
        blank: Object = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {}}
        obj = applied(kind.schema, blank, config, write.owner(kind), force=force, now=now)
        return api.create(kind, namespace, obj, write), True
    obj = applied(kind.schema, kind.present(live), config, write.owner(kind), force=force, now=now)
    return api.update(kind, namespace, name, obj, write), False


def _checked(kind: Kind, namespace: str, name: str, config: Any, write: Write) -> Object:
    if not isinstance(config, dict):
        raise bad_request("error decoding YAML: the body of an apply patch must be an object")
    for field, wanted in (("apiVersion", kind.api_version), ("kind", kind.kind)):
        if config.get(field) != wanted:
            raise bad_request(f"invalid object type: {field} is {config.get(field)!r}, expected {wanted!r}")
    meta = dict(metadata(config))
    if meta.get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    meta.setdefault("name", name)
    if kind.namespaced:
        meta.setdefault("namespace", namespace)
    walk = Walk(fills_defaults=False)  # an applier owns only what it wrote
    pruned = kept(kind.schema, config, walk)
    if walk.unknown:
        shown = f"{namespace}/{name}; {kind.api_version}, Kind={kind.kind}"
        text = f"failed to create typed patch object ({shown}): .{walk.unknown[0]}: field not declared in schema"
        raise ApiError(500, "", text)
    parts = {"status"} if write.subresource == "status" else set(pruned) - ({"status"} if kind.has_status else set())
    if write.subresource == "status":
        meta = {each: meta[each] for each in ("name", "namespace", "resourceVersion", "uid") if each in meta}
    return {**{part: pruned[part] for part in parts if part in pruned}, **_identity(kind), "metadata": meta}


def _identity(kind: Kind) -> Object:
    return {"apiVersion": kind.api_version, "kind": kind.kind}
