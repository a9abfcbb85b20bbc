"""`rollouts get rollout NAME`: everything about one rollout, once or live."""

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollouts.cli.options import NoColorOption, Output, OutputOption, RolloutName, WatchOption, on_cluster

if TYPE_CHECKING:
    from rollouts.cli.session import Session


@on_cluster
async def get_rollout(
    session: "Session",
    rollout: RolloutName,
    *,
    watch: WatchOption = False,
    output: OutputOption = None,
    no_color: NoColorOption = False,
    timeout_seconds: Annotated[
        int, typer.Option("--timeout-seconds", min=0, metavar="N", help="End a watch after so long; 0: no limit.")
    ] = 0,
) -> None:
    """Show a rollout: status, why it waits, steps, ReplicaSets and pods."""
    raw = await session.rollout(rollout)
    if output in (Output.JSON, Output.YAML, Output.NAME):
        show_object(raw, output)
        return
    from rollouts.cli.console import open_screen
    from rollouts.cli.picture import picture_of

    screen, wide = open_screen(no_color=no_color), output is Output.WIDE
    if watch:
        from rollouts.cli.live import follow

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds or None):
                await follow(session, raw, screen, wide=wide)
        return
    replica_sets, pods = await asyncio.gather(session.replica_sets(raw), session.pods())
    now = datetime.now(UTC)
    picture = await picture_of(session, raw, replica_sets, pods, now)
    screen.show(picture.drawn(now, wide=wide))


def presentable(raw: dict[str, Any]) -> dict[str, Any]:
    """Return an object without the books that the API server keeps about its writers."""
    return {**raw, "metadata": {key: value for key, value in raw["metadata"].items() if key != "managedFields"}}


def show_object(raw: dict[str, Any], output: Output) -> None:
    """Print an object as it is."""
    from rollouts.cli.console import as_json, as_yaml, say

    if output is Output.NAME:
        say(f"rollout.argoproj.io/{raw['metadata']['name']}")
        return
    shown = presentable(raw)
    say(as_json(shown) if output is Output.JSON else as_yaml(shown))
