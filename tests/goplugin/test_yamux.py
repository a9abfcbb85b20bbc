"""Streams share a connection: windows, pings, resets and ends."""

import struct

import pytest

from rollouts.goplugin.yamux import WINDOW, Closed, Data, Event, GoneAway, Yamux, YamuxError

_HEADER = struct.Struct(">BBHII")
_DATA, _UPDATE, _PING, _AWAY = range(4)
_SYN, _ACK, _FIN, _RST = 1, 2, 4, 8


def _frames(data: bytes) -> list[tuple[int, int, int, int]]:
    found = []
    while data:
        _, kind, flags, stream, length = _HEADER.unpack_from(data)
        found.append((kind, flags, stream, length))
        data = data[_HEADER.size + (length if kind == _DATA else 0) :]
    return found


def _frame(kind: int, flags: int, stream: int, length: int, body: bytes = b"") -> bytes:
    return _HEADER.pack(0, kind, flags, stream, length) + body


def _events(mux: Yamux, data: bytes) -> list[Event]:
    return list(mux.receive(data))


def _opened() -> tuple[Yamux, int]:
    mux = Yamux()
    stream = mux.open()
    mux.outgoing()
    return mux, stream


def test_streams_are_opened_with_odd_numbers() -> None:
    mux = Yamux()
    assert [mux.open(), mux.open()] == [1, 3]
    assert _frames(mux.outgoing()) == [(_UPDATE, _SYN, 1, 0), (_UPDATE, _SYN, 3, 0)]


def test_data_comes_in_pieces_of_any_size() -> None:
    mux, stream = _opened()
    data = _frame(_UPDATE, _ACK, stream, 0) + _frame(_DATA, 0, stream, 5, b"hello") + _frame(_DATA, _FIN, stream, 0)
    events = [event for byte in data for event in mux.receive(bytes((byte,)))]
    assert events == [Data(stream, b"hello"), Closed(stream)]


def test_a_ping_is_answered() -> None:
    mux, _ = _opened()
    assert not _events(mux, _frame(_PING, _SYN, 0, 77))
    assert _frames(mux.outgoing()) == [(_PING, _ACK, 0, 77)]


def test_no_more_is_sent_than_the_window_lets_us() -> None:
    mux, stream = _opened()
    mux.send(stream, bytes(WINDOW + 10))
    assert _frames(mux.outgoing()) == [(_DATA, 0, stream, WINDOW)]
    assert not _events(mux, _frame(_UPDATE, 0, stream, 4))
    assert _frames(mux.outgoing()) == [(_DATA, 0, stream, 4)]
    assert not _events(mux, _frame(_UPDATE, 0, stream, 100))
    assert _frames(mux.outgoing()) == [(_DATA, 0, stream, 6)]


def test_the_other_side_may_send_more_once_half_the_window_is_read() -> None:
    mux, stream = _opened()
    half = WINDOW // 2
    _events(mux, _frame(_DATA, 0, stream, half - 1, bytes(half - 1)))
    assert not mux.outgoing()
    _events(mux, _frame(_DATA, 0, stream, 1, b"x"))
    assert _frames(mux.outgoing()) == [(_UPDATE, 0, stream, half)]


def test_a_stream_that_is_reset_takes_nothing_more() -> None:
    mux, stream = _opened()
    assert _events(mux, _frame(_UPDATE, _RST, stream, 0)) == [Closed(stream)]
    with pytest.raises(YamuxError, match="closed"):
        mux.send(stream, b"x")
    assert not _events(mux, _frame(_DATA, 0, stream, 1, b"x"))


def test_streams_that_the_other_side_opens_are_reset() -> None:
    mux, _ = _opened()
    assert not _events(mux, _frame(_UPDATE, _SYN, 2, 0))
    assert _frames(mux.outgoing()) == [(_UPDATE, _RST, 2, 0)]
    assert not _events(mux, _frame(_DATA, 0, 2, 1, b"x"))


def test_the_end_is_told() -> None:
    mux, _ = _opened()
    assert _events(mux, _frame(_AWAY, 0, 0, 2)) == [GoneAway(2)]


@pytest.mark.parametrize(
    "data",
    [
        b"\1" + bytes(11),
        _frame(9, 0, 1, 0),
        _frame(_DATA, 0, 1, WINDOW + 1),
    ],
)
def test_what_is_no_yamux_is_refused(data: bytes) -> None:
    mux, _ = _opened()
    with pytest.raises(YamuxError):
        _events(mux, data)


def test_whoever_doesnt_read_is_given_up() -> None:
    mux, stream = _opened()
    with pytest.raises(YamuxError, match="doesn't read"):
        mux.send(stream, bytes(Yamux.LONGEST_WAIT + 1))
