"""Do we answer random conditions and paths as the real implementations do? Those are asked on the spot."""

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from e2e import build, recipes
from e2e.questions import Conditions, Paths, lines
from rollouts.expr import ExpressionError, evaluate, go_text, go_type
from rollouts.jsonpath import JSONPathError, compile_template

NOW = datetime(2026, 1, 1, tzinfo=UTC)
Answer = Mapping[str, Any]


@pytest.fixture(scope="module")
def oracle() -> Path:
    return build.binaries(recipes.ORACLE) / "oracle"


def differences(
    oracle: Path, questions: Sequence[Mapping[str, Any]], ours: Callable[[Mapping[str, Any]], Answer]
) -> list[tuple[Mapping[str, Any], Answer, Answer]]:
    answered = subprocess.run([oracle], input=lines(questions), check=True, capture_output=True, text=True, timeout=60)
    theirs = [json.loads(line) for line in answered.stdout.splitlines()]
    asked = zip(questions, theirs, map(ours, questions), strict=True)
    return [(question, real, own) for question, real, own in asked if real != own]


def evaluated(question: Mapping[str, Any]) -> Answer:
    try:
        value = evaluate(question["expression"], question["result"], NOW)
    except ExpressionError as error:
        return {"error": str(error)}
    return {"type": go_type(value), "value": go_text(value)}


def rendered(question: Mapping[str, Any]) -> Answer:
    try:
        return {"rendered": compile_template(question["template"]).render(question["document"])}
    except JSONPathError as error:
        return {"error": str(error)}


# Where we choose to differ, and say so with an error: nobody's condition means it.
STRICTER = (
    "cannot go over ",  # texts are no lists of bytes, and maps no lists
    "interface conversion: interface {} is ",  # `and` and `or` are for booleans, on both sides
    "(type time.Duration)",  # durations are no numbers
)


def is_meant(question: Mapping[str, Any], real: Answer, own: Answer) -> bool:
    """Whether a difference is one that we know of and keep."""
    if "duration(" in question["expression"] or "MapIndex" in real.get("error", ""):
        return True
    if "error" in own:
        return "error" in real or any(each in own["error"] for each in STRICTER)
    return real.get("type") == "uint8" or "**" in question["expression"]  # a byte of a text; the last digit of a power


@pytest.mark.parametrize("seed", range(4))
def test_conditions_mean_the_same(oracle: Path, seed: int) -> None:
    found = differences(oracle, Conditions(seed).questions(2_000), evaluated)
    assert [each for each in found if not is_meant(*each)] == []
    assert len(found) < 60, "errors are told in the same words but for a few"


@pytest.mark.parametrize("seed", range(2))
def test_paths_mean_the_same(oracle: Path, seed: int) -> None:
    found = differences(oracle, Paths(seed).questions(3_000), rendered)
    assert found == []
