"""How is gob read? Each stream tells what its values are made of, so no type has to be known before.

Whoever wrote the bytes isn't trusted: sizes, depth, the number of types and of values are bounded.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from rollouts.goplugin.gob.types import (
    BASICS,
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
    Numbered,
    Opaque,
    Slice,
    Struct,
    Type,
)

LONGEST_MESSAGE = 4 * 1024 * 1024
DEEPEST = 100
MOST_TYPES = 5_000
MOST_VALUES = 200_000
"""Values in one message: each takes some memory, however few bytes it is written with."""

_COMPLEX = 7
_OPAQUES = ("GobEncoderT", "BinaryMarshalerT", "TextMarshalerT")


class Decoded(NamedTuple):
    """A value, and what the stream says of its type."""

    type: Type
    value: Any


class Decoder:
    """Reads one stream, in pieces of any size."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._types: dict[int, Type] = {}

    def receive(self, data: bytes) -> Iterator[Decoded]:
        """Yield each value that is complete now. Raises GobError: nothing can be read any more then."""
        self._buffer += data
        while (message := self._message()) is not None:
            reader = _Reader(message, self._types)
            if (decoded := reader.message()) is not None:
                yield decoded

    def _message(self) -> bytes | None:
        """Cut the next message off, once it is there."""
        if not self._buffer:
            return None
        first = self._buffer[0]
        digits = 0 if first < 128 else 256 - first
        if digits > 8:
            raise GobError("a number of more than 64 bits")
        if len(self._buffer) <= digits:
            return None
        length = first if not digits else int.from_bytes(self._buffer[1 : 1 + digits], "big")
        if length > LONGEST_MESSAGE:
            raise GobError(f"a message of {length} bytes: {LONGEST_MESSAGE} are the most")
        end = 1 + digits + length
        if len(self._buffer) < end:
            return None
        message = bytes(self._buffer[1 + digits : end])
        del self._buffer[:end]
        return message


