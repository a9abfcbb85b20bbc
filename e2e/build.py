"""Where are the real programs that the tests need, and who makes them first?

Made once per version in a cache outside the checkout: `python -m e2e.build` (about 20 minutes on two cores the
first time, nothing afterwards). What is made is in recipes.py.
"""

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from e2e import recipes
from e2e.progress import Progress
from e2e.recipe import Recipe
from e2e.toolchain import BuildError

LINKS = recipes.CONTROL_PLANE.module / "bin"
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
    digest = hashlib.sha256()
    for part in (*recipe.ingredients(cache), f"{METHOD} {platform.system()} {platform.machine()}".encode()):
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
    _require_space(recipe, cache)
    with tempfile.TemporaryDirectory(prefix=f"{home.name}.", dir=cache) as partial:
        recipe.make(Path(partial), cache, progress)
        home.mkdir(exist_ok=True)
        for name in recipe.products:
            (Path(partial) / name).replace(home / name)
    progress.say(f"built {', '.join(recipe.products)} into {home}")


def _require_space(recipe: Recipe, cache: Path) -> None:
    free = shutil.disk_usage(cache).free
    if free < recipe.space:
        raise BuildError(
            f"{cache} has {free / 2**30:.1f} GiB free, the build needs {recipe.space / 2**30:.0f} GiB "
            "(set ROLLOUTS_E2E_CACHE, GOCACHE and GOMODCACHE to move it)"
        )


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
