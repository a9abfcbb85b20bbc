"""What would the controller do with this live analysis run or experiment? By the same planners."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rollouts.cli.planning import read_templates
from rollouts.kube.errors import Forbidden
from rollouts.kube.resources import SERVICES
from rollouts.plan.analysis.observed import observe_run
from rollouts.plan.analysis.references import templates_of_experiment
from rollouts.plan.analysis.run import AnalysisPlan, plan_analysis
from rollouts.plan.experiment.experiment import ExperimentPlan, plan_experiment
from rollouts.plan.experiment.observed import observe_experiment
from rollouts.registry import load_kit
from rollouts.view import fields
from rollouts.view.runs import RUNNING, shown_run

if TYPE_CHECKING:
    from rollouts.cli.session import Session

Json = dict[str, Any]


def run_plan(run: Json, now: datetime) -> AnalysisPlan:
    """Return what the planner makes of a run as it is now; nothing of one that a controller knows more about."""
    plan = plan_analysis(observe_run(run), now, load_kit())
    # It measures already: what we miss is a metric plugin that is installed beside the controller only.
    return AnalysisPlan() if plan.problem and shown_run(run).phase == RUNNING else plan


async def experiment_plan(
    session: "Session", experiment: Json, replica_sets: Sequence[Json], runs: Sequence[Json], now: datetime
) -> ExperimentPlan:
    """Return what the planner makes of an experiment as it is now; nothing where we may not read what it needs."""
    try:
        services, templates = await asyncio.gather(
            session.readable(SERVICES),
            read_templates(session, templates_of_experiment(fields.part(experiment, "spec"))),
        )
    except Forbidden:
        return ExperimentPlan()
    return plan_experiment(observe_experiment(experiment, replica_sets, services, runs, templates), now)
