"""`rollouts crds`: what does Kubernetes have to be told before it accepts a Rollout? The API's definitions."""

from pathlib import Path
from typing import Annotated

import typer

from rollouts.cli.console import complain, say

Directory = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="DIR", help="Write one file per kind into DIR.", file_okay=False),
]
Check = Annotated[
    Path | None,
    typer.Option("--check", metavar="DIR", help="Fail if the files in DIR aren't current.", file_okay=False),
]


def crds(*, output: Directory = None, check: Check = None) -> None:
    """Print the CustomResourceDefinitions, write them, or check the written ones."""
    from rollouts.api.crds import KUSTOMIZATION, manifests

    files = manifests()
    if output is not None:
        _write(files, output)
    if check is not None:
        _check(files, check)
    if output is None and check is None:
        say("---\n".join(text for name, text in files.items() if name != KUSTOMIZATION).rstrip("\n"))


def _write(files: dict[str, str], directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = directory / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            say(f"written: {path}")


def _check(files: dict[str, str], directory: Path) -> None:
    paths = {directory / name: text for name, text in files.items()}
    stale = [path for path, text in paths.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        complain(f"not current: {path}")
    if stale:
        complain(f"write them anew: rollouts crds --output {directory}")
        raise typer.Exit(1)
    say(f"current: {len(paths)} files in {directory}")
