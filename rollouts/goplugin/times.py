"""How is a time written by Go's `Time`? Seconds since the year 1, nanoseconds, and minutes from UTC."""

import struct
from datetime import UTC, datetime, timedelta
from typing import Any

from rollouts.api.timestamps import format_time, parse_time
from rollouts.goplugin.gob import GobError

_TIME = struct.Struct(">BqiH")
_VERSION, _UTC = 1, 0xFFFF
_VERSIONS = (1, 2)
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


def write_time(text: Any) -> bytes:
    """Return the bytes of a time that stands in an object."""
    passed = parse_time(text) - _BEGINNING
    return _TIME.pack(_VERSION, passed.days * 86_400 + passed.seconds, passed.microseconds * 1_000, _UTC)


def read_time(data: Any) -> str | None:
    """Return a time as objects hold it; None for Go's zero time. Raises GobError."""
    if not isinstance(data, bytes) or len(data) not in {_TIME.size, _TIME.size + 1} or data[0] not in _VERSIONS:
        raise GobError("this is no time of Go's")
    _, seconds, nanoseconds, _ = _TIME.unpack_from(data)
    try:
        moment = _BEGINNING + timedelta(seconds=seconds, microseconds=nanoseconds // 1_000)
    except OverflowError:
        raise GobError("a time beyond all years") from None
    return None if moment == _BEGINNING else format_time(moment)
