"""How does a simulation look at a glance? Pods of each revision over time, the weight, and what people did.

Needs matplotlib, an extra: nothing else imports this module. The same simulation always gives the same file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import inf, log1p, nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rollouts.cli.timetable import clock
from rollouts.view.status import DEGRADED, PAUSED
from rollouts.view.timeline import Frame

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rollouts.cli.rehearsal import Rehearsal

# Told apart by people who see colours differently, too; revisions take them in turn.
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
_SHADES = {PAUSED: ("#56b4e9", "s"), DEGRADED: ("#d55e00", "X")}
_WIDTH, _HEIGHT, _LINE = 11.0, 4.4, 0.2
_MOST_TICKS, _LONGEST_IMAGE, _LONGEST_NOTE = 22, 28, 150
_REST = 0.03
_TURNS = frozenset({"RolloutCompleted", "RolloutAborted", "SwitchService"})
_ANALYSES = tuple(f"AnalysisRun{phase}" for phase in ("Successful", "Failed", "Error", "Inconclusive"))
_STYLE: Any = {
    "svg.hashsalt": "rollouts",  # else ids in the file are random
    "svg.fonttype": "none",  # text stays text: it can be searched, and the file is small
    "font.size": 9.0,
    "axes.spines.top": False,
}


@dataclass(frozen=True, slots=True)
class _Axis:
    """Where a time is drawn. A stretch in which nothing happens takes less room the longer it is."""

    times: tuple[float, ...]

    @classmethod
    def of(cls, frames: Sequence[Frame], end: float) -> "_Axis":
        return cls(tuple(sorted({*(frame.at for frame in frames), end})))

    def place(self, at: float) -> float:
        """Return the place of a frame's time."""
        return sum(log1p(after - before) for before, after in pairwise(self.times) if after <= at)

    @property
    def end(self) -> float:
        """The right edge, where the last frame has been in view for a while."""
        return self.place(self.times[-1]) * (1 + _REST) + 0.1

    def ticks(self) -> list[float]:
        """Return times to be written at the axis, with room for each."""
        found: list[float] = []
        for at in self.times:
            if not found or self.place(at) - self.place(found[-1]) >= self.end / _MOST_TICKS:
                found.append(at)
        return found


@dataclass(frozen=True, slots=True)
class _Span:
    begin: float
    end: float
    phase: str


def draw(done: "Rehearsal", file: Path) -> None:
    """Write the picture; the name's ending says whether as SVG or PNG."""
    notes = list(_notes(done))
    axis = _Axis.of(done.frames, done.ended.at)
    with mpl.rc_context(_STYLE):
        height = _HEIGHT + _LINE * len(notes)
        figure = Figure(figsize=(_WIDTH, height))
        below = (_LINE * len(notes) + 0.95) / height
        pods = figure.add_axes((0.05, below, 0.72, 1 - below - 0.5 / height))
        _draw_pods(pods, done.frames, axis)
        _draw_phases(pods, done.frames, axis)
        _draw_steps(pods, done.frames, axis)
        _draw_weight(pods, done.frames, axis)
        _draw_notes(figure, pods, notes, axis)
        figure.suptitle(f"{done.namespace}/{done.name}", x=0.05, y=1 - 0.1 / height, ha="left", va="top", weight="bold")
        figure.text(0.77, 1 - 0.1 / height, "quiet stretches are drawn shorter", ha="right", va="top", color="#777777")
        # Without date and versions: the same simulation gives the same file.
        metadata = {"Date": None, "Creator": "rollouts"} if file.suffix == ".svg" else {"Software": "rollouts"}
        figure.savefig(file, format=file.suffix[1:], dpi=120, metadata=metadata)


def _notes(done: "Rehearsal") -> Iterator[tuple[float, str]]:
    """Yield what is worth a line: what people did, what turned out of it, and the end."""
    for frame in done.frames:
        yield from ((frame.at, text) for text in frame.says)
        yield from ((frame.at, f"· {event.message}") for event in frame.events if event.reason in {*_TURNS, *_ANALYSES})
    ending = f"it ends {done.ended.phase}" + (f": {done.ended.message}" if done.ended.message else "")
    yield done.ended.at, ending


def _places(frames: Sequence[Frame], axis: _Axis) -> list[float]:
    return [*(axis.place(frame.at) for frame in frames), axis.end]


def _draw_pods(axes: "Axes", frames: Sequence[Frame], axis: _Axis) -> None:
    """Stack the pods of each revision; a revision that gets another number stays the same area."""
    names: dict[str, int] = {}
    for frame in frames:
        names.update((each.name, each.number) for each in frame.revisions)
    layers = []
    for name in names:
        counts = [sum(each.pods for each in frame.revisions if each.name == name) for frame in frames]
        layers.append([*counts, counts[-1]])
    colours = [_COLOURS[position % len(_COLOURS)] for position in range(len(names))]
    labels = [f"r{number}: {_short(_image(frames, name))}" for name, number in names.items()]
    if layers:
        areas = axes.stackplot(
            _places(frames, axis), layers, step="post", colors=colours, labels=labels, alpha=0.75, linewidth=0
        )
        for area, number in zip(areas, names.values(), strict=True):
            area.set_gid(f"revision-{number}")
    desired = [*(frame.desired for frame in frames), frames[-1].desired]
    axes.step(
        _places(frames, axis), desired, where="post", color="#444444", linewidth=0.9, linestyle=":", label="desired"
    )
    highest = max(map(sum, zip(*layers, strict=True)), default=0)
    axes.set_xlim(0, axis.end)
    axes.set_ylim(0, max(highest, *desired, 1) * 1.15)
    axes.set_ylabel("pods")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    ticks = axis.ticks()
    axes.set_xticks([axis.place(at) for at in ticks], labels=[clock(at) for at in ticks], fontsize=7.5)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_IMAGE else f"...{text[3 - _LONGEST_IMAGE :]}"


