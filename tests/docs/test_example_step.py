"""Does the example step work as its page says: found by its entry point once installed, named where it is missing?"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.docs.pages import ROOT, blocks
from tests.docs.shell import environment

PLUGIN = ROOT / "plugins" / "example-step"
PAGE = ROOT / "docs" / "how-to" / "write-a-step.md"


def installed(directory: Path) -> dict[str, str]:
    """Return an environment in which the plugin is installed: its code, and the entry points of its pyproject.toml."""
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]
    info = directory / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {place}" for name, place in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines))
    return environment(PYTHONPATH=os.pathsep.join([str(ROOT), str(PLUGIN), str(directory)]))


def lint(file: Path, env: dict[str, str]) -> tuple[int, str]:
    ran = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "rollouts.cli.main", "lint", "-f", str(file)],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


def test_the_manifest_of_the_page_is_sound_with_the_plugin_and_refused_without(tmp_path: Path) -> None:
    file = tmp_path / "web.yaml"
    file.write_text(next(each.text for each in blocks(PAGE) if each.language == "yaml"))
    assert lint(file, installed(tmp_path)) == (0, "1 object checked: no problem\n")
    code, text = lint(file, environment())
    assert code == 1
    assert 'spec.strategy.canary.steps[1].plugin.name: no step plugin "office-hours" is installed' in text


def test_its_problems_are_told_with_their_paths(tmp_path: Path) -> None:
    file = tmp_path / "web.yaml"
    manifest = next(each.text for each in blocks(PAGE) if each.language == "yaml")
    file.write_text(manifest.replace('from: "09:00"', 'from: "9am"'))
    code, text = lint(file, installed(tmp_path))
    assert code == 1
    assert "spec.strategy.canary.steps[1].plugin.config.from: '9am' is no time of day" in text
