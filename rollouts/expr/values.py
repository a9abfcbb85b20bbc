"""Which values does an expression work on, and how does Go name and print them?

JSON comes in as Python has it: None, bool, float, str, list, dict. The rest are numbers that Go keeps apart (`int` is
Python's, `int64` is Int64), lists whose elements have one type, durations, and moments.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from rollouts.jsonpath.gotext import float_text

_WRAP = 2**64
_HALF = 2**63


class Int64(int):
    """What `asInt` returns: Go keeps int64 apart from int."""


class Floats(list[float]):
    """A list of float64, such as a Prometheus vector."""


class Ints(list[int]):
    """A list of int, such as `1..3`."""


class Texts(list[str]):
    """A list of string, such as `split` returns."""


class Pair(list[Any]):
    """An array of two, as `toPairs` makes them."""


class Pairs(list[Pair]):
    """A list of pairs."""


class AnyMap(dict[Any, Any]):
    """A map whose keys may be anything, as `groupBy` and `fromPairs` make them."""


class Groups(AnyMap):
    """What `groupBy` makes: lists by key."""


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A length of time in nanoseconds."""

    nanoseconds: int

    def __str__(self) -> str:
        return _duration_text(self.nanoseconds)


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time: a datetime with a zone, and the nanoseconds that it has no room for."""

    at: datetime
    nanoseconds: int = 0

    @property
    def since_epoch(self) -> int:
        """Nanoseconds since 1970."""
        whole = self.at - datetime(1970, 1, 1, tzinfo=self.at.tzinfo) if self.at.tzinfo is None else self.at - _EPOCH
        return (whole.days * 86400 + whole.seconds) * 10**9 + whole.microseconds * 1000 + self.nanoseconds

    def plus(self, length: Duration) -> "Moment":
        microseconds, rest = divmod(length.nanoseconds + self.nanoseconds, 1000)
        return Moment(self.at + timedelta(microseconds=microseconds), rest)

    def __str__(self) -> str:
        text = self.at.strftime("%Y-%m-%d %H:%M:%S").rjust(19, "0")
        fraction = f"{self.at.microsecond * 1000 + self.nanoseconds:09d}".rstrip("0")
        return f"{text}{'.' + fraction if fraction else ''} {self.at:%z} {self.at.tzname()}"


@dataclass(frozen=True, slots=True)
class Location:
    """A time zone."""

    name: str
    zone: tzinfo

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the environment: `parameters` and `result` are names of Go types."""

    name: str
    parameters: tuple[str, ...]
    result: str
    call: Callable[..., Any]

    def __str__(self) -> str:
        return f"func {self.name}"


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")

# In this order: what comes first is the more special one.
_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "bool"), (Int64, "int64"), (int, "int"), (float, "float64"), (str, "string"), (Floats, "[]float64"),
    (Ints, "[]int"), (Texts, "[]string"), (Pair, "[2]interface {}"), (Pairs, "[][2]interface {}"),
    (list, "[]interface {}"), (Groups, "map[interface {}][]interface {}"), (AnyMap, "map[interface {}]interface {}"),
    (dict, "map[string]interface {}"), (bytes, "[]uint8"), (Duration, "time.Duration"), (Moment, "time.Time"),
    (Location, "*time.Location"), (Function, "func"),
)  # fmt: skip


def go_type(value: Any) -> str:
    """Return the name of a value's Go type, as `%T` prints it."""
    if value is None:
        return "<nil>"
    return next((name for kind, name in _TYPES if isinstance(value, kind)), type(value).__name__)


def is_number(value: Any) -> bool:
    """Whether a value is a number, which a boolean isn't."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_integer(value: Any) -> bool:
    """Whether a value is a whole number by its type."""
    return isinstance(value, int) and not isinstance(value, bool)


def wrapped(number: int) -> int:
    """Return what 64 bits keep of a whole number."""
    return number if -_HALF <= number < _HALF else (number + _HALF) % _WRAP - _HALF


def truncated(number: float) -> int:
    """Return the whole part of a float; what 64 bits can't hold becomes the smallest of them, as on common machines."""
    if not math.isfinite(number) or not -_HALF <= number < _HALF:
        return -_HALF
    return int(number)


def go_text(value: Any) -> str:
    """Return a value as `%v` prints it."""
    if value is None or isinstance(value, bool):
        return {None: "<nil>", True: "true", False: "false"}[value]
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, list | bytes):
        return "[" + " ".join(map(go_text, value)) + "]"
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{go_text(key)}:{go_text(each)}" for key, each in _sorted(value)) + "]"
    return str(value)


def _sorted(mapping: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    """Return the entries as Go prints them: by the kinds of their keys, then by the keys."""
    kinds: tuple[type, ...] = (type(None), bool, int, float, str)

    def place(entry: tuple[Any, Any]) -> tuple[int, Any]:
        kind = next((index for index, each in enumerate(kinds) if isinstance(entry[0], each)), len(kinds))
        return kind, entry[0] if kind not in (0, len(kinds)) else go_text(entry[0])

    return sorted(mapping.items(), key=place)


def _duration_text(nanoseconds: int) -> str:
    if nanoseconds == 0:
        return "0s"
    sign, rest = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    for unit, size in (("ns", 1), ("µs", 10**3), ("ms", 10**6)):
        if rest < size * 1000:
            return f"{sign}{_fraction(rest, size)}{unit}"
    minutes, seconds = divmod(rest, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    front = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{front}{_fraction(seconds, 10**9)}s"


def _fraction(value: int, size: int) -> str:
    whole, rest = divmod(value, size)
    digits = f"{rest:0{len(str(size)) - 1}d}".rstrip("0") if rest else ""
    return f"{whole}.{digits}" if digits else str(whole)
