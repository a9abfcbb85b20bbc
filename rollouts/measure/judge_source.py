"""Whom does the judge ask? Another provider, whose query it fills in for one side and one window of time."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ValidationError

from rollouts.api.base import field_path
from rollouts.api.judge import JudgeMetric
from rollouts.measure.answers import number
from rollouts.ports.provider import (
    AnyProvider,
    Asked,
    Flow,
    MeasurementError,
    NoData,
    Outcome,
    Reading,
    SecretRef,
)

VERSION, WINDOW = "$version", "$window"
_PLACE = re.compile(r"\$(version|window|seconds)\b")
_OF_TIME = re.compile(r"\$(window|seconds)\b")
_QUERY_FIELDS = ("query", "json_path")  # of web: the parts of one answer


class SourceError(ValueError):
    """The judge's source can't be asked; `path` is below the judge."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True, slots=True)
class Side:
    """One side, and the time that is looked at."""

    name: str
    version: str
    seconds: int

    def fills(self, text: str) -> str:
        values = {"version": self.version, "window": f"{self.seconds}s", "seconds": str(self.seconds)}
        return _PLACE.sub(lambda found: values[found[1]], text)


@dataclass(frozen=True, slots=True)
class Source:
    """The provider that is asked. `place` is its field for the query."""

    key: str
    provider: AnyProvider
    raw: Mapping[str, Any]
    place: str

    @classmethod
    def of(cls, spec: JudgeMetric, installed: Mapping[str, AnyProvider]) -> "Source":
        """Return the source. Raises SourceError."""
        named = {key: part for key, part in dict(spec.source).items() if part is not None}
        if len(named) != 1:
            raise SourceError(
                "source", f"must have exactly one provider, has {', '.join(named) or 'none'}: prometheus, for one"
            )
        ((key, raw),) = named.items()
        path = f"source.{key}"
        usable = {name: place for name, each in installed.items() if (place := _place(each))}
        if key not in usable:
            raise SourceError(path, f"is no provider that takes a query; there are {', '.join(sorted(usable))}")
        place = usable[key]
        if not isinstance(raw, Mapping):
            raise SourceError(path, f"{raw!r} is no configuration: write an address or {{}}")
        if raw.get(place) is not None:
            raise SourceError(f"{path}.{place}", "is filled in by the judge: write queries under requests or samples")
        known = {field.alias or name for name, field in installed[key].model.model_fields.items()}
        unknown = sorted(set(raw) - known)
        if unknown:
            raise SourceError(f"{path}.{unknown[0]}", f"is no field of {key}; it has {', '.join(sorted(known))}")
        return cls(key, installed[key], raw, place)

    def asks(self, query: str, side: Side) -> BaseModel:
        """Return the provider's spec for a query. Raises pydantic.ValidationError."""
        raw = _filled({**self.raw, self.place: query}, side)
        return self.provider.model.model_validate(raw, by_alias=True, by_name=False)

    def is_counter(self, query: str) -> bool:
        """Whether the query answers how many there were ever, instead of in the window."""
        return not _OF_TIME.search(repr({**self.raw, self.place: query}))

    def problems(self, path: str, query: str) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the source, asked with the query that stands at a path."""
        try:
            asks = self.asks(query, Side("canary", "version", 60))
        except ValidationError as error:
            for each in error.errors(include_url=False, include_context=False):
                yield f"source.{self.key}.{field_path(each['loc'])}", each["msg"]
            return
        for below, message in self.provider.problems(asks):
            yield (path if below == self.place else f"source.{self.key}.{below}"), message
        if query and VERSION not in repr({**self.raw, self.place: query}):
            yield path, f"has no {VERSION}: both sides would be asked for the same"

    def secrets_of(self, query: str, namespace: str) -> tuple[SecretRef, ...]:
        return self.provider.secrets_of(self.asks(query, Side("canary", "", 60)), namespace)

    def measured(self, query: str, side: Side, asked: Asked) -> Flow:
        """Ask the provider. Raises MeasurementError."""
        try:
            asks = self.asks(query, side)
        except ValidationError:
            raise MeasurementError(f"the source of the {side.name} is no {self.key} any more") from None
        plain = replace(asked, metadata={}, memory={})
        try:
            return (yield from self.provider.flow(asks, plain))
        except MeasurementError as error:
            raise MeasurementError(f"{side.name}: {error}") from None


def _place(provider: AnyProvider) -> str | None:
    """Return the field for a provider's query, if it has one and asks over HTTP."""
    model = provider.model
    if provider.objects or provider.paths:
        return None
    known = model.model_fields
    return next((known[name].alias or name for name in _QUERY_FIELDS if name in known), None)


def _filled(value: Any, side: Side) -> Any:
    match value:
        case str():
            return side.fills(value)
        case Mapping():
            return {key: _filled(part, side) for key, part in value.items()}
        case list() | tuple():
            return [_filled(part, side) for part in value]
    return value


def values_of(outcome: Outcome) -> list[float]:
    """Return the numbers that a source answers, none without data. Raises MeasurementError."""
    match outcome:
        case NoData():
            return []
        case Reading(result):
            found = [number(value) for value in _parts(result)]
            if None in found:
                raise MeasurementError(f"the source answers {outcome.value[:80]!r}, not with numbers")
            return [value for value in found if value is not None and not math.isnan(value)]
    raise MeasurementError("the source judges by itself: the judge needs numbers")


def _parts(result: Any) -> list[Any]:
    if isinstance(result, Mapping):  # a row with one column
        return list(result.values()) if len(result) == 1 else [result]
    return list(result) if isinstance(result, list) else [result]


def count_of(outcome: Outcome, *, is_counter: bool) -> float | None:
    """Return a count, None where the source has nothing. Raises MeasurementError.

    Several values are several series, or parts of the window: they are added up. A counter is read once.
    """
    values = values_of(outcome)
    if is_counter and len(values) > 1:
        raise MeasurementError(f"{len(values)} values for a counter: ask for their sum, or for what came in {WINDOW}")
    count = math.fsum(values) if all(map(math.isfinite, values)) else math.inf
    if not 0 <= count < 2**53:
        raise MeasurementError(f"{count:g} is no number of requests")
    return count if values else None
