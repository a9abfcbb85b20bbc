"""How is an expression compiled and run? With the functions that conditions have, for one result of a metric."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from rollouts.expr.budget import Budget
from rollouts.expr.checker import check
from rollouts.expr.errors import BudgetExceeded, ExpressionError, Failure
from rollouts.expr.evaluator import run
from rollouts.expr.kinds import BOOL, UNKNOWN, Kind, kind_of
from rollouts.expr.nodes import Node
from rollouts.expr.numbers import parse_float, parse_int
from rollouts.expr.parser import parse
from rollouts.expr.values import Function, Int64, go_text, go_type, is_number, truncated

ANY = "interface {}"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled expression; `kind` is what is known of its value."""

    source: str
    tree: Node
    kind: Kind

    def run(self, environment: Mapping[str, Any], now: datetime = EPOCH, budget: Budget | None = None) -> Any:
        """Return the value. Raises ExpressionError, BudgetExceeded among them."""
        try:
            return run(self.source, self.tree, environment, now, budget or Budget())
        except BudgetExceeded as error:
            raise BudgetExceeded(error.message, self.source) from None
        except RecursionError:
            raise BudgetExceeded("the value is nested too deep", self.source) from None


def compile_expression(source: str, environment: Mapping[str, Any]) -> Program:
    """Compile an expression for an environment: its names, and as far as they are known its types.

    Raises ExpressionError.
    """
    tree = _parsed(source)
    try:
        kind = check(source, tree, {name: kind_of(value) for name, value in environment.items()})
    except RecursionError:
        raise ExpressionError("the expression is nested too deep", source) from None
    return Program(source, tree, kind)


@lru_cache(maxsize=1024)
def compile_condition(source: str) -> Program:
    """Compile a condition before any result is known. Raises ExpressionError, also if it can't answer true or false."""
    program = compile_expression(source, {"result": UNKNOWN, **FUNCTIONS})
    if not program.kind.is_unknown and program.kind != BOOL:
        raise ExpressionError(f"expected bool, but got {program.kind}", source)
    return program


@lru_cache(maxsize=1024)
def _parsed(source: str) -> Node:
    try:
        return parse(source)
    except RecursionError:
        raise ExpressionError("the expression is nested too deep", source) from None


def evaluate(source: str, result: Any, now: datetime = EPOCH, budget: Budget | None = None) -> Any:
    """Return the value of a condition for a metric's result. Raises ExpressionError."""
    environment = {"result": as_json(result), **FUNCTIONS}
    return compile_expression(source, environment).run(environment, now, budget)


def as_json(value: Any) -> Any:
    """Return a decoded JSON document as Go holds it: all of its numbers are floats."""
    if isinstance(value, int) and type(value) is int:
        return float(value)
    if type(value) is list:
        return [as_json(each) for each in value]
    return {key: as_json(each) for key, each in value.items()} if type(value) is dict else value


def _as_int(value: Any) -> Int64:
    if isinstance(value, str):
        number = parse_int(value)
        if number is None:
            raise Failure(f'strconv.ParseInt: parsing "{value}": {_why(value)}')
        return Int64(number)
    if not is_number(value):
        raise Failure(f"asInt() not supported on {go_type(value)} {go_text(value)}")
    return Int64(value if isinstance(value, int) else truncated(value))


def _as_float(value: Any) -> float:
    if isinstance(value, str):
        number = parse_float(value)
        if number is None:
            raise Failure(f'strconv.ParseFloat: parsing "{value}": invalid syntax')
        return number
    if not is_number(value):
        raise Failure(f"asFloat() not supported on {go_type(value)} {go_text(value)}")
    return float(value)


def _why(text: str) -> str:
    return "value out of range" if text.lstrip("+-").isdigit() else "invalid syntax"


def _is_nil(value: Any) -> bool:
    return value is None


def _default(value: Any, instead: Any) -> Any:
    return instead if value is None else value


FUNCTIONS: Mapping[str, Function] = {
    function.name: function
    for function in (
        Function("asInt", (ANY,), "int64", _as_int),
        Function("asFloat", (ANY,), "float64", _as_float),
        Function("isNaN", ("float64",), "bool", math.isnan),
        Function("isInf", ("float64",), "bool", math.isinf),
        Function("isNil", (ANY,), "bool", _is_nil),
        Function("default", (ANY, ANY), ANY, _default),
    )
}
"""The functions that every condition has, apart from the language's own."""
