"""Where do the real etcd, kube-apiserver and kube-controller-manager come from?

From Go modules, compiled once per version into a cache outside the checkout: `python -m e2e.build` (about 8 minutes on
two cores the first time, nothing afterwards).
"""

import contextlib
import fcntl
import hashlib
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

from e2e import toolchain
from e2e.progress import Progress
from e2e.toolchain import BuildError, Go

MODULE = Path(__file__).parent / "controlplane"
LINKS = MODULE / "bin"
PACKAGES = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
}
SPACE_NEEDED = 6 * 2**30  # modules, compiled packages and binaries of a cold build
RECIPE = "2"  # part of the cache key: count up when the way of building changes


def binaries(progress: Progress | None = None) -> Path:
    """The directory that holds the three programs, built if they aren't there."""
    cache = cache_directory()
    cache.mkdir(parents=True, exist_ok=True)
    home = cache / key(cache)
    if not _complete(home):
        progress = progress or Progress()
        with _lock(cache / f"{home.name}.lock", progress.say):
            if not _complete(home):  # whoever held the lock may have built it
                _build(home, cache, progress)
    _link(home)
    return home


def cache_directory() -> Path:
    """ROLLOUTS_E2E_CACHE, or a directory in the user's cache: a fresh clone finds what an older one built."""
    if chosen := os.environ.get("ROLLOUTS_E2E_CACHE"):
        return Path(chosen).expanduser().resolve()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "rollouts-e2e"


def key(cache: Path) -> str:
    """Names a build: everything that its result depends on."""
    needed = toolchain.required(MODULE / "go.mod")
    digest = hashlib.sha256()
    for part in (
        (MODULE / "go.mod").read_bytes(),
        (MODULE / "go.sum").read_bytes(),
        toolchain.expected(needed, cache).encode(),
        f"{RECIPE} {platform.system()} {platform.machine()}".encode(),
    ):
        digest.update(hashlib.sha256(part).digest())
    return f"{kubernetes_version()}-{digest.hexdigest()[:12]}"


def kubernetes_version() -> str:
    """The version in go.mod, as v1.35.4."""
    match = re.search(r"^\s*k8s\.io/kubernetes (v\S+)", (MODULE / "go.mod").read_text(), re.MULTILINE)
    if match is None:
        raise BuildError(f"{MODULE / 'go.mod'} does not require k8s.io/kubernetes")
    return match[1]


def _complete(home: Path) -> bool:
    return all((home / name).exists() for name in PACKAGES)


@contextlib.contextmanager
def _lock(path: Path, say: Callable[[str], None]) -> Iterator[None]:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another build of the control plane is running: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(home: Path, cache: Path, progress: Progress) -> None:
    _require_space(cache)
    go = toolchain.find(toolchain.required(MODULE / "go.mod"), cache) or toolchain.install(cache, progress.say)
    progress.say(
        f"building Kubernetes {kubernetes_version()} with {go.version} ({go.path}): about 8 minutes on two cores"
    )
    with tempfile.TemporaryDirectory(prefix=f"{home.name}.", dir=cache) as partial:
        total = _download(go, progress)
        with progress.phase("compiling", total):
            for name, package in PACKAGES.items():
                _compile(go, package, Path(partial) / name, progress)
        home.mkdir(exist_ok=True)
        for name in PACKAGES:
            (Path(partial) / name).replace(home / name)
    progress.say(f"built {', '.join(PACKAGES)} into {home}")


def _require_space(cache: Path) -> None:
    free = shutil.disk_usage(cache).free
    if free < SPACE_NEEDED:
        raise BuildError(
            f"{cache} has {free / 2**30:.1f} GiB free, the build needs {SPACE_NEEDED / 2**30:.0f} GiB "
            "(set ROLLOUTS_E2E_CACHE, GOCACHE and GOMODCACHE to move it)"
        )


def _download(go: Go, progress: Progress) -> int:
    """Fetch the modules; return how many packages there are to compile at most."""
    with progress.phase("fetching modules", None):
        lines = _run(go, ["list", "-deps", *PACKAGES.values()], progress.step)
    return len(lines)


def _compile(go: Go, package: str, target: Path, progress: Progress) -> None:
    stamp = "k8s.io/component-base/version"
    version = kubernetes_version()
    major, minor, *_ = version.removeprefix("v").split(".")
    flags = f"-s -w -X {stamp}.gitVersion={version} -X {stamp}.gitMajor={major} -X {stamp}.gitMinor={minor}"
    # Modules come from the read-only module cache, so the tree is clean by construction.
    flags += f" -X {stamp}.gitTreeState=clean"
    _run(go, ["build", "-v", "-trimpath", "-ldflags", flags, "-o", str(target), package], progress.step)


def _run(go: Go, arguments: list[str], told: Callable[[str], None]) -> list[str]:
    """Run go, tell each line of its progress, return the lines of its output."""
    with tempfile.TemporaryFile("w+") as output:
        child = subprocess.Popen(
            [go.path, *arguments],
            cwd=MODULE,
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
        if child.returncode != 0:
            raise BuildError(explain(arguments, list(said)))
        return output.read().splitlines()


def explain(arguments: list[str], said: list[str]) -> str:
    """What to tell when Go fails: its own last words, and what would help."""
    text = "\n".join(said)
    hint = ""
    if re.search(r"dial tcp|no such host|proxyconnect|i/o timeout|TLS handshake|connection refused", text):
        hint = "\nGo could not reach its module proxy: check the network, or GOPROXY."
    elif "no space left" in text:
        hint = "\nThe disk is full: GOCACHE, GOMODCACHE and ROLLOUTS_E2E_CACHE may point elsewhere."
    elif "signal: killed" in text:
        hint = "\nThe compiler was killed, probably for want of memory: try GOMAXPROCS=1."
    return f"`go {arguments[0]}` failed in {MODULE}:\n{text}{hint}"


def _link(home: Path) -> None:
    """Let e2e/controlplane/bin show the current build: convenient to run by hand."""
    LINKS.mkdir(exist_ok=True)
    for name in PACKAGES:
        link = LINKS / name
        if link.is_symlink() and link.readlink() == home / name:
            continue
        with contextlib.suppress(FileExistsError):  # another session links at the same time
            link.unlink(missing_ok=True)
            link.symlink_to(home / name)


if __name__ == "__main__":
    try:
        print(binaries())
    except BuildError as error:
        sys.exit(f"error: {error}")
