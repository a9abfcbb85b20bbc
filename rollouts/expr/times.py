"""Which functions know of time? Durations, dates, zones, and the methods that Go gives them.

There is no clock in here: whoever evaluates an expression says what time it is.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rollouts.api.durations import NANOSECONDS, parse_nanoseconds
from rollouts.expr.errors import Failure
from rollouts.expr.texts import text
from rollouts.expr.values import Duration, Location, Moment, go_type, truncated, wrapped

DEFAULT_LAYOUTS = (
    "2006-01-02",
    "15:04:05",
    "2006-01-02 15:04:05",
    "2006-01-02T15:04:05Z07:00",
    "02 Jan 06 15:04 MST",
    "Monday, 02-Jan-06 15:04:05 MST",
    "Mon, 02 Jan 2006 15:04:05 MST",
)
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _names(names: tuple[str, ...], length: int | None = None) -> str:
    return "|".join(name[:length] for name in names)


# What a layout's words stand for, the longer first. Each pattern has one group, named after its meaning.
_LAYOUT: tuple[tuple[str, str], ...] = (
    ("January", rf"(?P<month_name>{_names(_MONTHS)})"),
    ("Monday", rf"(?:{_names(_DAYS)})"),
    ("Z07:00", r"(?P<zone>Z|[+-]\d\d:\d\d)"),
    ("-07:00", r"(?P<zone>[+-]\d\d:\d\d)"),
    ("Z0700", r"(?P<zone>Z|[+-]\d{4})"),
    ("-0700", r"(?P<zone>[+-]\d{4})"),
    ("2006", r"(?P<year>\d{4})"),
    ("Jan", rf"(?P<month_name>{_names(_MONTHS, 3)})"),
    ("Mon", rf"(?:{_names(_DAYS, 3)})"),
    ("MST", r"(?P<zone_name>UTC|GMT(?:[+-]\d{1,2})?|[A-Z]{3,4})"),
    ("06", r"(?P<short_year>\d\d)"),
    ("01", r"(?P<month>\d\d)"),
    ("02", r"(?P<day>\d\d)"),
    ("_2", r"(?P<day>[ \d]\d)"),
    ("15", r"(?P<hour>\d\d)"),
    ("03", r"(?P<hour>\d\d)"),
    ("04", r"(?P<minute>\d\d)"),
    ("05", r"(?P<second>\d\d)(?P<fraction>\.\d+)?"),
    ("PM", r"(?P<half>AM|PM)"),
    ("pm", r"(?P<half>am|pm)"),
    ("1", r"(?P<month>\d{1,2})"),
    ("2", r"(?P<day>\d{1,2})"),
    ("3", r"(?P<hour>\d{1,2})"),
    ("4", r"(?P<minute>\d{1,2})"),
    ("5", r"(?P<second>\d{1,2})(?P<fraction>\.\d+)?"),
)


def parse_duration(value: Any) -> Duration:
    """Read `1h30m`. Raises Failure."""
    written = text(value)
    try:
        return Duration(parse_nanoseconds(written))
    except ValueError:
        raise Failure(_why_no_duration(written)) from None


def _why_no_duration(written: str) -> str:
    match = re.fullmatch(r"[+-]?(?:[0-9.]+[^0-9.]+)*?[0-9.]+([^0-9.]*)", written)
    if match is None or not re.search("[0-9]", written):
        return f'time: invalid duration "{written}"'
    if match[1] in NANOSECONDS:
        return f'time: invalid duration "{written}"'  # too long, or more than a number before a unit
    if not match[1]:
        return f'time: missing unit in duration "{written}"'
    return f'time: unknown unit "{match[1]}" in duration "{written}"'


def location(value: Any) -> Location:
    """Return a time zone by its name. Raises Failure."""
    name = text(value)
    if name in ("", "UTC"):
        return Location("UTC", UTC)
    try:
        return Location(name, ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Failure(f"unknown time zone {name}") from None


def parse_date(*arguments: Any) -> Moment:
    """Read a date: in one of the usual layouts, or in the one given; a zone may stand first or last. Raises Failure."""
    zone = arguments[0] if isinstance(arguments[0], Location) else None
    written, *rest = [text(each) for each in arguments[1 if zone else 0 :]]
    if len(rest) == 2:
        zone = location(rest[1])
    layouts = rest[:1] or DEFAULT_LAYOUTS
    for layout in layouts:
        moment = _parsed(written, layout, zone)
        if moment is not None:
            return moment
    if rest:
        raise Failure(f'parsing time "{written}" as "{rest[0]}": cannot parse "{written}" as "{rest[0]}"')
    raise Failure(f"invalid date {written}")


def _pattern(layout: str) -> re.Pattern[str]:
    """Return the pattern of a layout; all of its pieces have a bounded width, so that it can't run wild."""
    pieces: list[str] = []
    at = 0
    while at < len(layout):
        word, pattern = next(((each, pattern) for each, pattern in _LAYOUT if layout.startswith(each, at)), ("", ""))
        named = re.findall(r"\(\?P<(\w+)>", pattern)
        if any(f"(?P<{name}>" in piece for piece in pieces for name in named):
            pattern = re.sub(r"\?P<\w+>", "?:", pattern)
        pieces.append(pattern if word else re.escape(layout[at]))
        at += len(word) or 1
    return re.compile("".join(pieces))


