"""`rollouts eval EXPRESSION --result JSON`: what does a condition or a JSONPath answer, before it ships?"""

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from rollouts.cli.console import as_json, complain, say
from rollouts.expr import ExpressionError, evaluate, go_text, go_type
from rollouts.expr.program import as_json as as_go
from rollouts.jsonpath import JSONPathError, compile_template


class Form(StrEnum):
    """How the answer is printed."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Answer:
    """A value by its Go type and as Go prints it, or an error; `snippet` shows where in the expression."""

    type: str | None = None
    value: str | None = None
    error: str | None = None
    snippet: str = ""
    values: list[Any] | None = None

    @classmethod
    def of(cls, value: Any, values: list[Any] | None = None) -> "Answer":
        return cls(go_type(value), go_text(value), values=values)

    def fields(self) -> dict[str, Any]:
        """Return what `-o json` prints."""
        fields = {"type": self.type, "value": self.value, "error": self.error}
        return fields if self.values is None else {**fields, "values": self.values}


def eval(  # noqa: A001 - the command's name
    expression: Annotated[
        str | None, typer.Argument(help="A condition, as in successCondition.", metavar="[EXPRESSION]")
    ] = None,
    *,
    result: Annotated[
        str, typer.Option("--result", metavar="JSON", help="The measurement: JSON, @FILE, or - for stdin.")
    ] = "null",
    jsonpath: Annotated[
        str | None,
        typer.Option(
            "--jsonpath", metavar="TEMPLATE", help="Take this from the result first, as a web metric's jsonPath does."
        ),
    ] = None,
    output: Annotated[Form, typer.Option("--output", "-o", help="text or json (type, value, error).")] = Form.TEXT,
) -> None:
    """Evaluate a condition or a JSONPath on a result, and print the type and value, or the error."""
    if expression is None and jsonpath is None:
        raise typer.BadParameter("give an EXPRESSION, --jsonpath, or both")
    answer = _answer(expression, jsonpath, _read(result))
    if output is Form.JSON:
        say(as_json(answer.fields()))
    elif answer.error is None:
        say(f"{answer.type}: {answer.value}")
    else:
        complain("\n".join(filter(None, (f"error: {answer.error}", answer.snippet))))
    if answer.error is not None:
        raise typer.Exit(1)
    if expression is not None and answer.type != "bool":
        complain("note: as a condition it would be an error: a condition answers true or false")


def _read(result: str) -> Any:
    """Read the result. Raises typer.BadParameter."""
    try:
        if result == "-":
            text = sys.stdin.read()
        elif result.startswith("@"):
            text = Path(result[1:]).read_text("utf-8")
        else:
            text = result
        return json.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"--result {result}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise typer.BadParameter(
            f"--result: {error}: it must be JSON, so a text needs quotes of its own: --result '\"text\"'"
        ) from None


def _answer(expression: str | None, jsonpath: str | None, value: Any) -> Answer:
    values: list[Any] | None = None
    if jsonpath is not None:
        try:
            values = [each for group in compile_template(jsonpath).find(value) for each in group]
        except JSONPathError as error:
            return Answer(error=str(error))
        if not values:
            return Answer(error=f"{jsonpath} finds nothing", values=[])
        value = values[0]
    if expression is None:
        return Answer.of(as_go(value), values)
    try:
        return Answer.of(evaluate(expression, value, datetime.now(UTC)))
    except ExpressionError as error:
        return Answer(error=str(error), snippet=error.snippet)
