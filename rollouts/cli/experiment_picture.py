"""How does an Experiment look on a screen? Facts, its templates and analyses, and the tree of what it owns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rollouts.api.keys import POD_TEMPLATE_HASH
from rollouts.api.timestamps import format_time
from rollouts.cli.child_plans import experiment_plan
from rollouts.cli.live import WatchedObject
from rollouts.cli.tree import Tree, facts, with_icon
from rollouts.kube.resources import ANALYSIS_RUNS, EXPERIMENTS, PODS, REPLICA_SETS
from rollouts.view import ages
from rollouts.view.experiments import ExperimentView, experiment_view, shown_experiment
from rollouts.view.moods import phase_mood
from rollouts.view.status import COMPLETED
from rollouts.view.tree import experiment_rows

if TYPE_CHECKING:
    from rollouts.cli.session import Session

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ExperimentPicture:
    """The raw objects of one moment."""

    experiment: Json
    replica_sets: Sequence[Json]
    pods: Sequence[Json]
    runs: Sequence[Json]
    because: Sequence[str] = ()

    def drawn(self, now: datetime, *, wide: bool = False, is_short: bool = False) -> RenderableType:
        """Return what to show at `now`; a short picture leaves out what the tree tells, too."""
        view = experiment_view(self.experiment, self.replica_sets, self.pods, self.runs, now)
        parts: list[RenderableType] = [facts(_facts(view, self.because, now))]
        if not is_short:
            parts += ["", "Templates:", _templates(view)]
            parts += ["", "Analyses:", _analyses(view)] if view.analyses else []
        return Group(*parts, "", Tree(tuple(experiment_rows(view.row, wide=wide)), now))


async def picture_of(
    session: "Session", experiment: Json, replica_sets: Sequence[Json], pods: Sequence[Json], runs: Sequence[Json]
) -> ExperimentPicture:
    """Return the picture, with what the planner waits for; of one that has ended there is nothing to wait for."""
    picture = ExperimentPicture(experiment, replica_sets, pods, runs)
    if shown_experiment(experiment).phase in COMPLETED:
        return picture
    plan = await experiment_plan(session, experiment, replica_sets, runs, datetime.now(UTC))
    return replace(picture, because=plan.because)


class WatchedExperiment(WatchedObject):
    """An experiment, its ReplicaSets, pods and analysis runs, kept up to date."""

    noun = "experiment"

    def __init__(self, session: "Session", name: str) -> None:
        super().__init__(session, name, EXPERIMENTS)
        self._replica_sets = self.watch(REPLICA_SETS, label_selector=POD_TEMPLATE_HASH)
        self._pods = self.watch(PODS, label_selector=POD_TEMPLATE_HASH)
        self._runs = self.watch_if_readable(ANALYSIS_RUNS)

    async def picture(self) -> ExperimentPicture:
        """Return the picture of now."""
        replica_sets, runs = self._replica_sets.items(), self._runs.items()
        return await picture_of(self.session, self.current(), replica_sets, self._pods.items(), runs)


def _facts(view: ExperimentView, because: Sequence[str], now: datetime) -> Iterator[tuple[str, RenderableType]]:
    yield "Name:", view.name
    yield "Namespace:", view.namespace
    yield "Status:", with_icon(phase_mood(view.status.phase), view.status.phase)
    if view.status.message:
        yield "Message:", Text(view.status.message)
    for position, reason in enumerate(because):
        yield "Waits:" if position == 0 else "", Text(reason, style="bold")
    yield "Runs for:", Text(view.owner)
    if view.duration:
        yield "Duration:", view.duration + _end(view, now)
    if view.available_at is not None:
        yield "Available:", f"{format_time(view.available_at.astimezone(UTC))} ({ages.age(view.available_at, now)} ago)"


def _end(view: ExperimentView, now: datetime) -> str:
    if view.until is None:
        return ", from when all pods are available"
    if view.until <= now:
        return ", over"
    return f", until {format_time(view.until)} ({ages.remaining(view.until, now)} left)"


def _rows(rows: Iterator[tuple[RenderableType, ...]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*row)
    return table


def _templates(view: ExperimentView) -> Table:
    def rows() -> Iterator[tuple[RenderableType, ...]]:
        for row in view.templates:
            service = f"Service {row.service}" if row.service else ""
            pods = f"{row.available}/{row.desired} available"
            yield f"  {row.name}", with_icon(row.mood, row.status), pods, service, Text(row.message)

    return _rows(rows())


def _analyses(view: ExperimentView) -> Table:
    def rows() -> Iterator[tuple[RenderableType, ...]]:
        for row in view.analyses:
            required = "required" if row.is_required else ""
            what = row.run or f"of {row.template}"
            yield f"  {row.name}", with_icon(row.mood, row.phase), what, required, Text(row.message)

    return _rows(rows())
