"""What do the operators do with values, once the expression runs?"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from rollouts.expr.errors import Failure
from rollouts.expr.values import (
    Duration,
    Moment,
    go_text,
    go_type,
    is_integer,
    is_number,
    truncated,
    wrapped,
)


def equal(left: Any, right: Any) -> bool:
    """Tell whether two values are equal: numbers of all types by value, lists and maps by what they hold."""
    if is_number(left) and is_number(right):
        return bool(left == right)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    if isinstance(left, Moment) and isinstance(right, Moment):
        return left.since_epoch == right.since_epoch
    return type(left) is type(right) and bool(left == right)


def _unable(operator: str, left: Any, right: Any) -> Failure:
    return Failure(f"invalid operation: {go_type(left)} {operator} {go_type(right)}")


def _ordered(operator: str, holds: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(left: Any, right: Any) -> bool:
        if is_number(left) and is_number(right):
            return holds(left, right)
        if isinstance(left, str) and isinstance(right, str):
            # Go orders texts by their bytes.
            return holds(left.encode("utf-8", "surrogatepass"), right.encode("utf-8", "surrogatepass"))
        if isinstance(left, Moment) and isinstance(right, Moment):
            return holds(left.since_epoch, right.since_epoch)
        if isinstance(left, Duration) and isinstance(right, Duration):
            return holds(left.nanoseconds, right.nanoseconds)
        raise _unable(operator, left, right)

    return compare


less = _ordered("<", lambda left, right: left < right)
more = _ordered(">", lambda left, right: left > right)


def _calculated(left: Any, right: Any, operation: Callable[[Any, Any], Any]) -> Any:
    if is_integer(left) and is_integer(right):
        return wrapped(int(operation(int(left), int(right))))
    return operation(float(left), float(right))


def add(left: Any, right: Any) -> Any:
    """Add numbers, join texts, move a moment by a duration."""
    if is_number(left) and is_number(right):
        return _calculated(left, right, lambda a, b: a + b)
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    if isinstance(left, Moment) and isinstance(right, Duration):
        return left.plus(right)
    if isinstance(left, Duration) and isinstance(right, Moment):
        return right.plus(left)
    if isinstance(left, Duration) and isinstance(right, Duration):
        return Duration(wrapped(left.nanoseconds + right.nanoseconds))
    raise _unable("+", left, right)


def subtract(left: Any, right: Any) -> Any:
    """Subtract numbers, durations, or moments."""
    if is_number(left) and is_number(right):
        return _calculated(left, right, lambda a, b: a - b)
    if isinstance(left, Moment) and isinstance(right, Moment):
        return Duration(wrapped(left.since_epoch - right.since_epoch))
    if isinstance(left, Moment) and isinstance(right, Duration):
        return left.plus(Duration(-right.nanoseconds))
    if isinstance(left, Duration) and isinstance(right, Duration):
        return Duration(wrapped(left.nanoseconds - right.nanoseconds))
    raise _unable("-", left, right)


def multiply(left: Any, right: Any) -> Any:
    """Multiply numbers, or a duration by a number."""
    if is_number(left) and is_number(right):
        return _calculated(left, right, lambda a, b: a * b)
    if isinstance(left, Duration) and isinstance(right, Duration):
        return Duration(wrapped(left.nanoseconds * right.nanoseconds))
    for length, factor in ((left, right), (right, left)):
        if isinstance(length, Duration) and is_number(factor):
            if is_integer(factor):
                return Duration(wrapped(length.nanoseconds * factor))
            return Duration(truncated(length.nanoseconds * float(factor)))
    raise _unable("*", left, right)


def divide(left: Any, right: Any) -> float:
    """Divide numbers; the answer is always a float, and division by zero gives an infinity or NaN."""
    if not is_number(left) or not is_number(right):
        raise _unable("/", left, right)
    dividend, divisor = float(left), float(right)
    if divisor == 0:
        if dividend == 0 or math.isnan(dividend):
            return math.nan
        return math.copysign(math.inf, dividend) * math.copysign(1, divisor)
    return dividend / divisor


def modulo(left: Any, right: Any) -> int:
    """Return the rest of a division of whole numbers, with the sign of the dividend."""
    if not is_integer(left) or not is_integer(right):
        raise _unable("%", left, right)
    if right == 0:
        raise Failure("integer divide by zero")
    rest: int = abs(left) % abs(right)
    return -rest if left < 0 else rest


def exponent(left: Any, right: Any) -> float:
    """Raise a number to a power."""
    base, power = as_float(left), as_float(right)
    try:
        result = math.pow(base, power)
    except OverflowError:
        is_odd = power.is_integer() and power % 2 == 1
        return -math.inf if base < 0 and is_odd else math.inf
    except ValueError:
        return math.inf if base == 0 else math.nan
    return result


def as_int(value: Any) -> int:
    """Return a number as a whole one."""
    if not is_number(value):
        raise Failure(f"invalid operation: int({go_type(value)})")
    return int(value) if is_integer(value) else truncated(value)


def as_float(value: Any) -> float:
    """Return a number as a float."""
    if not is_number(value):
        raise Failure(f"invalid operation: float({go_type(value)})")
    return float(value)


def negate(value: Any) -> Any:
    """Return the negative of a number."""
    if not is_number(value):
        raise Failure(f"invalid operation: - {go_type(value)}")
    return type(value)(wrapped(-value)) if is_integer(value) else -value


def contains(needle: Any, haystack: Any) -> bool:
    """Tell whether a list has an element, or a map a key."""
    if haystack is None:
        return False
    if isinstance(haystack, list):
        return any(equal(each, needle) for each in haystack)
    if isinstance(haystack, Mapping):
        return _hashable(needle) in haystack
    raise Failure(f'operator "in" not defined on {go_type(haystack)}')


def _hashable(key: Any) -> Any:
    if isinstance(key, list | dict):
        raise Failure(f"runtime error: hash of unhashable type {go_type(key)}")
    return key


def fetch(source: Any, key: Any, *, strictly: bool = True) -> Any:
    """Return an element of a list, a byte of a text, or what a map has under a key.

    A key that a map lacks gives nil, as in Go. `strictly` says whether an index out of range is a failure or nil.
    """
    if isinstance(source, Mapping):
        if not strictly or isinstance(key, str) or type(source) is not dict:
            return source.get(_hashable(key))
        raise Failure(f"reflect.Value.MapIndex: value of type {go_type(key)} is not assignable to type string")
    if isinstance(source, list | str | bytes):
        index, size = as_int(key), len(source.encode()) if isinstance(source, str) else len(source)
        place = index + size if index < 0 else index
        if 0 <= place < size:
            return source.encode()[place] if isinstance(source, str) else source[place]
        if not strictly:
            return None
        raise Failure(f"index out of range: {place} (array length is {size})")
    if not strictly:
        return None
    raise Failure(f"cannot fetch {go_text(key)} from {go_type(source)}")


def sliced(source: Any, start: Any, stop: Any) -> Any:
    """Return a part of a list or text; ends out of range are moved to the nearest one that is in it."""
    if not isinstance(source, list | str | bytes):
        raise Failure(f"cannot slice {go_text(start)}")
    whole = source.encode() if isinstance(source, str) else source
    size = len(whole)
    begin, end = as_int(start), size if stop is None else as_int(stop)
    begin = max(0, begin + size if begin < 0 else begin)
    end = min(size, max(0, end + size if end < 0 else end))
    part = whole[min(begin, end) : end]
    if isinstance(part, bytes) and isinstance(source, str):
        return part.decode("utf-8", "surrogateescape")
    return type(source)(part)


def _is_text_test(test: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    def check(left: Any, right: Any) -> bool:
        if left is None or right is None:
            return False
        for value in (right, left):
            if not isinstance(value, str):
                raise Failure(f"interface conversion: interface {{}} is {go_type(value)}, not string")
        return test(left, right)

    return check


OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": less,
    ">": more,
    "<=": _ordered("<=", lambda left, right: left <= right),
    ">=": _ordered(">=", lambda left, right: left >= right),
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": modulo,
    "**": exponent,
    "^": exponent,
    "in": contains,
    "contains": _is_text_test(lambda left, right: right in left),
    "startsWith": _is_text_test(str.startswith),
    "endsWith": _is_text_test(str.endswith),
}
