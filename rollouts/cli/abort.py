"""`rollouts abort NAME`: go back to the stable pods."""

from typing import TYPE_CHECKING

from rollouts.cli.options import RolloutName, ShowPatchOption, on_cluster
from rollouts.view import requests

if TYPE_CHECKING:
    from rollouts.cli.session import Session


@on_cluster
async def abort(session: "Session", rollout: RolloutName, *, show_patch: ShowPatchOption = False) -> None:
    """Abort the update: the stable pods serve everything again."""
    from rollouts.cli.asking import ask

    await ask(session, rollout, requests.abort, show_patch=show_patch)
