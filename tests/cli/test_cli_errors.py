"""One clear line for each way to fail: which object, why, and the way out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.fake_api import FakeApi, failure, write_kubeconfig

Run = Callable[..., Any]


def line(result: Any) -> str:
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert len(result.stderr.splitlines()) == 1
    return str(result.stderr)


def test_no_such_rollout(run: Run) -> None:
    text = line(run("get", "rollout", "wbe"))
    assert text.startswith("error: rollout 'wbe' not found in namespace 'default'")
    assert "rollouts list rollouts -A" in text


def test_no_such_kind(run: Run, api: FakeApi) -> None:
    api.fail = lambda _: failure(404, "NotFound", "the server could not find the requested resource")
    assert "rollouts crds | kubectl apply" in line(run("list", "rollouts"))


@pytest.mark.parametrize(
    ("code", "reason", "message", "expected"),
    [
        (403, "Forbidden", "cannot patch resource", "not allowed: cannot patch resource; ask for a role"),
        (401, "Unauthorized", "Unauthorized", "doesn't accept these credentials: log in again"),
        (422, "Invalid", "spec.replicas: Invalid value", "refuses the change: spec.replicas: Invalid value"),
        (409, "Conflict", "modified", "somebody else changed it"),
        (500, "InternalError", "etcd is gone", "the API server failed: etcd is gone; try again"),
    ],
)
def test_the_server_says_no(run: Run, api: FakeApi, code: int, reason: str, message: str, expected: str) -> None:
    api.fail = lambda seen: failure(code, reason, message) if seen.method == "PATCH" else None
    text = line(run("abort", "web"))
    assert text.startswith("error: rollout 'web': ")
    assert expected in text


def test_nobody_answers(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(write_kubeconfig(tmp_path / "dead", "http://127.0.0.1:1")))
    text = line(run("abort", "web"))
    assert "http://127.0.0.1:1" in text
    assert "no answer" in text


def test_no_kubeconfig(run: Run, tmp_path: Path) -> None:
    missing = str(tmp_path / "nowhere")
    assert missing in line(run("get", "rollout", "web", "--kubeconfig", missing))
    assert "no context 'moon'" in line(run("--context", "moon", "get", "rollout", "web"))


def test_usage_errors_have_exit_code_2(run: Run) -> None:
    for words in (["get", "rollout"], ["abort"], ["fly"], ["get", "rollout", "web", "-o", "xml"], ["abort", "pod/web"]):
        assert run(*words).exit_code == 2, words


def test_a_typo_gets_a_suggestion(run: Run) -> None:
    assert "promote" in run("promot", "web").stderr


@pytest.mark.parametrize(("words", "whole"), [(["get", "web"], "get rollout"), (["set", "web", "a=b"], "set image")])
def test_a_forgotten_kind_gets_a_suggestion(run: Run, words: list[str], whole: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert f"Did you mean 'rollouts {whole}'?" in result.stderr


def test_a_value_that_is_no_choice_is_told_without_a_validators_words(run: Run) -> None:
    text = run("get", "rollout", "web", "-o", "xml").stderr
    assert "'xml' is not one of 'json'" in text
    assert "Value error" not in text
