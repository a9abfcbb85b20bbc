"""What does each step of a path select?

A path is a row of nodes. Each takes the values that the node before it left and gives its own. Where the answer looks
odd (a slice that stops at the first empty list, a lookup that fails only when *no* value has the key), it is what
Kubernetes answers, and templates in the field count on it.

The fields of a map are visited in the order of their names, so that the same object always gives the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from rollouts.jsonpath.errors import JSONPathError, SelectionError
from rollouts.jsonpath.gotext import described
from rollouts.jsonpath.gotypes import NO_VALUE, GoByte, compare, type_name

if TYPE_CHECKING:
    from rollouts.jsonpath.evaluate import Evaluation

Values: TypeAlias = list[Any]


class Node(Protocol):
    """One step of a path."""

    def select(self, values: Values, run: Evaluation) -> Values:
        """Give the values that this step leads to from `values`."""


Path: TypeAlias = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """Literal text: between the actions of a template, or quoted in one."""

    text: str

    def select(self, values: Values, run: Evaluation) -> Values:  # noqa: ARG002
        """Give the text once, whatever came before."""
        return [self.text]


@dataclass(frozen=True, slots=True)
class Literal:
    """A number or a boolean."""

    value: bool | float

    def select(self, values: Values, run: Evaluation) -> Values:  # noqa: ARG002
        """Give the literal in place of each value."""
        return [self.value] * len(values)


@dataclass(frozen=True, slots=True)
class Identifier:
    """A bare word: `range` and `end`, the only two with a meaning."""

    name: str

    def select(self, values: Values, run: Evaluation) -> Values:
        """Open or close a range."""
        if self.name == "range":
            run.begin_range()
            return values
        if self.name != "end":
            raise SelectionError(f"unrecognized identifier {self.name}", values)
        if not run.is_in_range:
            raise SelectionError("not in range, nothing to end", [])
        run.end_range()
        return []


@dataclass(frozen=True, slots=True)
class Field:
    """The value under a key of a map."""

    name: str

    def select(self, values: Values, run: Evaluation) -> Values:
        """Look the key up in each value; it must be in one of them at least."""
        found = [value[self.name] for value in values if isinstance(value, dict) and self.name in value]
        if values and not found and not run.allow_missing_keys:
            raise SelectionError(f"{self.name} is not found", [])
        return found


@dataclass(frozen=True, slots=True)
class Wildcard:
    """Everything in a map or a list; of a string, its bytes."""

    def select(self, values: Values, run: Evaluation) -> Values:
        """Give the contents of each value."""
        found: Values = []
        for value in values:
            if isinstance(value, str):
                run.spend(len(value))
                found.extend(map(GoByte, value.encode("utf-8", "replace")))
            else:
                contents = _contents(value)
                run.spend(len(contents))
                found.extend(contents)
        return found


@dataclass(frozen=True, slots=True)
class Recursive:
    """The recursive descent `..`: all that is not empty, each before its contents."""

    def select(self, values: Values, run: Evaluation) -> Values:
        """Walk down from each value."""
        found: Values = []
        ahead = values[::-1]
        while ahead:
            value = ahead.pop()
            contents = _contents(value)
            run.spend(1 + len(contents))
            if contents or (isinstance(value, str) and value):
                found.append(value)
            ahead.extend(reversed(contents))
        return found


@dataclass(frozen=True, slots=True)
class Slice:
    """One item of a list, `[2]`, or some of them, `[start:stop:step]`."""

    start: int | None
    stop: int | None
    step: int | None
    is_index: bool

    def select(self, values: Values, run: Evaluation) -> Values:
        """Take the items from each list."""
        found: Values = []
        for value in values:
            if value is None or value is NO_VALUE:
                continue
            if not isinstance(value, list):
                name = type_name(value, whole_numbers=run.whole_numbers)
                raise SelectionError(f"{name} is not array or slice", values)
            start, stop = self._bounds(len(value))
            if start == stop:
                return found
            problem = self._problem(start, stop, len(value))
            if problem:
                raise SelectionError(problem, values)
            items = value[start : stop : self.step or 1]
            run.spend(len(items))
            found.extend(items)
        return found

    def _bounds(self, length: int) -> tuple[int, int]:
        start = self.start or 0
        stop = start + 1 if self.is_index else self.stop
        if stop is None:
            stop = length
        if stop < 0 or (stop == 0 and self.is_index):
            stop += length
        return (start + length if start < 0 else start), stop

    def _problem(self, start: int, stop: int, length: int) -> str | None:
        if not 0 <= start < length:
            return f"array index out of bounds: index {start}, length {length}"
        if not 0 <= stop <= length:
            return f"array index out of bounds: index {stop - 1}, length {length}"
        if start > stop:
            return f"starting index {start} is greater than ending index {stop}"
        if self.step is not None and self.step <= 0:
            return "step must be > 0"
        return None


@dataclass(frozen=True, slots=True)
class Union:
    """Several subscripts at once, `['a','b']` or `[0,2]`: the answers of one after those of the other."""

    paths: tuple[Path, ...]

    def select(self, values: Values, run: Evaluation) -> Values:
        """Follow each path from the same values."""
        found: Values = []
        for path in self.paths:
            try:
                found.extend(run.follow(path, values))
            except SelectionError as error:
                raise SelectionError(str(error), values) from error
        return found


@dataclass(frozen=True, slots=True)
class Exists:
    """The filter `[?(@.a)]`: items from which the path leads somewhere."""

    path: Path

    def select(self, values: Values, run: Evaluation) -> Values:
        """Keep those items of each list; an error of the path is no error here."""
        return [item for value in values for item in _items(value, values, run) if self._is_in(item, run)]

    def _is_in(self, item: Any, run: Evaluation) -> bool:
        try:
            return bool(run.follow(self.path, [item]))
        except SelectionError as error:
            return bool(error.values)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The filter `[?(@.a == 'x')]`: items for which the comparison holds."""

    left: Path
    operator: str
    right: Path

    def select(self, values: Values, run: Evaluation) -> Values:
        """Keep those items of each list; one that lacks a side, when that is allowed, is passed over."""
        found: Values = []
        for value in values:
            for item in _items(value, values, run):
                sides = self._sides(item, values, run)
                try:
                    if sides and compare(self.operator, *sides, whole_numbers=run.whole_numbers):
                        found.append(item)
                except JSONPathError as error:
                    raise SelectionError(str(error), found) from error
        return found

    def _sides(self, item: Any, values: Values, run: Evaluation) -> tuple[Any, Any] | None:
        left = self._side(self.left, item, values, run)
        right = self._side(self.right, item, values, run) if left else []
        return (left[0], right[0]) if left and right else None

    def _side(self, path: Path, item: Any, values: Values, run: Evaluation) -> Values:
        try:
            side = run.follow(path, [item])
        except SelectionError as error:
            raise SelectionError(str(error), values) from error
        if len(side) > 1:
            raise SelectionError("can only compare one element at a time", values)
        return side


def _contents(value: Any) -> Values:
    if isinstance(value, dict):
        return [value[key] for key in sorted(value)]
    return value if isinstance(value, list) else []


def _items(value: Any, values: Values, run: Evaluation) -> Values:
    if not isinstance(value, list):
        text = described(value, whole_numbers=run.whole_numbers)
        raise SelectionError(f"{text} is not array or slice and cannot be filtered", values)
    return value
