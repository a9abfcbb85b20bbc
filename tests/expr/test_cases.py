"""Does every expression give what the real implementation gives? Its answers are in cases.json."""

import json
from pathlib import Path
from typing import Any

import pytest

from rollouts.expr import ExpressionError, evaluate, go_text, go_type

AT_ONCE = 25
CASES = json.loads((Path(__file__).parent / "cases.json").read_text())["cases"]


def decoded(value: Any) -> Any:
    if value == "NaN!":
        return float("nan")
    if isinstance(value, list):
        return [decoded(each) for each in value]
    return {key: decoded(each) for key, each in value.items()} if isinstance(value, dict) else value


def answer(expression: str, result: Any) -> dict[str, str]:
    try:
        value = evaluate(expression, decoded(result))
    except ExpressionError as error:
        return {"error": str(error)}
    return {"type": go_type(value), "value": go_text(value)}


def expected(case: dict[str, Any]) -> dict[str, str]:
    if "error" in case:
        return {"error": case.get("says", case["error"])}
    return {"type": case["type"], "value": case["value"]}


@pytest.mark.parametrize("first", range(0, len(CASES), AT_ONCE))
def test_as_the_real_one(first: int) -> None:
    cases = CASES[first : first + AT_ONCE]
    given = {f"{case['expression']} | {case['result']}": answer(case["expression"], case["result"]) for case in cases}
    assert given == {f"{case['expression']} | {case['result']}": expected(case) for case in cases}
