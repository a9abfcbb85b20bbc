"""`rollouts retry [KIND] NAME`: start an aborted update, or an experiment that has ended, again."""

from typing import TYPE_CHECKING, Annotated

import typer

from rollouts.cli.kinds import EXPERIMENT, ROLLOUT, kind_and_name
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
            metavar="[KIND] NAME",
            help="A rollout's name; or experiment, and its name.",
            callback=kind_and_name("retry", (ROLLOUT, EXPERIMENT)),
        ),
    ],
    *,
    show_patch: ShowPatchOption = False,
) -> None:
    """Start an aborted update again at its first step, or an experiment that has ended from its beginning."""
    from rollouts.cli.asking import ask, ask_child
    from rollouts.kube.resources import EXPERIMENTS

    kind, name = subject
    if kind == EXPERIMENT.singular:
        await ask_child(session, EXPERIMENT, EXPERIMENTS, name, requests.retry_experiment, show_patch=show_patch)
    else:
        await ask(session, name, requests.retry, show_patch=show_patch)
