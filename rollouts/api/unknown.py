"""What in a manifest would an API server refuse or drop? Unknown fields, wrong types, missing fields.

The walk follows the schemas of the definitions. It stays out of what isn't ours, such as the inside of a pod template;
only a name that looks like a slip of the pen is reported at such a border (`sepc` beside `spec`).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cache
from typing import Any, Final

from rollouts.api.crds import object_schema
from rollouts.api.timestamps import parse_time

Json = Mapping[str, Any]

_PLAIN = re.compile(r"[A-Za-z_][\w-]*")
_LIMITS: Final = {"int32": 2**31, "int64": 2**63}
_SHAPES: Final[Mapping[str, tuple[type, str]]] = {
    "object": (Mapping, "an object"),
    "array": (list, "a list"),
    "boolean": (bool, "true or false"),
}
_OPEN = "x-kubernetes-preserve-unknown-fields"
_OBJECT_META: Final = (
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
)
_OF_A_DEPLOYMENT: Final = "spec.strategy.type"
_METADATA: Final[Json] = {"type": "object", "properties": {name: {_OPEN: True} for name in _OBJECT_META}}


@dataclass(frozen=True, slots=True)
class UnknownField:
    """A field that the API doesn't have. `nearest` is the path of the one that was probably meant, or empty."""

    path: str
    nearest: str = ""

    def __str__(self) -> str:
        return f"{self.path} is unknown" + (f": did you mean {self.nearest}?" if self.nearest else "")


@dataclass(frozen=True, slots=True)
class TypeMismatch:
    """A value that the API doesn't take there."""

    path: str
    value: Any
    expected: str

    def __str__(self) -> str:
        return f"{self.path} is {_shown(self.value)}: expected {self.expected}"


@dataclass(frozen=True, slots=True)
class MissingField:
    """A field that its parent can't do without."""

    path: str

    def __str__(self) -> str:
        return f"{self.path} is missing"


Finding = UnknownField | TypeMismatch | MissingField


def findings(kind: str, obj: Json) -> Iterator[Finding]:
    """Yield whatever an API server would refuse or drop in an object of `kind`. Raises KeyError for a strange kind."""
    schema = object_schema(kind)
    properties = {**schema["properties"], "metadata": _METADATA}
    for finding in _walk(obj, {**schema, "properties": properties}, ""):
        if isinstance(finding, UnknownField) and not finding.nearest:
            yield UnknownField(finding.path, _elsewhere(kind, finding.path))
        else:
            yield finding


def unknown_fields(kind: str, obj: Json) -> list[UnknownField]:
    """Return the fields of `obj` that the API doesn't have, in their order."""
    return [finding for finding in findings(kind, obj) if isinstance(finding, UnknownField)]


def type_errors(kind: str, obj: Json) -> list[TypeMismatch]:
    """Return the values in `obj` that have the wrong type, in their order."""
    return [finding for finding in findings(kind, obj) if isinstance(finding, TypeMismatch)]


def missing_fields(kind: str, obj: Json) -> list[MissingField]:
    """Return the required fields that `obj` lacks."""
    return [finding for finding in findings(kind, obj) if isinstance(finding, MissingField)]


def _walk(value: Any, schema: Json, path: str) -> Iterator[Finding]:
    expected = _expected(value, schema)
    if expected:
        yield TypeMismatch(path or "the object", value, expected)
    elif isinstance(value, Mapping):
        yield from _walk_object(value, schema, path)
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from _walk(item, schema["items"], f"{path}[{index}]")


def _walk_object(value: Json, schema: Json, path: str) -> Iterator[Finding]:
    values, known = schema.get("additionalProperties"), schema.get("properties", {})
    for key, part in value.items():
        here = _child(path, key)
        if part is None and (values is not None or key in known):
            continue  # as if it were left out: the API server drops it
        if values is not None:
            yield from _walk(part, values, here)
        elif key in known:
            yield from _walk(part, known[key], here)
        else:
            nearest = _nearest(str(key), known)
            if nearest or not schema.get(_OPEN):
                yield UnknownField(here, _child(path, nearest) if nearest else "")
    for key in schema.get("required", ()):
        if value.get(key) is None:
            yield MissingField(_child(path, key))


def _child(path: str, key: Any) -> str:
    name = str(key)
    if not _PLAIN.fullmatch(name):
        return f"{path}[{name}]"
    return f"{path}.{name}" if path else name


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    by_lower = {each.lower(): each for each in known}
    found = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.7)
    return by_lower[found[0]] if found else ""


def _expected(value: Any, schema: Json) -> str:
    """Say what `schema` expects, if `value` isn't that."""
    kind = schema.get("type", "")
    if kind == "integer":
        return _expected_integer(value, schema)
    if kind == "string":
        return _expected_string(value, schema)
    if kind in _SHAPES:
        shape, expected = _SHAPES[kind]
        return "" if isinstance(value, shape) else expected
    is_mixed = schema.get("x-kubernetes-int-or-string", False)
    return "a whole number or a text" if is_mixed and type(value) not in (int, str) else ""


def _expected_integer(value: Any, schema: Json) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        return "a whole number"
    limit = _LIMITS[schema["format"]]
    return "" if -limit <= value < limit else f"a whole number from -{limit} to {limit - 1}"


def _expected_string(value: Any, schema: Json) -> str:
    if isinstance(value, date):  # YAML readers make a date of a text that looks like one; on the wire it is text
        return ""
    if not isinstance(value, str):
        return "a text in quotes" if isinstance(value, int | float) else "a text"
    choices = schema.get("enum")
    if choices and value not in choices:
        return f"one of {', '.join(choices)}"
    return "a time as in 2006-01-02T15:04:05Z" if schema.get("format") == "date-time" and not _is_time(value) else ""


def _is_time(text: str) -> bool:
    try:
        parse_time(text)
    except ValueError:
        return False
    return True


def _shown(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case Mapping():
            return "an object"
        case list():
            return "a list"
        case _:
            return repr(value)


@cache
def _paths(kind: str) -> Mapping[str, tuple[str, ...]]:
    """Return where each name of a field occurs in objects of `kind`."""
    found: dict[str, list[str]] = {}

    def visit(schema: Json, path: str) -> None:
        if "items" in schema:
            visit(schema["items"], f"{path}[]")
        for name, part in schema.get("properties", {}).items():
            found.setdefault(name, []).append(_child(path, name))
            visit(part, _child(path, name))

    visit({"properties": {"spec": object_schema(kind)["properties"]["spec"]}}, "")
    return {name: tuple(paths) for name, paths in found.items()}


def _elsewhere(kind: str, path: str) -> str:
    """Find where the API has a field of this name: what is indented wrongly is in the wrong object.

    Of several places the one that shares most of the way is meant; if that is not clear, none.
    """
    if path == _OF_A_DEPLOYMENT:
        return ""  # a name that another field has by chance
    parent, _, name = path.rpartition(".")
    places = _paths(kind).get(name, ())
    way = re.sub(r"\[\d+\]", "[]", parent).split(".")
    ranked = sorted((-_shared(way, place.split(".")), place.count("."), place) for place in places)
    is_clear = len(ranked) == 1 or (len(ranked) > 1 and ranked[0][:2] != ranked[1][:2])
    return ranked[0][2] if is_clear else ""


def _shared(left: list[str], right: list[str]) -> int:
    count = 0
    for one, another in zip(left, right, strict=False):
        if one != another:
            break
        count += 1
    return count
