"""`rollouts restart NAME [--in 10m]`: have all pods replaced, now or later."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from rollouts.api.durations import parse_duration
from rollouts.cli.options import RolloutName, ShowPatchOption, on_cluster
from rollouts.view import requests

if TYPE_CHECKING:
    from rollouts.cli.session import Session


def _delay(text: str) -> str:
    try:
        is_past = parse_duration(text) < timedelta()
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if is_past:
        raise typer.BadParameter(f"{text} is in the past")
    return text


@on_cluster
async def restart(
    session: "Session",
    rollout: RolloutName,
    *,
    after: Annotated[
        str, typer.Option("--in", "-i", metavar="DURATION", help="How long to wait, such as 10m.", callback=_delay)
    ] = "0s",
    show_patch: ShowPatchOption = False,
) -> None:
    """Replace all pods, within the limits of maxUnavailable and PodDisruptionBudgets."""
    from rollouts.cli.asking import ask

    now = datetime.now(UTC)
    at = now + parse_duration(after)
    await ask(session, rollout, lambda raw: requests.restart(raw, at, now), show_patch=show_patch)
