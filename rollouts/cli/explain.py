"""`rollouts explain [KIND] NAME`: why does nothing move, and what happens next? The planner itself answers."""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollouts.cli.kinds import ANALYSIS_RUN, KINDS, ROLLOUT, kind_and_name
from rollouts.cli.options import Output, OutputOption, on_cluster

if TYPE_CHECKING:
    from rollouts.cli.session import Session
    from rollouts.view.child_explanation import ChildExplanation
    from rollouts.view.explanation import Explanation

Json = dict[str, Any]


@on_cluster
async def explain(
    session: "Session",
    subject: Annotated[
        list[str],
        typer.Argument(
            metavar="[KIND] NAME",
            help="A rollout's name; or analysisrun or experiment, and its name.",
            callback=kind_and_name("explain", KINDS),
        ),
    ],
    *,
    output: OutputOption = None,
) -> None:
    """Say why nothing moves, what the controller does next, and what a person can do now.

    Of an analysis run: which metric stands how, and why. Of an experiment: what it waits for.
    """
    from rollouts.cli.console import as_json, as_yaml, say
    from rollouts.view.jsonable import jsonable

    if output in (Output.WIDE, Output.NAME):
        raise typer.BadParameter(f"-o {output}: an explanation has the forms json and yaml only")
    now = datetime.now(UTC)
    kind, name = subject
    explanation = await (_rollout(session, name, now) if kind == ROLLOUT.singular else _child(session, kind, name, now))
    if output is None:
        say("\n".join(explanation.lines(now)))
    else:
        facts = jsonable(explanation)
        say(as_json(facts) if output is Output.JSON else as_yaml(facts))


async def _rollout(session: "Session", name: str, now: datetime) -> "Explanation":
    from rollouts.cli.planning import measured, plan_now
    from rollouts.view.explanation import explain_plan
    from rollouts.view.verdicts import of_rollout

    raw = await session.rollout(name)
    replica_sets, beside = await session.replica_sets(raw), await measured(session)
    plan = await plan_now(session, raw, replica_sets, now, beside)
    analyses = of_rollout(raw, beside.runs, beside.experiments)
    return explain_plan(raw, plan, replica_sets, await _troubles(session, raw, replica_sets, now), analyses)


async def _child(session: "Session", kind: str, name: str, now: datetime) -> "ChildExplanation":
    from rollouts.cli.child_plans import experiment_plan, run_plan
    from rollouts.kube.resources import ANALYSIS_RUNS, EXPERIMENTS, REPLICA_SETS
    from rollouts.view.child_explanation import explain_experiment, explain_run

    if kind == ANALYSIS_RUN.singular:
        raw = await session.api.get(ANALYSIS_RUNS, session.namespace, name)
        plan = run_plan(raw, now)
        return explain_run(raw, plan.because, plan.wake_at)
    raw = await session.api.get(EXPERIMENTS, session.namespace, name)
    replica_sets, runs = await asyncio.gather(session.found(REPLICA_SETS), session.readable(ANALYSIS_RUNS))
    return explain_experiment(raw, await experiment_plan(session, raw, replica_sets, runs, now), runs)


async def _troubles(session: "Session", raw: Json, replica_sets: list[Json], now: datetime) -> tuple[str, ...]:
    """Return what the pods suffer from; nothing when we may not read them."""
    from rollouts.kube.errors import Forbidden
    from rollouts.view.trouble import troubles

    try:
        return troubles(raw, replica_sets, await session.pods(), now)
    except Forbidden:
        return ()
