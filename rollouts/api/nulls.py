"""What does null mean in a manifest? The same as leaving the field out, as an API server reads it.

Whoever reads a manifest from a file drops its nulls first: templating engines leave plenty of them. Those inside a pod
template and in other parts that aren't ours stay, as do those in lists, which an API server refuses.
"""

from collections.abc import Mapping
from typing import Any, Final

from rollouts.api.crds import object_schema

Json = Mapping[str, Any]

_NOBODYS: Final[Json] = {}


def without_nulls(kind: str, obj: Json) -> dict[str, Any]:
    """Return a copy of `obj` without the fields that are null. Raises KeyError for a strange kind."""
    return _without_nulls(obj, object_schema(kind))


def _without_nulls(obj: Json, schema: Json) -> dict[str, Any]:
    known, values = schema.get("properties", _NOBODYS), schema.get("additionalProperties", _NOBODYS)
    parts = ((key, part, known.get(key, values)) for key, part in obj.items())
    return {key: _cleaned(part, schema) for key, part, schema in parts if part is not None or schema is _NOBODYS}


def _cleaned(value: Any, schema: Json) -> Any:
    if isinstance(value, Mapping) and schema is not _NOBODYS:
        return _without_nulls(value, schema)
    if isinstance(value, list) and "items" in schema:
        return [_cleaned(item, schema["items"]) for item in value]
    return value
