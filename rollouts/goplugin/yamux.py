"""How do several streams share one connection? yamux, seen from the client, which opens them all.

Bytes go in and come out; whoever has the connection moves them. What the other side may send before it is read is
bounded by windows, so its data is handed on at once and only then may it send more.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

WINDOW = 256 * 1024
_HEADER = struct.Struct(">BBHII")
_DATA, _WINDOW_UPDATE, _PING, _GO_AWAY = range(4)
_SYN, _ACK, _FIN, _RST = 1, 2, 4, 8
_MOST_STREAMS = 64


class YamuxError(Exception):
    """The other side doesn't keep to the protocol."""


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes of a stream."""

    stream: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Closed:
    """Nothing more comes on a stream."""

    stream: int


@dataclass(frozen=True, slots=True)
class GoneAway:
    """The other side ends the connection; the code is 0 where nothing is wrong."""

    code: int


Event = Data | Closed | GoneAway


@dataclass(slots=True)
class _Stream:
    may_send: int = WINDOW
    may_receive: int = WINDOW
    waiting: bytearray = field(default_factory=bytearray)
    is_ended: bool = False


class Yamux:
    """The client's end of a connection."""

    LONGEST_WAIT: ClassVar[int] = 16 * 1024 * 1024
    """Bytes that wait for the other side to read; beyond that it counts as stuck."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._out = bytearray()
        self._streams: dict[int, _Stream] = {}
        self._next = 1

    def open(self) -> int:
        """Open a stream, and return its number."""
        if len(self._streams) >= _MOST_STREAMS:
            raise YamuxError(f"more than {_MOST_STREAMS} streams")
        number, self._next = self._next, self._next + 2
        self._streams[number] = _Stream()
        self._frame(_WINDOW_UPDATE, _SYN, number, 0)
        return number

    def send(self, stream: int, data: bytes) -> None:
        """Send bytes on a stream, as soon as the other side lets us. Raises YamuxError."""
        known = self._streams.get(stream)
        if known is None or known.is_ended:
            raise YamuxError("the stream is closed")
        known.waiting += data
        if len(known.waiting) > self.LONGEST_WAIT:
            raise YamuxError("it doesn't read what it is sent")
        self._flush(stream, known)

    def outgoing(self) -> bytes:
        """Take what is to be written to the connection."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def receive(self, data: bytes) -> Iterator[Event]:
        """Yield what bytes from the connection say. Raises YamuxError."""
        self._received += data
        while len(self._received) >= _HEADER.size:
            version, kind, flags, stream, length = _HEADER.unpack_from(self._received)
            if version != 0 or kind > _GO_AWAY:
                raise YamuxError(f"a frame of version {version} and kind {kind}")
            end = _HEADER.size + (length if kind == _DATA else 0)
            if kind == _DATA and length > WINDOW:
                raise YamuxError("more data than the window holds")
            if len(self._received) < end:
                return
            body = bytes(self._received[_HEADER.size : end])
            del self._received[:end]
            yield from self._event(kind, flags, stream, length, body)

    def _event(self, kind: int, flags: int, stream: int, length: int, body: bytes) -> Iterator[Event]:
        if kind == _PING:
            if flags & _SYN:
                self._frame(_PING, _ACK, 0, length)
        elif kind == _GO_AWAY:
            yield GoneAway(length)
        elif flags & _SYN:
            # Plugins may open streams in this protocol; those of Argo Rollouts have nobody to talk to.
            self._frame(_WINDOW_UPDATE, _RST, stream, 0)
        else:
            yield from self._of_stream(kind, flags, stream, length, body)

    def _of_stream(self, kind: int, flags: int, stream: int, length: int, body: bytes) -> Iterator[Event]:
        known = self._streams.get(stream)
        if known is None:
            return  # it has crossed our reset of a stream
        if kind == _WINDOW_UPDATE:
            known.may_send += length
            self._flush(stream, known)
        elif body:
            known.may_receive -= length
            if known.may_receive < 0:
                raise YamuxError("more data than the window holds")
            self._widen(stream, known)
            yield Data(stream, body)
        if flags & (_FIN | _RST):
            known.is_ended = True
            del self._streams[stream]
            yield Closed(stream)

    def _widen(self, stream: int, known: _Stream) -> None:
        """Let the other side send more, half a window at a time."""
        if known.may_receive <= WINDOW // 2:
            self._frame(_WINDOW_UPDATE, 0, stream, WINDOW - known.may_receive)
            known.may_receive = WINDOW

    def _flush(self, stream: int, known: _Stream) -> None:
        length = min(known.may_send, len(known.waiting))
        if length:
            self._frame(_DATA, 0, stream, length)
            self._out += known.waiting[:length]
            del known.waiting[:length]
            known.may_send -= length

    def _frame(self, kind: int, flags: int, stream: int, length: int) -> None:
        self._out += _HEADER.pack(0, kind, flags, stream, length)
