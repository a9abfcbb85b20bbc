"""`rollouts crds` prints, writes and checks the definitions."""

from pathlib import Path

import typer
import yaml
from typer.testing import CliRunner

from rollouts.cli.crds import crds

app = typer.Typer()
app.command()(crds)
run = CliRunner().invoke


def test_it_prints_what_kubectl_can_apply() -> None:
    result = run(app, [])
    assert result.exit_code == 0
    kinds = [each["spec"]["names"]["kind"] for each in yaml.load_all(result.stdout, yaml.CSafeLoader)]
    assert kinds == ["Rollout", "AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun", "Experiment"]


def test_it_writes_and_then_finds_them_current(tmp_path: Path) -> None:
    directory = tmp_path / "crds"
    assert "written" in run(app, ["--output", str(directory)]).stdout
    assert run(app, ["--output", str(directory)]).stdout == ""
    result = run(app, ["--check", str(directory)])
    assert (result.exit_code, result.stdout) == (0, f"current: 6 files in {directory}\n")


def test_it_names_a_stale_file_and_the_way_out(tmp_path: Path) -> None:
    run(app, ["--output", str(tmp_path)])
    stale = tmp_path / "rollout.yaml"
    stale.write_text("edited", encoding="utf-8")
    result = run(app, ["--check", str(tmp_path)])
    assert result.exit_code == 1
    assert result.stderr == f"not current: {stale}\nwrite them anew: rollouts crds --output {tmp_path}\n"
