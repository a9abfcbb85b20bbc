"""Do we run Argo CD's scripts as Argo CD does? Its own test cases come with them."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.argocd import Scripts, patches

Json = dict[str, Any]
PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "argo-cd.md"


class _TimesAreStrings(yaml.SafeLoader):
    """Objects from an API server have no other times."""


def _as_written(_: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return str(node.value)


_TimesAreStrings.add_constructor("tag:yaml.org,2002:timestamp", _as_written)


def _read(path: Path) -> Any:
    return _without_nulls(yaml.load(path.read_text(), _TimesAreStrings))  # noqa: S506 - a SafeLoader it is


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("kind", "at_least"), [("Rollout", 20), ("AnalysisRun", 10), ("Experiment", 5)])
def test_its_health_cases_pass(argo_cd: Path, kind: str, at_least: int) -> None:
    folder = argo_cd / "argoproj.io" / kind
    scripts, cases = Scripts(folder), _read(folder / "health_test.yaml")["tests"]
    assert len(cases) > at_least
    for case in cases:
        wanted = case["healthStatus"]
        found = scripts.health(_read(folder / case["inputPath"]))
        assert found == (wanted["status"], wanted.get("message") or ""), case


@pytest.mark.parametrize(("kind", "at_least"), [("Rollout", 10), ("AnalysisRun", 2)])
def test_its_action_cases_pass(argo_cd: Path, kind: str, at_least: int) -> None:
    folder = argo_cd / "argoproj.io" / kind
    scripts, cases = Scripts(folder), _read(folder / "actions" / "action_test.yaml")
    assert len(cases["discoveryTests"]) + len(cases["actionTests"]) > at_least
    for case in cases["discoveryTests"]:
        wanted = {each["name"] for each in case["result"] if not each["disabled"]}
        assert scripts.offered(_read(folder / "actions" / case["inputPath"])) == wanted, case
    for case in cases["actionTests"]:
        found = scripts.act(case["action"], _read(folder / "actions" / case["inputPath"]))
        expected = _read(folder / "actions" / case["expectedOutputPath"])
        for each in (found, expected):
            each["spec"].pop("restartAt", None)  # the time of the test
        assert found == expected, case


def test_a_patch_says_only_what_changed() -> None:
    live: Json = {"spec": {"paused": True, "empty": {}, "steps": [1]}, "status": {"abort": True, "phase": "Paused"}}
    wanted: Json = {"spec": {"paused": False, "empty": {}, "steps": [1]}, "status": {"phase": "Paused"}}
    assert patches(live, live) == ({}, {})
    assert patches(live, wanted) == ({"status": {"abort": None}}, {"spec": {"paused": False}})


def test_the_page_tells_of_every_action(argo_cd: Path) -> None:
    _, _, section = PAGE.read_text().partition("## Actions")
    table = re.findall(r"^\| (`.*?) \|", section.partition("\n## ")[0], re.MULTILINE)
    told = {name for row in table for name in re.findall(r"`([a-z-]+)`", row)}
    there = {file.parent.name for file in (argo_cd / "argoproj.io" / "Rollout" / "actions").glob("*/action.lua")}
    assert told == there
