"""What does a template's text mean?

Text outside of braces is kept; inside, an action is a row of nodes. Subscripts and filters hold paths of their own,
which are cut out first and then read as actions: that is why a `]` or a `)` cannot be hidden in them by nesting.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from rollouts.jsonpath import nodes
from rollouts.jsonpath.errors import JSONPathError, JSONPathLimitError
from rollouts.jsonpath.gotext import character
from rollouts.jsonpath.gotypes import GoInt
from rollouts.jsonpath.quoting import unquote

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_LENGTH: Final = 65_536
_MAX_NESTING: Final = 32
_INT64: Final = 1 << 63
_LONGEST_INT: Final = 4000  # Python refuses to read longer ones

_END = ""
_LINE_ENDS = frozenset("\r\n")
_QUOTES = frozenset("\"'")
_AFTER_NAME = frozenset(" \t\r\n.,[]$@{}") | {_END}
_KEY = re.compile(r"'([^']*)'")
_SLICE = re.compile(r"(-?[0-9]*)(:-?[0-9]*)?(:-?[0-9]*)?")
_COMPARISON = re.compile(r"([^!<>=]+)([!<>=]+)(.+)")


def parse(text: str) -> tuple[nodes.Path, ...]:
    """Read a template."""
    if len(text) > MAX_LENGTH:
        raise JSONPathLimitError(f"the template is longer than {MAX_LENGTH} characters")
    return _parse(text, 0)


def _parse(text: str, nesting: int) -> tuple[nodes.Path, ...]:
    if nesting > _MAX_NESTING:
        raise JSONPathLimitError(f"the template is nested deeper than {_MAX_NESTING} levels")
    actions: list[nodes.Path] = []
    at = 0
    while at < len(text):
        brace = text.find("{", at)
        literal = text[at:] if brace < 0 else text[at:brace]
        if literal:
            actions.append((nodes.Text(literal),))
        if brace < 0:
            break
        action = _Action(text, brace + 1, nesting)
        actions.append(action.read())
        at = action.at
    return tuple(actions)


class _Action:
    """The reader of one action, from behind its opening brace to behind its closing one."""

    def __init__(self, text: str, at: int, nesting: int) -> None:
        self.at = at
        self._text = text
        self._nesting = nesting
        self._nodes: list[nodes.Node] = []
        self._readers: dict[str, Callable[[], None]] = {
            " ": lambda: None,
            "@": lambda: None,  # the current value, which is where an action starts anyway
            "$": lambda: None,
            "[": self._subscript,
            '"': self._quote,
            "'": self._quote,
            ".": self._field,
        }

    def read(self) -> nodes.Path:
        while not self._text.startswith("}", self.at):
            if self._text.startswith("[?(", self.at):
                self._filter()
            elif self._text.startswith("..", self.at):
                self._recursive()
            else:
                self._one()
        self.at += 1
        return tuple(self._nodes)

    def _next(self) -> str:
        char = self._peek()
        self.at += len(char)
        return char

    def _peek(self) -> str:
        return self._text[self.at : self.at + 1]

    def _inner(self, text: str) -> nodes.Path:
        return _parse(f"{{{text}}}", self._nesting + 1)[0]

    def _one(self) -> None:
        char = self._next()
        if char == _END or char in _LINE_ENDS:
            raise JSONPathError("unclosed action")
        reader = self._readers.get(char)
        if reader:
            reader()
        elif char in "+-" or char.isdecimal():
            self._number()
        elif _is_in_word(char):
            self._word()
        else:
            raise JSONPathError(f"unrecognized character in action: {character(char)}")

    def _word(self) -> None:
        first = self.at - 1
        while self._peek() not in _AFTER_NAME:
            self.at += 1
        word = self._text[first : self.at]
        literal = {"true": True, "false": False}.get(word)
        self._nodes.append(nodes.Identifier(word) if literal is None else nodes.Literal(literal))

    def _number(self) -> None:
        first = self.at - 1
        while self._peek() == "." or self._peek().isdecimal():
            self.at += 1
        self._nodes.append(nodes.Literal(_number(self._text[first : self.at])))

    def _quote(self) -> None:
        first = self.at - 1
        quote = self._text[first]
        while True:
            char = self._next()
            if char in {_END, "\n"}:
                raise JSONPathError("unterminated quoted string")
            if char == quote and self._text[self.at - 2] != "\\":
                break
        self._nodes.append(nodes.Text(unquote(self._text[first : self.at])))

    def _field(self) -> None:
        first = self.at
        while self._peek() not in _AFTER_NAME:
            if self._next() == "\\":
                self._next()
        name = self._text[first : self.at]
        self._nodes.append(nodes.Wildcard() if name == "*" else nodes.Field(name.replace("\\", "")))

    def _recursive(self) -> None:
        if self._nodes and isinstance(self._nodes[-1], nodes.Recursive):
            raise JSONPathError("invalid multiple recursive descent")
        self.at += 2
        self._nodes.append(nodes.Recursive())
        if _is_in_word(self._peek()):
            self._field()

    def _subscript(self) -> None:
        first = self.at
        while (char := self._next()) != "]":
            if char in {_END, "\n"}:
                raise JSONPathError("unterminated array")
        text = self._text[first : self.at - 1]
        parts = text.split(",")
        if len(parts) > 1:
            self._nodes.append(nodes.Union(tuple(self._inner(f"[{part.strip(' ')}]") for part in parts)))
        elif key := _KEY.fullmatch(text):
            self._nodes.extend(self._inner(f".{key[1]}"))
        else:
            self._nodes.append(_slice(":" if text == "*" else text))

    def _filter(self) -> None:
        self.at += 3
        first = self.at
        self._skip_filter()
        text = self._text[first : self.at - 1]
        if self._next() != "]":
            raise JSONPathError("unclosed array expect ]")
        if parts := _COMPARISON.fullmatch(text):
            left, right = self._inner(parts[1]), self._inner(parts[3])
            self._nodes.append(nodes.Comparison(left, parts[2], right))
        else:
            self._nodes.append(nodes.Exists(self._inner(text)))

    def _skip_filter(self) -> None:
        """Go behind the closing parenthesis; only the first quoted string may hold one."""
        opened = closed = _END
        while True:
            char = self._next()
            if char in {_END, "\n"}:
                raise JSONPathError("unterminated filter")
            if char == ")" and opened == closed:
                return
            if char in _QUOTES and not opened:
                opened = char
            elif char == opened and self._text[self.at - 2] != "\\":
                closed = char


def _is_in_word(char: str) -> bool:
    return char == "_" or char.isalpha() or char.isdecimal()


def _number(text: str) -> float:
    if text.isascii() and len(text) <= _LONGEST_INT:
        try:
            whole = _int64(text)
            number = float(text) if whole is None else GoInt(whole)
        except ValueError:
            number = math.inf
        if math.isfinite(number):
            return number
    raise JSONPathError(f"cannot parse number {text}")


def _int64(text: str) -> int | None:
    try:
        number = int(text)
    except ValueError:
        return None
    return number if -_INT64 <= number < _INT64 else None


def _slice(text: str) -> nodes.Slice:
    parts = _SLICE.fullmatch(text)
    if parts is None:
        raise JSONPathError(f"invalid array index {text}")
    start, stop, step = (_bound(part) for part in parts.groups(default=""))
    return nodes.Slice(start, stop, step, is_index=parts[2] is None)


def _bound(part: str) -> int | None:
    digits = part.removeprefix(":")
    if not digits:
        return None
    number = _int64(digits) if len(digits) <= _LONGEST_INT else None
    if number is None:
        raise JSONPathError(f"array index {digits} is not a number")
    return number
