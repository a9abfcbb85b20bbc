"""What do metrics leave out because it is set once for all of them? A provider's server, and who we are to it.

One Secret in the controller's namespace holds it, in YAML by provider. Whoever names a server in a metric says also who
we are to it: shared credentials go to the shared server only, or a template could have them sent anywhere.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import ValidationError

from rollouts.api.base import field_path
from rollouts.plan.analysis.metric import Place, place_of
from rollouts.ports import Kit
from rollouts.ports.provider import SHARED_SETTINGS, MeasurementError

Raw = Mapping[str, Any]

_LONGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Completed:
    """A metric with what was left out, and the texts in that which must not be shown, by where they stand."""

    metric: Raw
    hidden: Mapping[str, str]


def leaves_out(metric: Raw, kit: Kit) -> Place | None:
    """Return where the provider's part of a raw metric is, if that says nothing of its server; None if it does.

    Of a provider that asks another one, that other one's part is meant.
    """
    place = _place(metric, kit)
    provider = None if place is None else kit.providers.get(place.key)
    if place is None or provider is None or not provider.connection or not isinstance(place.spec, Mapping):
        return None
    return None if provider.connection & {key for key, value in place.spec.items() if value is not None} else place


def _place(metric: Raw, kit: Kit) -> Place | None:
    place = place_of(metric)
    provider = kit.providers.get(place.key)
    return place.inner(provider.asks) if provider is not None and provider.asks else place


def completed(metric: Raw, place: Place, kit: Kit, held: Mapping[str, str] | None) -> Completed | None:
    """Return a metric with what is set for all metrics; None if nothing is. Raises MeasurementError."""
    text = (held or {}).get(place.key)
    if not text:
        return None
    provider = kit.providers[place.key]
    settings = _read(place.key, text, provider.connection)
    try:
        provider.model.model_validate({**place.spec, **settings}, by_alias=True, by_name=False)
    except ValidationError as error:
        for first in error.errors(include_url=False, include_context=False, include_input=False):
            if first["loc"][0] in settings:  # a provider that asks this one fills in the rest
                raise MeasurementError(f"{_where(place.key)}: {field_path(first['loc'])}: {first['msg']}") from None
    return Completed(place.filled(metric, {**place.spec, **settings}), dict(_texts(place.key, settings)))


def _read(key: str, text: str, known: frozenset[str]) -> Raw:
    where = _where(key)
    if len(text) > _LONGEST:
        raise MeasurementError(f"{where}: is too long: at most {_LONGEST} characters")
    try:
        settings = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f" in line {mark.line + 1}" if mark is not None else ""
        raise MeasurementError(f"{where}: is no YAML{place}") from None
    if not isinstance(settings, dict):
        raise MeasurementError(f"{where}: must be a map with some of {', '.join(sorted(known))}")
    if strange := sorted(str(name) for name in settings if name not in known):
        raise MeasurementError(f"{where}: has {strange[0]}, and may have only {', '.join(sorted(known))}")
    return settings


def _where(key: str) -> str:
    return f"the Secret {SHARED_SETTINGS.name} in the controller's namespace, key {key}"


def _texts(path: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _texts(f"{path}.{key}", part)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _texts(f"{path}[{index}]", part)
