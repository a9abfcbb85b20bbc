"""Does `rollouts lint` come back, and name the plugin, when one that is installed hangs?"""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from rollouts import guard
from rollouts.cli.main import app
from tests.calling import plugin
from tests.plan.given import rollout
from tests.plugins.strangers import Measures, Stands, kit_with, spin


def lint(directory: Path, document: object) -> tuple[int, str]:
    file = directory / "file.yaml"
    file.write_text(yaml.safe_dump(document))
    result = CliRunner().invoke(app, ["lint", "-f", str(file)])
    return result.exit_code, result.output


def test_a_step_that_hangs_is_a_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kit = kit_with(Stands(problems=spin))
    monkeypatch.setattr(guard, "LIMIT", 0.3)
    monkeypatch.setattr("rollouts.cli.checks.load_kit", lambda: kit)
    code, text = lint(tmp_path, rollout(steps=[plugin("stranger")]))
    assert code == 1
    assert "the plugin 'stranger' didn't return within 0.3 seconds" in text


def test_a_provider_that_hangs_is_a_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kit = kit_with(Measures(problems=spin))
    monkeypatch.setattr(guard, "LIMIT", 0.3)
    for module in ("checks", "analysis_checks"):
        monkeypatch.setattr(f"rollouts.cli.{module}.load_kit", lambda: kit)
    metric = {"name": "theirs", "provider": {"plugin": {"stranger": {}}}}
    template = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": "theirs"},
        "spec": {"metrics": [metric]},
    }
    code, text = lint(tmp_path, template)
    assert code == 1
    assert "the plugin 'stranger' didn't return within 0.3 seconds" in text
