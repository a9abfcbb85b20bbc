"""`rollouts terminate analysisrun|experiment NAME`: end it now, with the verdict that it has come to."""

from typing import TYPE_CHECKING

from rollouts.cli.kinds import ANALYSIS_RUN, EXPERIMENT
from rollouts.cli.options import AnalysisRunName, ExperimentName, ShowPatchOption, on_cluster
from rollouts.view import requests

if TYPE_CHECKING:
    from rollouts.cli.session import Session


@on_cluster
async def terminate_analysis_run(
    session: "Session", analysis_run: AnalysisRunName, *, show_patch: ShowPatchOption = False
) -> None:
    """End an analysis run: what goes on is stopped, and nothing more is measured."""
    from rollouts.cli.asking import ask_child
    from rollouts.kube.resources import ANALYSIS_RUNS

    await ask_child(session, ANALYSIS_RUN, ANALYSIS_RUNS, analysis_run, requests.terminate, show_patch=show_patch)


@on_cluster
async def terminate_experiment(
    session: "Session", experiment: ExperimentName, *, show_patch: ShowPatchOption = False
) -> None:
    """End an experiment: its analyses are terminated, and its pods are scaled down."""
    from rollouts.cli.asking import ask_child
    from rollouts.kube.resources import EXPERIMENTS

    await ask_child(session, EXPERIMENT, EXPERIMENTS, experiment, requests.terminate, show_patch=show_patch)
