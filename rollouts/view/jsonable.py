"""How does a view travel? As JSON: the same names in camelCase, times in RFC 3339."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from rollouts.api.timestamps import format_time


def camel_case(name: str) -> str:
    """Return a Python name as the wire spells it."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def jsonable(value: Any) -> Any:
    """Return dataclasses, times and tuples, however nested, as what JSON has."""
    if is_dataclass(value) and not isinstance(value, type):
        return {camel_case(each.name): jsonable(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, Mapping):
        return {key: jsonable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(each) for each in value]
    return value
