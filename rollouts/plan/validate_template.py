"""Has a pod template the shape that our own additions to it rely on? The rest of it is carried as it comes.

An API server checks little of a Rollout's template, and nobody checks a file.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rollouts.plan.problem import Problem

Raw = Mapping[str, Any]

_PATH = "spec.template"
_NO_MAPPING = "is {}: it must be a mapping of names to values, or be left out"


def shape_problems(template: Raw, at: str = _PATH) -> Iterator[Problem]:
    """Yield which of the parts that we read and add to are something else than they must be."""
    for path in (("metadata",), ("metadata", "labels"), ("metadata", "annotations"), ("spec",), ("spec", "affinity"),
                 ("spec", "affinity", "podAntiAffinity")):  # fmt: skip
        found = _at(template, path)
        if not isinstance(found, Mapping | None):
            yield Problem(".".join((at, *path)), _NO_MAPPING.format(_named(found)))


def _at(raw: Raw, path: tuple[str, ...]) -> Any:
    """Return what is at a path; nothing below something that is no mapping itself, which is told by itself."""
    found: Any = raw
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _named(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
