"""What of a written object is kept? Unknown fields are pruned, defaults filled in, types checked for built-in kinds.

One walk serves both sorts of kinds, because builtin.types is turned into the same structural schemas that custom
resource definitions carry.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rollouts.devcluster.objects import clone

if TYPE_CHECKING:
    from rollouts.devcluster.objects import Object

OPEN = "x-kubernetes-preserve-unknown-fields"
EMBEDDED = "x-kubernetes-embedded-resource"
INT_OR_STRING = "x-kubernetes-int-or-string"
_EMBEDDED_FIELDS = frozenset({"apiVersion", "kind", "metadata"})
_GO_TYPES = {"integer": "int64", "number": "float64", "string": "string", "boolean": "bool"}


@dataclass(slots=True)
class Walk:
    """What a walk over an object has found."""

    strict_types: bool = False  # built-in kinds are decoded into typed structs
    fills_defaults: bool = True
    unknown: list[str] = field(default_factory=list)
    mismatched: list[str] = field(default_factory=list)


def kept(schema: Object, value: Any, walk: Walk, path: str = "") -> Any:
    """Return what the schema keeps of a value, with defaults; shares what it doesn't change."""
    if isinstance(value, dict):
        if walk.strict_types and schema.get("type") != "object" and not schema.get(OPEN):
            _mismatch(schema, value, walk, path)
            return value
        return _kept_object(schema, value, walk, path)
    if isinstance(value, list):
        items = schema.get("items")
        if items is None:
            if walk.strict_types and not schema.get(OPEN):
                _mismatch(schema, value, walk, path)
            return value
        return [kept(items, each, walk, f"{path}[{index}]") for index, each in enumerate(value)]
    if walk.strict_types and not _fits(schema, value):
        _mismatch(schema, value, walk, path)
    return value


def _kept_object(schema: Object, value: Object, walk: Walk, path: str) -> Object:
    properties = schema.get("properties") or {}
    others = schema.get("additionalProperties")
    if not properties and not isinstance(others, dict):
        if schema.get(OPEN) or others:
            return value
        walk.unknown.extend(_joined(path, name) for name in value if not _is_implied(schema, name))
        return {name: each for name, each in value.items() if _is_implied(schema, name)}
    result: Object = {}
    for name, each in value.items():
        inner = properties.get(name)
        if inner is None:
            inner = others if isinstance(others, dict) else None
        if inner is not None:
            if each is None and _drops_null(inner, walk):
                continue
            result[name] = kept(inner, each, walk, _joined(path, name))
        elif schema.get(OPEN) or others is True or _is_implied(schema, name):
            result[name] = each
        else:
            walk.unknown.append(_joined(path, name))
    for name, inner in properties.items() if walk.fills_defaults else ():
        if "default" in inner and name not in result:
            result[name] = kept(inner, clone(inner["default"]), walk, _joined(path, name))
    return result


def _is_implied(schema: Object, name: str) -> bool:
    return bool(schema.get(EMBEDDED)) and name in _EMBEDDED_FIELDS


def _drops_null(schema: Object, walk: Walk) -> bool:
    return walk.strict_types or not (schema.get("nullable") or (schema.get(OPEN) and "type" not in schema))


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _fits(schema: Object, value: Any) -> bool:
    if value is None or schema.get(OPEN):
        return True
    if isinstance(value, bool):
        return bool(schema.get("type") == "boolean")
    if schema.get(INT_OR_STRING):
        return isinstance(value, str | int) or (isinstance(value, float) and bool(schema.get("x-number")))
    types: dict[str, tuple[type, ...]] = {"integer": (int,), "number": (int, float), "string": (str,)}
    return isinstance(value, types.get(schema.get("type", ""), ()))


def _mismatch(schema: Object, value: Any, walk: Walk, path: str) -> None:
    names: dict[type, str] = {
        dict: "object",
        list: "array",
        str: "string",
        bool: "bool",
        int: "number",
        float: "number",
    }
    target = _GO_TYPES.get(schema.get("type", ""), schema.get("x-name") or "the field's")
    walk.mismatched.append(f"json: cannot unmarshal {names[type(value)]} into Go struct field .{path} of type {target}")
