"""`rollouts retry rollout NAME`, or `rollouts retry NAME`: start an aborted update again."""

from typing import TYPE_CHECKING, Annotated

import typer

from rollouts.cli.kinds import ROLLOUT, kind_and_name
from rollouts.cli.options import ShowPatchOption, on_cluster
from rollouts.view import requests

if TYPE_CHECKING:
    from rollouts.cli.session import Session


@on_cluster
async def retry(
    session: "Session",
    subject: Annotated[
        list[str],
        typer.Argument(
            metavar="[rollout] NAME", help="The rollout's name.", callback=kind_and_name("retry", (ROLLOUT,))
        ),
    ],
    *,
    show_patch: ShowPatchOption = False,
) -> None:
    """Start an aborted update again, at its first step."""
    from rollouts.cli.asking import ask

    await ask(session, subject[1], requests.retry, show_patch=show_patch)
