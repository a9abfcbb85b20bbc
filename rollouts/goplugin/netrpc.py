"""How are a plugin's methods called? Go's net/rpc: a header and a value each way, matched by a number."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rollouts.goplugin.gob import STRING, UINT, Decoder, Encoder, GobError, Struct, Type

_REQUEST = Struct("Request", {"ServiceMethod": STRING, "Seq": UINT})


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to the call of a number: a value, or an error where it isn't empty."""

    number: int
    value: Any = None
    error: str = ""


class RpcClient:
    """One stream of calls; several may be under way, and are answered in any order."""

    def __init__(self) -> None:
        self._encoder = Encoder()
        self._decoder = Decoder()
        self._last = 0
        self._header: dict[str, Any] | None = None

    def call(self, method: str, kind: Type, argument: Any) -> tuple[int, bytes]:
        """Return a call's number, and the bytes that make it. Raises GobError."""
        # The value is what may be refused, and a header without one would spoil the stream.
        body = self._encoder.encode(kind, argument)
        number = self._last = self._last + 1
        header = self._encoder.encode(_REQUEST, {"ServiceMethod": method, "Seq": number})
        return number, header + body

    def receive(self, data: bytes) -> Iterator[Reply]:
        """Yield the replies that are complete. Raises GobError."""
        for decoded in self._decoder.receive(data):
            if self._header is None:
                self._header = self._checked(decoded.value)
            else:
                header, self._header = self._header, None
                error = header.get("Error", "")
                yield Reply(header.get("Seq", 0), None if error else decoded.value, error)

    @staticmethod
    def _checked(value: Any) -> dict[str, Any]:
        is_header = isinstance(value, dict) and isinstance(value.get("Seq", 0), int)
        if not is_header or not isinstance(value.get("Error", ""), str):
            raise GobError("a reply without a header")
        header: dict[str, Any] = value
        return header
