"""Which functions work on lists and maps, without asking a predicate?"""

from collections.abc import Callable, Mapping
from functools import cmp_to_key
from typing import Any

from rollouts.expr.errors import Failure
from rollouts.expr.operators import as_int, equal, fetch, less
from rollouts.expr.values import AnyMap, Ints, Pair, Pairs, go_text, go_type, is_integer

MAX_DEPTH = 200
_KINDS = {
    "bool": "bool", "int": "int", "int64": "int", "float64": "float", "string": "string", "time.Time": "time.Time",
    "time.Duration": "time.Duration", "<nil>": "nil", "func": "func",
}  # fmt: skip


def _kind(value: Any) -> str:
    """Return the kind of a value as Go's reflection words it."""
    if value is None:
        return "invalid"
    if isinstance(value, list):
        return "slice"
    return "map" if isinstance(value, Mapping) else go_type(value)


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise Failure(f"cannot {what} {_kind(value)}")
    return value


def _map(value: Any, what: str) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise Failure(what.format(_kind(value)))
    return value


def length(value: Any) -> int:
    """Count the elements of a list or map, or the characters of a text."""
    if not isinstance(value, list | Mapping | str | bytes):
        raise Failure(f"invalid argument for len (type {go_type(value)})")
    return len(value)


def type_of(value: Any) -> str:
    """Return a value's type in the words of the language."""
    if isinstance(value, list | bytes):
        return "array"
    return "map" if isinstance(value, Mapping) else _KINDS.get(go_type(value), "unknown")


def _first(value: Any) -> Any:
    return fetch(value, 0, strictly=False) if isinstance(value, list | str) else None


def _last(value: Any) -> Any:
    return fetch(value, -1, strictly=False) if isinstance(value, list | str) else None


def _get(source: Any, key: Any) -> Any:
    return None if source is None else fetch(source, key, strictly=False)


def take(source: Any, count: Any) -> Any:
    """Return the first elements of a list."""
    found = _list(source, "take from")
    if not is_integer(count):
        raise Failure(f"cannot take {_kind(count)} elements")
    if count < 0:
        raise Failure("reflect.Value.Slice: slice index out of bounds")
    return type(found)(found[: int(count)])


def from_pairs(value: Any) -> AnyMap:
    """Make a map of pairs."""
    made = AnyMap()
    if not isinstance(value, list):
        raise Failure(f"cannot transform {go_text(value)} from pairs")
    for pair in value:
        if not isinstance(pair, list):
            raise Failure(f"invalid pair {go_text(pair)}")
        if len(pair) != 2:
            raise Failure(f"invalid pair length {go_text(pair)}")
        made[hashable(pair[0])] = pair[1]
    return made


def hashable(key: Any) -> Any:
    """Return a value that can be a map's key. Raises Failure."""
    if isinstance(key, list | dict):
        raise Failure(f"runtime error: hash of unhashable type {go_type(key)}")
    return key


def unique(value: Any) -> list[Any]:
    """Return each element once."""
    found: list[Any] = []
    for each in _list(value, "uniq"):
        if not any(equal(each, other) for other in found):
            found.append(each)
    return found


def concatenated(*values: Any) -> list[Any]:
    """Return the elements of several lists in one."""
    return [each for value in values for each in _list(value, "concat")]


def flattened(value: Any, depth: int = 0) -> list[Any]:
    """Return the elements of a list and of the lists in it."""
    if depth > MAX_DEPTH:
        raise Failure("recursion depth exceeded")
    flat: list[Any] = []
    for each in _list(value, "flatten"):
        flat += flattened(each, depth + 1) if isinstance(each, list) else [each]
    return flat


def is_descending(order: Any, says: str) -> bool:
    """Read the order of a sort. Raises Failure with `says` for any other text."""
    if order not in ("asc", "desc"):
        raise Failure(says)
    return bool(order == "desc")


def sorted_by(values: list[Any], keys: list[Any], *, descending: bool) -> list[Any]:
    """Return values in the order of their keys. Raises Failure where two can't be compared."""

    def compare(left: tuple[Any, Any], right: tuple[Any, Any]) -> int:
        return -1 if less(left[0], right[0]) else int(less(right[0], left[0]))

    pairs = sorted(zip(keys, values, strict=True), key=cmp_to_key(compare), reverse=descending)
    return [value for _, value in pairs]


def in_order(value: Any, order: Any = "asc") -> list[Any]:
    """Sort a list."""
    if not isinstance(order, str):
        raise Failure(f"sort order argument must be a string (got {go_type(order)})")
    descending = is_descending(order, f"invalid order {order}, expected asc or desc")
    found = value if isinstance(value, list) else []
    return sorted_by(found, found, descending=descending)


def number_range(start: Any, stop: Any) -> Ints:
    """Return the whole numbers from one to another, both included."""
    return Ints(range(as_int(start), as_int(stop) + 1))


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "len": length,
    "type": type_of,
    "first": _first,
    "last": _last,
    "get": _get,
    "take": take,
    "keys": lambda value: list(_map(value, "cannot get keys from {}")),
    "values": lambda value: list(_map(value, "cannot get values from {}").values()),
    "toPairs": lambda value: Pairs(Pair(pair) for pair in _map(value, "cannot transform {} to pairs").items()),
    "fromPairs": from_pairs,
    "reverse": lambda value: list(reversed(_list(value, "reverse"))),
    "uniq": unique,
    "concat": concatenated,
    "flatten": flattened,
    "sort": in_order,
}
