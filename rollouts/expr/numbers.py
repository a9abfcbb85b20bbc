"""Which functions count and calculate?"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rollouts.expr import operators
from rollouts.expr.errors import Failure
from rollouts.expr.values import Duration, go_type, is_integer, is_number, wrapped

MAX_DEPTH = 200
_INTEGER = re.compile(r"[+-]?[0-9]+")
_HEX_FLOAT = re.compile(r"[+-]?0[xX]([0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+")
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(inf|infinity|nan)", re.IGNORECASE)


def parse_int(text: str) -> int | None:
    """Return the whole number that a text is in Go's eyes, or None."""
    if not _INTEGER.fullmatch(text) or len(text) > 30:
        return None
    number = int(text)
    return number if wrapped(number) == number else None


def parse_float(text: str) -> float | None:
    """Return the number that a text is in Go's eyes, or None; one beyond a float's range is none."""
    if _HEX_FLOAT.fullmatch(text):
        return float.fromhex(text)
    if not _FLOAT.fullmatch(text) or (text[:1] in "+-" and text[1:].lower() == "nan"):
        return None
    number = float(text)
    is_word = text.lstrip("+-").lower()[:3] in ("inf", "nan")
    return number if is_word or math.isfinite(number) else None


def absolute(value: Any) -> Any:
    """Return a number without its sign."""
    _require(value, "abs")
    return operators.negate(value) if value < 0 else value


def _require(value: Any, name: str) -> None:
    if not is_number(value):
        raise Failure(f"invalid argument for {name} (type {go_type(value)})")


def _rounded(name: str, rule: Callable[[float], float]) -> Callable[[Any], float]:
    def function(value: Any) -> float:
        _require(value, name)
        number = float(value)
        return rule(number) if math.isfinite(number) else number

    return function


def _half_away(number: float) -> float:
    return math.copysign(math.floor(abs(number) + 0.5), number) if abs(number) < 2**52 else number


def integer(value: Any) -> int:
    """Return a number or text as a whole number."""
    if isinstance(value, str):
        number = parse_int(value)
        if number is None:
            raise Failure(f"invalid operation: int({value})")
        return number
    if isinstance(value, Duration):
        return value.nanoseconds
    return operators.as_int(value)


def real(value: Any) -> float:
    """Return a number or text as a float."""
    if isinstance(value, str):
        number = parse_float(value)
        if number is None:
            raise Failure(f"invalid operation: float({value})")
        return number
    return operators.as_float(value)


def numbers_in(name: str, arguments: tuple[Any, ...], depth: int = 0) -> Iterator[Any]:
    """Yield the numbers in arguments and in their lists, however deep."""
    if depth > MAX_DEPTH:
        raise Failure("recursion depth exceeded")
    for each in arguments:
        if isinstance(each, list):
            yield from numbers_in(name, tuple(each), depth + 1)
        elif is_number(each):
            yield each
        else:
            raise Failure(f"invalid argument for {name} (type {go_type(each)})")


def _extreme(name: str, is_better: Callable[[Any, Any], bool]) -> Callable[..., Any]:
    def function(*arguments: Any) -> Any:
        if len(arguments) == 1 and not isinstance(arguments[0], list) and not is_number(arguments[0]):
            return arguments[0]
        best = None
        for each in numbers_in(name, arguments):
            if best is None or is_better(best, each):
                best = each
        return best

    return function


def mean(*arguments: Any) -> float:
    """Return the average of all numbers; 0 where there are none."""
    found = [float(each) for each in numbers_in("mean", arguments)]
    return sum(found, 0.0) / len(found) if found else 0.0


def _nan_first(number: float) -> tuple[bool, float]:
    return (not math.isnan(number), number)


def median(*arguments: Any) -> float:
    """Return the middle of all numbers; 0 where there are none."""
    found = sorted((float(each) for each in numbers_in("median", arguments)), key=_nan_first)
    if not found:
        return 0.0
    middle = len(found) // 2
    return found[middle] if len(found) % 2 else (found[middle - 1] + found[middle]) / 2


def _bits(name: str, operation: Callable[[int, int], int]) -> Callable[[Any, Any], int]:
    def function(left: Any, right: Any) -> int:
        for value in (left, right):
            if not is_integer(value):
                raise Failure(f"cannot use {go_type(value)} as argument (type int) to call {name}")
        return wrapped(operation(int(left), int(right)))

    return function


def _shift(operation: Callable[[int, int], int]) -> Callable[[int, int], int]:
    def shift(number: int, by: int) -> int:
        if by < 0:
            raise Failure(f"invalid operation: negative shift count {by} (type int)")
        return operation(number, min(by, 64))

    return shift


def _inverted(value: Any) -> int:
    if not is_integer(value):
        raise Failure(f"cannot use {go_type(value)} as argument (type int) to call bitnot")
    return ~int(value)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": absolute,
    "ceil": _rounded("ceil", lambda number: float(math.ceil(number))),
    "floor": _rounded("floor", lambda number: float(math.floor(number))),
    "round": _rounded("round", _half_away),
    "int": integer,
    "float": real,
    "max": _extreme("max", operators.less),
    "min": _extreme("min", operators.more),
    "mean": mean,
    "median": median,
    "bitand": _bits("bitand", lambda left, right: left & right),
    "bitor": _bits("bitor", lambda left, right: left | right),
    "bitxor": _bits("bitxor", lambda left, right: left ^ right),
    "bitnand": _bits("bitnand", lambda left, right: left & ~right),
    "bitshl": _bits("bitshl", _shift(lambda number, by: number << by)),
    "bitshr": _bits("bitshr", _shift(lambda number, by: number >> by)),
    "bitushr": _bits("bitushr", _shift(lambda number, by: (number % 2**64) >> by)),
    "bitnot": _inverted,
}
