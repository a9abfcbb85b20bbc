"""What a shell suggests: commands, flags, values, and the names of rollouts in the cluster."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rollouts.cli import completion
from rollouts.cli.main import app, main, program_name
from tests.cli.fake_api import FakeApi, write_kubeconfig


@pytest.fixture
def suggest(analyses: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    monkeypatch.setenv("KUBECONFIG", str(write_kubeconfig(tmp_path / "config", analyses.url)))
    analyses.put("rollouts", {"metadata": {"name": "cart", "namespace": "shop"}, "spec": {}})

    def words(*typed: str) -> list[str]:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(completion.suggestions, typed).result()

    return words


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (["pro"], ["promote"]),
        (["re"], ["restart", "retry"]),
        (["get", ""], ["analysisrun", "experiment", "rollout"]),
        (["get", "analysisrun", ""], ["web-new-2-1", "web-new-2-2", "web-new-2-3-compare"]),
        (["get", "exp", ""], ["web-new-2-3"]),
        (["terminate", "ar", "web-new-2-2"], ["web-new-2-2"]),
        (["explain", ""], ["web"]),
        (["explain", "ar", "web-new-2-1"], ["web-new-2-1"]),
        (["explain", "ar", "web", ""], []),
        (["retry", "exp", ""], ["web-new-2-3"]),
        (["set", "im"], ["image"]),
        (["get", "rollout", ""], ["web"]),
        (["get", "ro", "w"], ["web"]),
        (["get", "ro", "x"], []),
        (["get", "ro", "web", ""], []),
        (["abort", "-n", "shop", ""], ["cart"]),
        (["abort", "--namespace=shop", ""], ["cart"]),
        (["promote", "--fu"], ["--full"]),
        (["get", "ro", "web", "-o", ""], ["json", "name", "wide", "yaml"]),
        (["completion", "f"], ["fish"]),
        (["nonsense", "more", ""], []),
    ],
)
def test_suggestions(suggest: Callable[..., list[str]], typed: list[str], found: list[str]) -> None:
    assert suggest(*typed) == found


def test_hidden_flags_are_not_suggested(suggest: Callable[..., list[str]]) -> None:
    flags = suggest("promote", "--")
    assert "--namespace" in flags
    assert "--skip-all-steps" not in flags


def test_no_cluster_no_names_no_noise(
    suggest: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "missing"))
    assert suggest("get", "ro", "") == []


def test_kubectl_gets_words_and_a_directive(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["kubectl_complete-rollouts", "unp"])
    completion.main()
    assert capsys.readouterr().out == ":4\n"
    monkeypatch.setattr("sys.argv", ["kubectl_complete-rollouts", "ab"])
    completion.main()
    assert capsys.readouterr().out == "abort\n:4\n"
    monkeypatch.setattr("sys.argv", ["rollouts", "__complete", "ab"])
    main()
    assert capsys.readouterr().out == "abort\n:4\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(shell: str) -> None:
    result = CliRunner().invoke(app, ["completion", shell])
    assert result.exit_code == 0
    assert "rollouts __complete" in result.stdout


@pytest.mark.parametrize(
    ("argv0", "name"),
    [
        ("/usr/bin/rollouts", "rollouts"),
        ("/usr/bin/kubectl-rollouts", "kubectl rollouts"),
        ("kubectl-argo-rollouts", "kubectl argo-rollouts"),
    ],
)
def test_usage_texts_follow_the_program_name(argv0: str, name: str) -> None:
    assert program_name(argv0) == name


def test_help_needs_no_network_code() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from typer.testing import CliRunner; from rollouts.cli.main import app;"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0;"
        "print([m for m in ('aiohttp', 'kubernetes_asyncio', 'pydantic', 'yaml') if m in sys.modules])"
    )
    found: Any = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert found.stdout == "[]\n"


def test_commands_of_others_load_when_they_run() -> None:
    result = CliRunner().invoke(app, ["crds", "--help"])
    assert result.exit_code == 0
    assert "--check" in result.stdout
    assert CliRunner().invoke(app, ["version", "--short"]).stdout.count(".") >= 2
