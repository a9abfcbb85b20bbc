"""Is the control plane built once, and is a failure told so that it can be helped?"""

import io
import re
from pathlib import Path

import pytest

from e2e import build, recipes, toolchain
from e2e.progress import Progress
from e2e.recipes import ARGO_CD, ARGO_ROLLOUTS, CONTROL_PLANE, Recipe
from e2e.toolchain import BuildError, Go


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, and links that go nowhere near the checkout's."""
    monkeypatch.setenv("ROLLOUTS_E2E_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(build, "LINKS", tmp_path / "bin")
    return tmp_path / "cache"


def fake_go(directory: Path, script: str) -> Go:
    program = directory / "go"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return Go(program, "go1.26.0")


@pytest.fixture
def counted_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `go` that writes down each command and makes what -o asks for."""
    calls = tmp_path / "calls"
    script = f'echo "$1" >> {calls}\nwhile [ $# -gt 1 ]; do [ "$1" = -o ] && touch "$2"; shift; done'
    go = fake_go(tmp_path, script)
    monkeypatch.setattr(toolchain, "find", lambda *_: go)
    return calls


def test_the_second_time_nothing_is_built(cache: Path, counted_go: Path) -> None:
    home = build.binaries(progress=Progress(io.StringIO()))
    assert home.parent == cache
    assert counted_go.read_text().split() == ["list", "build", "build", "build"]
    assert build.binaries() == home
    assert len(counted_go.read_text().split()) == 4
    assert {link.name: link.readlink() for link in build.LINKS.iterdir()} == {
        name: home / name for name in CONTROL_PLANE.programs
    }


def test_another_go_is_another_build(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = set()
    for version in ("go1.26.0", "go1.26.1"):
        monkeypatch.setattr(toolchain, "expected", lambda *_, version=version: version)
        keys.add(build.key(CONTROL_PLANE, cache))
    assert len(keys) == 2
    assert all(key.startswith("v1.") for key in keys)


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("Get https://proxy: dial tcp: lookup proxy: no such host", "could not reach its module proxy"),
        ("write /tmp/x: no space left on device", "disk is full"),
        ("compile: signal: killed", "GOMAXPROCS=1"),
        ("x.go:1:1: syntax error", ""),
    ],
)
def test_a_failing_build_says_why_and_what_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, hint: str
) -> None:
    go = fake_go(tmp_path, f"echo '{words}' >&2; exit 1")
    monkeypatch.setattr(toolchain, "find", lambda *_: go)
    with pytest.raises(BuildError, match=f"(?s){re.escape(words)}.*{re.escape(hint)}"):
        build.binaries(progress=Progress(io.StringIO()))


@pytest.mark.usefixtures("cache")
def test_a_full_disk_is_noticed_before_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "SPACE_NEEDED", 2**80)
    with pytest.raises(BuildError, match="GiB free, the build needs"):
        build.binaries(progress=Progress(io.StringIO()))


def test_a_go_that_is_too_old_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_go(tmp_path, f"echo go1.20.1; echo {tmp_path}")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert toolchain.find((1, 25, 0), tmp_path) is None
    assert toolchain.find((1, 20), tmp_path) == Go(tmp_path / "bin" / "go", "go1.20.1")
    assert toolchain.expected((1, 25, 0), tmp_path) == f"go{toolchain.GO_BINS[0]}"
    assert toolchain.expected((1, 27, 0), tmp_path) == f"go{toolchain.GO_BINS[1]}"
    with pytest.raises(BuildError, match=r"Go 9\.0\.0 is needed"):
        toolchain.find((9, 0, 0), tmp_path)


@pytest.mark.parametrize("recipe", recipes.ALL, ids=lambda recipe: recipe.title)
def test_a_go_from_pypi_is_new_enough(recipe: Recipe) -> None:
    needed = toolchain.required(recipe.module / "go.mod")
    assert toolchain.numbers(toolchain.from_pypi(needed)) >= needed


def test_each_build_is_named_after_its_version(cache: Path) -> None:
    assert build.key(CONTROL_PLANE, cache).startswith(f"{CONTROL_PLANE.version}-")
    assert build.key(ARGO_ROLLOUTS, cache).startswith("argo-rollouts-v1.")
    assert build.key(ARGO_CD, cache).startswith("argo-cd-v3.")


def test_a_folder_is_taken_from_a_module(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripts = tmp_path / "module" / ARGO_CD.folder / "Rollout"
    scripts.mkdir(parents=True)
    (scripts / "health.lua").write_text("return {}")
    for read_only in (scripts / "health.lua", scripts):
        read_only.chmod(0o555)
    go = fake_go(tmp_path, f"""echo '{{"Dir": "{tmp_path / "module"}"}}'""")
    monkeypatch.setattr(toolchain, "find", lambda *_: go)
    home = build.binaries(ARGO_CD, Progress(io.StringIO()))
    assert home.parent == cache
    assert (home / "argoproj.io" / "Rollout" / "health.lua").read_text() == "return {}"
    (home / "argoproj.io" / "Rollout" / "more").mkdir()  # it may be removed like any other build


def test_progress_is_plain_lines_where_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("e2e.progress.PLAIN_INTERVAL", 0.0)
    out = io.StringIO()
    progress = Progress(out)
    with progress.phase("compiling", 2):
        progress.step("k8s.io/api/core/v1")
    assert out.getvalue().splitlines() == [
        "0:00  compiling 1 of at most 2  k8s.io/api/core/v1",
        "compiling: done in 0:00",
    ]
