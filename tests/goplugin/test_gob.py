"""What is written as gob is read again, and bytes of anybody are read or refused, within bounds."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollouts.goplugin.gob import (
    BOOL,
    BYTES,
    FLOAT,
    INT,
    INTERFACE,
    STRING,
    UINT,
    Array,
    Boxed,
    Decoded,
    Decoder,
    Encoder,
    GobError,
    Map,
    Opaque,
    Slice,
    Struct,
    Type,
)
from rollouts.goplugin.gob.decoding import LONGEST_MESSAGE, MOST_VALUES
from rollouts.goplugin.gob.encoding import uint

_BASICS: list[tuple[Type, st.SearchStrategy[Any]]] = [
    (BOOL, st.booleans()),
    (INT, st.integers(-(2**63), 2**63 - 1)),
    (UINT, st.integers(0, 2**64 - 1)),
    (FLOAT, st.floats(allow_nan=False)),
    (STRING, st.text()),
    (BYTES, st.binary()),
    (Opaque("Time"), st.binary()),
]


def _wider(inner: st.SearchStrategy[tuple[Type, Any]]) -> st.SearchStrategy[tuple[Type, Any]]:
    def lists(pair: tuple[Type, Any]) -> tuple[Type, Any]:
        return Slice(pair[0]), [pair[1], pair[1]]

    def maps(pair: tuple[Type, Any]) -> tuple[Type, Any]:
        return Map(STRING, pair[0]), {"": pair[1], "b": pair[1]}

    def arrays(pair: tuple[Type, Any]) -> tuple[Type, Any]:
        return Array(pair[0], 3), [pair[1]] * 3

    def boxes(pair: tuple[Type, Any]) -> tuple[Type, Any]:
        return INTERFACE, Boxed("its name", *pair)

    def structs(pairs: dict[str, tuple[Type, Any]]) -> tuple[Type, Any]:
        kind = Struct("T", {"Absent": INT, **{name: each[0] for name, each in pairs.items()}})
        return kind, {name: each[1] for name, each in pairs.items()}

    fields = st.dictionaries(st.sampled_from("ABCDE"), inner, max_size=4)
    return st.one_of(inner.map(lists), inner.map(maps), inner.map(arrays), inner.map(boxes), fields.map(structs))


_VALUES = st.recursive(st.one_of(*[st.tuples(st.just(kind), each) for kind, each in _BASICS]), _wider, max_leaves=8)


def _plain(value: Any) -> Any:
    """Leave out what a box says of its type: one that was read has parts that are numbered."""
    if isinstance(value, Boxed):
        return value.name, _plain(value.value)
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _read(data: bytes, size: int = 1 << 20) -> list[Decoded]:
    decoder = Decoder()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return [decoded for piece in pieces for decoded in decoder.receive(piece)]


@given(st.lists(_VALUES, min_size=1, max_size=3), st.integers(1, 40))
def test_what_was_written_is_read_in_pieces_of_any_size(values: list[tuple[Type, Any]], size: int) -> None:
    encoder = Encoder()
    data = b"".join(encoder.encode(kind, value) for kind, value in values)
    assert [_plain(each.value) for each in _read(data, size)] == [_plain(value) for _, value in values]


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_bytes_of_anybody_are_read_or_refused(data: bytes) -> None:
    try:
        _read(data)
    except GobError:
        return


@given(_VALUES, st.integers(0, 10_000), st.integers(0, 255))
@settings(max_examples=300)
def test_a_broken_byte_is_read_or_refused(value: tuple[Type, Any], at: int, byte: int) -> None:
    data = bytearray(Encoder().encode(*value))
    data[at % len(data)] = byte
    try:
        _read(bytes(data))
    except GobError:
        return


def test_a_type_is_described_once() -> None:
    encoder, kind = Encoder(), Struct("T", {"Name": STRING})
    first, second = (encoder.encode(kind, {"Name": "x"}) for _ in range(2))
    assert first.endswith(second)
    assert len(second) < len(first)


def test_a_type_may_hold_itself() -> None:
    tree = Struct("Tree")
    tree.fields |= {"Name": STRING, "Parts": Slice(tree)}
    value = {"Name": "a", "Parts": [{"Name": "b"}, {"Parts": [{"Name": "c"}]}]}
    assert [each.value for each in _read(Encoder().encode(tree, value))] == [value]


def test_what_goes_wrong_while_writing_leaves_the_stream_whole() -> None:
    encoder, kind = Encoder(), Struct("T", {"Name": STRING})
    with pytest.raises(GobError, match="a int where a str belongs"):
        encoder.encode(kind, {"Name": 1})
    with pytest.raises(GobError, match="has no field Other"):
        encoder.encode(kind, {"Other": 1})
    assert _read(encoder.encode(kind, {"Name": "x"}))[0].value == {"Name": "x"}


def test_a_value_of_go_itself() -> None:
    described = "1fff81 030101 05506f696e74 01ff82 00 0102 01 0158 0104 00 01 0159 0104 00 00 00"
    data = bytes.fromhex(described) + bytes.fromhex("07ff82 012c 0142 00")
    assert _read(data)[0].value == {"X": 22, "Y": 33}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (uint(LONGEST_MESSAGE + 1), "are the most"),
        (b"\x80", "64 bits"),
        (b"\x02\xfe\x01", "ends too early"),
        (b"\x04\x04\x00\x05\x06", "longer than its value"),
        (b"\x03\xff\xc8\x00", "nobody has described"),
    ],
)
def test_what_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(GobError, match=says):
        _read(data)


def test_memory_is_bounded() -> None:
    empty = Struct("Empty")
    many = Encoder().encode(Slice(empty), [{}] * (MOST_VALUES + 1))
    with pytest.raises(GobError, match="values in one message"):
        _read(many)
    kind: Type = INT
    value: Any = 1
    for _ in range(150):
        kind, value = Slice(kind), [value]
    with pytest.raises(GobError, match="nested deeper"):
        _read(Encoder().encode(kind, value))
