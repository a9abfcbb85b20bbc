"""Do the distributions under plugins/ pass their own tests, and are they what their entry points say?"""

import os
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from rollouts.ports.provider import Provider
from rollouts.ports.router import Router
from rollouts.ports.step import Step
from rollouts.registry import MEASURE, STEPS, TRAFFIC
from tests.docs.pages import ROOT

PLUGINS = sorted((ROOT / "plugins").glob("*/pyproject.toml"))
KINDS = {STEPS: Step, MEASURE: Provider, TRAFFIC: Router}


@pytest.mark.parametrize("file", PLUGINS, ids=lambda file: file.parent.name)
def test_its_own_tests_pass(file: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore::DeprecationWarning"],
        cwd=file.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("file", PLUGINS, ids=lambda file: file.parent.name)
def test_its_entry_points_lead_to_plugins_of_their_names(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(file.parent))
    project = tomllib.loads(file.read_text("utf-8"))["project"]
    assert project["name"].startswith("rollouts-")
    assert (file.parent / "README.md").exists()
    for group, points in project["entry-points"].items():
        for name, place in points.items():
            module, _, attribute = place.partition(":")
            plugin: Any = getattr(import_module(module), attribute)()
            assert plugin.key == name
            assert isinstance(plugin, KINDS[group])
