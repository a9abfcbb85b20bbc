"""How is a value written as gob?

Unlike Go, which never sends a field's zero value, we send everything that a value holds: so a pointer to 0 is one on
the other side, too.
"""

import struct
from collections.abc import Mapping
from typing import Any

from rollouts.goplugin.gob.types import (
    BOOL,
    BYTES,
    FIRST_ID,
    FLOAT,
    INT,
    INTERFACE,
    STRING,
    UINT,
    WIRE_TYPE,
    Array,
    Basic,
    Boxed,
    GobError,
    Map,
    Opaque,
    Slice,
    Struct,
    Type,
)

_MOST_UINT = 1 << 64
_MOST_INT = 1 << 63


def uint(value: int) -> bytes:
    """Write a number that isn't negative: small ones as they are, others behind their length."""
    if not 0 <= value < _MOST_UINT:
        raise GobError(f"{value} doesn't fit into 64 bits")
    if value < 128:
        return bytes((value,))
    digits = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return bytes((256 - len(digits),)) + digits


def integer(value: int) -> bytes:
    """Write a number with its sign in the lowest bit."""
    if not -_MOST_INT <= value < _MOST_INT:
        raise GobError(f"{value} doesn't fit into 64 bits")
    return uint(value << 1 if value >= 0 else ~value << 1 | 1)


def _floating(value: float) -> bytes:
    """Write a number with its bytes in opposite order: most of the last ones are zero."""
    return uint(int.from_bytes(struct.pack("<d", value), "big"))


def _counted(data: bytes) -> bytes:
    return uint(len(data)) + data


class Encoder:
    """Writes one stream: a type is described before its first value only."""

    def __init__(self) -> None:
        self._ids: dict[Type, int] = {}

    def encode(self, kind: Type, value: Any) -> bytes:
        """Return the messages that carry a value. Raises GobError, and then nothing has changed."""
        before = len(self._ids)
        try:
            return self._messages(kind, value)
        except GobError:
            for each in tuple(self._ids)[before:]:
                del self._ids[each]
            raise

    def _messages(self, kind: Type, value: Any) -> bytes:
        descriptions = bytearray()
        known = self._describe(kind, descriptions)
        start = b"" if isinstance(kind, Struct) else b"\0"
        body = integer(known) + start + self._value(kind, value, descriptions)
        return bytes(descriptions) + _counted(body)

    def _describe(self, kind: Type, out: bytearray) -> int:
        """Return a type's number; if it is new, its description and those of its parts go out."""
        if isinstance(kind, Basic):
            return kind.id
        if kind in self._ids:
            return self._ids[kind]
        known = self._ids[kind] = FIRST_ID + len(self._ids)
        description = integer(-known) + self._struct(WIRE_TYPE, self._description(kind, known, out), out)
        out += _counted(description)
        return known

    def _description(self, kind: Type, known: int, out: bytearray) -> Mapping[str, Any]:
        match kind:
            case Slice(element):
                return {"SliceT": {"Common": {"Id": known}, "Elem": self._describe(element, out)}}
            case Array(element, length):
                return {"ArrayT": {"Common": {"Id": known}, "Elem": self._describe(element, out), "Len": length}}
            case Map(key, element):
                numbers = {"Key": self._describe(key, out), "Elem": self._describe(element, out)}
                return {"MapT": {"Common": {"Id": known}, **numbers}}
            case Struct(name, fields):
                listed = [{"Name": field, "Id": self._describe(each, out)} for field, each in fields.items()]
                return {"StructT": {"Common": {"Name": name, "Id": known}, "Field": listed}}
            case Opaque(name):
                return {"GobEncoderT": {"Common": {"Name": name, "Id": known}}}
            case _:
                raise GobError("a type that was read can't be written")

    def _value(self, kind: Type, value: Any, out: bytearray) -> bytes:
        match kind:
            case Struct():
                return self._struct(kind, value, out)
            case Slice(element):
                return self._list(element, value, out)
            case Array(element, length):
                if len(value) != length:
                    raise GobError(f"{len(value)} elements in an array of {length}")
                return self._list(element, value, out)
            case Map(key, element):
                pairs = (self._value(key, name, out) + self._value(element, each, out) for name, each in value.items())
                return uint(len(value)) + b"".join(pairs)
            case Opaque():
                return _counted(_as(bytes, value))
            case Basic():
                return self._interface(value, out) if kind is INTERFACE else _basic(kind, value)
            case _:
                raise GobError("a type that was read can't be written")

    def _list(self, element: Type, value: Any, out: bytearray) -> bytes:
        return uint(len(value)) + b"".join(self._value(element, each, out) for each in value)

    def _struct(self, kind: Struct, value: Any, out: bytearray) -> bytes:
        if unknown := value.keys() - kind.fields.keys():
            raise GobError(f"{kind.name} has no field {', '.join(sorted(unknown))}")
        parts: list[bytes] = []
        last = -1
        for number, (name, each) in enumerate(kind.fields.items()):
            if value.get(name) is not None:
                parts += uint(number - last), self._value(each, value[name], out)
                last = number
        return b"".join((*parts, b"\0"))

    def _interface(self, value: Boxed | None, out: bytearray) -> bytes:
        """Write what is in a box. What it is made of is described before everything else."""
        if value is None:
            return uint(0)
        known = self._describe(value.type, out)
        start = b"" if isinstance(value.type, Struct) else b"\0"
        inner = start + self._value(value.type, value.value, out)
        return _counted(value.name.encode()) + integer(known) + _counted(inner)


def _basic(kind: Basic, value: Any) -> bytes:
    if kind == BOOL:
        return uint(int(_as(bool, value)))
    if kind == INT:
        return integer(_as(int, value))
    if kind == UINT:
        return uint(_as(int, value))
    if kind == FLOAT:
        return _floating(float(value))
    if kind == STRING:
        return _counted(_as(str, value).encode())
    if kind == BYTES:
        return _counted(_as(bytes, value))
    raise GobError(f"nothing can be written as {kind.name}")


def _as(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise GobError(f"a {type(value).__name__} where a {kind.__name__} belongs")
    return value
