"""Is the control plane built once, and is a failure told so that it can be helped?"""

import io
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from e2e import build, recipes, toolchain
from e2e.go_modules import GoModule
from e2e.packages import DebianPackage, DebianTree, PythonPackages
from e2e.progress import Progress
from e2e.recipes import ARGO_CD, ARGO_ROLLOUTS, CONTROL_PLANE, GRAPHITE
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
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=2**20))
    with pytest.raises(BuildError, match=r"0\.0 GiB free, the build needs 6 GiB"):
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


@pytest.mark.parametrize(
    "recipe", [each for each in recipes.ALL if isinstance(each, GoModule)], ids=lambda recipe: recipe.title
)
def test_a_go_from_pypi_is_new_enough(recipe: GoModule) -> None:
    needed = toolchain.required(recipe.module / "go.mod")
    assert toolchain.numbers(toolchain.from_pypi(needed)) >= needed


def test_each_build_is_named_after_its_version(cache: Path) -> None:
    assert build.key(CONTROL_PLANE, cache).startswith(f"{CONTROL_PLANE.version}-")
    assert build.key(ARGO_ROLLOUTS, cache).startswith("argo-rollouts-v1.")
    assert build.key(ARGO_CD, cache).startswith("argo-cd-v3.")
    assert build.key(GRAPHITE, cache).startswith("graphite-1.1.")


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


def put_on_path(directory: Path, monkeypatch: pytest.MonkeyPatch, **scripts: str) -> None:
    """Let these be the only programs."""
    directory.mkdir(exist_ok=True)
    for name, script in scripts.items():
        program = directory / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(directory))


@pytest.mark.usefixtures("cache")
def test_a_package_that_debian_does_not_have_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_path(tmp_path / "programs", monkeypatch, **{"apt-get": "echo E: Unable to locate package nothing; exit 100"})
    recipe = DebianPackage(title="Nothing", takes="no time", package="nothing", programs=("nothing",))
    with pytest.raises(
        BuildError, match=r"(?s)Debian's package nothing can't be looked up: .*Unable to locate package"
    ):
        build.binaries(recipe, Progress(io.StringIO()))


@pytest.mark.usefixtures("cache")
def test_where_there_is_no_debian_a_program_on_path_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = DebianPackage(title="Shop", takes="no time", package="shop", programs=("shop",))
    put_on_path(tmp_path / "programs", monkeypatch)
    with pytest.raises(BuildError, match="no apt-get here to fetch Shop with: put `shop` on PATH"):
        build.binaries(recipe, Progress(io.StringIO()))
    put_on_path(tmp_path / "programs", monkeypatch, shop="exit 0")
    assert (build.binaries(recipe, Progress(io.StringIO())) / "shop").resolve() == tmp_path / "programs" / "shop"


@pytest.mark.usefixtures("cache")
def test_a_tree_of_packages_needs_debian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_path(tmp_path / "programs", monkeypatch)
    recipe = DebianTree(title="Shop", takes="no time", packages=("shop", "till"))
    with pytest.raises(BuildError, match="no apt-get here to fetch Shop with: it comes from Debian's packages"):
        build.binaries(recipe, Progress(io.StringIO()))


def test_an_environment_is_named_after_what_it_pins(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("# of shops\nshop==1.17.0 \\\n    --hash=sha256:00\n")
    recipe = PythonPackages(title="Shop", takes="no time", requirements=requirements, package="shop")
    assert recipe.version == "1.17.0"
    requirements.write_text("shop>=1\n")
    with pytest.raises(BuildError, match="does not pin shop"):
        assert recipe.version


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
