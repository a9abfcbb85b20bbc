"""How long is "1h30m"? Durations as the API writes them: Go's notation, and seconds for pauses."""

import re
from datetime import timedelta
from fractions import Fraction

NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,  # the micro sign
    "μs": 10**3,  # the Greek letter, which Go reads too
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?([^0-9.]+)")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_MAX_NANOSECONDS = 2**63 - 1
_MAX_PAUSE_SECONDS = 2**31 - 1
_WAY_OUT = "write numbers with units h, m, s, ms, us or ns, for example 90s or 1h30m"


def parse_duration(text: str) -> timedelta:
    """Read `text` as Go does; what is finer than a microsecond is cut off. Raises ValueError."""
    nanoseconds = parse_nanoseconds(text)
    length = timedelta(microseconds=abs(nanoseconds) // 1000)
    return -length if nanoseconds < 0 else length


def parse_nanoseconds(text: str) -> int:
    """Read `text` as Go does, in full. Raises ValueError."""
    sign = -1 if text.startswith("-") else 1
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0
    if not rest:
        raise ValueError(f"{text!r} is no duration: {_WAY_OUT}")
    total, position = 0, 0
    while position < len(rest):
        part = _PART.match(rest, position)
        if part is None:
            raise ValueError(f"{text!r} is no duration: a number lacks its unit; {_WAY_OUT}")
        total += _nanoseconds(text, *part.groups(default=""))
        position = part.end()
    if total > _MAX_NANOSECONDS + (sign < 0):
        raise ValueError(f"{text!r} is too long a duration: about 292 years are the limit")
    return sign * total


def _nanoseconds(text: str, whole: str, fraction: str, unit: str) -> int:
    if not whole and not fraction:
        raise ValueError(f"{text!r} is no duration: a number is missing before {unit!r}; {_WAY_OUT}")
    if unit not in NANOSECONDS:
        raise ValueError(f"{text!r} is no duration: unknown unit {unit!r}; {_WAY_OUT}")
    if len(whole) > 20:
        return _MAX_NANOSECONDS + 2  # surely too long, and cheaper than big arithmetic on a hostile text
    digits = fraction[:18]
    value = int(whole or 0) + Fraction(int(digits or 0), 10 ** len(digits))
    return int(value * NANOSECONDS[unit])


def parse_pause(value: int | str) -> timedelta:
    """Read the duration of a pause: a number, bare or in quotes, counts seconds; else it is in Go's notation.

    Fractions of a second are cut off. Raises ValueError.
    """
    if isinstance(value, int) or _INTEGER.fullmatch(value):
        seconds = _MAX_PAUSE_SECONDS + 1 if len(str(value)) > 20 else int(value)
    else:
        length = parse_duration(value)
        seconds = -1 if length < timedelta() else length // timedelta(seconds=1)
    if seconds < 0:
        raise ValueError(f"{value!r} is negative: a pause lasts 0 seconds or longer")
    if seconds > _MAX_PAUSE_SECONDS:
        raise ValueError(f"{value!r} is too long a pause: leave the duration out to wait until somebody promotes")
    return timedelta(seconds=seconds)


def format_duration(length: timedelta) -> str:
    """Write `length` in whole seconds, as in 1h2m3s; units that are zero are left out, and 0s is nothing at all."""
    seconds = abs(length) // timedelta(seconds=1)
    if not seconds:
        return "0s"
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = ((hours, "h"), (minutes, "m"), (seconds, "s"))
    return ("-" if length < timedelta() else "") + "".join(f"{count}{unit}" for count, unit in parts if count)
