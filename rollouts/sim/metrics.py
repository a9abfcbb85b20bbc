"""What is measured in a simulation? Each metric has a curve: the values of its measurements, one after another."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from rollouts.api.durations import parse_duration
from rollouts.ports.provider import NoData, Outcome, Reading, Verdict

NO_DATA = "no data"
_VERDICTS = frozenset({"Successful", "Failed", "Inconclusive", "Error"})
_TIMED = re.compile(r"(.+)@(\S+)")
# Providers whose result is a list of numbers, even of one.
_LISTS = frozenset({"graphite", "influxdb", "prometheus"})

Value = Any


@dataclass(frozen=True, slots=True)
class Curve:
    """`values` are those of the first measurements, the last one stays. `later` ones hold from a time in the run on."""

    values: Sequence[Value] = ()
    later: Sequence[tuple[timedelta, Value]] = ()

    @classmethod
    def read(cls, points: Any) -> "Curve":
        """Read a list of points: `0.01`, or `0.2@60s`, which holds from a minute in the run on. Raises ValueError."""
        values: list[Value] = []
        later: list[tuple[timedelta, Value]] = []
        for point in points if isinstance(points, list) else [points]:
            timed = _TIMED.fullmatch(point) if isinstance(point, str) else None
            if timed is None:
                values.append(_value(point))
            else:
                later.append((parse_duration(timed[2]), _value(timed[1])))
        if not values and not later:
            raise ValueError("is an empty list: write at least one value")
        return cls(tuple(values), tuple(sorted(later, key=lambda each: each[0])))

    def at(self, number: int, elapsed: timedelta) -> Value:
        """Return the value of a measurement, counted from 1, so long after the run began."""
        reached = [value for begin, value in self.later if begin <= elapsed]
        if reached:
            return reached[-1]
        return self.values[min(number, len(self.values)) - 1] if self.values else "Successful"

    def is_flat(self, number: int, elapsed: timedelta) -> bool:
        """Tell whether the value stays as it is from here on."""
        return number >= len(self.values) and all(begin <= elapsed for begin, _ in self.later)


def _value(point: Any) -> Value:
    if not isinstance(point, str):
        return point
    if point in _VERDICTS or point == NO_DATA:
        return point
    try:
        return float(point)
    except ValueError:
        known = ", ".join(sorted(_VERDICTS))
        raise ValueError(f"{point!r} is no value: write a number, {known} or `{NO_DATA}`") from None


@dataclass(frozen=True, slots=True)
class Metrics:
    """The curves by metric and by the image whose pods are looked at; an empty image stands for all that have none.

    A metric without a curve is always successful.
    """

    curves: Mapping[str, Mapping[str, Curve]] = field(default_factory=dict)

    def curve(self, metric: Mapping[str, Any], image: str) -> Curve | None:
        """Return the curve of a raw metric."""
        by_image = self.curves.get(str(metric.get("name")), {})
        return by_image.get(image) or by_image.get("")

    def is_new(self, metric: Mapping[str, Any], image: str, number: int, elapsed: timedelta) -> bool:
        """Tell whether more measurements than `number` may bring anything new."""
        curve = self.curve(metric, image)
        has_end = bool(metric.get("count")) or not metric.get("interval")
        return has_end or (curve is not None and not curve.is_flat(number, elapsed))

    def outcome(self, metric: Mapping[str, Any], image: str, number: int, elapsed: timedelta) -> Outcome:
        """Return what a provider says when a raw metric is measured."""
        curve = self.curve(metric, image)
        value = "Successful" if curve is None else curve.at(number, elapsed)
        if value == NO_DATA:
            return NoData("the scenario has no data", result=[] if _gives_lists(metric) else None, value="[]")
        if isinstance(value, str):
            return Verdict(value, message="" if value == "Successful" else "as the scenario has it")
        result = [value] if _gives_lists(metric) and isinstance(value, int | float) else value
        return Reading(result, value=str(result))


def read_metrics(raw: Any) -> Metrics:
    """Read a scenario's metrics: a list of points for each, or such lists by image. Raises ValueError."""
    if not isinstance(raw, Mapping):
        raise ValueError("is no mapping: write a list of values for each metric")  # noqa: TRY004 - pydantic's way
    curves: dict[str, dict[str, Curve]] = {}
    for name, points in raw.items():
        by_image = points if isinstance(points, Mapping) else {"": points}
        try:
            curves[str(name)] = {str(image): Curve.read(each) for image, each in by_image.items()}
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return Metrics(curves)


def _gives_lists(metric: Mapping[str, Any]) -> bool:
    return bool(_LISTS & set(metric.get("provider") or {}))
