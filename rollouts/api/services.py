"""Which Services does a Rollout name? Read from the raw object, whatever else is wrong with it."""

from collections.abc import Iterator, Mapping
from typing import Any

Raw = Mapping[str, Any]

_PATHS = (
    ("canary", "canaryService"),
    ("canary", "stableService"),
    ("canary", "pingPong", "pingService"),
    ("canary", "pingPong", "pongService"),
    ("blueGreen", "activeService"),
    ("blueGreen", "previewService"),
)


def service_names(rollout: Raw) -> tuple[str, ...]:
    """Return the names of the Services that the spec mentions, each once."""
    return tuple(dict.fromkeys(_names(rollout)))


def _names(rollout: Raw) -> Iterator[str]:
    for path in _PATHS:
        value: Any = rollout
        for key in ("spec", "strategy", *path):
            value = value.get(key) if isinstance(value, Mapping) else None
        if isinstance(value, str) and value:
            yield value
