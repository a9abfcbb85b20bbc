"""Does an error say what is wrong, and where?"""

import pytest

from rollouts.expr import ExpressionError, compile_expression, evaluate


def failure(expression: str, result: object = None) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        evaluate(expression, result)
    return caught.value


def test_the_place_counts_from_one() -> None:
    error = failure("result > 1 &&\n  results[0] > 2", 5)
    assert (error.line, error.column) == (2, 3)
    assert str(error) == "unknown name results (2:3)"
    assert error.snippet == "  results[0] > 2\n  ^"


def test_wrong_types_are_found_before_the_run() -> None:
    with pytest.raises(ExpressionError, match="mismatched types string and int"):
        compile_expression("result > 1", {"result": "text"})
    compile_expression("result.value > 1", {"result": {}})


@pytest.mark.parametrize("expression", ["", " ", "// nothing"])
def test_nothing_is_no_expression(expression: str) -> None:
    assert failure(expression).message == "unexpected token EOF"


def test_an_element_that_is_not_there() -> None:
    assert str(failure("result[0] > 0.9", [])) == "index out of range: 0 (array length is 0) (1:7)"


def test_a_duration_beyond_all_bounds_is_an_error() -> None:
    assert failure(f"duration('{'9' * 5000}s')").message.startswith("time: invalid duration")
