"""How do the real programs get from Go modules onto this machine?

Compiled once per version into a cache outside the checkout: `python -m e2e.build` (about 12 minutes on two cores the
first time, nothing afterwards). What is built is in recipes.py.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from e2e import recipes, toolchain
from e2e.progress import Progress
from e2e.recipes import Recipe
from e2e.toolchain import BuildError, Go

LINKS = recipes.CONTROL_PLANE.module / "bin"
SPACE_NEEDED = 6 * 2**30  # modules, compiled packages and binaries of a cold build
METHOD = "2"  # part of the cache key: count up when the way of building changes


def binaries(recipe: Recipe = recipes.CONTROL_PLANE, progress: Progress | None = None) -> Path:
    """The directory that holds what a recipe makes, built if it isn't there."""
    cache = cache_directory()
    cache.mkdir(parents=True, exist_ok=True)
    home = cache / key(recipe, cache)
    if not _complete(recipe, home):
        progress = progress or Progress()
        with _lock(cache / f"{home.name}.lock", recipe, progress.say):
            if not _complete(recipe, home):  # whoever held the lock may have built it
                _build(recipe, home, cache, progress)
    if recipe is recipes.CONTROL_PLANE:
        _link(home)
    return home


def cache_directory() -> Path:
    """ROLLOUTS_E2E_CACHE, or a directory in the user's cache: a fresh clone finds what an older one built."""
    if chosen := os.environ.get("ROLLOUTS_E2E_CACHE"):
        return Path(chosen).expanduser().resolve()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "rollouts-e2e"


def key(recipe: Recipe, cache: Path) -> str:
    """Names a build: everything that its result depends on."""
    needed = toolchain.required(recipe.module / "go.mod")
    digest = hashlib.sha256()
    for part in (
        (recipe.module / "go.mod").read_bytes(),
        (recipe.module / "go.sum").read_bytes(),
        *(each.read_bytes() for each in sorted(recipe.module.glob("*.go"))),
        toolchain.expected(needed, cache).encode(),
        f"{METHOD} {platform.system()} {platform.machine()}".encode(),
    ):
        digest.update(hashlib.sha256(part).digest())
    return f"{recipe.prefix}{recipe.version}-{digest.hexdigest()[:12]}"


def kubernetes_version() -> str:
    """The version of the control plane, as v1.35.4."""
    return recipes.CONTROL_PLANE.version


def _complete(recipe: Recipe, home: Path) -> bool:
    return all((home / name).exists() for name in recipe.products)


@contextlib.contextmanager
def _lock(path: Path, recipe: Recipe, say: Callable[[str], None]) -> Iterator[None]:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another build of {recipe.title} is running: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(recipe: Recipe, home: Path, cache: Path, progress: Progress) -> None:
    _require_space(cache)
    needed = toolchain.required(recipe.module / "go.mod")
    go = toolchain.find(needed, cache) or toolchain.install(needed, cache, progress.say)
    progress.say(f"building {recipe.title} {recipe.version} with {go.version} ({go.path}): {recipe.takes}")
    with tempfile.TemporaryDirectory(prefix=f"{home.name}.", dir=cache) as partial:
        if recipe.programs:
            _compile(go, recipe, Path(partial), progress)
        if recipe.folder:
            _take(go, recipe, Path(partial), progress)
        home.mkdir(exist_ok=True)
        for name in recipe.products:
            (Path(partial) / name).replace(home / name)
    progress.say(f"built {', '.join(recipe.products)} into {home}")


def _require_space(cache: Path) -> None:
    free = shutil.disk_usage(cache).free
    if free < SPACE_NEEDED:
        raise BuildError(
            f"{cache} has {free / 2**30:.1f} GiB free, the build needs {SPACE_NEEDED / 2**30:.0f} GiB "
            "(set ROLLOUTS_E2E_CACHE, GOCACHE and GOMODCACHE to move it)"
        )


def _compile(go: Go, recipe: Recipe, target: Path, progress: Progress) -> None:
    with progress.phase("fetching modules", None):
        packages = _run(go, recipe, ["list", "-deps", *recipe.programs.values()], progress.step)
    with progress.phase("compiling", len(packages)):
        for name, package in recipe.programs.items():
            line = ["build", "-v", "-trimpath", "-ldflags", recipe.linker_flags, "-o", str(target / name), package]
            _run(go, recipe, line, progress.step)


def _take(go: Go, recipe: Recipe, target: Path, progress: Progress) -> None:
    """Copy a folder of the module; go.sum in the recipe's directory says that it is the right module."""
    with progress.phase("fetching the module", None):
        lines = _run(go, recipe, ["mod", "download", "-json", f"{recipe.source}@{recipe.version}"], progress.step)
    folder = Path(json.loads("\n".join(lines))["Dir"]) / recipe.folder
    # Without its modes: files of the module cache are read-only, and directories too.
    shutil.copytree(folder, target / folder.name, copy_function=shutil.copyfile)
    for directory in (target / folder.name).rglob("*/"):
        directory.chmod(0o755)
    (target / folder.name).chmod(0o755)


def _run(go: Go, recipe: Recipe, arguments: list[str], told: Callable[[str], None]) -> list[str]:
    """Run go, tell each line of its progress, return the lines of its output."""
    with tempfile.TemporaryFile("w+") as output:
        child = subprocess.Popen(
            [go.path, *arguments],
            cwd=recipe.module,
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
            raise BuildError(explain(recipe, arguments, list(said) or lines))  # with -json, an error is output
        return lines


def explain(recipe: Recipe, arguments: list[str], said: list[str]) -> str:
    """What to tell when Go fails: its own last words, and what would help."""
    text = "\n".join(said)
    hint = ""
    if re.search(r"dial tcp|no such host|proxyconnect|i/o timeout|TLS handshake|connection refused", text):
        hint = "\nGo could not reach its module proxy: check the network, or GOPROXY."
    elif "no space left" in text:
        hint = "\nThe disk is full: GOCACHE, GOMODCACHE and ROLLOUTS_E2E_CACHE may point elsewhere."
    elif "signal: killed" in text:
        hint = "\nThe compiler was killed, probably for want of memory: try GOMAXPROCS=1."
    return f"`go {arguments[0]}` failed in {recipe.module}:\n{text}{hint}"


def _link(home: Path) -> None:
    """Let e2e/controlplane/bin show the current build: convenient to run by hand."""
    LINKS.mkdir(exist_ok=True)
    for name in recipes.CONTROL_PLANE.products:
        link = LINKS / name
        if link.is_symlink() and link.readlink() == home / name:
            continue
        with contextlib.suppress(FileExistsError):  # another session links at the same time
            link.unlink(missing_ok=True)
            link.symlink_to(home / name)


if __name__ == "__main__":
    try:
        for each in recipes.ALL:
            print(binaries(each))
    except BuildError as error:
        sys.exit(f"error: {error}")
