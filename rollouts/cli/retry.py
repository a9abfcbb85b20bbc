"""`rollouts retry rollout NAME`, or `rollouts retry NAME`: start an aborted update again."""

from typing import TYPE_CHECKING, Annotated

import typer

from rollouts.cli.options import ROLLOUT_KINDS, ShowPatchOption, on_cluster, rollout_name
from rollouts.view import requests

if TYPE_CHECKING:
    from rollouts.cli.session import Session


def _name(words: list[str]) -> list[str]:
    """Return the one name; the kind in front of it may be left out."""
    if not words:  # completion asks before anything is typed
        return words
    *kind, name = words
    if len(kind) > 1:
        raise typer.BadParameter(f"one rollout at a time: {' '.join(words)!r} names more")
    if kind and kind[0] not in ROLLOUT_KINDS:
        raise typer.BadParameter(f"{kind[0]!r} can't be retried: write `retry rollout NAME`")
    return [rollout_name(name)]


@on_cluster
async def retry(
    session: "Session",
    rollout: Annotated[list[str], typer.Argument(metavar="[rollout] NAME", help="The rollout's name.", callback=_name)],
    *,
    show_patch: ShowPatchOption = False,
) -> None:
    """Start an aborted update again, at its first step."""
    from rollouts.cli.asking import ask

    await ask(session, rollout[0], requests.retry, show_patch=show_patch)
