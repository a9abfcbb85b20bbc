"""`rollouts status NAME`: wait until a rollout is done, for scripts and pipelines."""

import asyncio
import contextlib
from typing import TYPE_CHECKING, Annotated

import typer

from rollouts.cli.options import RolloutName, TimeoutOption, on_cluster, seconds_of
from rollouts.view.status import DEGRADED, HEALTHY, shown_status

if TYPE_CHECKING:
    from rollouts.cli.session import Session


@on_cluster
async def status(
    session: "Session",
    rollout: RolloutName,
    *,
    watch: Annotated[bool, typer.Option("--watch/--no-watch", "-w", help="Wait for the end.")] = True,
    timeout: TimeoutOption = "0",  # noqa: ASYNC109 - a person's wish, carried out by asyncio.timeout
) -> None:
    """Print the status, and each change of it until it is Healthy (exit code 0) or Degraded (exit code 1)."""
    from rollouts.cli.console import say
    from rollouts.cli.errors import CommandError

    shown = shown_status(await session.rollout(rollout))
    say(str(shown))
    try:
        async with asyncio.timeout(seconds_of(timeout)):
            while watch and shown.phase not in (HEALTHY, DEGRADED):
                # A stream ends after a while by itself: it is begun again until the Rollout has come to an end.
                async with contextlib.aclosing(session.follow(rollout)) as changes:
                    async for raw in changes:
                        latest = shown_status(raw)
                        if latest != shown:
                            say(str(latest))
                        shown = latest
                        if shown.phase in (HEALTHY, DEGRADED):
                            break
    except TimeoutError as error:
        limit = f"{timeout}s" if timeout.isdigit() else timeout
        raise CommandError(f"rollout {rollout!r} has not come to an end within {limit}: {shown}") from error
    if shown.phase == DEGRADED:
        raise CommandError(f"rollout {rollout!r} is degraded: {shown.message}")