def _parsed(written: str, layout: str, zone: Location | None) -> Moment | None:
    match = _pattern(layout).fullmatch(written)
    if match is None:
        return None
    found = {name: value for name, value in match.groupdict().items() if value}
    fraction = (found.get("fraction") or ".")[1:10].ljust(9, "0")
    try:
        at = datetime(
            _year(found), _month(found), int(found.get("day", 1)), _hour(found), int(found.get("minute", 0)),
            int(found.get("second", 0)), int(fraction[:6]), tzinfo=_zone(found, zone),
        )  # fmt: skip
    except ValueError:
        return None
    return Moment(at, int(fraction[6:]))


def _year(found: Mapping[str, str]) -> int:
    if "short_year" in found:
        short = int(found["short_year"])
        return short + (1900 if short >= 69 else 2000)
    return max(1, int(found.get("year", 1)))  # Go's year 0, where none is written, is beyond a datetime


def _month(found: Mapping[str, str]) -> int:
    if "month_name" in found:
        return next(index for index, name in enumerate(_MONTHS, 1) if name.startswith(found["month_name"]))
    return int(found.get("month", 1))


def _hour(found: Mapping[str, str]) -> int:
    hour, half = int(found.get("hour", 0)), found.get("half", "").upper()
    if half:
        hour = hour % 12 + (12 if half == "PM" else 0)
    return hour


def _zone(found: Mapping[str, str], given: Location | None) -> Any:
    offset = found.get("zone")
    if offset and offset != "Z":
        sign = -1 if offset[0] == "-" else 1
        digits = offset[1:].replace(":", "")
        east = sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        return timezone(east, f"{offset[0]}{digits}") if east else UTC
    return given.zone if given is not None and not offset else UTC


def formatted(moment: Moment, layout: str) -> str:
    """Write a moment in a layout."""
    at, pieces, position = moment.at, list[str](), 0
    while position < len(layout):
        word = next((each for each, _ in _LAYOUT if layout.startswith(each, position)), "")
        pieces.append(_written(at, word) if word else layout[position])
        position += len(word) or 1
    return "".join(pieces)


