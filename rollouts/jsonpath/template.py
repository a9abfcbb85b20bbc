"""How is a JSONPath template compiled, run and written out?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from rollouts.jsonpath.errors import JSONPathError, JSONPathLimitError
from rollouts.jsonpath.evaluate import Evaluation
from rollouts.jsonpath.gotext import json_pieces, scalar
from rollouts.jsonpath.gotypes import plain
from rollouts.jsonpath.parse import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollouts.jsonpath.nodes import Path

MAX_OUTPUT: Final = 16 * 1024 * 1024
_RELAXED = re.compile(r"\{\.?([^{}]+)\}|\.?([^{}]+)")


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template. It keeps nothing of a run, so one serves any number of documents and threads.

    Two options tell how a document is read:

    - `allow_missing_keys`: a key that is nowhere gives no result instead of an error (kubectl's way);
    - `whole_numbers`: a whole number is an int64, as in an object read from the API server, and compares with the
      literal `2`. Without it all numbers are float64, as in any decoded JSON document, and compare with `2.0` only.
    """

    text: str
    actions: tuple[Path, ...]

    def find(self, value: Any, *, allow_missing_keys: bool = False, whole_numbers: bool = False) -> list[list[Any]]:
        """Give the results of each action, literal text included; a range adds those of each round."""
        groups = self._groups(value, allow_missing_keys=allow_missing_keys, whole_numbers=whole_numbers)
        return [[plain(result) for result in group] for group in groups]

    def render(self, value: Any, *, allow_missing_keys: bool = False, whole_numbers: bool = False) -> str:
        """Write the results as kubectl prints them: one action's apart by spaces, maps and lists as JSON."""
        groups = self._groups(value, allow_missing_keys=allow_missing_keys, whole_numbers=whole_numbers)
        pieces: list[str] = []
        left = MAX_OUTPUT
        for piece in _rendered(groups, whole_numbers=whole_numbers):
            left -= len(piece)
            if left < 0:
                raise JSONPathLimitError(f"the output is longer than {MAX_OUTPUT} characters")
            pieces.append(piece)
        return "".join(pieces)

    def _groups(self, value: Any, *, allow_missing_keys: bool, whole_numbers: bool) -> list[list[Any]]:
        run = Evaluation(self.actions, allow_missing_keys=allow_missing_keys, whole_numbers=whole_numbers)
        return run.results(value)


def compile_template(text: str) -> Template:
    """Compile a template such as `{.items[*].metadata.name}`, or say what is wrong with it."""
    return Template(text, parse(text))


def relaxed_template(text: str) -> str:
    """Complete a bare path to a template: `a.b`, `.a.b`, `{a.b}` and `{.a.b}` all become `{.a.b}`."""
    if not text:
        return text
    match = _RELAXED.fullmatch(text)
    if match is None:
        raise JSONPathError(
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'"
        )
    return f"{{.{match[1] or match[2]}}}"


def find_first(text: str, value: Any, default: Any = None, *, whole_numbers: bool = False) -> Any:
    """Give a template's first result, or `default` where there is none; only a missing key is no error."""
    for group in _compiled(text).find(value, allow_missing_keys=True, whole_numbers=whole_numbers):
        for result in group:
            return result
    return default


_compiled = lru_cache(maxsize=256)(compile_template)


def _rendered(groups: list[list[Any]], *, whole_numbers: bool) -> Iterator[str]:
    for group in groups:
        for place, result in enumerate(group):
            if place:
                yield " "
            if isinstance(result, (dict, list)):
                yield from json_pieces(result, whole_numbers=whole_numbers)
            else:
                yield scalar(result, whole_numbers=whole_numbers)
