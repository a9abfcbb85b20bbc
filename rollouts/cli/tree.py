"""How does a Rollout look on a screen? Its view, drawn: facts, why it waits, the steps, the tree down to the pods."""

from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rollouts.api.timestamps import format_time
from rollouts.view import ages
from rollouts.view.rollout import RolloutView
from rollouts.view.status import Waiting
from rollouts.view.steps import StepRow
from rollouts.view.tree import RowMood, phase_mood, tree_rows

MOODS: dict[RowMood, tuple[str, str]] = {
    "good": ("✔", "green"),
    "bad": ("✖", "red"),
    "moving": ("◌", "yellow"),
    "paused": ("‖", "cyan"),
    "idle": ("•", "dim"),
}
_KINDS = {"Rollout": "⟳", "Revision": "#", "ReplicaSet": "⧉", "Pod": "□"}
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
        text += f"; `rollouts {waiting.way_out} {name}` goes on at once"
    return text


def render(view: RolloutView, now: datetime, *, wide: bool = False) -> RenderableType:
    """Return the whole picture."""
    parts: list[RenderableType] = [_facts(view, now)]
    if view.steps:
        parts += ["", "Steps:", *(_step(row) for row in view.steps)]
    return Group(*parts, "", _tree(view, now, wide=wide))


def _facts(view: RolloutView, now: datetime) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in _fact_rows(view, now):
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


def _step(row: StepRow) -> Text:
    icon, style = _STEPS[row.state]
    return Text(f"  {icon} {row.index + 1}. {row.title}", style=style)


def _tree(view: RolloutView, now: datetime, *, wide: bool) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, pad_edge=False, header_style="")
    table.add_column("NAME", overflow="fold", min_width=20)
    table.add_column("KIND", no_wrap=True)
    table.add_column("STATUS", no_wrap=True)
    table.add_column("AGE", no_wrap=True)
    table.add_column("INFO", overflow="fold")
    for row in tree_rows(view, wide=wide):
        table.add_row(
            Text(f"{row.branch}{_KINDS[row.kind]} {row.name}"),
            row.kind if row.kind != "Revision" else "",
            with_icon(row.mood, row.status) if row.status else "",
            ages.age(row.created, now) if row.created else "",
            Text(",".join(row.info)),
        )
    return table
