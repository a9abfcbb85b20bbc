"""What happens on the connection to a plugin? It is asked for its service, and that is called; no I/O is done here.

Stream 1 is for control, 3 and 5 bring what the plugin prints; the service has a stream of its own, which begins with
the number that Dispense has answered.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rollouts.goplugin.gob import BOOL, STRING, GobError, Type
from rollouts.goplugin.handshake import Kind
from rollouts.goplugin.netrpc import Reply, RpcClient
from rollouts.goplugin.yamux import Closed, Data, GoneAway, Yamux, YamuxError

_NUMBER = struct.Struct("<I")


class SessionError(Exception):
    """The plugin has broken the protocol, or off; the message says how. Nothing can be called any more."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The service can be called."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a call: `error` is empty where there is a value. `call` is what `Session.call` returned."""

    call: tuple[str, int]
    value: Any = field(repr=False)
    error: str = ""


@dataclass(frozen=True, slots=True)
class Printed:
    """What the plugin has printed."""

    data: bytes = field(repr=False)


Event = Ready | Answered | Printed


class Session:
    """A connection, from its first byte on."""

    def __init__(self, kind: Kind) -> None:
        self._mux = Yamux()
        self._control_stream = self._mux.open()
        self._prints = {self._mux.open(), self._mux.open()}
        self._control = RpcClient()
        self._service = RpcClient()
        self._service_stream = 0
        self._number = 0
        self._acknowledged = bytearray()
        self._is_ready = False
        self._dispensing = self._on_control("Dispenser.Dispense", STRING, kind.service)

    def outgoing(self) -> bytes:
        """Take what is to be written to the connection."""
        return self._mux.outgoing()

    def call(self, method: str, kind: Type, argument: Any) -> tuple[str, int]:
        """Call the service, once it is ready. Raises GobError for an argument that can't be sent, SessionError."""
        if not self._is_ready:
            raise SessionError("it isn't ready")
        number, data = self._service.call(f"Plugin.{method}", kind, argument)
        self._send(self._service_stream, data)
        return "service", number

    def ping(self) -> tuple[str, int]:
        """Ask whether it lives. Raises SessionError."""
        return self._on_control("Control.Ping", BOOL, argument=True)

    def quit(self) -> tuple[str, int]:
        """Ask it to end. Raises SessionError."""
        return self._on_control("Control.Quit", BOOL, argument=True)

    def receive(self, data: bytes) -> Iterator[Event]:
        """Yield what bytes from the connection say. Raises SessionError."""
        try:
            for event in self._mux.receive(data):
                yield from self._of(event)
        except (YamuxError, GobError) as error:
            raise SessionError(f"it doesn't keep to the protocol: {error}") from error

    def _of(self, event: Data | Closed | GoneAway) -> Iterator[Event]:
        match event:
            case Data(stream, data) if stream in self._prints:
                yield Printed(data)
            case Data(stream, data) if stream == self._control_stream:
                for reply in self._control.receive(data):
                    yield from self._controlled(reply)
            case Data(stream, data) if stream == self._service_stream:
                yield from self._of_service(data)
            case Closed(stream) if stream in {self._control_stream, self._service_stream}:
                raise SessionError("it has closed the connection")
            case GoneAway(code):
                raise SessionError(f"it has ended the connection (code {code})")

    def _controlled(self, reply: Reply) -> Iterator[Event]:
        if ("control", reply.number) != self._dispensing:
            yield Answered(("control", reply.number), reply.value, reply.error)
            return
        if reply.error or not isinstance(reply.value, int):
            raise SessionError(f"it doesn't have the service: {reply.error or 'it gives it no number'}")
        self._number = reply.value
        self._service_stream = self._mux.open()
        self._send(self._service_stream, _NUMBER.pack(self._number))

    def _of_service(self, data: bytes) -> Iterator[Event]:
        if not self._is_ready:
            self._acknowledged += data
            if len(self._acknowledged) < _NUMBER.size:
                return
            if _NUMBER.unpack_from(self._acknowledged)[0] != self._number:
                raise SessionError("it connects us with another service than we asked for")
            self._is_ready = True
            yield Ready()
            data = bytes(self._acknowledged[_NUMBER.size :])
        for reply in self._service.receive(data):
            yield Answered(("service", reply.number), reply.value, reply.error)

    def _on_control(self, method: str, kind: Type, argument: Any) -> tuple[str, int]:
        number, data = self._control.call(method, kind, argument)
        self._send(self._control_stream, data)
        return "control", number

    def _send(self, stream: int, data: bytes) -> None:
        try:
            self._mux.send(stream, data)
        except YamuxError as error:
            raise SessionError(str(error)) from error
