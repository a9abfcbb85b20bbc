"""Which Go type does a value have, and how do two values compare?

A template is strict about types because Go is: a number of a decoded JSON document is a float64, and comparing it with
the literal `2`, which is an int, is an error. An object read through the API machinery keeps its whole numbers as
int64, and there the same comparison works. `whole_numbers` tells the two worlds apart.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from rollouts.jsonpath.errors import JSONPathError

if TYPE_CHECKING:
    from collections.abc import Callable


class GoInt(int):
    """A whole number written in the template."""


class GoByte(int):
    """One byte of a string: what a wildcard finds in one."""


class NoValue(Enum):
    """The document is null. A null found inside a document is None, and Go treats the two differently."""

    NO_VALUE = "<no value>"


NO_VALUE: Final = NoValue.NO_VALUE


def plain(value: Any) -> Any:
    """Give back the JSON value that a caller expects."""
    if value is NO_VALUE:
        return None
    return int(value) if isinstance(value, (GoInt, GoByte)) else value


def as_document(value: Any) -> Any:
    """Make a value the document of a template or of one round of a range."""
    return NO_VALUE if value is None else value


_TYPE_NAMES: dict[type, str] = {
    dict: "map[string]interface {}",
    list: "[]interface {}",
    str: "string",
    bool: "bool",
    float: "float64",
    GoInt: "int",
    GoByte: "uint8",
}


def type_name(value: Any, *, whole_numbers: bool) -> str:
    """Name the Go type, as error messages do."""
    if type(value) is int:
        return "int64" if whole_numbers else "float64"
    return _TYPE_NAMES.get(type(value), "<nil>")


def to_float(value: float) -> float:
    """Convert as a JSON decoder would; beyond a float64's range there is only infinity."""
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


class _Kind(Enum):
    BOOL = "bool"
    INT = "int"
    UINT = "uint"
    FLOAT = "float"
    STRING = "string"


_KINDS: dict[str, _Kind] = {
    "bool": _Kind.BOOL,
    "int": _Kind.INT,
    "int64": _Kind.INT,
    "uint8": _Kind.UINT,
    "float64": _Kind.FLOAT,
    "string": _Kind.STRING,
}
_INTEGERS = frozenset({_Kind.INT, _Kind.UINT})


def _comparable(left: Any, right: Any, *, whole_numbers: bool) -> tuple[Any, Any]:
    kinds = []
    for value in (left, right):
        kind = _KINDS.get(type_name(value, whole_numbers=whole_numbers))
        if kind is None:
            raise JSONPathError("invalid type for comparison")
        kinds.append(kind)
    if kinds[0] is not kinds[1] and not _INTEGERS.issuperset(kinds):
        raise JSONPathError("incompatible types for comparison")
    if kinds[0] is _Kind.FLOAT:
        return to_float(left), to_float(right)
    return left, right


def _less(left: Any, right: Any) -> bool:
    if isinstance(left, bool):
        raise JSONPathError("invalid type for comparison")
    return bool(left < right)


def _less_or_equal(left: Any, right: Any) -> bool:
    return _less(left, right) or bool(left == right)


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda left, right: bool(left == right),
    "!=": lambda left, right: bool(left != right),
    "<": _less,
    "<=": _less_or_equal,
    ">": lambda left, right: not _less_or_equal(left, right),
    ">=": lambda left, right: not _less(left, right),
}


def compare(operator: str, left: Any, right: Any, *, whole_numbers: bool) -> bool:
    """Answer `left operator right`, or say why the two cannot be compared."""
    holds = _OPERATORS.get(operator)
    if holds is None:
        raise JSONPathError(f"unrecognized filter operator {operator}")
    return holds(*_comparable(left, right, whole_numbers=whole_numbers))
