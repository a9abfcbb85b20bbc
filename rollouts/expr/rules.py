"""Which type comes out of an operator, or of a function with a predicate, for the types that go in?"""

from collections.abc import Callable, Mapping

from rollouts.expr.kinds import BOOL, DURATION, FLOAT, INT, LIST, STRING, TIME, UNKNOWN, Kind, list_of

Result = Callable[[Kind, Kind], Kind | None]


def _when(*pairs: tuple[Kind | str, Kind | str, Kind], maybe: tuple[str, ...], otherwise: Kind) -> Result:
    """Return a rule: known pairs of groups with their results, and what holds where one side isn't known."""
    table = {(_group(left), _group(right)): result for left, right, result in pairs}

    def rule(left: Kind, right: Kind) -> Kind | None:
        if left.is_number and right.is_number and ("number", "number") not in table and "number" in maybe:
            return _promoted(left, right)
        known = table.get((left.group, right.group))
        if known is not None:
            return known
        return otherwise if left.may_go_with(right, *maybe) else None

    return rule


def _group(kind: Kind | str) -> str:
    return kind if isinstance(kind, str) else kind.group


def _promoted(left: Kind, right: Kind) -> Kind:
    return FLOAT if FLOAT in (left, right) else INT


def _integers(result: Kind) -> Result:
    def rule(left: Kind, right: Kind) -> Kind | None:
        if left.is_integer and right.is_integer:
            return result
        is_possible = (left.is_unknown and (right.is_unknown or right.is_integer)) or (
            right.is_unknown and left.is_integer
        )
        return result if is_possible else None

    return rule


def _coalesced(left: Kind, right: Kind) -> Kind:
    if left.is_nil or right.is_nil:
        return right if left.is_nil else left
    return left if right.is_assignable_to(left) else UNKNOWN


_LOGIC = _when((BOOL, BOOL, BOOL), maybe=("bool",), otherwise=BOOL)
_TEXTS = _when((STRING, STRING, BOOL), maybe=("string",), otherwise=BOOL)
_QUOTIENT = _when(("number", "number", FLOAT), maybe=("number",), otherwise=FLOAT)
_ORDER = _when(
    ("number", "number", BOOL), (STRING, STRING, BOOL), (TIME, TIME, BOOL), (DURATION, DURATION, BOOL),
    maybe=("number", "string", "time.Time", "time.Duration"), otherwise=BOOL,
)  # fmt: skip


def _equality(left: Kind, right: Kind) -> Kind | None:
    return BOOL if left.is_comparable_to(right) else None


def _matching(left: Kind, right: Kind) -> Kind | None:
    return BOOL if left.name == "[]uint8" and right.name == "string" else _TEXTS(left, right)


RESULTS: Mapping[str, Result] = {
    **dict.fromkeys(("==", "!="), _equality),
    **dict.fromkeys(("or", "||", "and", "&&"), _LOGIC),
    **dict.fromkeys(("<", ">", "<=", ">="), _ORDER),
    **dict.fromkeys(("contains", "startsWith", "endsWith"), _TEXTS),
    **dict.fromkeys(("/", "**", "^"), _QUOTIENT),
    "matches": _matching,
    "%": _integers(INT),
    "..": _integers(list_of(INT)),
    "??": _coalesced,
    "+": _when(
        (STRING, STRING, STRING), (TIME, DURATION, TIME), (DURATION, TIME, TIME), (DURATION, DURATION, DURATION),
        maybe=("number", "string", "time.Time", "time.Duration"), otherwise=UNKNOWN,
    ),
    "-": _when(
        (TIME, TIME, DURATION), (TIME, DURATION, TIME), (DURATION, DURATION, DURATION),
        maybe=("number", "time.Time", "time.Duration"), otherwise=UNKNOWN,
    ),
    "*": _when(
        ("number", DURATION, DURATION), (DURATION, "number", DURATION), (DURATION, DURATION, DURATION),
        maybe=("number", "time.Duration"), otherwise=UNKNOWN,
    ),
}  # fmt: skip

After = Callable[[Kind, Kind, bool], Kind]


def _element(collection: Kind) -> Kind:
    return UNKNOWN if collection.is_unknown else collection.elements


ASKS_FOR_BOOL = frozenset(
    {"all", "none", "any", "one", "filter", "count", "find", "findLast", "findIndex", "findLastIndex"}
)
AFTER_PREDICATE: Mapping[str, After] = {
    **dict.fromkeys(("all", "none", "any", "one"), lambda *_: BOOL),
    **dict.fromkeys(("count", "findIndex", "findLastIndex"), lambda *_: INT),
    **dict.fromkeys(("find", "findLast"), lambda collection, *_: _element(collection)),
    "filter": lambda collection, *_: LIST if collection.is_unknown else list_of(collection.elements),
    "map": lambda _collection, answer, _has: list_of(answer),
    "sum": lambda collection, answer, has_predicate: answer if has_predicate else _element(collection),
    "groupBy": lambda collection, *_: Kind("map[interface {}][]interface {}", list_of(_element(collection))),
    "sortBy": lambda collection, *_: collection,
    "reduce": lambda _collection, answer, _has: answer,
}
