"""What does a metric say once `{{args.name}}` is filled in?

Each text is read once: what a value itself contains is never filled in again, so that no value can ask for a secret.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

_TAG = re.compile(r"\{\{(.*?)(?:(\}\})|\Z)", re.DOTALL)
_PREFIX = "args."
LONGEST = 1_000_000
"""Characters that all texts of a metric, or an argument, may have together once they are filled in.

A long value in many places would otherwise be more than the whole controller's memory.
"""


class SubstitutionError(ValueError):
    """A tag that nothing is known of; the message names it."""


def is_open(value: Any) -> bool:
    """Whether something is still to be filled in."""
    return isinstance(value, str) and "{{" in value


def arguments_in(value: Any) -> Iterator[str]:
    """Yield the names of the arguments that a JSON value refers to."""
    for text in _texts(value):
        for match in _TAG.finditer(text):
            tag = match[1].strip()
            if match[2] and tag.startswith(_PREFIX):
                yield tag.removeprefix(_PREFIX)


def fill(value: Any, values: Mapping[str, str], kept: Collection[str] = ()) -> Any:
    """Return a JSON value with its arguments filled in, those in `kept` excepted. Raises SubstitutionError."""

    def value_of(tag: str) -> str | None:
        name = tag.removeprefix(_PREFIX)
        if tag.startswith(_PREFIX) and name in values:
            return values[name]
        if tag.startswith(_PREFIX) and name in kept:
            return None
        known = ", ".join(sorted({*values, *kept})) or "none"
        raise SubstitutionError(f"failed to resolve {{{{{tag}}}}}: declared arguments are {known}")

    return _Filling(value_of).fill(value)


def fill_tags(text: str, value_of: Callable[[str], str | None]) -> str:
    """Return a text with each tag replaced by its value, or left where it has none. Raises SubstitutionError."""
    return _Filling(value_of).text(text)


class _Filling:
    """Fills tags in, as long as there is room."""

    def __init__(self, value_of: Callable[[str], str | None]) -> None:
        self._value_of = value_of
        self._left = LONGEST

    def fill(self, value: Any) -> Any:
        """Return a JSON value with its texts filled in."""
        if isinstance(value, str):
            return self.text(value) if "{{" in value else value
        if isinstance(value, Mapping):
            return {self.fill(key): self.fill(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [self.fill(part) for part in value]
        return value

    def text(self, text: str) -> str:
        """Return a text with its tags filled in."""
        return _TAG.sub(self._replaced, text)

    def _replaced(self, match: re.Match[str]) -> str:
        tag = match[1].strip()
        if not match[2]:
            raise SubstitutionError(f"{{{{{tag[:40]} has no end: write }}}} behind the name of the argument")
        value = self._value_of(tag)
        if value is None:
            return match[0]
        self._left -= len(value)
        if self._left < 0:
            raise SubstitutionError(
                f"with {{{{{tag}}}}} filled in it has more than {LONGEST} characters: "
                "use a shorter value, or use it less often"
            )
        return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield str(key)
            yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