class _Reader:
    """Reads one message."""

    def __init__(self, data: bytes, types: dict[int, Type]) -> None:
        self._data = data
        self._at = 0
        self._types = types
        self._left = MOST_VALUES

    def message(self) -> Decoded | None:
        """Return the message's value, or None where it describes a type."""
        number = self._integer()
        if number < 0:
            self._describe(-number)
            self._end()
            return None
        kind = self._type(number)
        value = self._single(kind, 0)
        self._end()
        return Decoded(kind, value)

    def _end(self) -> None:
        if self._at != len(self._data):
            raise GobError("a message is longer than its value")

    def _type(self, number: int) -> Type:
        """Return a type by its number. It may be described later than it is named."""
        if number in BASICS:
            return BASICS[number]
        if number == _COMPLEX or number < FIRST_ID - 1 or number not in self._types:
            raise GobError(f"a value of type {number}, which nobody has described")
        return self._types[number]

    def _part(self, number: int) -> Type:
        return BASICS[number] if number in BASICS else Numbered(number)

    def _describe(self, number: int) -> None:
        if number in self._types or number < FIRST_ID - 1 or len(self._types) >= MOST_TYPES:
            raise GobError(f"type {number} is described twice, or there are too many")
        self._types[number] = self._described(self._struct(WIRE_TYPE, 0))

    def _described(self, wire: Mapping[str, Any]) -> Type:
        if (record := wire.get("StructT")) is not None:
            fields = {each.get("Name", ""): self._part(each.get("Id", 0)) for each in record.get("Field", ())}
            return Struct(record.get("Common", {}).get("Name", ""), fields)
        if (slice_of := wire.get("SliceT")) is not None:
            return Slice(self._part(slice_of.get("Elem", 0)))
        if (array := wire.get("ArrayT")) is not None:
            return Array(self._part(array.get("Elem", 0)), array.get("Len", 0))
        if (map_of := wire.get("MapT")) is not None:
            return Map(self._part(map_of.get("Key", 0)), self._part(map_of.get("Elem", 0)))
        for each in _OPAQUES:
            if each in wire:
                return Opaque(wire[each].get("Common", {}).get("Name", ""))
        raise GobError("a type of no known sort")

    def _single(self, kind: Type, depth: int) -> Any:
        """Read a value that stands by itself: one that is no struct has a zero before it."""
        if not isinstance(kind, Struct) and self._uint() != 0:
            raise GobError("a value doesn't begin where it should")
        return self._value(kind, depth)

    def _value(self, kind: Type, depth: int) -> Any:
        if depth > DEEPEST:
            raise GobError(f"values are nested deeper than {DEEPEST}")
        self._left -= 1
        if self._left < 0:
            raise GobError(f"more than {MOST_VALUES} values in one message")
        if isinstance(kind, Numbered):
            kind = self._type(kind.id)
        if isinstance(kind, Basic):
            return self._interface(depth + 1) if kind is INTERFACE else self._basic(kind)
        return self._compound(kind, depth)

    def _compound(self, kind: Type, depth: int) -> Any:
        match kind:
            case Struct():
                return self._struct(kind, depth + 1)
            case Slice(element):
                return self._list(element, self._count(), depth)
            case Array(element, length):
                if self._count() != length:
                    raise GobError("an array of another length")
                return self._list(element, length, depth)
            case Map(key, element):
                return self._map(key, element, depth)
            case _:
                return self._bytes()

    def _list(self, element: Type, count: int, depth: int) -> list[Any]:
        return [self._value(element, depth + 1) for _ in range(count)]

    def _map(self, key: Type, element: Type, depth: int) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for _ in range(self._count()):
            name = self._value(key, depth + 1)
            if not isinstance(name, str | int | float | bytes):
                raise GobError("a map with keys that are no plain values")
            found[name] = self._value(element, depth + 1)
        return found

    def _struct(self, kind: Struct, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        fields = list(kind.fields.items())
        number = -1
        while (step := self._uint()) != 0:
            number += step
            if number >= len(fields):
                raise GobError(f"{kind.name or 'a struct'} has no field of number {number}")
            name, each = fields[number]
            found[name] = self._value(each, depth)
        return found

    def _interface(self, depth: int) -> Boxed | None:
        name = self._text()
        if not name:
            return None
        while (number := self._integer()) < 0:
            self._describe(-number)
            self._uint()  # the length of what follows: another description, or the number
        kind = self._type(number)
        end = self._uint() + self._at
        value = self._single(kind, depth)
        if self._at != end:
            raise GobError(f"what an interface holds as {name} has another length than it says")
        return Boxed(name, kind, value)

    def _basic(self, kind: Basic) -> Any:
        if kind is BOOL:
            return self._uint() != 0
        if kind is INT:
            return self._integer()
        if kind is UINT:
            return self._uint()
        if kind is FLOAT:
            return struct.unpack("<d", self._uint().to_bytes(8, "big"))[0]
        if kind is STRING:
            return self._text()
        if kind is BYTES:
            return self._bytes()
        raise GobError(f"nothing can be read as {kind.name}")

    def _count(self) -> int:
        """Read how many there are: no more than bytes are left, since each takes one at least."""
        count = self._uint()
        if count > len(self._data) - self._at:
            raise GobError("a list is longer than its message")
        return count

    def _text(self) -> str:
        return self._bytes().decode("utf-8", "replace")

    def _bytes(self) -> bytes:
        return self._take(self._uint())

    def _take(self, length: int) -> bytes:
        end = self._at + length
        if end > len(self._data):
            raise GobError("a message ends too early")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def _uint(self) -> int:
        first = self._take(1)[0]
        if first < 128:
            return first
        if first < 248:
            raise GobError("a number of more than 64 bits")
        return int.from_bytes(self._take(256 - first), "big")

    def _integer(self) -> int:
        number = self._uint()
        return ~(number >> 1) if number & 1 else number >> 1
