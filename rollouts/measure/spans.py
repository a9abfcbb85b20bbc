"""How long is the span of time that a query looks at?"""

from collections.abc import Iterator
from datetime import timedelta

from rollouts.api.durations import parse_duration
from rollouts.measure.addresses import is_templated
from rollouts.ports.provider import MeasurementError


def span_problems(field: str, text: str | None) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a span that may be missing."""
    if text and not is_templated(text):
        why = _why_not(field, text)
        if why:
            yield field, why


def span_of(field: str, text: str | None, default: str) -> timedelta:
    """Return a span. Raises MeasurementError."""
    why = _why_not(field, text or default)
    if why:
        raise MeasurementError(why)
    return parse_duration(text or default)


def _why_not(field: str, text: str) -> str:
    try:
        length = parse_duration(text)
    except ValueError as error:
        return f"{field}: {error}"
    if timedelta() < length <= timedelta(days=365):
        return ""
    return f"{field} {text!r} has to be longer than nothing and no longer than a year: write it as in 5m"
