"""`plugin: {name: office-hours}`: may the rollout go on at this time of the week?"""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from pydantic import ConfigDict, Field
from rollouts.api.base import Model
from rollouts.ports import Gate, Here, Open, Shut, Step

SATURDAY = 5


class Hours(Model):
    """The `config` of the step: two times of day in UTC."""

    model_config = ConfigDict(extra="forbid")

    begin: str = Field("09:00", alias="from")
    end: str = Field("16:00", alias="to")


class OfficeHours(Step[Hours]):
    """Open from Monday to Friday between two times of day, in UTC; shut at all other times."""

    key = "office-hours"
    model = Hours

    def problems(self, spec: Hours, *, max_weight: int, routed: bool) -> Iterator[tuple[str, str]]:
        del max_weight, routed
        is_sound = True
        for path, text in (("from", spec.begin), ("to", spec.end)):
            if _time(text) is None:
                is_sound = False
                yield path, f"{text!r} is no time of day: write it as HH:MM, in UTC"
        begin, end = _hours(spec)
        if is_sound and begin >= end:
            yield "", f"from ({begin:%H:%M}) must be before to ({end:%H:%M})"

    def gate(self, spec: Hours, here: Here, now: datetime) -> Gate:
        if here.unmet:
            return Shut(here.unmet)
        begin, end = _hours(spec)
        now = now.astimezone(UTC)
        if now.weekday() < SATURDAY and begin <= now.time() < end:
            return Open(f"it is between {begin:%H:%M} and {end:%H:%M} UTC on a working day")
        opens = _next_opening(begin, now)
        return Shut(f"office hours begin at {opens:%Y-%m-%d %H:%M} UTC", until=opens, patient=True)


def _time(text: str) -> time | None:
    try:
        return datetime.strptime(text, "%H:%M").replace(tzinfo=UTC).time()
    except ValueError:
        return None


def _hours(spec: Hours) -> tuple[time, time]:
    return _time(spec.begin) or time.min, _time(spec.end) or time.max


def _next_opening(begin: time, now: datetime) -> datetime:
    """Return the first opening after `now`."""
    day = now.date() if now.time() < begin else now.date() + timedelta(days=1)
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    return datetime.combine(day, begin, tzinfo=UTC)
