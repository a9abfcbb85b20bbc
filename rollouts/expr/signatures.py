"""Which functions does the language bring along, and what do they take?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rollouts.expr.errors import Failure
from rollouts.expr.kinds import ANY_MAP, FLOAT, INT, LIST, TIME, UNKNOWN, Kind

Verdict = Callable[[Sequence[Kind]], Kind]


@dataclass(frozen=True, slots=True)
class Shape:
    """The arguments of a function with a predicate; the first `required` must be there."""

    kinds: tuple[Literal["value", "predicate"], ...]
    required: int


_WITH = Shape(("value", "predicate"), 2)
_PERHAPS_WITH = Shape(("value", "predicate"), 1)
_AND_MORE = Shape(("value", "predicate", "value"), 2)

PREDICATES: Mapping[str, Shape] = {
    **dict.fromkeys(("all", "none", "any", "one", "filter", "map"), _WITH),
    **dict.fromkeys(("find", "findIndex", "findLast", "findLastIndex", "groupBy"), _WITH),
    "count": _PERHAPS_WITH,
    "sum": _PERHAPS_WITH,
    "sortBy": _AND_MORE,
    "reduce": _AND_MORE,
}


@dataclass(frozen=True, slots=True)
class Overload:
    """One way to call a function: the Go types that it takes, and the one it returns."""

    takes: tuple[str, ...]
    returns: str


def _overloads(*ways: str) -> tuple[Overload, ...]:
    """Read `string, int -> string`."""
    found = []
    for way in ways:
        takes, _, returns = way.partition("->")
        found.append(Overload(tuple(filter(None, (each.strip() for each in takes.split(",")))), returns.strip()))
    return tuple(found)


ANY = "interface {}"
ANYS = "[]interface {}"

OVERLOADS: Mapping[str, tuple[Overload, ...]] = {
    "type": _overloads(f"{ANY} -> string"),
    "string": _overloads(f"{ANY} -> string"),
    "trim": _overloads("string -> string", "string, string -> string"),
    "trimPrefix": _overloads("string, string -> string", "string -> string"),
    "trimSuffix": _overloads("string, string -> string", "string -> string"),
    "upper": _overloads("string -> string"),
    "lower": _overloads("string -> string"),
    "split": _overloads("string, string -> []string", "string, string, int -> []string"),
    "splitAfter": _overloads("string, string -> []string", "string, string, int -> []string"),
    "replace": _overloads("string, string, string, int -> string", "string, string, string -> string"),
    "repeat": _overloads("string, int -> string"),
    "join": _overloads(
        "[]string, string -> string",
        f"{ANYS}, string -> string",
        f"{ANYS} -> string",
        "[]string, string -> string",
        "[]string -> string",
    ),
    "indexOf": _overloads("string, string -> int"),
    "lastIndexOf": _overloads("string, string -> int"),
    "hasPrefix": _overloads("string, string -> bool"),
    "hasSuffix": _overloads("string, string -> bool"),
    "toJSON": _overloads(f"{ANY} -> string"),
    "fromJSON": _overloads(f"string -> {ANY}"),
    "toBase64": _overloads("string -> string"),
    "fromBase64": _overloads("string -> string"),
    "duration": _overloads("string -> time.Duration"),
    "timezone": _overloads("string -> *time.Location"),
    "sort": _overloads(
        *(f"{kind}, string -> {ANYS}" for kind in (ANYS, "[]int", "[]float64", "[]string")),
        *(f"{kind} -> {ANYS}" for kind in (ANYS, "[]float64", "[]string", "[]int")),
    ),
    **dict.fromkeys(
        ("bitand", "bitor", "bitxor", "bitnand", "bitshl", "bitshr", "bitushr"), _overloads("int, int -> int")
    ),
    "bitnot": _overloads("int -> int"),
}


def _count(kinds: Sequence[Kind], wanted: int) -> None:
    if len(kinds) != wanted:
        raise Failure(f"invalid number of arguments (expected {wanted}, got {len(kinds)})")


def _one(*groups: str, returns: Kind | None, says: str) -> Verdict:
    """Return the check of a function with one argument of one of the groups; no `returns` means: as it came."""

    def verdict(kinds: Sequence[Kind]) -> Kind:
        _count(kinds, 1)
        (kind,) = kinds
        if not kind.is_unknown and kind.group not in groups:
            raise Failure(says.format(_named(kind)))
        return kind if returns is None else returns

    return verdict


def _named(kind: Kind) -> str:
    return "%!s(<nil>)" if kind.is_nil else str(kind)


def _element(name: str) -> Verdict:
    def verdict(kinds: Sequence[Kind]) -> Kind:
        _count(kinds, 1)
        (kind,) = kinds
        if not kind.is_unknown and not kind.is_list:
            raise Failure(f"cannot get {name} element from {_named(kind)}")
        return kind.elements if kind.is_list else UNKNOWN

    return verdict


def _aggregate(name: str) -> Verdict:
    def verdict(kinds: Sequence[Kind]) -> Kind:
        if not kinds:
            raise Failure(f"not enough arguments to call {name}")
        for kind in kinds:
            if kind.is_unknown or kind.is_list:
                return UNKNOWN
            if not kind.is_number:
                raise Failure(f"invalid argument for {name} (type {_named(kind)})")
        return kinds[0]

    return verdict


def _take(kinds: Sequence[Kind]) -> Kind:
    _count(kinds, 2)
    source, count = kinds
    if not source.is_unknown and not source.is_list:
        raise Failure(f"cannot take from {_named(source)}")
    if not count.is_unknown and not count.is_integer:
        raise Failure(f"cannot take {_named(count)} elements")
    return source


def _concat(kinds: Sequence[Kind]) -> Kind:
    if not kinds:
        raise Failure("invalid number of arguments (expected at least 1, got 0)")
    for kind in kinds:
        if not kind.is_unknown and not kind.is_list:
            raise Failure(f"cannot concat {_named(kind)}")
    return LIST


def _now(kinds: Sequence[Kind]) -> Kind:
    if kinds and (len(kinds) > 1 or kinds[0].name != "*time.Location"):
        raise Failure(f"invalid number of arguments (expected 0, got {len(kinds)})")
    return TIME


def _date(kinds: Sequence[Kind]) -> Kind:
    if not kinds:
        raise Failure("invalid number of arguments (expected at least 1, got 0)")
    rest = kinds[1:] if kinds[0].name == "*time.Location" else kinds
    if len(rest) > 3:
        raise Failure(f"invalid number of arguments (expected at most 3, got {len(rest)})")
    return TIME


VERDICTS: Mapping[str, Verdict] = {
    "len": _one("list", "map", "string", returns=INT, says="invalid argument for len (type {})"),
    "abs": _one("number", returns=None, says="invalid argument for abs (type {})"),
    "ceil": _one("number", returns=FLOAT, says="invalid argument for ceil (type {})"),
    "floor": _one("number", returns=FLOAT, says="invalid argument for floor (type {})"),
    "round": _one("number", returns=FLOAT, says="invalid argument for round (type {})"),
    "int": _one("number", "string", "time.Duration", returns=INT, says="invalid argument for int (type {})"),
    "float": _one("number", "string", "time.Duration", returns=FLOAT, says="invalid argument for float (type {})"),
    "max": _aggregate("max"),
    "min": _aggregate("min"),
    "mean": _aggregate("mean"),
    "median": _aggregate("median"),
    "first": _element("first"),
    "last": _element("last"),
    "take": _take,
    "keys": _one("map", returns=LIST, says="cannot get keys from {}"),
    "values": _one("map", returns=LIST, says="cannot get values from {}"),
    "toPairs": _one("map", returns=LIST, says="cannot transform {} to pairs"),
    "fromPairs": _one("list", returns=ANY_MAP, says="cannot transform {} from pairs"),
    "reverse": _one("list", returns=LIST, says="cannot reverse {}"),
    "uniq": _one("list", returns=LIST, says="cannot uniq {}"),
    "flatten": _one("list", returns=LIST, says="cannot flatten {}"),
    "concat": _concat,
    "now": _now,
    "date": _date,
}

BUILTINS: frozenset[str] = frozenset({*PREDICATES, *OVERLOADS, *VERDICTS, "get"})
