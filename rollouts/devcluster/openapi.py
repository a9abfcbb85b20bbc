"""What does /openapi/v3 say of a group version? Enough for kubectl's validation, apply, diff and explain."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rollouts.devcluster.kinds import Kind, Kinds
    from rollouts.devcluster.objects import Object

_PATCHES = ("application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml")
_STRATEGIC = "application/strategic-merge-patch+json"
_OWN_MARKS = frozenset({"x-name", "x-number", "x-retain-keys"})


def index(kinds: Kinds, revision: int) -> Object:
    """Answer /openapi/v3: where each group version is described."""
    paths: Object = {}
    for group, versions in kinds.groups().items():
        for version in versions:
            path = f"apis/{group}/{version}" if group else f"api/{version}"
            paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={revision:X}"}
    return {"paths": paths}


def document(kinds: Kinds, group: str, version: str) -> Object | None:
    """Answer /openapi/v3/apis/GROUP/VERSION."""
    found = kinds.of(group, version)
    if not found:
        return None
    paths: Object = {}
    schemas: Object = {}
    for kind in found:
        _describe(kind, paths, schemas)
    info = {"title": "Kubernetes dev cluster", "version": "v1.36.0-devcluster"}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}}


def _schema_name(kind: Kind) -> str:
    return ".".join([*reversed((kind.group or "core").split(".")), kind.version, kind.kind])


def _gvk(kind: Kind) -> Object:
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}


def _described(schema: Object) -> Object:
    """Return a schema as OpenAPI: our own marks left out, maps of open values allowed."""
    result: Object = {}
    for name, value in schema.items():
        if name in _OWN_MARKS:
            continue
        if name == "properties":
            result[name] = {field: _described(each) for field, each in value.items()}
        elif name in {"items", "additionalProperties"} and isinstance(value, dict):
            result[name] = _described(value)
        else:
            result[name] = value
    if schema.get("x-kubernetes-int-or-string") and "type" not in result:
        result["oneOf"] = [{"type": "integer"}, {"type": "string"}]
        result["format"] = "int-or-string"
    elif "type" not in result:
        result["type"] = "object"
    return result


def _describe(kind: Kind, paths: Object, schemas: Object) -> None:
    name = _schema_name(kind)
    schemas[name] = {**_described(kind.schema), "x-kubernetes-group-version-kind": [_gvk(kind)]}
    base = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    collection = f"{base}/namespaces/{{namespace}}/{kind.plural}" if kind.namespaced else f"{base}/{kind.plural}"
    reference = {"schema": {"$ref": f"#/components/schemas/{name}"}}
    answers = {"200": {"description": "OK", "content": {"application/json": reference}}}
    own = {"x-kubernetes-group-version-kind": _gvk(kind), "responses": answers}
    written = [_parameter(each) for each in ("dryRun", "fieldManager", "fieldValidation")]
    media = [*_PATCHES, *([] if kind.custom else [_STRATEGIC])]
    patches: Object = {each: {"schema": {"type": "object"}} for each in media}
    body: Object = {"content": {"application/json": reference}}
    paths[collection] = {
        "get": {**own, "x-kubernetes-action": "list"},
        "post": {**own, "x-kubernetes-action": "post", "parameters": written, "requestBody": body},
    }
    paths[f"{collection}/{{name}}"] = {
        "get": {**own, "x-kubernetes-action": "get"},
        "put": {**own, "x-kubernetes-action": "put", "parameters": written, "requestBody": body},
        "patch": {
            **own,
            "x-kubernetes-action": "patch",
            "parameters": [*written, _parameter("force")],
            "requestBody": {"content": patches},
        },
        "delete": {**own, "x-kubernetes-action": "delete"},
    }


def _parameter(name: str) -> Object:
    kind = "boolean" if name == "force" else "string"
    return {"name": name, "in": "query", "schema": {"type": kind, "uniqueItems": True}}
