"""What does `rollouts eval` print for conditions and JSONPaths?"""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rollouts.cli.main import app


def run(*words: str, stdin: str | None = None, code: int = 0) -> tuple[str, str]:
    outcome = CliRunner().invoke(app, ["eval", *words], input=stdin)
    assert outcome.exit_code == code, outcome.output
    return outcome.stdout, outcome.stderr


def test_a_condition_prints_type_and_value() -> None:
    assert run("result[0] >= 0.95", "--result", "[0.97]") == ("bool: true\n", "")


def test_an_error_shows_the_place() -> None:
    out, err = run("result > 1 && results[0] > 2", "--result", "5", code=1)
    assert out == ""
    assert err == "error: unknown name results (1:15)\nresult > 1 && results[0] > 2\n              ^\n"


def test_json_has_type_value_and_error() -> None:
    out, _ = run("len(result) > 1", "--result", "[1, 2]", "-o", "json")
    assert json.loads(out) == {"type": "bool", "value": "true", "error": None}
    out, _ = run("result[0] > 1", "--result", "[]", "-o", "json", code=1)
    error = "index out of range: 0 (array length is 0) (1:7)"
    assert json.loads(out) == {"type": None, "value": None, "error": error}


def test_what_is_no_condition_is_told() -> None:
    out, err = run("result * 2", "--result", "5")
    assert out == "float64: 10\n"
    assert "a condition answers true or false" in err


def test_a_jsonpath_alone_and_before_a_condition() -> None:
    document = '{"data": {"ok": true, "rates": [0.5, 0.9]}}'
    assert run("--jsonpath", "{$.data.rates}", "--result", document) == ("[]interface {}: [0.5 0.9]\n", "")
    assert run("all(result, # > 0.4)", "--jsonpath", "{$.data.rates}", "--result", document) == ("bool: true\n", "")
    out, _ = run("--jsonpath", "{$.data.rates[*]}", "--result", document, "-o", "json")
    assert json.loads(out) == {"type": "float64", "value": "0.5", "error": None, "values": [0.5, 0.9]}
    _, err = run("--jsonpath", "{$.nothing}", "--result", document, code=1)
    assert err == "error: nothing is not found\n"


def test_the_result_comes_from_a_file_or_stdin(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    file.write_text("[1, 2, 3]")
    assert run("len(result) == 3", "--result", f"@{file}")[0] == "bool: true\n"
    assert run("len(result) == 3", "--result", "-", stdin="[1, 2, 3]")[0] == "bool: true\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "give an EXPRESSION"),
        (("result", "--result", "abc"), "quotes"),
        (("result", "--result", "@/none"), "/none"),
    ],
)
def test_what_cannot_be_read_is_a_wrong_use(words: tuple[str, ...], says: str) -> None:
    _, err = run(*words, code=2)
    assert says in err
