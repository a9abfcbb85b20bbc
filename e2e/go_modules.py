"""How do real programs and files get from Go modules onto this machine?"""

import json
import re
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from e2e import toolchain
from e2e.progress import Progress
from e2e.recipe import Recipe
from e2e.toolchain import BuildError, Go


@dataclass(frozen=True, eq=False, kw_only=True)
class GoModule(Recipe):
    """A go.mod of ours: it names one version of one module, from which programs are compiled or a folder is taken."""

    module: Path  # where go.mod and go.sum are
    source: str  # the module whose version counts
    space: int = 6 * 2**30  # modules, compiled packages and binaries of a cold build
    programs: Mapping[str, str] = field(default_factory=dict)  # name -> Go package
    stamps: tuple[str, ...] = ()  # what the linker writes into them
    folder: str = ""  # of the module, taken as it is

    @property
    def products(self) -> tuple[str, ...]:
        return (*self.programs, *((Path(self.folder).name,) if self.folder else ()))

    @property
    def version(self) -> str:
        """The version in go.mod, as v1.35.4."""
        go_mod = self.module / "go.mod"
        match = re.search(rf"^(?:require)?\s*{re.escape(self.source)} (v\S+)", go_mod.read_text(), re.MULTILINE)
        if match is None:
            raise BuildError(f"{go_mod} does not require {self.source}")
        return match[1]

    @property
    def linker_flags(self) -> str:
        """The linker's flags: no symbols, and what the program answers when it is asked for its version."""
        number = self.version.removeprefix("v")
        major, minor, *_ = number.split(".")
        facts = {"version": self.version, "number": number, "major": major, "minor": minor}
        stamps = [f"-X {stamp.format_map(facts)}" for stamp in self.stamps]
        return " ".join(["-s", "-w", *stamps])

    def ingredients(self, cache: Path) -> Sequence[bytes]:
        go = toolchain.expected(toolchain.required(self.module / "go.mod"), cache)
        sources = [self.module / "go.mod", self.module / "go.sum", *sorted(self.module.rglob("*.go"))]
        return *(each.read_bytes() for each in sources), go.encode()

    def make(self, target: Path, cache: Path, progress: Progress) -> None:
        needed = toolchain.required(self.module / "go.mod")
        go = toolchain.find(needed, cache) or toolchain.install(needed, cache, progress.say)
        progress.say(f"building {self.title} {self.version} with {go.version} ({go.path}): {self.takes}")
        if self.programs:
            self._compile(go, target, progress)
        if self.folder:
            self._take(go, target, progress)

    def _compile(self, go: Go, target: Path, progress: Progress) -> None:
        with progress.phase("fetching modules", None):
            packages = self._run(go, ["list", "-deps", *self.programs.values()], progress.step)
        with progress.phase("compiling", len(packages)):
            for name, package in self.programs.items():
                line = ["build", "-v", "-trimpath", "-ldflags", self.linker_flags, "-o", str(target / name), package]
                self._run(go, line, progress.step)

    def _take(self, go: Go, target: Path, progress: Progress) -> None:
        """Copy a folder of the module; go.sum in the recipe's directory says that it is the right module."""
        with progress.phase("fetching the module", None):
            lines = self._run(go, ["mod", "download", "-json", f"{self.source}@{self.version}"], progress.step)
        folder = Path(json.loads("\n".join(lines))["Dir"]) / self.folder
        # Without its modes: files of the module cache are read-only, and directories too.
        shutil.copytree(folder, target / folder.name, copy_function=shutil.copyfile)
        for directory in (target / folder.name).rglob("*/"):
            directory.chmod(0o755)
        (target / folder.name).chmod(0o755)

    def _run(self, go: Go, arguments: list[str], told: Callable[[str], None]) -> list[str]:
        """Run go, tell each line of its progress, return the lines of its output."""
        with tempfile.TemporaryFile("w+") as output:
            child = subprocess.Popen(
                [go.path, *arguments],
                cwd=self.module,
                env=go.environment(),
                stdout=output,
                stderr=subprocess.PIPE,
                text=True,
            )
            said: deque[str] = deque(maxlen=30)
            with child:
                assert child.stderr is not None
                for line in child.stderr:
                    said.append(line.rstrip())
                    told(line.rstrip())
            output.seek(0)
            lines = output.read().splitlines()
            if child.returncode != 0:
                raise BuildError(
                    _explained(self.module, arguments, list(said) or lines)
                )  # with -json, errors are output
            return lines


def _explained(module: Path, arguments: list[str], said: list[str]) -> str:
    """What to tell when Go fails: its own last words, and what would help."""
    text = "\n".join(said)
    hint = ""
    if re.search(r"dial tcp|no such host|proxyconnect|i/o timeout|TLS handshake|connection refused", text):
        hint = "\nGo could not reach its module proxy: check the network, or GOPROXY."
    elif "no space left" in text:
        hint = "\nThe disk is full: GOCACHE, GOMODCACHE and ROLLOUTS_E2E_CACHE may point elsewhere."
    elif "signal: killed" in text:
        hint = "\nThe compiler was killed, probably for want of memory: try GOMAXPROCS=1."
    return f"`go {arguments[0]}` failed in {module}:\n{text}{hint}"
