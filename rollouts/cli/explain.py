"""`rollouts explain NAME`: why does nothing move, and what happens next? The planner itself answers."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from rollouts.cli.options import Output, OutputOption, RolloutName, on_cluster

if TYPE_CHECKING:
    from rollouts.cli.session import Session


@on_cluster
async def explain(session: "Session", rollout: RolloutName, *, output: OutputOption = None) -> None:
    """Say why nothing moves, what the controller does next, and what a person can do now."""
    from rollouts.cli.console import as_json, as_yaml, say
    from rollouts.cli.planning import plan_now
    from rollouts.view.explanation import explain_plan
    from rollouts.view.jsonable import jsonable

    if output in (Output.WIDE, Output.NAME):
        raise typer.BadParameter(f"-o {output}: an explanation has the forms json and yaml only")
    raw = await session.rollout(rollout)
    now = datetime.now(UTC)
    replica_sets = await session.replica_sets(raw)
    explanation = explain_plan(raw, await plan_now(session, raw, replica_sets, now), replica_sets)
    if output is None:
        say("\n".join(explanation.lines(now)))
    else:
        facts = jsonable(explanation)
        say(as_json(facts) if output is Output.JSON else as_yaml(facts))
