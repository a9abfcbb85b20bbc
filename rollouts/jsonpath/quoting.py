"""Which text does a quoted literal of a template stand for?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollouts.jsonpath.errors import JSONPathError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIMPLE = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92}
_HEX_DIGITS = {"x": 2, "u": 4, "U": 8}
_HEX = frozenset("0123456789abcdefABCDEF")
_OCTAL = frozenset("01234567")


def unquote(literal: str) -> str:
    """Take the quotes off and resolve Go's escapes; both kinds of quotes hold strings."""
    quote, body = literal[0], literal[1:-1]
    if "\\" not in body and quote not in body:
        return body
    try:
        # Escapes of bytes may add up to a character, so the text is put together from bytes.
        return b"".join(_unescaped(body, quote)).decode("utf-8", "replace")
    except ValueError as error:
        raise JSONPathError(f"unquote string {literal} error invalid syntax") from error


def _unescaped(body: str, quote: str) -> Iterator[bytes]:
    at = 0
    while at < len(body):
        char = body[at]
        at += 1
        if char == quote:
            raise ValueError(char)
        if char == "\\":
            unescaped, at = _escape(body, at, quote)
            yield unescaped
        else:
            yield char.encode("utf-8", "replace")


def _escape(body: str, at: int, quote: str) -> tuple[bytes, int]:
    char = body[at : at + 1]
    if char in _HEX_DIGITS:
        last = at + 1 + _HEX_DIGITS[char]
        code = _code(body[at + 1 : last], _HEX_DIGITS[char], 16)
        return (bytes([code]) if char == "x" else chr(code).encode()), last
    if char and char in _OCTAL:
        return bytes([_code(body[at : at + 3], 3, 8)]), at + 3
    if char == quote:
        return char.encode(), at + 1
    if char not in _SIMPLE:
        raise ValueError(char)
    return bytes([_SIMPLE[char]]), at + 1


def _code(digits: str, count: int, base: int) -> int:
    allowed = _HEX if base == 16 else _OCTAL
    if len(digits) != count or not allowed.issuperset(digits):
        raise ValueError(digits)
    return int(digits, base)
