"""What instant does a timestamp on the wire mean? RFC 3339 is read and written; inside, times are aware and in UTC."""

import re
from datetime import MAXYEAR, UTC, datetime
from functools import lru_cache
from typing import Final

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)

# The longest delay that the API takes, 2**31 - 1 seconds, is 68 years: adding it to a time must stay possible.
_LAST_YEAR: Final = MAXYEAR - 70


@lru_cache(maxsize=8192)
def parse_time(text: str) -> datetime:
    """Read an RFC 3339 time with any offset as an aware time in UTC. Raises ValueError."""
    if _RFC3339.fullmatch(text):
        try:
            instant = datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError):
            pass  # such as a 13th month: the text is named below
        else:
            if instant.year <= _LAST_YEAR:
                return instant
    raise ValueError(f"{text!r} is no time: write it as in 2006-01-02T15:04:05Z")


@lru_cache(maxsize=8192)
def format_time(instant: datetime) -> str:
    """Write an aware time as Kubernetes does in most places: UTC, whole seconds."""
    # Not strftime: this is called for every time in every status, and isoformat is five times faster.
    return instant.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def whole_second(instant: datetime) -> datetime:
    """Return a time as the API keeps it: without what is beyond whole seconds."""
    return instant.replace(microsecond=0)


def format_micro_time(instant: datetime) -> str:
    """Write an aware time as leases and events want it: UTC, six digits of a second."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
