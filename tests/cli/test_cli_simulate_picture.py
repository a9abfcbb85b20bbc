"""What does `simulate --picture` draw, and what if it can't?"""

import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.cli.simulating import Simulate, manifest


def test_the_svg_shows_revisions_weight_steps_and_pauses(simulate: Simulate, tmp_path: Path) -> None:
    file = tmp_path / "web.svg"
    scenario = {
        "happens": [
            {"when": "healthy", "do": {"setImage": "app:2"}},
            {"when": "paused", "after": "1m", "do": "abort"},
        ]
    }
    result = simulate(manifest(), scenario=scenario, words=("--picture", str(file)))
    assert result.exit_code == 3, result.output
    picture = ET.parse(file).getroot()  # noqa: S314 - our own file
    ids = {each.get("id") for each in picture.iter()}
    assert {"revision-1", "revision-2", "weight", "step-1", "step-2", "note-1", "note-2", "note-3", "note-4"} <= ids
    assert [each for each in sorted(filter(None, ids)) if each.startswith("phase-")] == [
        "phase-3-paused",
        "phase-4-degraded",
    ]
    text = "".join(picture.itertext())
    for each in (
        "default/web",
        "r1: app:1",
        "r2: app:2",
        "(4)  1:02  somebody aborts it",
        "(5)  1:02  · Rollout aborted update to revision 2",
        "it ends Degraded: RolloutAborted",
    ):
        assert each in text
    first = file.read_bytes()
    simulate(manifest(), scenario=scenario, words=("--picture", str(file)))
    assert file.read_bytes() == first, "the same picture every time"


def test_the_png_is_one(simulate: Simulate, tmp_path: Path) -> None:
    file = tmp_path / "web.png"
    assert simulate(manifest(), words=("--picture", str(file))).exit_code == 0
    assert file.read_bytes().startswith(b"\x89PNG\r\n")


def test_other_pictures_are_refused(simulate: Simulate) -> None:
    result = simulate(manifest(), words=("--picture", "web.gif"))
    assert result.exit_code == 2
    assert "ends in .svg or .png" in " ".join(result.output.replace("│", " ").split())


def test_a_picture_that_cannot_be_written_is_told(simulate: Simulate, tmp_path: Path) -> None:
    result = simulate(manifest(), words=("--picture", str(tmp_path / "none" / "web.svg")))
    assert result.exit_code == 1
    assert "web.svg cannot be written: No such file or directory" in result.stderr


def test_without_matplotlib_the_way_out_is_told(simulate: Simulate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "rollouts.cli.drawing", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = simulate(manifest(), words=("--picture", "web.svg"))
    assert result.exit_code == 1
    assert result.stderr.startswith("error: --picture needs matplotlib, which is not installed (")
    assert "`pip install 'rollouts[simulate]'` brings it" in result.stderr
