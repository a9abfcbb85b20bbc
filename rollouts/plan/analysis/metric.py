"""When is a metric measured, how often, and by whom? Its numbers read, and the provider that it names."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from rollouts.api.durations import parse_duration
from rollouts.api.metrics import (
    DEFAULT_CONSECUTIVE_ERROR_LIMIT,
    DEFAULT_CONSECUTIVE_SUCCESS_LIMIT,
    DEFAULT_FAILURE_LIMIT,
    DEFAULT_INCONCLUSIVE_LIMIT,
    Metric,
)
from rollouts.ports import Kit
from rollouts.ports.provider import AnyProvider

Raw = Mapping[str, Any]

ERROR_RETRY = timedelta(seconds=10)
# The API's times count whole seconds: what is shorter would measure without a break.
_SHORTEST_INTERVAL = timedelta(seconds=1)
_MAX_NUMBER = 2**31 - 1
_PLUGIN = "plugin"


@dataclass(frozen=True, slots=True)
class Rules:
    """A metric's numbers with their defaults. `count` is None where there is no end."""

    interval: timedelta | None
    initial_delay: timedelta
    count: int | None
    failure_limit: int
    inconclusive_limit: int
    consecutive_error_limit: int
    consecutive_success_limit: int

    @property
    def pause(self) -> timedelta:
        """How long to wait after a measurement that is no error."""
        return ERROR_RETRY if self.interval is None else self.interval


def number(value: int | str | None, default: int) -> int:
    """Read a count or a limit. Raises ValueError."""
    if value is None:
        return default
    try:
        result = int(value) if isinstance(value, int) or len(value) <= 20 else _MAX_NUMBER + 1
    except ValueError:
        raise ValueError(f"{value!r} is no whole number") from None
    if abs(result) > _MAX_NUMBER:
        raise ValueError(f"{value!r} is out of range: at most {_MAX_NUMBER}")
    return result


def count_of(count: int | str | None, interval: str | None) -> int | None:
    """Return how many measurements end a metric; None where there is no end. Raises ValueError."""
    return number(count, 0) or (None if interval else 1)


def rules_of(metric: Metric) -> Rules:
    """Read the numbers of a metric whose arguments are filled in. Raises ValueError."""
    interval = parse_duration(metric.interval) if metric.interval else None
    return Rules(
        interval=None if interval is None else max(interval, _SHORTEST_INTERVAL),
        initial_delay=parse_duration(metric.initial_delay) if metric.initial_delay else timedelta(),
        count=count_of(metric.count, metric.interval),
        failure_limit=number(metric.failure_limit, DEFAULT_FAILURE_LIMIT),
        inconclusive_limit=number(metric.inconclusive_limit, DEFAULT_INCONCLUSIVE_LIMIT),
        consecutive_error_limit=number(metric.consecutive_error_limit, DEFAULT_CONSECUTIVE_ERROR_LIMIT),
        consecutive_success_limit=number(metric.consecutive_success_limit, DEFAULT_CONSECUTIVE_SUCCESS_LIMIT),
    )


class ProviderError(ValueError):
    """A metric's provider can't be had; `path` is below the metric."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True, slots=True)
class Chosen:
    """The provider of a metric and its part of the spec; `path` is where that stands, below the metric."""

    path: str
    provider: AnyProvider
    spec: BaseModel


@dataclass(frozen=True, slots=True)
class Place:
    """Where a metric names its provider: `path` is below the metric, `spec` is what stands there, raw.

    `outer` is where the provider stands that asks this one, in which field of its spec.
    """

    path: str
    key: str
    spec: Any
    outer: "tuple[Place, str] | None" = None

    def inner(self, field: str) -> "Place | None":
        """Return where the spec names the provider that this one asks; None if it doesn't name one."""
        named = self.spec.get(field) if isinstance(self.spec, Mapping) else None
        if not isinstance(named, Mapping) or len(named) != 1:
            return None
        ((key, spec),) = named.items()
        return Place(f"{self.path}.{field}.{key}", key, spec, (self, field))

    def filled(self, metric: Raw, spec: Raw) -> Raw:
        """Return the metric with another spec there."""
        if self.outer is not None:
            place, field = self.outer
            return place.filled(metric, {**place.spec, field: {self.key: spec}})
        part = {_PLUGIN: {self.key: spec}} if self.path == f"provider.{_PLUGIN}.{self.key}" else {self.key: spec}
        return {**metric, "provider": part}


def place_of(metric: Raw) -> Place:
    """Return where a raw metric names its provider. Raises ProviderError."""
    path, part = "provider", metric.get("provider") or {}
    key, spec = _only(part, path, "provider")
    if key == _PLUGIN:
        path = f"{path}.{_PLUGIN}"
        key, spec = _only(spec, path, "plugin")
    return Place(f"{path}.{key}", key, spec)


def choose(metric: Raw, kit: Kit) -> Chosen:
    """Return the provider of a raw metric. Raises ProviderError, or pydantic.ValidationError for what stands there."""
    place = place_of(metric)
    if place.key not in kit.providers:
        installed = ", ".join(sorted(kit.providers)) or "none"
        raise ProviderError(
            place.path, kit.broken.get(place.key) or f"no such metric provider is installed; installed are {installed}"
        )
    provider = kit.providers[place.key]
    return Chosen(place.path, provider, provider.model.model_validate(place.spec, by_alias=True, by_name=False))


def _only(part: Raw, path: str, noun: str) -> tuple[str, Any]:
    present = {key: value for key, value in part.items() if value is not None}
    if len(present) != 1:
        names = ", ".join(present) or "none"
        raise ProviderError(path, f"must have exactly one {noun}, has {names}")
    return next(iter(present.items()))
