"""What does a page of metrics say? The text formats of Prometheus and OpenMetrics, as far as samples go."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_SAMPLE = re.compile(rf"({_NAME})\s*(\{{)?")
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?')
_ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}
_NUMBERS = {"+inf": float("inf"), "inf": float("inf"), "-inf": float("-inf"), "nan": float("nan")}


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of a page."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


def samples(text: str) -> Iterator[Sample]:
    """Yield the samples of a page. Raises ValueError for a line that is none."""
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield _sample(stripped, number)


def is_name(text: str) -> bool:
    """Whether a text may be the name of a series."""
    return re.fullmatch(_NAME, text) is not None


def _sample(line: str, number: int) -> Sample:
    begin = _SAMPLE.match(line)
    if begin is None:
        raise ValueError(f"line {number} is no sample")
    labels, position = _labels(line, begin.end(), number) if begin[2] else ({}, begin.end())
    value, *_ = [*line[position:].split(), ""]
    try:
        return Sample(begin[1], _NUMBERS[value.lower()] if value.lower() in _NUMBERS else float(value), labels)
    except ValueError:
        raise ValueError(f"line {number} has no number for a value") from None


def _labels(line: str, position: int, number: int) -> tuple[dict[str, str], int]:
    labels: dict[str, str] = {}
    while (found := _LABEL.match(line, position)) is not None:
        labels[found[1]] = re.sub(r"\\.", lambda escape: _ESCAPES.get(escape[0], escape[0]), found[2])
        position = found.end()
    rest = line[position:].lstrip()
    if not rest.startswith("}"):
        raise ValueError(f"line {number} has labels that don't end")
    return labels, len(line) - len(rest) + 1
