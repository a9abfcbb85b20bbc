"""How do real servers get from the packages of Debian and Python onto this machine, without installing them?"""

import contextlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from e2e.progress import Progress
from e2e.recipe import Recipe
from e2e.toolchain import BuildError

TIMEOUT = 600


@dataclass(frozen=True, eq=False, kw_only=True)
class DebianPackage(Recipe):
    """Programs of one package. Taken out of it, so that no service is started and anybody may do it.

    Debian keeps only the newest version for each of its releases: that one it is.
    """

    package: str
    programs: tuple[str, ...]  # in /usr/bin

    @property
    def products(self) -> tuple[str, ...]:
        return self.programs

    @property
    def version(self) -> str:
        """The release that it is of."""
        return _release()

    def ingredients(self, cache: Path) -> Sequence[bytes]:
        del cache
        return self.package.encode(), self.version.encode()

    def make(self, target: Path, cache: Path, progress: Progress) -> None:
        if shutil.which("apt-get") is None:
            self._link(target, progress)
            return
        progress.say(f"fetching {self.title} from Debian's packages: {self.takes}")
        with _unpacked([self.package], cache) as tree:
            for name in self.programs:
                shutil.move(tree / "usr" / "bin" / name, target / name)

    def _link(self, target: Path, progress: Progress) -> None:
        """Elsewhere than on Debian, what is on PATH has to do."""
        for name in self.programs:
            found = shutil.which(name)
            if found is None:
                raise BuildError(f"there is no apt-get here to fetch {self.title} with: put `{name}` on PATH")
            progress.say(f"no apt-get here: using {found}")
            (target / name).symlink_to(found)


@dataclass(frozen=True, eq=False, kw_only=True)
class DebianTree(Recipe):
    """Several packages that belong together, as a tree of their files. Nothing of it is installed."""

    packages: tuple[str, ...]

    @property
    def products(self) -> tuple[str, ...]:
        return ("tree",)

    @property
    def version(self) -> str:
        """The release that they are of."""
        return _release()

    def ingredients(self, cache: Path) -> Sequence[bytes]:
        del cache
        return *(each.encode() for each in self.packages), self.version.encode()

    def make(self, target: Path, cache: Path, progress: Progress) -> None:
        if shutil.which("apt-get") is None:
            raise BuildError(f"there is no apt-get here to fetch {self.title} with: it comes from Debian's packages")
        progress.say(f"fetching {self.title} from Debian's packages: {self.takes}")
        with _unpacked(self.packages, cache) as tree:
            shutil.move(tree, target / "tree")


@dataclass(frozen=True, eq=False, kw_only=True)
class PythonPackages(Recipe):
    """A virtual environment of its own, of exactly what requirements.txt names."""

    requirements: Path
    package: str  # the one whose version counts
    environment: Mapping[str, str] = field(default_factory=dict)  # what its installation is told

    @property
    def products(self) -> tuple[str, ...]:
        return ("environment",)

    @property
    def version(self) -> str:
        match = re.search(rf"^{re.escape(self.package)}==([^\s\\]+)", self.requirements.read_text(), re.MULTILINE)
        if match is None:
            raise BuildError(f"{self.requirements} does not pin {self.package}")
        return match[1]

    def ingredients(self, cache: Path) -> Sequence[bytes]:
        del cache
        return self.requirements.read_bytes(), sys.version.encode()

    def make(self, target: Path, cache: Path, progress: Progress) -> None:
        del cache
        progress.say(f"installing {self.title} {self.version} from Python's packages: {self.takes}")
        home = target / "environment"
        venv.create(home, with_pip=True)
        # `python -m`: the programs beside it name the directory in which this one is made, and it moves when it's done.
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        line = [*pip, "--no-deps", "--require-hashes", "--requirement", str(self.requirements)]
        _run(line, target, f"{self.title} can't be installed with {sys.executable}", self.environment)


def _release() -> str:
    try:
        return platform.freedesktop_os_release().get("VERSION_CODENAME", "unknown")
    except OSError:
        return "unknown"


@contextlib.contextmanager
def _unpacked(packages: Sequence[str], cache: Path) -> Iterator[Path]:
    """Give a tree of the files of packages, which is gone afterwards."""
    names = " and ".join(packages)
    with tempfile.TemporaryDirectory(prefix="apt-", dir=cache) as scratch:
        at = Path(scratch)
        for part in ("lists/partial", "archives/partial"):
            (at / part).mkdir(parents=True)
        apt = ["apt-get", "-q", *_private(at)]
        _run([*apt, "update"], at, f"Debian's package {names} can't be looked up")
        _run([*apt, "download", *packages], at, f"Debian's package {names} can't be had")
        for package in packages:
            (archive,) = at.glob(f"{package}_*.deb")
            _run(["dpkg-deb", "--extract", str(archive), str(at / "tree")], at, f"{archive.name} can't be unpacked")
        yield at / "tree"


def _private(at: Path) -> list[str]:
    """Options for an apt-get that keeps to one directory and needs no rights."""
    settings = {
        "Dir::State": at,
        "Dir::State::lists": at / "lists",
        "Dir::State::status": "/var/lib/dpkg/status",
        "Dir::Cache": at,
        "APT::Sandbox::User": "",
        "APT::Update::Post-Invoke": "",  # what the machine does after its own updates
    }
    return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]


def _run(line: list[str], at: Path, trouble: str, environment: Mapping[str, str] | None = None) -> None:
    try:
        done = subprocess.run(
            line,
            check=False,
            cwd=at,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(f"{trouble}: {error}") from error
    if done.returncode != 0:
        raise BuildError(f"{trouble}: `{line[0]}` says\n{done.stdout.strip()[-2000:]}")
