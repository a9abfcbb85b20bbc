"""How does a timeline look in a terminal? One line for each frame, and one for each thing that people did."""

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from rollouts.cli.tree import with_icon
from rollouts.view.timeline import Frame, RevisionPods
from rollouts.view.tree import phase_mood

_ROLE_STYLES = {"stable": "green", "active": "green", "canary": "yellow", "preview": "yellow"}


def clock(seconds: float) -> str:
    """Return a time since the start: 0:07, 12:30, 1:05:00."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def as_table(frames: Iterable[Frame], *, is_wide: bool = False) -> Table:
    """Return the table; a wide one has all reasons and events."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, pad_edge=False, header_style="")
    table.add_column("TIME", no_wrap=True, justify="right")
    for title in ("STATUS", "STEP", "WEIGHT", "DESIRED"):
        table.add_column(title, no_wrap=True)
    table.add_column("REPLICAS", no_wrap=not is_wide)
    table.add_column("READY/AVAIL", no_wrap=True)
    table.add_column("REASON", overflow="fold", ratio=1)
    shown: Frame | None = None
    for frame in frames:
        for text in frame.says:
            table.add_row(clock(frame.at), *[""] * 6, Text(f"▶ {text}", style="bold"))
        table.add_row(*_cells(frame, shown, is_wide=is_wide))
        shown = frame
    return table


def _cells(frame: Frame, before: Frame | None, *, is_wide: bool) -> list[str | Text]:
    is_new = before is None or before.phase != frame.phase
    status = with_icon(phase_mood(frame.phase), frame.phase)
    if not is_new:
        status.stylize("dim")
    weight = ""
    if frame.weight is not None:
        asked, has = frame.weight.set, frame.weight.actual
        weight = f"{asked}%" if asked == has else f"{asked}% ({has}%)"
    reasons = list(frame.because) or ([frame.message] if frame.message else [])
    if is_wide:
        reasons += [f"· {event.reason}: {event.message}" for event in frame.events]
    return [
        clock(frame.at),
        status,
        f"{frame.step.index}/{frame.step.count}" if frame.step else "",
        weight,
        str(frame.desired),
        _replicas(frame),
        f"{frame.ready}/{frame.available}",
        "\n".join(reasons if is_wide else reasons[:1]),
    ]


def _replicas(frame: Frame) -> Text:
    return Text(", ").join(_revision(each) for each in frame.revisions if each.size or each.pods or each.roles)


def _revision(each: RevisionPods) -> Text:
    style = next((_ROLE_STYLES[role] for role in each.roles if role in _ROLE_STYLES), "dim")
    return Text(f"r{each.number} {each.role} {each.size}", style=style)
