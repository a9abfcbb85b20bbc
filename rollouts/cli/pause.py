"""`rollouts pause NAME`: hold everything by hand."""

from typing import TYPE_CHECKING

from rollouts.cli.options import RolloutName, ShowPatchOption, on_cluster
from rollouts.view import requests

if TYPE_CHECKING:
    from rollouts.cli.session import Session


@on_cluster
async def pause(session: "Session", rollout: RolloutName, *, show_patch: ShowPatchOption = False) -> None:
    """Pause by hand: no step completes and nothing is scaled until it is promoted."""
    from rollouts.cli.asking import ask

    await ask(session, rollout, requests.pause, show_patch=show_patch)
