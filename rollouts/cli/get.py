"""`rollouts get KIND NAME`: everything about one rollout, analysis run or experiment, once or live."""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rollouts.cli.kinds import ANALYSIS_RUN, EXPERIMENT, ROLLOUT, Kind
from rollouts.cli.options import (
    AnalysisRunName,
    ExperimentName,
    NoColorOption,
    Output,
    OutputOption,
    RolloutName,
    WatchOption,
    WatchSecondsOption,
    on_cluster,
)

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
    timeout_seconds: WatchSecondsOption = 0,
) -> None:
    """Show a rollout: status, why it waits, steps, ReplicaSets, pods, experiments and analysis runs."""
    raw = await session.rollout(rollout)
    if output in (Output.JSON, Output.YAML, Output.NAME):
        show_object(raw, output)
        return
    from rollouts.cli.console import open_screen
    from rollouts.cli.picture import picture_of
    from rollouts.cli.planning import measured
    from rollouts.kube.resources import REPLICA_SETS

    screen, wide = open_screen(no_color=no_color), output is Output.WIDE
    if watch:
        from rollouts.cli.live import Watched, follow

        await follow(Watched(session, rollout), screen, wide=wide, seconds=timeout_seconds)
        return
    replica_sets, pods, beside = await asyncio.gather(session.found(REPLICA_SETS), session.pods(), measured(session))
    now = datetime.now(UTC)
    picture = await picture_of(session, raw, replica_sets, pods, now, beside)
    screen.show(picture.drawn(now, wide=wide))


@on_cluster
async def get_analysis_run(
    session: "Session",
    analysis_run: AnalysisRunName,
    *,
    watch: WatchOption = False,
    output: OutputOption = None,
    no_color: NoColorOption = False,
    timeout_seconds: WatchSecondsOption = 0,
) -> None:
    """Show an analysis run: its verdict, what it waits for, metrics against their limits, and measurements."""
    from rollouts.kube.resources import ANALYSIS_RUNS

    raw = await session.api.get(ANALYSIS_RUNS, session.namespace, analysis_run)
    if output in (Output.JSON, Output.YAML, Output.NAME):
        show_object(raw, output, ANALYSIS_RUN)
        return
    from rollouts.cli.console import open_screen
    from rollouts.cli.run_picture import RunPicture, WatchedRun

    screen, wide = open_screen(no_color=no_color), output is Output.WIDE
    if watch:
        from rollouts.cli.live import follow

        await follow(WatchedRun(session, analysis_run), screen, wide=wide, seconds=timeout_seconds)
        return
    screen.show(RunPicture(raw).drawn(datetime.now(UTC), wide=wide))


@on_cluster
async def get_experiment(
    session: "Session",
    experiment: ExperimentName,
    *,
    watch: WatchOption = False,
    output: OutputOption = None,
    no_color: NoColorOption = False,
    timeout_seconds: WatchSecondsOption = 0,
) -> None:
    """Show an experiment: status, templates, ReplicaSets, pods and analysis runs."""
    from rollouts.kube.resources import ANALYSIS_RUNS, EXPERIMENTS, REPLICA_SETS

    raw = await session.api.get(EXPERIMENTS, session.namespace, experiment)
    if output in (Output.JSON, Output.YAML, Output.NAME):
        show_object(raw, output, EXPERIMENT)
        return
    from rollouts.cli.console import open_screen
    from rollouts.cli.experiment_picture import WatchedExperiment, picture_of

    screen, wide = open_screen(no_color=no_color), output is Output.WIDE
    if watch:
        from rollouts.cli.live import follow

        await follow(WatchedExperiment(session, experiment), screen, wide=wide, seconds=timeout_seconds)
        return
    replica_sets, pods, runs = await asyncio.gather(
        session.found(REPLICA_SETS), session.pods(), session.readable(ANALYSIS_RUNS)
    )
    picture = await picture_of(session, raw, replica_sets, pods, runs)
    screen.show(picture.drawn(datetime.now(UTC), wide=wide))


def presentable(raw: dict[str, Any]) -> dict[str, Any]:
    """Return an object without the books that the API server keeps about its writers."""
    return {**raw, "metadata": {key: value for key, value in raw["metadata"].items() if key != "managedFields"}}


def show_object(raw: dict[str, Any], output: Output, kind: Kind = ROLLOUT) -> None:
    """Print an object as it is."""
    from rollouts.cli.console import as_json, as_yaml, say

    if output is Output.NAME:
        say(f"{kind.singular}.argoproj.io/{raw['metadata']['name']}")
        return
    shown = presentable(raw)
    say(as_json(shown) if output is Output.JSON else as_yaml(shown))
