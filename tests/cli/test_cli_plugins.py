"""Does `rollouts plugins` tell what is installed, and what is broken?"""

import json

import pytest
from typer.testing import CliRunner

from rollouts.cli import plugins
from rollouts.cli.main import app
from rollouts.registry import MEASURE, STEPS, Plugin

OURS = Plugin(STEPS, "pause", "rollouts.steps.pause:Pause", "rollouts", "0.1.0", object())
THEIRS = Plugin(MEASURE, "scrape", "scrape:Scrape", "rollouts-metric-scrape", "1.2", object())
BROKEN = Plugin(
    STEPS, "gate", "gate:Gate", "rollouts-gate", "3.4", None, "step 'gate' can't be loaded: ImportError: no"
)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, found: tuple[Plugin, ...]) -> tuple[int, str]:
    monkeypatch.setattr(plugins, "installed", lambda: found)
    result = CliRunner().invoke(app, ["plugins", *arguments])
    return result.exit_code, result.output


def test_strangers_come_first_with_their_distributions(monkeypatch: pytest.MonkeyPatch) -> None:
    code, text = run(monkeypatch, found=(OURS, THEIRS))
    assert code == 0
    assert text == (
        "KIND              NAME     FROM\n"
        "metric provider   scrape   rollouts-metric-scrape 1.2\n"
        "step              pause    rollouts 0.1.0\n"
    )


def test_what_is_broken_is_told_and_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    code, text = run(monkeypatch, "--strangers", found=(OURS, BROKEN))
    assert code == 1
    assert "gate   rollouts-gate 3.4 (broken)" in text
    assert "broken: step 'gate' can't be loaded: ImportError: no" in text
    assert "pause" not in text


def test_programs_read_json(monkeypatch: pytest.MonkeyPatch) -> None:
    _, text = run(monkeypatch, "-o", "json", found=(THEIRS, BROKEN))
    broken, theirs = sorted(json.loads(text), key=lambda each: str(each["name"]))
    assert theirs == {
        "kind": "metric provider",
        "name": "scrape",
        "distribution": "rollouts-metric-scrape",
        "version": "1.2",
        "place": "scrape:Scrape",
    }
    assert broken["problem"].startswith("step 'gate'")


def test_those_of_this_very_installation_are_found() -> None:
    result = CliRunner().invoke(app, ["plugins"])
    assert "setWeight" in result.output