def _image(frames: Sequence[Frame], name: str) -> str:
    return next(", ".join(each.images) for frame in frames for each in frame.revisions if each.name == name)


def _spans(frames: Sequence[Frame]) -> Iterator[_Span]:
    """Yield how long each phase lasts; the last one lasts for ever."""
    begin = frames[0]
    for before, frame in pairwise(frames):
        if frame.phase != before.phase:
            yield _Span(begin.at, frame.at, begin.phase)
            begin = frame
    yield _Span(begin.at, inf, begin.phase)


def _draw_phases(axes: "Axes", frames: Sequence[Frame], axis: _Axis) -> None:
    """Shade pauses and degradation; each has its sign where it begins."""
    told: set[str] = set()
    for number, span in enumerate(_spans(frames)):
        if span.phase not in _SHADES:
            continue
        colour, marker = _SHADES[span.phase]
        begin, end = axis.place(span.begin), axis.end if span.end == inf else axis.place(span.end)
        label = None if span.phase in told else span.phase
        shade = axes.axvspan(begin, end, color=colour, alpha=0.15, zorder=0, linewidth=0, label=label)
        shade.set_gid(f"phase-{number}-{span.phase.lower()}")
        told.add(span.phase)
        _mark(axes, begin, 0.965, marker=marker, color=colour, markersize=6)


def _mark(axes: "Axes", place: float, height: float, **style: Any) -> None:
    """Put a sign at a place, so high from the bottom (0) to the top (1)."""
    axes.plot([place], [height], transform=axes.get_xaxis_transform(), linestyle="none", clip_on=False, **style)


def _draw_steps(axes: "Axes", frames: Sequence[Frame], axis: _Axis) -> None:
    """Mark where each step begins with its number."""
    shown, free_from = None, -inf
    for frame in frames:
        step = frame.step if frame.step and frame.step.title and frame.phase != DEGRADED else None
        position = (step.index, frame.revisions[-1].name) if step and frame.revisions else None
        if step is not None and position != shown:
            place = axis.place(frame.at)
            axes.axvline(place, color="#444444", linewidth=0.6, linestyle="--")
            is_tight = place < free_from
            axes.text(place, 1.035 if is_tight else 1.005, f"{step.index + 1}", transform=axes.get_xaxis_transform(),
                      ha="center", va="bottom", fontsize=7, gid=f"step-{step.index + 1}")  # fmt: skip
            free_from = -inf if is_tight else place + axis.end * 0.015
        shown = position


def _draw_weight(axes: "Axes", frames: Sequence[Frame], axis: _Axis) -> None:
    """Draw the weight that the steps ask for over the pods, where the strategy has weights."""
    handles, labels = axes.get_legend_handles_labels()
    if any(frame.weight for frame in frames):
        weights = [100 * frame.weight.set / frame.weight.of if frame.weight else nan for frame in frames]
        right = axes.twinx()
        (line,) = right.step(_places(frames, axis), [*weights, weights[-1]], where="post", color="black", linewidth=1.6)
        line.set_gid("weight")
        right.set_ylim(0, 115)
        right.set_yticks([0, 25, 50, 75, 100], labels=["0", "25", "50", "75", "100 %"])
        handles, labels = [*handles, line], [*labels, "weight"]
    axes.legend(handles, labels, loc="upper left", bbox_to_anchor=(1.07, 1.0), frameon=False, fontsize=8)


def _draw_notes(figure: Figure, axes: "Axes", notes: Sequence[tuple[float, str]], axis: _Axis) -> None:
    """Put numbers below the time axis for what happened, and list it."""
    height, top = figure.get_figheight(), axes.get_position().y0
    rows = [-inf] * 3
    for at, group in groupby(enumerate(notes, 1), key=lambda each: each[1][0]):
        own = [number for number, _ in group]
        numbers = f"{own[0]}" if len(own) == 1 else f"{own[0]}-{own[-1]}"
        place = axis.place(at)
        row = next((row for row, taken in enumerate(rows) if taken <= place), len(rows) - 1)
        rows[row] = place + axis.end * 0.008 * (len(numbers) + 1)
        axes.annotate(f"({numbers})", (place, 0), xycoords=axes.get_xaxis_transform(), xytext=(0, -19 - 9 * row),
                      textcoords="offset points", ha="center", va="top", fontsize=7)  # fmt: skip
    for number, (at, text) in enumerate(notes, 1):
        line = f"({number})  {clock(at)}  {text}"
        shown = line if len(line) <= _LONGEST_NOTE else f"{line[: _LONGEST_NOTE - 3]}..."
        figure.text(0.05, top - (0.78 + _LINE * number) / height, shown, fontsize=8, va="bottom", gid=f"note-{number}",
                    parse_math=False)  # fmt: skip
