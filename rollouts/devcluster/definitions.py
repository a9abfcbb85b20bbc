"""Which kinds does a CustomResourceDefinition add, and is it one that this cluster can serve?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rollouts.devcluster.builtin import builtin, type_schema
from rollouts.devcluster.errors import Cause, invalid, missing_value, not_served, unsupported_value, wrong_value
from rollouts.devcluster.kinds import Kind, ScalePaths
from rollouts.devcluster.schema import Validator, unserved_rules
from rollouts.devcluster.structure import EMBEDDED, INT_OR_STRING, OPEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollouts.devcluster.kinds import Kinds
    from rollouts.devcluster.objects import Object
    from rollouts.devcluster.store import Change, Store

RESOURCE = "customresourcedefinitions.apiextensions.k8s.io"
_AGE: Object = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}
_SCHEMA = "spec.versions[{index}].schema.openAPIV3Schema"


def path_of(written: str) -> tuple[str, ...]:
    """Split a simple JSON path such as .spec.replicas."""
    return tuple(name for name in written.split(".") if name)


def causes(crd: Object) -> list[Cause]:
    """Return what is wrong with a definition."""
    spec = crd.get("spec") or {}
    names = spec.get("names") or {}
    found = [missing_value(f"spec.{field}") for field in ("group", "scope") if not spec.get(field)]
    found += [missing_value(f"spec.names.{field}") for field in ("kind", "plural") if not names.get(field)]
    if not spec.get("versions"):
        found.append(missing_value("spec.versions"))
    if found:
        return found
    wanted = f"{names['plural']}.{spec['group']}"
    name = crd["metadata"].get("name", "")
    if name != wanted:
        found.append(wrong_value("metadata.name", name, 'must be spec.names.plural+"."+spec.group'))
    if spec["scope"] not in {"Namespaced", "Cluster"}:
        found.append(unsupported_value("spec.scope", spec["scope"], ["Cluster", "Namespaced"]))
    if sum(bool(each.get("storage")) for each in spec["versions"]) != 1:
        text = "must have exactly one version marked as storage version"
        found.append(wrong_value("spec.versions", spec["versions"], text))
    for index, version in enumerate(spec["versions"]):
        where = _SCHEMA.format(index=index)
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema is None:
            found.append(missing_value(where, "schemas are required"))
        else:
            found += _unstructural(schema, where)
    return found


def _unstructural(schema: Object, where: str) -> Iterator[Cause]:
    is_open = schema.get(OPEN) or schema.get(INT_OR_STRING)
    if not schema.get("type") and not is_open:
        yield missing_value(f"{where}.type", "must not be empty for specified object fields")
    if "$ref" in schema:
        yield Cause(f"{where}.$ref", "FieldValueForbidden", "Forbidden: $ref is not supported")
    if schema.get("properties") and schema.get("additionalProperties"):
        text = "Forbidden: additionalProperties and properties are mutual exclusive"
        yield Cause(f"{where}.additionalProperties", "FieldValueForbidden", text)
    if schema.get("type") == "array" and not isinstance(schema.get("items"), dict):
        yield missing_value(f"{where}.items", "must be specified")
    if schema.get(EMBEDDED) and schema.get("type") != "object":
        yield wrong_value(
            f"{where}.type", schema.get("type", ""), "must be object if x-kubernetes-embedded-resource is true"
        )
    for name, each in (schema.get("properties") or {}).items():
        yield from _unstructural(each, f"{where}.properties[{name}]")
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield from _unstructural(schema[name], f"{where}.{name}")


def refuse_unserved(crd: Object) -> None:
    """Answer 501 for what a real API server would do and this one can't."""
    spec = crd["spec"]
    if (spec.get("conversion") or {}).get("strategy", "None") != "None":
        raise not_served("conversion webhooks of custom resource definitions")
    for version in spec["versions"]:
        for rule in unserved_rules((version.get("schema") or {}).get("openAPIV3Schema")):
            raise not_served(f"the CEL rule {rule} (only self == oldSelf is known)")
        if version.get("selectableFields"):
            raise not_served("selectableFields of custom resource definitions")


def admit(crd: Object, now: str) -> None:
    """Check a definition that is about to be stored, and establish it."""
    found = causes(crd)
    if found:
        raise invalid("CustomResourceDefinition", "apiextensions.k8s.io", crd["metadata"].get("name", ""), found)
    refuse_unserved(crd)
    kinds_of(crd)  # compiles the schemas: better refused now than at the first object
    status = crd.get("status") or {}
    stored = next(each["name"] for each in crd["spec"]["versions"] if each.get("storage"))
    old = {each["type"]: each for each in status.get("conditions") or []}
    crd["status"] = {
        "acceptedNames": crd["spec"]["names"],
        "conditions": [
            old.get("NamesAccepted") or _condition("NamesAccepted", "NoConflicts", "no conflicts found", now),
            old.get("Established")
            or _condition("Established", "InitialNamesAccepted", "the initial names have been accepted", now),
        ],
        "storedVersions": sorted({*(status.get("storedVersions") or []), stored}),
    }


def _condition(kind: str, reason: str, message: str, now: str) -> Object:
    return {"lastTransitionTime": now, "message": message, "reason": reason, "status": "True", "type": kind}


def kinds_of(crd: Object) -> list[Kind]:
    """Return the kinds that a definition adds."""
    stored = next(each["name"] for each in crd["spec"]["versions"] if each.get("storage"))
    served = [version for version in crd["spec"]["versions"] if version.get("served")]
    return [_kind(crd["spec"], version, stored) for version in served]


def _kind(spec: Object, version: Object, stored: str) -> Kind:
    names, written = spec["names"], version["schema"]["openAPIV3Schema"]
    properties = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": type_schema("ObjectMeta")}
    schema = {**written, "properties": {**(written.get("properties") or {}), **properties}}
    subresources = version.get("subresources") or {}
    scale = subresources.get("scale")
    return Kind(
        group=spec["group"],
        version=version["name"],
        kind=names["kind"],
        plural=names["plural"],
        singular=names.get("singular", ""),
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        namespaced=spec["scope"] == "Namespaced",
        schema=schema,
        has_status="status" in subresources,
        has_generation=True,
        scale=_scale(scale) if scale else None,
        columns=tuple(version.get("additionalPrinterColumns") or [_AGE]),
        custom=True,
        storage_version=stored,
        validator=Validator(written),
    )


def _scale(scale: Object) -> ScalePaths:
    selector = scale.get("labelSelectorPath")
    return ScalePaths(
        spec=path_of(scale["specReplicasPath"]),
        status=path_of(scale["statusReplicasPath"]),
        selector=path_of(selector) if selector else None,
    )


def serve_definitions(store: Store, kinds: Kinds) -> None:
    """Serve the kinds of every definition that is stored, from its change on."""

    def changed(change: Change) -> None:
        spec: Any = change.object["spec"]
        before = change.before["spec"] if change.before else None
        if change.kind != "DELETED" and before == spec:
            return
        kinds.drop(f"{spec['names']['plural']}.{spec['group']}")
        if change.kind != "DELETED":
            for kind in kinds_of(change.object):
                kinds.add(kind)

    store.collection(builtin("CustomResourceDefinition").resource).subscribe(changed)
