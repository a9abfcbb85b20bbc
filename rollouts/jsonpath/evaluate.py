"""What does a compiled template find in a document?

Ranges are not a tree: `{range}` and `{end}` are words met while the actions are run, so a range without an end runs to
the end of the template for each item, and then once more outside. Work is counted, so nested ranges over large lists
stop with an error instead of never.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rollouts.jsonpath.errors import JSONPathLimitError
from rollouts.jsonpath.gotypes import NO_VALUE, as_document

if TYPE_CHECKING:
    from rollouts.jsonpath.nodes import Path, Values

MAX_VALUES: Final = 1_000_000
MAX_NESTED_RANGES: Final = 64


class Evaluation:
    """One run of a template over one document."""

    def __init__(self, actions: tuple[Path, ...], *, allow_missing_keys: bool, whole_numbers: bool) -> None:
        self.allow_missing_keys = allow_missing_keys
        self.whole_numbers = whole_numbers
        self._actions = actions
        self._left = MAX_VALUES
        self._begun = 0
        self._depth = 0
        self._ended = 0
        self._last_end = -1

    def results(self, document: Any) -> list[Values]:
        """Run all actions over the document."""
        return self._run(0, as_document(document))

    def follow(self, path: Path, values: Values) -> Values:
        """Apply each node of a path to what the one before it found."""
        self.spend(1)
        for node in path:
            self.spend(1 + len(values))
            values = node.select(values, self)
        return values

    def spend(self, count: int) -> None:
        """Count values looked at, and stop when there are too many."""
        self._left -= count
        if self._left < 0:
            raise JSONPathLimitError(f"the template visits more than {MAX_VALUES} values")

    @property
    def is_in_range(self) -> bool:
        """Whether there is a range that could end here."""
        return self._depth > 0

    def begin_range(self) -> None:
        """Note a `range`: the values of this action are what the following ones run over."""
        self._begun += 1

    def end_range(self) -> None:
        """Note an `end`."""
        self._ended += 1

    def _run(self, first: int, document: Any) -> list[Values]:
        found: list[Values] = []
        at = first
        while at < len(self._actions):
            values = self.follow(self._actions[at], [document])
            if 0 < self._ended <= self._depth:
                self._ended -= 1
                self._last_end = at
                break
            if self._begun > 0:
                self._begun -= 1
                found.extend(self._range(at + 1, values))
                at = max(at, self._last_end)
            else:
                found.append(values)
            at += 1
        return found

    def _range(self, first: int, values: Values) -> list[Values]:
        if self._depth == MAX_NESTED_RANGES:
            raise JSONPathLimitError(f"more than {MAX_NESTED_RANGES} nested ranges")
        self._depth += 1
        found: list[Values] = []
        for value in values:
            found.extend(self._run(first, as_document(value)))
        if not values:
            # The body is still run, over nothing, to learn where it ends; its mistakes count, its answers do not.
            self._run(first, NO_VALUE)
        self._depth -= 1
        return found
