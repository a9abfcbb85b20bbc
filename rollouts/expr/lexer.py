"""Which words is an expression written in? Source text becomes tokens."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rollouts.expr.errors import ExpressionError

Kind = Literal["Identifier", "Number", "String", "Bytes", "Operator", "Bracket", "EOF"]

WORD_OPERATORS = frozenset(
    {"in", "or", "and", "matches", "contains", "startsWith", "endsWith", "let", "if", "else", "not"}
)
NEGATABLE = frozenset({"in", "matches", "contains", "startsWith", "endsWith"})

_NUMBER = re.compile(
    r"0[xX][0-9a-fA-F_]*|0[oO][0-7_]*|0[bB][01_]*|[0-9][0-9_]*(?:\.(?!\.)[0-9_]*)?(?:[eE][+-]?[0-9_]*)?"
    r"|\.[0-9][0-9_]*(?:[eE][+-]?[0-9_]*)?"
)
_OPERATOR = re.compile(r"\|\|?|::?|[,;%+\-^]|[&!=*<>][&=*]?|\?[.?]?|\.\.?|/")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_ESCAPE = re.compile(
    r"\\(?:(?P<octal>[0-7]{3})|x(?P<byte>[0-9a-fA-F]{2})|u\{(?P<any>[0-9a-fA-F]{1,6})\}|u(?P<short>[0-9a-fA-F]{4})"
    r"|U(?P<long>[0-9a-fA-F]{8})|(?P<plain>.))",
    re.DOTALL,
)
_LAST_CODE_POINT = 0x10FFFF
_BASES = {"0x": "hex", "0b": "binary", "0o": "octal"}
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Token:
    """One word; `at` is where it begins."""

    kind: Kind
    value: str
    at: int

    def __str__(self) -> str:
        return f"{self.kind}({_go_quoted(self.value)})" if self.value else self.kind

    def is_operator(self, *values: str) -> bool:
        return self.kind == "Operator" and (not values or self.value in values)

    def is_bracket(self, value: str) -> bool:
        return self.kind == "Bracket" and self.value == value


def _go_quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(each if each.isprintable() else _go_escape(each) for each in escaped) + '"'


def _go_escape(char: str) -> str:
    named = {value: key for key, value in _ESCAPES.items()}
    if char in named:
        return f"\\{named[char]}"
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def is_word(char: str) -> bool:
    """Whether a character may be part of a name."""
    return char in "_$" or char.isalpha() or char.isdecimal()


def is_name(text: str) -> bool:
    """Whether a text could be a name: it doesn't begin with a digit."""
    return bool(text) and not text[0].isdecimal() and all(map(is_word, text))


def tokens(source: str) -> Iterator[Token]:
    """Yield the tokens, with EOF as the last one. Raises ExpressionError."""
    at = 0
    while at < len(source):
        char = source[at]
        if char.isspace():
            at += 1
        elif source.startswith(("//", "/*"), at):
            at = _after_comment(source, at)
        else:
            token, at = _token(source, at)
            yield token
            if token.is_operator("#"):
                begin, at = at, _end_of_word(source, at)
                if at > begin:
                    yield Token("Identifier", source[begin:at], begin)
    yield Token("EOF", "", max(0, len(source) - 1))


def _after_comment(source: str, at: int) -> int:
    comment = _COMMENT.match(source, at)
    if comment is None:
        raise ExpressionError("unclosed comment", source, len(source))
    return comment.end()


def _token(source: str, at: int) -> tuple[Token, int]:
    char, following = source[at], source[at + 1 : at + 2]
    is_quoted_bytes = char in "bB" and following != "" and following in "'\""
    if char in "'\"`" or is_quoted_bytes:
        return _text(source, at)
    if char in "0123456789" or (char == "." and following.isdecimal()):
        return _number(source, at)
    if char in "#([{)]}":
        return Token("Operator" if char == "#" else "Bracket", char, at), at + 1
    operator = _OPERATOR.match(source, at)
    if operator is not None:
        return Token("Operator", operator[0], at), operator.end()
    if not is_word(char):
        raise ExpressionError(f"unrecognized character: U+{ord(char):04X} '{char}'", source, at)
    end = _end_of_word(source, at)
    word = source[at:end]
    return Token("Operator" if word in WORD_OPERATORS else "Identifier", word, at), end


def _text(source: str, at: int) -> tuple[Token, int]:
    if source[at] == "`":
        return _raw_string(source, at)
    if source[at] in "bB":
        return _string(source, at, at + 1, "Bytes")
    return _string(source, at, at, "String")


def _end_of_word(source: str, at: int) -> int:
    while at < len(source) and is_word(source[at]):
        at += 1
    return at


def _number(source: str, at: int) -> tuple[Token, int]:
    match = _NUMBER.match(source, at)
    if match is None:
        raise AssertionError("a number begins here")
    end = match.end()
    if end < len(source) and is_word(source[end]):
        raise ExpressionError(f"bad number syntax: {_go_quoted(source[at : end + 1])}", source, end)
    return Token("Number", match[0], at), end


def _string(source: str, at: int, opening: int, kind: Kind) -> tuple[Token, int]:
    quote, position = source[opening], opening + 1
    parts: list[str] = []
    while position < len(source) and source[position] != quote:
        char = source[position]
        if char == "\n":
            raise ExpressionError("literal not terminated", source, position)
        if char != "\\":
            parts.append(char if kind == "String" else char.encode().decode("latin-1"))
            position += 1
            continue
        escape = _ESCAPE.match(source, position)
        text = _unescaped(escape, quote, as_bytes=kind == "Bytes") if escape is not None else None
        if escape is None or text is None:
            raise ExpressionError("invalid char escape", source, min(position + 1, len(source)))
        parts.append(text)
        position = escape.end()
    if position >= len(source):
        raise ExpressionError("literal not terminated", source, len(source))
    return Token(kind, "".join(parts), at), position + 1


def _unescaped(escape: re.Match[str], quote: str, *, as_bytes: bool) -> str | None:
    plain = escape["plain"]
    if plain is not None:
        return quote if plain == quote else _ESCAPES.get(plain)
    if as_bytes and escape["octal"] is None and escape["byte"] is None:
        return None  # a character isn't a byte
    digits, base = (escape["octal"], 8) if escape["octal"] else (next(filter(None, escape.groups())), 16)
    code = int(digits, base)
    if code > _LAST_CODE_POINT or 0xD800 <= code < 0xE000 or (as_bytes and code > 0xFF):
        return None
    return chr(code)


def _raw_string(source: str, at: int) -> tuple[Token, int]:
    """Read a text in backticks, where two of them stand for one."""
    position, parts = at + 1, []
    while True:
        end = source.find("`", position)
        if end < 0:
            raise ExpressionError("literal not terminated", source, len(source))
        parts.append(source[position:end])
        if source[end + 1 : end + 2] != "`":
            return Token("String", "".join(parts), at), end + 1
        parts.append("`")
        position = end + 2


def number(source: str, token: Token) -> int | float:
    """Return what a number stands for. Raises ExpressionError where 64 bits can't hold it."""
    text = token.value.replace("_", "").lower()
    kind = _BASES.get(text[:2], "float" if set(text) & set(".e") else "integer")
    try:
        value = float(text) if kind == "float" else int(text, 10 if kind == "integer" else 0)
    except ValueError:
        value = _LARGEST + 1
    is_too_large = value == float("inf") if kind == "float" else value > _LARGEST
    if is_too_large:
        raise ExpressionError(f"invalid {kind} literal: {token.value}", source, token.at)
    return value
