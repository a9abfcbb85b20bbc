"""Which conditions and paths does nobody write, and all the same they have an answer? Random ones, by seed."""

import json
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

RESULTS: Sequence[Any] = (
    None, 5, 0.5, "abc", True, [1, 2, 3], [], {"a": 1}, {"a": {"b": [1, {"c": "x"}]}}, [{"a": 1}, {"a": None}],
    ["x", "y"], [1, "x", None, True, [2]],
)  # fmt: skip
LITERALS = (
    "1", "0", "2", "-3", "2.5", "0.0", "1e3", '"a"', '"abc"', '""', "true", "false", "nil", "[1, 2, 3]", "[]",
    '["b", "a"]', '{"a": 1}', "{}", "[[1], [2, 3]]", '"5"', "[1, 2.5]", "1..4", '[{"a": 1}, {"a": 2}]', '"x,y"',
    'duration("90s")',
)  # fmt: skip
NAMES = (
    "result", "result.a", "result[0]", "result?.a?.b", 'result["b"]', "$env.result", "result[-1]",
)  # fmt: skip
INFIX = (
    "+", "-", "*", "/", "%", "**", "==", "!=", "<", ">", "<=", ">=", "and", "or", "&&", "||", "in", "not in",
    "contains", "startsWith", "endsWith", "matches", "??", "..",
)  # fmt: skip
OF_ONE = (
    "len", "type", "abs", "ceil", "floor", "round", "int", "float", "string", "upper", "lower", "trim", "max", "min",
    "mean", "median", "sum", "first", "last", "keys", "values", "reverse", "uniq", "flatten", "sort", "toJSON", "asInt",
    "asFloat", "isNil", "count", "join", "toPairs", "fromPairs", "bitnot", "isNaN",
)  # fmt: skip
OF_TWO = (
    "get", "take", "split", "indexOf", "default", "concat", "bitand", "hasPrefix", "trimPrefix", "max", "min", "join",
    "repeat", "sort",
)  # fmt: skip
OF_EACH = (
    "all", "any", "none", "one", "filter", "map", "count", "sum", "find", "findIndex", "findLast", "groupBy", "sortBy",
)  # fmt: skip
PIPES = ("len()", "string()", "map(#)", "filter(# > 1)", "first()", "sum()", "type()")
PLACES = ("0", "1", "-1", "5", '"a"', "1:", "-1:", ":2", ":")

# Maps with one key each: Go visits others in random order.
DOCUMENTS: Sequence[Any] = (
    {"a": [1, 2.5, "x", None, True]},
    {"a": {"b": [{"c": 1}, {"c": 2}, {"c": "x"}]}},
    [1, [2, [3]], {"a": "b"}],
    "text",
    {"a": [{"name": "x"}, {"name": "y"}, {"name": 3}]},
)


class Conditions:
    """Random conditions: most of them make no sense, and the real implementation says why."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - the same questions each time
        pick = self._random.choice
        self._shapes: Sequence[Callable[[int], str]] = (
            *[lambda depth: f"({self._atom(depth)} {pick(INFIX)} {self._atom(depth)})"] * 4,
            lambda depth: f"{pick(('not ', '!', '-', '+'))}{self._atom(depth)}",
            lambda depth: f"({self._atom(depth)} ? {self._atom(depth)} : {self._atom(depth)})",
            lambda depth: f"{pick(OF_ONE)}({self._atom(depth)})",
            lambda depth: f"{pick(OF_TWO)}({self._atom(depth)}, {self._atom(depth)})",
            lambda depth: f"{pick(OF_EACH)}({self._atom(depth)}, {self._closure(depth)})",
            lambda depth: f"reduce({self._atom(depth)}, #acc {pick('+*')} #, {pick(LITERALS)})",
            lambda depth: f"{self._atom(depth)}[{pick(PLACES)}]",
            lambda depth: f"({self._atom(depth)} | {pick(PIPES)})",
            lambda depth: f"(let one = {self._atom(depth)}; [one, {self._atom(depth)}])",
            lambda depth: f"[{self._atom(depth)}, {self._atom(depth)}]",
            lambda depth: f'{{"a": {self._atom(depth)}}}',
        )

    def questions(self, count: int) -> list[Mapping[str, Any]]:
        """Return so many conditions, each with a result to try it on."""
        return [
            {"expression": self._condition(self._random.randint(1, 4)), "result": self._random.choice(RESULTS)}
            for _ in range(count)
        ]

    def _condition(self, depth: int) -> str:
        return self._random.choice(self._shapes)(depth) if depth > 0 else self._random.choice(LITERALS)

    def _atom(self, depth: int) -> str:
        luck = self._random.random()
        if depth <= 1 or luck < 0.35:
            return self._random.choice(LITERALS)
        return self._random.choice(NAMES) if luck < 0.5 else self._condition(depth - 1)

    def _closure(self, depth: int) -> str:
        literal = self._random.choice(LITERALS)
        shapes = (
            "#", "# > 1", "# == 2", ".a", "#.a > 1", f"# in {literal}", f"# + {literal}", "true", "len(#)", "#?.a == 1",
            "{let y = #; y}", self._condition(depth - 1),
        )  # fmt: skip
        return self._random.choice(shapes)


class Paths:
    """Random JSONPath templates."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - the same questions each time

    def questions(self, count: int) -> list[Mapping[str, Any]]:
        """Return so many templates, each with a document to try it on."""
        return [{"template": self._template(), "document": self._random.choice(DOCUMENTS)} for _ in range(count)]

    def _template(self) -> str:
        pick = self._random.choice
        parts = "".join(self._part() for _ in range(self._random.randint(1, 4)))
        path = f"{{{pick(('', '', '$', '@'))}{parts}}}"
        if self._random.random() < 0.1:
            path = f"{{range {parts}}}<{{@}}>{{end}}"
        return f"{pick(('', '', 'is '))}{path}{pick(('', '', '!', '{'))}"

    def _part(self) -> str:
        pick = self._random.choice
        number = str(self._random.randint(-3, 4))
        literal = pick(("1", "'x'", '"x"', "2.5", "true", "'b'"))
        return pick(
            (
                ".a", ".a", ".b", ".c", ".name", "[*]", ".*", "..c", "..name", f"[{number}]", f"[{number}:]",
                f"[:{number}]", f"[::{number}]", f"[0,{number}]", "['a']", "['a','b']", f"[?(@.c=={literal})]",
                f"[?(@.name!={literal})]", f"[?(@>{literal})]", "[?(@.name)]", ".a.", "[", "]", "[?(@", ".\\.",
            )
        )  # fmt: skip


def lines(questions: Sequence[Mapping[str, Any]]) -> str:
    """Return questions as the oracle reads them."""
    return "\n".join(json.dumps(each) for each in questions)
