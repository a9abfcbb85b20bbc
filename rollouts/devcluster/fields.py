"""Which fields does a value have, and how is a set of them written in managedFields?

A path is a tuple of elements in fieldsV1's own notation: `f:name` for a field, `k:{...}` for an item of a list of
maps, `v:...` for a member of a set. An item or an empty map is a path of its own; what is inside a list without
keys belongs to the list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from rollouts.devcluster.structure import OPEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollouts.devcluster.objects import Object

Path = tuple[str, ...]
Fields = frozenset[Path]
_NONE: Object = {}
# what a server fills in and nobody owns
_UNOWNED = frozenset(
    ("f:metadata", f"f:{name}")
    for name in (
        *("name", "namespace", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"),
        *("managedFields", "resourceVersion", "selfLink", "uid"),
    )
) | {("f:apiVersion",), ("f:kind",)}


def keys_of_list(schema: Object) -> list[str] | None:
    """Return the fields that tell a list's items apart, if it is a list of maps."""
    return schema.get("x-kubernetes-list-map-keys") if schema.get("x-kubernetes-list-type") == "map" else None


def item_element(item: Any, keys: list[str], schema: Object) -> str:
    """Name an item of a list of maps; an absent key has its default."""
    properties = schema.get("properties") or _NONE
    values = {}
    for key in sorted(keys):
        default = properties.get(key, _NONE).get("default", "TCP" if key == "protocol" else None)
        value = item.get(key, default) if isinstance(item, dict) else None
        if value is not None:
            values[key] = value
    return "k:" + orjson.dumps(values).decode()


def child_schema(schema: Object, name: str) -> Object:
    """Return the schema of a field."""
    found = (schema.get("properties") or _NONE).get(name)
    if found is None:
        others = schema.get("additionalProperties")
        found = others if isinstance(others, dict) else None
    return found if found is not None else {OPEN: True}


def is_granular(schema: Object) -> bool:
    """Say whether the fields of a map have owners of their own."""
    return schema.get("x-kubernetes-map-type") != "atomic"


def leaves(schema: Object, value: Any) -> dict[Path, Any]:
    """Return each field with its value; what is only a container has None."""
    found: dict[Path, Any] = {}
    _collect(schema, value, (), found)
    return {path: each for path, each in found.items() if path not in _UNOWNED}


def _collect(schema: Object, value: Any, path: Path, found: dict[Path, Any]) -> None:
    if isinstance(value, dict) and is_granular(schema):
        if not value:
            found[path] = {}
        for name, each in value.items():
            _collect(child_schema(schema, name), each, (*path, f"f:{name}"), found)
        return
    if isinstance(value, list) and "items" in schema:
        keys = keys_of_list(schema)
        if keys:
            for each in value:
                inner = (*path, item_element(each, keys, schema["items"]))
                found[inner] = None
                _collect(schema["items"], each, inner, found)
            return
        if schema.get("x-kubernetes-list-type") == "set":
            found.update({(*path, "v:" + orjson.dumps(each).decode()): each for each in value})
            return
    found[path] = value


def write_fields(fields: Fields) -> Object:
    """Write a set of fields as fieldsV1."""
    root: Object = {}
    for path in sorted(fields):
        node = root
        for element in path:
            node = node.setdefault(element, {})
        if path and path[-1].startswith("k:"):
            node["."] = {}
    return root


def read_fields(written: Object) -> Fields:
    """Read fieldsV1."""
    return frozenset(_read(written, ()))


def _read(node: Object, path: Path) -> Iterator[Path]:
    if not node and path:
        yield path
    for element, inner in node.items():
        if element == ".":
            yield path
        else:
            yield from _read(inner, (*path, element))


def shown_path(path: Path) -> str:
    """Write a path as conflict messages do: .spec.containers[name="web"].image."""
    text = ""
    for element in path:
        mark, _, rest = element.partition(":")
        if mark == "f":
            text += f".{rest}"
        elif mark == "k":
            pairs = orjson.loads(rest).items()
            text += "[" + ",".join(f"{key}={orjson.dumps(value).decode()}" for key, value in pairs) + "]"
        else:
            text += f"[={rest}]"
    return text
