"""How do the API's objects look to a plugin in Go, and its answers to us?

`argo.types` says which Go field has which JSON name and what is in it; a program in e2e writes it, from the types that
plugins are compiled with. Two things get lost, as they do between programs in Go: the value of a quantity, which has
no field for it, and what no type knows of.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from rollouts.api.durations import format_duration, parse_nanoseconds
from rollouts.goplugin.gob import BOOL, BYTES, FLOAT, INT, STRING, UINT, GobError, Map, Opaque, Slice, Struct, Type
from rollouts.goplugin.times import read_time, write_time

_BESIDE = "."
_TIME = Opaque("Time")
_DURATION = Struct("Duration", {"Duration": INT})
_QUANTITY = Struct("Quantity", {"Format": STRING})
_INT_OR_STRING = Struct("IntOrString", {"Type": INT, "IntVal": INT, "StrVal": STRING})
_FIELDS = Struct("FieldsV1", {"Raw": BYTES})


@dataclass(frozen=True, slots=True)
class Notation:
    """How something is held in gob, and how it comes from JSON and goes back."""

    type: Type
    to_gob: Callable[[Any], Any]
    to_json: Callable[[Any], Any]


def _same(value: Any) -> Any:
    return value


def _duration(held: Any) -> str:
    return format_duration(timedelta(microseconds=held.get("Duration", 0) // 1_000))


def _int_or_string(value: Any) -> dict[str, Any]:
    return {"Type": 1, "StrVal": value} if isinstance(value, str) else {"Type": 0, "IntVal": value}


def _format(quantity: Any) -> dict[str, str]:
    return {"Format": "BinarySI" if str(quantity).endswith("i") else "DecimalSI"}


_PLAIN: Mapping[str, Notation] = {
    "bool": Notation(BOOL, _same, _same),
    "int": Notation(INT, _same, _same),
    "uint": Notation(UINT, _same, _same),
    "float": Notation(FLOAT, _same, _same),
    "string": Notation(STRING, _same, _same),
    "bytes": Notation(BYTES, b64decode, lambda data: b64encode(data).decode()),
    "json": Notation(BYTES, orjson.dumps, orjson.loads),
    "time": Notation(_TIME, write_time, read_time),
    "duration": Notation(_DURATION, lambda text: {"Duration": parse_nanoseconds(text)}, _duration),
    "quantity": Notation(_QUANTITY, _format, lambda _: "0"),
    "intstr": Notation(
        _INT_OR_STRING,
        _int_or_string,
        lambda held: held.get("StrVal", "") if held.get("Type") else held.get("IntVal", 0),
    ),
    "fields": Notation(
        _FIELDS, lambda value: {"Raw": orjson.dumps(value)}, lambda held: orjson.loads(held.get("Raw", b"{}"))
    ),
}


class _Object:
    """A struct with names in both languages."""

    def __init__(self, name: str) -> None:
        self.type = Struct(name)
        self.fields: list[tuple[str, str, Notation]] = []

    def to_gob(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        if not isinstance(raw, Mapping):
            raise GobError(f"a {type(raw).__name__} where a {self.type.name} belongs")
        found: dict[str, Any] = {}
        for go_name, json_name, notation in self.fields:
            value = raw if json_name == _BESIDE else raw.get(json_name)
            if value is not None:
                found[go_name] = _converted(go_name, value, notation.to_gob)
        return found

    def to_json(self, held: Mapping[str, Any]) -> dict[str, Any]:
        if not isinstance(held, Mapping):
            raise GobError(f"a {type(held).__name__} where a {self.type.name} belongs")
        found: dict[str, Any] = {}
        for go_name, json_name, notation in self.fields:
            if go_name not in held:
                continue
            value = _converted(go_name, held[go_name], notation.to_json)
            if json_name == _BESIDE:
                found |= value
            elif value is not None:
                found[json_name] = value
        return found


def _converted(name: str, value: Any, convert: Callable[[Any], Any]) -> Any:
    try:
        return convert(value)
    except GobError as error:
        raise GobError(f"{name}: {error}") from None
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise GobError(f"{name} can't be carried over: {type(error).__name__}") from error


@cache
def notation(kind: str) -> Notation:
    """Return how something is carried over: an object of the API, by the name of its Go type, or what it is made of."""
    return _read(kind, _known())


@cache
def _known() -> Mapping[str, Notation]:
    text = files("rollouts.goplugin").joinpath("argo.types").read_text("utf-8")
    said = {name: fields.strip() for name, _, fields in (line.partition(":") for line in text.splitlines())}
    objects = {name: _Object(name) for name in said}
    known = {name: Notation(each.type, each.to_gob, each.to_json) for name, each in objects.items()}
    for name, fields in said.items():
        for field in filter(None, fields.split(", ")):
            go_name, json_name, kind = field.split(" ")
            read = _read(kind, known)
            objects[name].fields.append((go_name, json_name, read))
            objects[name].type.fields[go_name] = read.type
    return known


def _read(kind: str, known: Mapping[str, Notation]) -> Notation:
    if kind in _PLAIN:
        return _PLAIN[kind]
    if re.match(r"[\[{]", kind):
        part = _read(kind[1:-1], known)
        return _list_of(part) if kind[0] == "[" else _map_of(part)
    return known[kind]


def _list_of(part: Notation) -> Notation:
    def each_by(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda values: [convert(each) for each in values]

    return Notation(Slice(part.type), each_by(part.to_gob), each_by(part.to_json))


def _map_of(part: Notation) -> Notation:
    def each_by(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda values: {name: convert(each) for name, each in values.items()}

    return Notation(Map(STRING, part.type), each_by(part.to_gob), each_by(part.to_json))
