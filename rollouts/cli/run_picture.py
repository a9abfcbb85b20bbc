"""How does an AnalysisRun look on a screen? Facts, what it waits for, and each metric with its measurements."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rollouts.api.timestamps import format_time
from rollouts.cli.child_plans import run_plan
from rollouts.cli.live import WatchedObject
from rollouts.cli.tree import MOODS, facts, with_icon
from rollouts.kube.resources import ANALYSIS_RUNS
from rollouts.view import ages
from rollouts.view.metrics import MetricRow
from rollouts.view.moods import phase_mood
from rollouts.view.runs import RunView, run_view

if TYPE_CHECKING:
    from rollouts.cli.session import Session

_SHOWN, _SHORT = 10, 1
_STEM = "    "

Json = dict[str, Any]
Fact = tuple[str, RenderableType]


@dataclass(frozen=True, slots=True)
class RunPicture:
    """The run at one moment."""

    run: Json

    def drawn(self, now: datetime, *, wide: bool = False, is_short: bool = False) -> RenderableType:
        """Return what to show at `now`; a short picture has the latest measurements only."""
        plan = run_plan(self.run, now)
        view = run_view(self.run, plan.because, plan.wake_at)
        shown = None if wide else _SHORT if is_short else _SHOWN
        return Group(facts(_facts(view, now)), *_metrics(view.metrics, shown))


class WatchedRun(WatchedObject):
    """An analysis run, kept up to date."""

    noun = "analysis run"

    def __init__(self, session: "Session", name: str) -> None:
        super().__init__(session, name, ANALYSIS_RUNS)

    async def picture(self) -> RunPicture:
        """Return the picture of now."""
        return RunPicture(self.current())


def _facts(view: RunView, now: datetime) -> Iterator[Fact]:
    yield "Name:", view.name
    yield "Namespace:", view.namespace
    yield "Status:", with_icon(phase_mood(view.status.phase), view.status.phase)
    if view.status.message:
        yield "Message:", Text(view.status.message)
    for position, reason in enumerate(view.because):
        yield "Waits:" if position == 0 else "", Text(reason, style="bold")
    if view.because and view.until is not None:
        yield "Looks again:", f"{format_time(view.until)} (in {ages.remaining(view.until, now)})"
    yield "Runs for:", Text(view.purpose)
    if view.started is not None:
        yield "Started:", f"{format_time(view.started)} ({ages.age(view.started, now)} ago)"
    if view.ended is not None:
        yield "Ended:", f"{format_time(view.ended)} ({ages.age(view.ended, now)} ago)"
    for position, (name, value) in enumerate(view.arguments):
        yield "Arguments:" if position == 0 else "", Text(f"{name}={value}")


def _metrics(rows: Iterable[MetricRow], shown: int | None) -> Iterator[RenderableType]:
    for row in rows:
        yield ""
        yield from _metric(row, shown)


def _metric(row: MetricRow, shown: int | None) -> Iterator[RenderableType]:
    """Yield a metric's verdict, its numbers, its conditions and its measurements, the latest last."""
    icon, style = MOODS[row.mood]
    kind = ", ".join(filter(None, (row.provider, "only reports" if row.is_dry_run else "")))
    yield Text(f"{icon} {row.name}", style=style).append(f" ({kind})", style="dim")
    yield Text(f"{_STEM}{row.tally}")
    if row.message:
        yield Text(f"{_STEM}{row.message}")
    conditions = (("successCondition", row.success_condition), ("failureCondition", row.failure_condition))
    for name, condition in conditions:
        if condition:
            yield Text(f"{_STEM}{name}: {condition}", style="dim")
    if row.measurements:
        yield _measurements(row, shown)


def _measurements(row: MetricRow, shown: int | None) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for each in row.measurements if shown is None else row.measurements[-shown:]:
        at = format_time(each.at.astimezone(UTC)) if each.at is not None else ""
        table.add_row(f"{_STEM}{at}", with_icon(each.mood, each.phase), Text(each.value), Text(each.message))
    return table