def _written(at: datetime, word: str) -> str:
    if "0700" in word or "07:00" in word:
        offset = at.strftime("%z")
        if word.startswith("Z") and offset in ("+0000", ""):
            return "Z"
        return f"{offset[:3]}:{offset[3:5]}" if ":" in word else offset[:5]
    values: dict[str, str] = {
        "January": _MONTHS[at.month - 1], "Jan": _MONTHS[at.month - 1][:3],
        "Monday": _DAYS[at.weekday()], "Mon": _DAYS[at.weekday()][:3], "MST": at.tzname() or "",
        "2006": f"{at.year:04d}", "06": f"{at.year % 100:02d}", "01": f"{at.month:02d}", "1": str(at.month),
        "02": f"{at.day:02d}", "_2": f"{at.day:2d}", "2": str(at.day), "15": f"{at.hour:02d}",
        "03": f"{(at.hour + 11) % 12 + 1:02d}", "3": str((at.hour + 11) % 12 + 1), "04": f"{at.minute:02d}",
        "4": str(at.minute), "05": f"{at.second:02d}", "5": str(at.second), "PM": "PM" if at.hour >= 12 else "AM",
        "pm": "pm" if at.hour >= 12 else "am",
    }  # fmt: skip
    return values[word]


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "duration": parse_duration,
    "date": parse_date,
    "timezone": location,
}


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a Go type: the types that it takes and the one that it returns."""

    takes: tuple[str, ...]
    returns: str
    call: Callable[..., Any]


def _truncated(length: Duration, to: Duration) -> Duration:
    if to.nanoseconds <= 0:
        return length
    sign = -1 if length.nanoseconds < 0 else 1
    return Duration(length.nanoseconds - sign * (abs(length.nanoseconds) % to.nanoseconds))


_DURATION_METHODS: Mapping[str, Method] = {
    "Hours": Method((), "float64", lambda length: length.nanoseconds / NANOSECONDS["h"]),
    "Minutes": Method((), "float64", lambda length: length.nanoseconds / NANOSECONDS["m"]),
    "Seconds": Method((), "float64", lambda length: length.nanoseconds / NANOSECONDS["s"]),
    "Milliseconds": Method((), "int64", lambda length: truncated(length.nanoseconds / NANOSECONDS["ms"])),
    "Microseconds": Method((), "int64", lambda length: truncated(length.nanoseconds / NANOSECONDS["us"])),
    "Nanoseconds": Method((), "int64", lambda length: length.nanoseconds),
    "Abs": Method((), "time.Duration", lambda length: Duration(wrapped(abs(length.nanoseconds)))),
    "Truncate": Method(("time.Duration",), "time.Duration", _truncated),
    "String": Method((), "string", str),
}
_MOMENT_METHODS: Mapping[str, Method] = {
    "Year": Method((), "int", lambda moment: moment.at.year),
    "Month": Method((), "int", lambda moment: moment.at.month),
    "Day": Method((), "int", lambda moment: moment.at.day),
    "Hour": Method((), "int", lambda moment: moment.at.hour),
    "Minute": Method((), "int", lambda moment: moment.at.minute),
    "Second": Method((), "int", lambda moment: moment.at.second),
    "Nanosecond": Method((), "int", lambda moment: moment.at.microsecond * 1000 + moment.nanoseconds),
    "Weekday": Method((), "int", lambda moment: moment.at.isoweekday() % 7),
    "YearDay": Method((), "int", lambda moment: moment.at.timetuple().tm_yday),
    "Unix": Method((), "int64", lambda moment: moment.since_epoch // 10**9),
    "UnixMilli": Method((), "int64", lambda moment: moment.since_epoch // 10**6),
    "UnixMicro": Method((), "int64", lambda moment: moment.since_epoch // 10**3),
    "UnixNano": Method((), "int64", lambda moment: moment.since_epoch),
    "UTC": Method((), "time.Time", lambda moment: Moment(moment.at.astimezone(UTC), moment.nanoseconds)),
    "In": Method(
        ("*time.Location",), "time.Time", lambda moment, to: Moment(moment.at.astimezone(to.zone), moment.nanoseconds)
    ),
    "Add": Method(("time.Duration",), "time.Time", lambda moment, length: moment.plus(length)),
    "Sub": Method(
        ("time.Time",), "time.Duration", lambda moment, other: Duration(moment.since_epoch - other.since_epoch)
    ),
    "Before": Method(("time.Time",), "bool", lambda moment, other: moment.since_epoch < other.since_epoch),
    "After": Method(("time.Time",), "bool", lambda moment, other: moment.since_epoch > other.since_epoch),
    "Equal": Method(("time.Time",), "bool", lambda moment, other: moment.since_epoch == other.since_epoch),
    "Format": Method(("string",), "string", formatted),
    "String": Method((), "string", str),
}
METHODS: Mapping[str, Mapping[str, Method]] = {"time.Duration": _DURATION_METHODS, "time.Time": _MOMENT_METHODS}


def method_of(value: Any, name: str) -> Method:
    """Return a method of a value. Raises Failure where its type has none of that name."""
    found = METHODS.get(go_type(value), {}).get(name)
    if found is None:
        raise Failure(f"cannot fetch {name} from {go_type(value)}")
    return found


__all__ = ["FUNCTIONS", "METHODS", "Method", "formatted", "location", "method_of", "parse_date", "parse_duration"]
