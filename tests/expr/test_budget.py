"""Can an expression hang, or eat memory? Whatever it tries, it is stopped."""

import pytest

from rollouts.expr import Budget, BudgetExceeded, ExpressionError, compile_expression, evaluate

GREEDY = (
    "reduce(1..100, #acc + #acc, 'a')",
    "all(1..1000, all(1..1000, all(1..1000, true)))",
    "1..100000000",
    "map(1..1000, repeat('x', 1000000))",
    "reduce(1..40, [#acc, #acc], [1])",
    "string(reduce(1..25, [#acc, #acc], 'aaaaaaaaaa'))",
    "flatten(reduce(1..22, [#acc, #acc], [1]))",
    "reduce(1..22, [#acc, #acc], [1]) == reduce(1..22, [#acc, #acc], [1])",
    "toJSON(reduce(1..30, {{'a': #acc, 'b': #acc}}, {}))",
    "uniq(1..20000)",
    "join(map(1..100, repeat('a', 900000)), '')",
)
BOMBS = ("replace(repeat('a', 900000), 'a', repeat('b', 900000))", "repeat('a', 100000000)")
NESTED = (
    "(" * 500 + "1" + ")" * 500,
    "[" * 400,
    "-" * 2000 + "1",
    " || ".join(["true"] * 3000),
    "let x = " * 200 + "1",
)


@pytest.mark.parametrize("expression", GREEDY)
def test_a_greedy_expression_is_stopped(expression: str) -> None:
    with pytest.raises(ExpressionError, match=r"budget exceeded|unexpected token"):
        evaluate(expression, None)


@pytest.mark.parametrize("expression", BOMBS)
def test_no_text_is_built_that_no_budget_has_room_for(expression: str) -> None:
    with pytest.raises(ExpressionError, match="memory budget exceeded"):
        evaluate(expression, None)


@pytest.mark.parametrize("expression", NESTED)
def test_nesting_has_a_limit(expression: str) -> None:
    with pytest.raises(ExpressionError, match=r"nested too deep|maximum allowed nodes"):
        evaluate(expression, None)


def test_regular_expressions_take_linear_time() -> None:
    assert evaluate("result matches '(a*)*b'", "a" * 100_000) is False
    assert evaluate("result matches '(a|a)*$'", "a" * 100_000) is True
    assert evaluate("result matches '(.*a){200}b'", "a" * 1_000_000) is False  # half a minute, were groups looked for


SEARCHES = ("matches 'z'", "contains 'z'", "startsWith 'z'", "endsWith 'z'", "== result + ''", "< 'b'", "in {'z': 1}")
CALLS = ("indexOf(result, 'z')", "lastIndexOf(result, 'z')", "len(result)")


@pytest.mark.parametrize("search", SEARCHES)
def test_a_long_text_is_not_searched_again_and_again(search: str) -> None:
    with pytest.raises(ExpressionError, match="budget exceeded"):
        evaluate(f"count(1..100000, result {search}) == 0", "a" * 100_000)


@pytest.mark.parametrize("call", CALLS)
def test_nor_by_a_function(call: str) -> None:
    with pytest.raises(ExpressionError, match="budget exceeded"):
        evaluate(f"all(1..100000, {call} != 5)", "a" * 100_000)


def test_a_large_answer_may_be_searched_for_a_few_things() -> None:
    searches = " || ".join(f"result contains 'x{number}' || result matches 'y{number}'" for number in range(5))
    assert evaluate(searches, "a" * 10_000_000) is False


def test_a_caller_may_be_stricter() -> None:
    program = compile_expression("all(1..100, # > 0)", {})
    assert program.run({}) is True
    with pytest.raises(BudgetExceeded, match="step budget exceeded"):
        program.run({}, budget=Budget(steps=50))


def test_what_a_result_may_hold_is_counted_once_for_each_look() -> None:
    large = [[float(number)] * 10 for number in range(1000)]
    assert evaluate("len(result) == 1000 && all(result, len(#) == 10)", large) is True
