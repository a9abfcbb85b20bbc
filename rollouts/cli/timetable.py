"""How does a timeline look in a terminal? One line for each frame, and one for each thing that people did."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from textwrap import wrap

from rich.console import Console, ConsoleOptions
from rich.text import Text

from rollouts.cli.tree import with_icon
from rollouts.view.moods import phase_mood
from rollouts.view.timeline import Frame, RevisionPods

_ROLE_STYLES = {"stable": "green", "active": "green", "canary": "yellow", "preview": "yellow"}
_HEADER = ("TIME", "STATUS", "STEP", "WEIGHT", "DESIRED", "REPLICAS", "READY/AVAIL")
_GAP = "  "
_DESIRED = _HEADER.index("DESIRED")
_OF_CANARIES = (_HEADER.index("STEP"), _HEADER.index("WEIGHT"))
# With less room beside the columns, a reason stands below its line.
_ROOM_FOR_REASONS = 50


def clock(seconds: float) -> str:
    """Return a time since the start: 0:07, 12:30, 1:05:00."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@dataclass(frozen=True, slots=True)
class Timetable:
    """All frames below each other; where it `is_wide`, with all reasons and events."""

    frames: tuple[Frame, ...]
    is_wide: bool = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        header, *rows = lines = self._lines(options.max_width)
        widths = _widths(lines)
        taken = sum(widths) + len(_GAP) * len(widths)
        has_room = options.max_width - taken >= _ROOM_FOR_REASONS
        indent = " " * (taken if has_room else widths[0] + len(_GAP))
        yield _line(header, widths).append("REASON" if has_room else "")
        for frame, row in zip(self.frames, rows, strict=True):
            for text in frame.says:
                yield Text(f"{clock(frame.at):<{widths[0]}}{_GAP}▶ {text}", style="bold")
            line = _line(row, widths)
            room = max(20, options.max_width - len(indent))
            reasons = [part for each in self._reasons(frame) for part in wrap(each, room) or [""]]
            if has_room:
                yield line.append(reasons[0] if reasons else "")
                reasons = reasons[1:]
            else:
                yield line
            yield from (Text(indent + each, style="" if has_room else "dim") for each in reasons)

    def _lines(self, max_width: int) -> list[list[Text]]:
        """Return the cells, without the columns that are empty or have no room."""
        lines = [[Text(title) for title in _HEADER], *(_cells(frame) for frame in self.frames)]
        has_steps = any(frame.step or frame.weight for frame in self.frames)
        widths = _widths(lines)
        shown = [at for at in range(len(widths)) if has_steps or at not in _OF_CANARIES]
        if sum(widths[at] for at in shown) + len(_GAP) * (len(shown) - 1) > max_width:
            shown.remove(_DESIRED)
        return [[cells[at] for at in shown] for cells in lines]

    def _reasons(self, frame: Frame) -> list[str]:
        reasons = list(frame.because) or ([frame.message] if frame.message else [])
        if not self.is_wide:
            return reasons[:1]
        return [*reasons, *(f"· {event.reason}: {event.message}" for event in frame.events)]


def _widths(lines: Iterable[Iterable[Text]]) -> list[int]:
    return [max(cell.cell_len for cell in column) for column in zip(*lines, strict=True)]


def _line(cells: Iterable[Text], widths: Iterable[int]) -> Text:
    line = Text()
    for cell, width in zip(cells, widths, strict=True):
        line.append_text(cell).append(" " * (width - cell.cell_len)).append(_GAP)
    return line


def _cells(frame: Frame) -> list[Text]:
    weight = ""
    if frame.weight is not None:
        asked, has = (frame.weight.shown(part) for part in (frame.weight.set, frame.weight.actual))
        weight = asked if asked == has else f"{asked} ({has})"
    step = f"{frame.step.index}/{frame.step.count}" if frame.step else ""
    facts = (step, weight, str(frame.desired))
    return [
        Text(clock(frame.at)),
        with_icon(phase_mood(frame.phase), frame.phase),
        *map(Text, facts),
        _replicas(frame),
        Text(f"{frame.ready}/{frame.available}"),
    ]


def _replicas(frame: Frame) -> Text:
    return Text(", ").join(_revision(each) for each in frame.revisions if each.size or each.pods or each.roles)


def _revision(each: RevisionPods) -> Text:
    style = next((_ROLE_STYLES[role] for role in each.roles if role in _ROLE_STYLES), "dim")
    return Text(f"r{each.number} {each.role} {each.size}", style=style)
