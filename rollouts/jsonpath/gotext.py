"""How does Go write a value: a scalar, a JSON text, and the %v of an error message?"""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from rollouts.jsonpath.errors import JSONPathError, JSONPathLimitError
from rollouts.jsonpath.gotypes import NO_VALUE, GoByte, GoInt, to_float

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_NESTING = 200
_MAX_QUOTED = 4096
_FIRST_EXPONENT = 6  # a number from 10**6 on is printed with an exponent

# Escapes of Go's JSON encoder; the last five keep a text safe inside HTML and JavaScript.
_ESCAPES = {code: f"\\u{code:04x}" for code in range(0x20)} | {
    ord('"'): '\\"',
    ord("\\"): "\\\\",
    ord("\b"): "\\b",
    ord("\f"): "\\f",
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
    ord("<"): "\\u003c",
    ord(">"): "\\u003e",
    ord("&"): "\\u0026",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}


def scalar(value: Any, *, whole_numbers: bool) -> str:
    """Write a value that is neither a map nor a list, as `fmt.Print` does."""
    if value is NO_VALUE:
        return str(NO_VALUE.value)
    if value is None:
        return "null"
    return _printed(value, whole_numbers=whole_numbers)


def json_pieces(value: Any, *, whole_numbers: bool, nesting: int = 0) -> Iterator[str]:
    """Write JSON as Go's encoder does, piece by piece: the reader decides when it is too much."""
    _check(nesting)
    if isinstance(value, dict):
        opening = "{"
        for key in sorted(value):
            yield f"{opening}{quoted(key)}:"
            yield from json_pieces(value[key], whole_numbers=whole_numbers, nesting=nesting + 1)
            opening = ","
        yield "}" if value else "{}"
    elif isinstance(value, list):
        opening = "["
        for item in value:
            yield opening
            yield from json_pieces(item, whole_numbers=whole_numbers, nesting=nesting + 1)
            opening = ","
        yield "]" if value else "[]"
    elif isinstance(value, str):
        yield quoted(value)
    elif value is None:
        yield "null"
    else:
        yield _json_scalar(value, whole_numbers=whole_numbers)


def described(value: Any, *, whole_numbers: bool) -> str:
    """Write a value for an error message (%v); a very large one is cut."""
    pieces = islice(_described_pieces(value, whole_numbers=whole_numbers, nesting=0), _MAX_QUOTED)
    text = "".join(pieces)
    return text if len(text) <= _MAX_QUOTED else f"{text[:_MAX_QUOTED]}..."


def character(char: str) -> str:
    """Name a character by its code point, and show it if it can be seen."""
    code = f"U+{ord(char):04X}"
    return f"{code} '{char}'" if char.isprintable() else code


def _described_pieces(value: Any, *, whole_numbers: bool, nesting: int) -> Iterator[str]:
    _check(nesting)
    if isinstance(value, dict):
        opening = "map["
        for key in sorted(value):
            yield f"{opening}{key}:"
            yield from _described_pieces(value[key], whole_numbers=whole_numbers, nesting=nesting + 1)
            opening = " "
        yield "]" if value else "map[]"
    elif isinstance(value, list):
        opening = "["
        for item in value:
            yield opening
            yield from _described_pieces(item, whole_numbers=whole_numbers, nesting=nesting + 1)
            opening = " "
        yield "]" if value else "[]"
    elif value is NO_VALUE:
        yield "<invalid reflect.Value>"
    else:
        yield "<nil>" if value is None else _printed(value, whole_numbers=whole_numbers)


def _check(nesting: int) -> None:
    if nesting > MAX_NESTING:
        raise JSONPathLimitError(f"the value is nested deeper than {MAX_NESTING} levels")


def quoted(text: str) -> str:
    """Write a JSON string as Go's encoder does, safe inside HTML."""
    return f'"{text.translate(_ESCAPES)}"'


def _printed(value: Any, *, whole_numbers: bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) or (isinstance(value, int) and not _is_whole(value, whole_numbers=whole_numbers)):
        return float_text(to_float(value))
    return str(value)


def _json_scalar(value: Any, *, whole_numbers: bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and _is_whole(value, whole_numbers=whole_numbers):
        return str(value)
    if isinstance(value, (int, float)):
        return json_float(to_float(value))
    raise JSONPathError(f"json: unsupported type: {type(value).__name__}")


def _is_whole(value: int, *, whole_numbers: bool) -> bool:
    return whole_numbers or isinstance(value, (GoInt, GoByte))


def float_text(value: float) -> str:
    """Write a float as %v does: the shortest text that reads back the same, with an exponent where it is large."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    exponent = Decimal(repr(value)).adjusted() if value else 0
    return positional(value) if -4 <= exponent < _FIRST_EXPONENT else _scientific(value, exponent_digits=2)


def json_float(value: float) -> str:
    """Write a float as Go's JSON encoder does. Raises JSONPathError for what JSON can't say."""
    if not math.isfinite(value):
        raise JSONPathError(f"json: unsupported value: {float_text(value)}")
    small_or_large = value != 0 and not 1e-6 <= abs(value) < 1e21
    return _scientific(value, exponent_digits=1 if abs(value) < 1 else 2) if small_or_large else positional(value)


def positional(value: float) -> str:
    """Write a finite float without an exponent."""
    text = format(Decimal(repr(value)), "f")
    return text.removesuffix(".0")


def _scientific(value: float, *, exponent_digits: int) -> str:
    number = Decimal(repr(value)).normalize()
    sign, digits, _ = number.as_tuple()
    fraction = "".join(map(str, digits[1:]))
    exponent = number.adjusted()
    return (
        f"{'-' if sign else ''}{digits[0]}{'.' + fraction if fraction else ''}"
        f"e{'-' if exponent < 0 else '+'}{abs(exponent):0{exponent_digits}d}"
    )
