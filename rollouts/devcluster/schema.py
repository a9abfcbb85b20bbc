"""Does a custom resource satisfy its definition's schema? In the API server's words where it doesn't."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rollouts.devcluster.errors import (
    ApiError,
    Cause,
    duplicate_value,
    missing_value,
    unsupported_value,
    wrong_value,
)
from rollouts.devcluster.structure import INT_OR_STRING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollouts.devcluster.objects import Object

_COPIED = (
    *("pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "maxLength", "minLength"),
    *("maxItems", "minItems", "uniqueItems", "maxProperties", "minProperties", "required"),
)
_IMMUTABLE = "self == oldSelf"


class Validator:
    """A compiled structural schema."""

    def __init__(self, schema: Object) -> None:
        try:
            import jsonschema_rs  # noqa: PLC0415 - an optional dependency: only custom resources need it
        except ImportError as error:
            raise ApiError(
                501,
                "NotImplemented",
                "the dev cluster validates custom resources with jsonschema-rs, which is not installed: "
                "pip install 'rollouts[devcluster]'",
            ) from error
        self._compiled = jsonschema_rs.Draft4Validator(json_schema(schema))
        self._schema = schema
        self._has_keyed_lists = "x-kubernetes-list-map-keys" in repr(schema)
        self._immutable = list(_immutable_paths(schema, ()))

    def causes(self, obj: Object) -> list[Cause]:
        """Return what is wrong with an object."""
        found = [_cause(error) for error in self._compiled.iter_errors(obj)]
        if self._has_keyed_lists:
            found += _repeated(self._schema, obj, ())
        return sorted(found, key=lambda cause: cause.field)

    def changes(self, obj: Object, before: Object) -> list[Cause]:
        """Return the immutable fields that an update changes."""
        causes: list[Cause] = []
        for path, message in self._immutable:
            old, new = _at(before, path), _at(obj, path)
            if old is not None and new is not None and old != new:
                shown = "object" if isinstance(new, dict) else new
                causes.append(wrong_value(".".join(path), shown, message))
        return causes


def json_schema(schema: Object) -> Object:
    """Translate a structural schema to JSON Schema (draft 4, whose exclusive limits are booleans too)."""
    result: Object = {name: schema[name] for name in _COPIED if name in schema}
    nulls = ["null"] if schema.get("nullable") else []
    if types := ["integer", "string"] if schema.get(INT_OR_STRING) else [schema["type"]] if "type" in schema else []:
        result["type"] = [*types, *nulls]
    if "enum" in schema:
        result["enum"] = [*schema["enum"], *([None] if nulls else [])]
    if "properties" in schema:
        result["properties"] = {name: json_schema(each) for name, each in schema["properties"].items()}
    for name in ("items", "additionalProperties", "not"):
        if isinstance(schema.get(name), dict):
            result[name] = json_schema(schema[name])
    for name in ("allOf", "anyOf", "oneOf"):
        if name in schema:
            result[name] = [json_schema(each) for each in schema[name]]
    return result


def field_path(parts: Iterable[str | int]) -> str:
    """Write a path as messages do: spec.steps[0].pause."""
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _json_type(value: Any) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
    return names.get(type(value), "null")


# what the API server says of each broken keyword; {limit} is the keyword's value
_WORDS = {
    "pattern": "should match '{limit}'",
    "minimum": "should be greater than or equal to {limit}",
    "exclusiveMinimum": "should be greater than {limit}",
    "maximum": "should be less than or equal to {limit}",
    "exclusiveMaximum": "should be less than {limit}",
    "multipleOf": "should be a multiple of {limit}",
    "minLength": "should be at least {limit} chars long",
    "minItems": "should have at least {limit} items",
    "minProperties": "should have at least {limit} properties",
}
_CHOICES = {
    "oneOf": "must validate one and only one schema (oneOf)",
    "anyOf": "must validate at least one schema (anyOf)",
    "not": "must not validate the schema (not)",
}


def _cause(error: Any) -> Cause:
    path, value, kind = field_path(error.instance_path), error.instance, error.kind
    where, keyword = path or "<nil>", str(error.schema_path[-1])
    if keyword == "required":
        return missing_value(f"{path}.{kind.property}" if path else kind.property)
    if keyword == "type":
        return _cause_of_type(where, path, value, kind.types)
    if keyword == "enum":
        return unsupported_value(where, value, [each for each in kind.options if each is not None])
    if keyword == "uniqueItems":
        return duplicate_value(where, value)
    if keyword in _CHOICES:
        return Cause(where, "FieldValueInvalid", f'Invalid value: "": "{path}" {_CHOICES[keyword]}')
    return _cause_of_limit(where, path, value, keyword, error)


def _cause_of_type(where: str, path: str, value: Any, types: list[str]) -> Cause:
    wanted = ",".join(each for each in types if each != "null")
    actual = _json_type(value)
    text = f'{path} in body must be of type {wanted}: "{actual}"'
    return Cause(where, "FieldValueTypeInvalid", f'Invalid value: "{actual}": {text}')


def _cause_of_limit(where: str, path: str, value: Any, keyword: str, error: Any) -> Cause:
    limit = error.kind.as_dict().get("pattern" if keyword == "pattern" else "limit")
    if keyword == "maxLength":
        return Cause(where, "FieldValueTooLong", f"Too long: may not be more than {limit} bytes")
    if keyword in {"maxItems", "maxProperties"}:
        return Cause(where, "FieldValueTooMany", f"Too many: {len(value)}: must have at most {limit} items")
    shown = len(value) if isinstance(value, dict | list) else value
    words = _WORDS.get(keyword)
    return wrong_value(where, shown, f"{path} in body {words.format(limit=limit)}" if words else error.message)


def _repeated(schema: Object, value: Any, path: tuple[str | int, ...]) -> Iterable[Cause]:
    """Find items of keyed lists whose keys an earlier item has."""
    if isinstance(value, dict):
        for name, each in value.items():
            inner = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
            if isinstance(inner, dict):
                yield from _repeated(inner, each, (*path, name))
    if not isinstance(value, list) or "items" not in schema:
        return
    keys = schema.get("x-kubernetes-list-map-keys")
    seen: list[Object] = []
    for index, each in enumerate(value):
        key = {name: each[name] for name in keys or () if isinstance(each, dict) and name in each}
        if keys and key in seen:
            yield duplicate_value(field_path((*path, index)), key)
        seen.append(key)
        yield from _repeated(schema["items"], each, (*path, index))


def _at(obj: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        obj = obj.get(name) if isinstance(obj, dict) else None
    return obj


def _immutable_paths(schema: Object, path: tuple[str, ...]) -> Iterable[tuple[tuple[str, ...], str]]:
    for rule in schema.get("x-kubernetes-validations") or []:
        yield path, rule.get("message") or f"failed rule: {rule['rule']}"
    for name, each in (schema.get("properties") or {}).items():
        yield from _immutable_paths(each, (*path, name))


def unserved_rules(schema: Any, path: str = "") -> Iterable[str]:
    """Name the CEL rules that this cluster cannot evaluate: all but immutability of a field."""
    if isinstance(schema, dict):
        for rule in schema.get("x-kubernetes-validations") or []:
            if rule.get("rule", "").strip() != _IMMUTABLE or "[" in path:
                yield f"{path or '.'}: {rule.get('rule')}"
        for name, each in (schema.get("properties") or {}).items():
            yield from unserved_rules(each, f"{path}.{name}")
        for name in ("items", "additionalProperties"):
            yield from unserved_rules(schema.get(name), f"{path}[*]")
