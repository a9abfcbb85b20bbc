"""`rollouts explain NAME`: why does nothing move, and what happens next? The planner itself answers."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from rollouts.cli.options import Output, OutputOption, RolloutName, on_cluster

if TYPE_CHECKING:
    from rollouts.cli.session import Session

Json = dict[str, Any]


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
    plan = await plan_now(session, raw, replica_sets, now)
    explanation = explain_plan(raw, plan, replica_sets, await _troubles(session, raw, replica_sets, now))
    if output is None:
        say("\n".join(explanation.lines(now)))
    else:
        facts = jsonable(explanation)
        say(as_json(facts) if output is Output.JSON else as_yaml(facts))


async def _troubles(session: "Session", raw: Json, replica_sets: list[Json], now: datetime) -> tuple[str, ...]:
    """Return what the pods suffer from; nothing when we may not read them."""
    from rollouts.kube.errors import Forbidden
    from rollouts.view.trouble import troubles

    try:
        return troubles(raw, replica_sets, await session.pods(), now)
    except Forbidden:
        return ()
