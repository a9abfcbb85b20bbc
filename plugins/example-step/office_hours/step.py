"""`plugin: {name: office-hours}`: may the rollout go on at this time of the week?"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, Protocol

from rollouts.ports import Gate, Here, Open, Shut, Step

NAME = "office-hours"
DEFAULTS: Mapping[str, str] = {"from": "09:00", "to": "16:00"}
SATURDAY = 5


class PluginSpec(Protocol):
    """What the API gives a step of the key `plugin`: its name, and its configuration as it stands in the manifest."""

    @property
    def name(self) -> str: ...

    @property
    def config(self) -> Mapping[str, Any] | None: ...


class OfficeHours(Step[PluginSpec]):
    """Open from Monday to Friday between two times of day, in UTC; shut at all other times."""

    key = "plugin"

    def problems(self, spec: PluginSpec, *, max_weight: int, routed: bool) -> Iterator[tuple[str, str]]:
        del max_weight, routed
        if spec.name != NAME:
            yield "name", f'"{spec.name}" is not installed: {NAME} is'
            return
        config = spec.config or {}
        for key, value in config.items():
            if key not in DEFAULTS:
                yield f"config.{key}", f"is unknown: known are {', '.join(DEFAULTS)}"
            elif _time(value) is None:
                yield f"config.{key}", f"{value!r} is no time of day: write it as HH:MM, in UTC"
        begin, end = _hours(spec)
        if begin >= end:
            yield "config", f"from ({begin:%H:%M}) must be before to ({end:%H:%M})"

    def gate(self, spec: PluginSpec, here: Here, now: datetime) -> Gate:
        if here.unmet:
            return Shut(here.unmet)
        begin, end = _hours(spec)
        now = now.astimezone(UTC)
        if now.weekday() < SATURDAY and begin <= now.time() < end:
            return Open(f"it is between {begin:%H:%M} and {end:%H:%M} UTC on a working day")
        opens = _next_opening(begin, now)
        return Shut(f"office hours begin at {opens:%Y-%m-%d %H:%M} UTC", until=opens, patient=True)

    def title(self, spec: PluginSpec) -> str:
        return f"plugin: {spec.name}"


def _time(value: object) -> time | None:
    try:
        return datetime.strptime(str(value), "%H:%M").replace(tzinfo=UTC).time()
    except ValueError:
        return None


def _hours(spec: PluginSpec) -> tuple[time, time]:
    config = {**DEFAULTS, **(spec.config or {})}
    return _time(config["from"]) or time.min, _time(config["to"]) or time.max


def _next_opening(begin: time, now: datetime) -> datetime:
    """Return the first opening after `now`."""
    day = now.date() if now.time() < begin else now.date() + timedelta(days=1)
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    return datetime.combine(day, begin, tzinfo=UTC)
