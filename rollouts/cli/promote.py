"""`rollouts promote NAME`: go on, by one step or all the way."""

from typing import TYPE_CHECKING, Annotated

import typer

from rollouts.cli.options import RolloutName, ShowPatchOption, on_cluster
from rollouts.view import requests
from rollouts.view.fields import Raw
from rollouts.view.requests import Answer

if TYPE_CHECKING:
    from rollouts.cli.session import Session


@on_cluster
async def promote(
    session: "Session",
    rollout: RolloutName,
    *,
    full: Annotated[bool, typer.Option("--full", help="Skip all remaining steps, pauses and analysis.")] = False,
    skip_current_step: Annotated[
        bool, typer.Option("--skip-current-step", "-c", help="Skip the step in progress.", hidden=True)
    ] = False,
    skip_all_steps: Annotated[
        bool, typer.Option("--skip-all-steps", "-a", help="Skip all remaining steps.", hidden=True)
    ] = False,
    show_patch: ShowPatchOption = False,
) -> None:
    """Go on: end the pause, or skip the step in progress."""
    from rollouts.cli.asking import ask

    if full + skip_current_step + skip_all_steps > 1:
        raise typer.BadParameter("--full, --skip-current-step and --skip-all-steps exclude each other")

    def decide(raw: Raw) -> Answer:
        if full:
            return requests.promote_full(raw)
        if skip_current_step or skip_all_steps:
            return requests.skip_steps(raw, all_steps=skip_all_steps)
        return requests.promote(raw)

    await ask(session, rollout, decide, show_patch=show_patch)
