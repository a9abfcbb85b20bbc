"""How old is it, and how long will it take? Lengths of time as people read them."""

from datetime import datetime, timedelta

_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 365 * 86400

# Up to which length which two units are shown; the second is left out where it would say nothing useful.
_SCALES = (
    (2 * _MINUTE, 1, "s", 0, ""),
    (10 * _MINUTE, _MINUTE, "m", 1, "s"),
    (3 * _HOUR, _MINUTE, "m", 0, ""),
    (8 * _HOUR, _HOUR, "h", _MINUTE, "m"),
    (2 * _DAY, _HOUR, "h", 0, ""),
    (8 * _DAY, _DAY, "d", _HOUR, "h"),
    (2 * _YEAR, _DAY, "d", 0, ""),
)


def short(length: timedelta) -> str:
    """Return a length in at most two units, as kubectl shows ages: 95s, 3m20s, 25m, 5h10m, 3d4h."""
    seconds = max(0, int(length.total_seconds()))
    for limit, unit, letter, rest_unit, rest_letter in _SCALES:
        if seconds < limit:
            whole, rest = divmod(seconds, unit)
            rest = rest // rest_unit if rest_unit else 0
            return f"{whole}{letter}" + (f"{rest}{rest_letter}" if rest else "")
    return f"{seconds // _YEAR}y"


def age(since: datetime | None, now: datetime) -> str:
    """Return how long ago something was; `<unknown>` when nobody knows."""
    return "<unknown>" if since is None else short(now - since)


def remaining(until: datetime, now: datetime) -> str:
    """Return how long it is until an instant, rounded up so that `0s` means: now."""
    left = (until - now).total_seconds()
    return short(timedelta(seconds=-int(-left // 1))) if left > 0 else "0s"
