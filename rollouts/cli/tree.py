"""How does a Rollout look on a screen? Its view, drawn: facts, why it waits, the steps, the tree down to the pods."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.table import Table
from rich.text import Text

from rollouts.api.timestamps import format_time
from rollouts.view import ages
from rollouts.view.moods import RowMood, phase_mood
from rollouts.view.rollout import RolloutView
from rollouts.view.status import Waiting
from rollouts.view.steps import StepRow
from rollouts.view.tree import Kind, TreeRow, tree_rows

MOODS: dict[RowMood, tuple[str, str]] = {
    "good": ("✔", "green"),
    "bad": ("✖", "red"),
    "moving": ("◌", "yellow"),
    "paused": ("‖", "cyan"),
    "unsure": ("?", "magenta"),
    "broken": ("⚠", "red"),
    "idle": ("•", "dim"),
}
_ROOM_FOR_KINDS = 90
_KINDS: dict[Kind, str] = {
    "Rollout": "⟳",
    "Revision": "#",
    "ReplicaSet": "⧉",
    "Pod": "□",
    "Experiment": "Σ",
    "AnalysisRun": "α",  # noqa: RUF001 - by which people know it
    "Job": "⊞",
}
_STEPS = {"done": ("✔", "green"), "current": ("▶", "bold cyan"), "ahead": ("·", "dim")}


def with_icon(mood: RowMood, word: str) -> Text:
    """Return a status word behind its icon."""
    icon, style = MOODS[mood]
    return Text(f"{icon} {word}", style=style)


def waiting_text(waiting: Waiting, name: str, now: datetime) -> str:
    """Return why it waits, until when, and what ends it."""
    text = waiting.reason
    if waiting.until is not None:
        text += f", until {format_time(waiting.until)} ({ages.remaining(waiting.until, now)} left)"
    if waiting.way_out:
        text += f"; `rollouts {waiting.way_out} {name}` ends it"
    return text


def render(view: RolloutView, now: datetime, *, wide: bool = False, is_short: bool = False) -> RenderableType:
    """Return the whole picture; a short one has the tree in full, and the rest in few lines."""
    parts: list[RenderableType] = [facts(_short_rows(view, now) if is_short else _fact_rows(view, now))]
    if view.steps and not is_short:
        parts += ["", "Steps:", *(_step(row) for row in view.steps)]
    return Group(*parts, "", Tree(tuple(tree_rows(view, wide=wide)), now))


def facts(rows: Iterable[tuple[str, RenderableType]]) -> Table:
    """Return labels and what stands behind them, in two columns."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in rows:
        table.add_row(label, value)
    return table


def _fact_rows(view: RolloutView, now: datetime) -> list[tuple[str, RenderableType]]:
    rows: list[tuple[str, RenderableType]] = [
        ("Name:", view.name),
        ("Namespace:", view.namespace),
        ("Status:", with_icon(phase_mood(view.status.phase), view.status.phase)),
    ]
    if view.status.message:
        rows.append(("Message:", view.status.message))
    if view.waiting:
        rows.append(("Waits:", Text(waiting_text(view.waiting, view.name, now), style="bold")))
    rows.append(("Strategy:", view.strategy))
    if view.step_index is not None:
        rows.append(("  Step:", f"{view.step_index}/{len(view.steps)}"))
    rows += [
        (label, str(weight))
        for label, weight in (("  SetWeight:", view.set_weight), ("  ActualWeight:", view.actual_weight))
        if weight is not None
    ]
    for position, image in enumerate(view.images):
        tags = f" ({', '.join(image.tags)})" if image.tags else ""
        rows.append(("Images:" if position == 0 else "", Text(image.image + tags)))
    rows.append(("Replicas:", ""))
    counts = {
        "Desired": view.desired,
        "Current": view.current,
        "Updated": view.updated,
        "Ready": view.ready,
        "Available": view.available,
    }
    return rows + [(f"  {label}:", str(count)) for label, count in counts.items()]


def _short_rows(view: RolloutView, now: datetime) -> list[tuple[str, RenderableType]]:
    status = with_icon(phase_mood(view.status.phase), view.status.phase)
    rows: list[tuple[str, RenderableType]] = [
        ("Rollout:", f"{view.namespace}/{view.name}"),
        ("Status:", status.append(f"  {view.status.message}")),
    ]
    if view.waiting:
        rows.append(("Waits:", Text(waiting_text(view.waiting, view.name, now), style="bold")))
    if view.step_index is not None:
        current = "".join(f" ({row.title})" for row in view.steps if row.state == "current")
        rows.append(("Step:", f"{view.step_index}/{len(view.steps)}{current}"))
    counts = f"{view.desired} desired, {view.updated} updated, {view.available} available"
    return [*rows, ("Replicas:", counts)]


def _step(row: StepRow) -> Text:
    icon, style = _STEPS[row.state]
    return Text(f"  {icon} {row.index + 1}. {row.title}", style=style)


@dataclass(frozen=True, slots=True)
class Tree:
    """The table of an object and what belongs to it; where room is short, icons alone tell the kinds."""

    rows: Sequence[TreeRow]
    now: datetime

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table]:
        has_room = options.max_width >= _ROOM_FOR_KINDS
        table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, pad_edge=False, header_style="")
        # A name that wraps would tear the branches apart: INFO gives way first, and names end in "..." at last.
        table.add_column("NAME", no_wrap=True, overflow="ellipsis")
        if has_room:
            table.add_column("KIND", no_wrap=True)
        table.add_column("STATUS", no_wrap=True)
        table.add_column("AGE", no_wrap=True)
        table.add_column("INFO", overflow="fold")
        for row in self.rows:
            name, kind, *cells = self._cells(row)
            table.add_row(name, *(kind,) * has_room, *cells)
        yield table

    def _cells(self, row: TreeRow) -> list[RenderableType]:
        return [
            Text(f"{row.branch}{_KINDS[row.kind]} {row.name}"),
            row.kind if row.kind != "Revision" else "",
            with_icon(row.mood, row.status) if row.status else "",
            ages.age(row.created, self.now) if row.created else "",
            Text(", ".join(row.info)),
        ]
