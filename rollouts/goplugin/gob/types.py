"""Which types does gob know, and how are their values held in Python?

| type | value |
|---|---|
| bool, int, uint, float, string, bytes | what Python calls so |
| slice, array | list |
| map | dict |
| struct | dict by field name; a field that isn't there has its zero value |
| interface | Boxed, or None |
| opaque: a Go type that writes itself | bytes |
"""

from dataclasses import dataclass, field
from typing import Any


class GobError(ValueError):
    """Bytes that are no gob, or a value that isn't of its type."""


@dataclass(frozen=True, slots=True)
class Basic:
    """A type that is known without a description."""

    name: str
    id: int


@dataclass(eq=False, slots=True)
class Slice:
    """A list of any length."""

    element: "Type"


@dataclass(eq=False, slots=True)
class Array:
    """A list of one length."""

    element: "Type"
    length: int


@dataclass(eq=False, slots=True)
class Map:
    """Keys of one type, values of another."""

    key: "Type"
    element: "Type"


@dataclass(eq=False, slots=True)
class Struct:
    """Named fields in an order. They may be filled in later: a struct can hold itself."""

    name: str
    fields: "dict[str, Type]" = field(default_factory=dict, repr=False)


@dataclass(eq=False, slots=True)
class Opaque:
    """A type whose values write themselves."""

    name: str


@dataclass(frozen=True, slots=True)
class Numbered:
    """A part of a type that was read: its stream names it by a number, and describes it elsewhere."""

    id: int


Type = Basic | Slice | Array | Map | Struct | Opaque | Numbered


@dataclass(frozen=True, slots=True)
class Boxed:
    """What an interface holds. `name` is the one that both sides have registered for `type`."""

    name: str
    type: Type
    value: Any


BOOL = Basic("bool", 1)
INT = Basic("int", 2)
UINT = Basic("uint", 3)
FLOAT = Basic("float", 4)
BYTES = Basic("bytes", 5)
STRING = Basic("string", 6)
INTERFACE = Basic("interface", 8)

BASICS = {each.id: each for each in (BOOL, INT, UINT, FLOAT, BYTES, STRING, INTERFACE)}

FIRST_ID = 65
"""The first number for a type that is described in the stream; smaller ones are gob's own."""

_COMMON = Struct("CommonType", {"Name": STRING, "Id": INT})
_FIELD = Struct("fieldType", {"Name": STRING, "Id": INT})
WIRE_TYPE = Struct(
    "wireType",
    {
        "ArrayT": Struct("arrayType", {"Common": _COMMON, "Elem": INT, "Len": INT}),
        "SliceT": Struct("sliceType", {"Common": _COMMON, "Elem": INT}),
        "StructT": Struct("structType", {"Common": _COMMON, "Field": Slice(_FIELD)}),
        "MapT": Struct("mapType", {"Common": _COMMON, "Key": INT, "Elem": INT}),
        "GobEncoderT": Struct("gobEncoderType", {"Common": _COMMON}),
        "BinaryMarshalerT": Struct("binaryMarshalerType", {"Common": _COMMON}),
        "TextMarshalerT": Struct("textMarshalerType", {"Common": _COMMON}),
    },
)
"""A type's description is a value of this type."""
