"""What do a good and a bad canary look like to the judge? The picture of docs/explanation/statistics.md."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log10

from rollouts.judge import Counts, Evidence, Interval, Judgement, RateRule, bounds_of_difference, judge_rates

RULE = RateRule(margin=0.005)
STABLE_RATE = 0.01
CANARIES = (("a good canary: 1% bad requests", 0.01, 4), ("a bad canary: 2% bad requests", 0.02, 6))
REQUESTS = (400, 1_600)
INTERVALS = 61
EVERY = 3  # bounds take time

WIDTH, HEIGHT = 860, 500
INK, FAINT = "#24292f", "#d0d7de"
COLOURS = {"pass": "#1a7f37", "fail": "#cf222e"}
BOUNDS = "#0969da"


@dataclass(frozen=True)
class Panel:
    """A rectangle of the picture, and the values at its edges."""

    left: float
    top: float
    width: float
    height: float
    lowest: float
    highest: float

    def x(self, interval: float) -> float:
        return self.left + self.width * interval / INTERVALS

    def y(self, value: float) -> float:
        inside = min(max(value, self.lowest), self.highest)
        return self.top + self.height * (self.highest - inside) / (self.highest - self.lowest)

    def points(self, values: Sequence[float], every: int = 1) -> list[tuple[float, float]]:
        return [(self.x(1 + at * every), self.y(value)) for at, value in enumerate(values)]

    def frame(self, ticks: Sequence[tuple[float, str]], title: str) -> Iterator[str]:
        yield _text(self.left, self.top - 8, title, weight="bold")
        for value, label in ticks:
            yield _line([(self.left, self.y(value)), (self.left + self.width, self.y(value))], FAINT)
            yield _text(self.left - 6, self.y(value) + 4, label, anchor="end")
        for interval in range(0, INTERVALS + 1, 20):
            yield _text(self.x(interval), self.top + self.height + 16, str(interval), anchor="middle")


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal", colour: str = INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" fill="{colour}">{text}</text>'


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _line(points: Sequence[tuple[float, float]], colour: str, *, dashes: str = "none", width: float = 1) -> str:
    stroke = f'stroke="{colour}" stroke-width="{width:g}" stroke-dasharray="{dashes}"'
    return f'<polyline points="{_path(points)}" fill="none" {stroke}/>'


def _drawn(rate: float, seed: int) -> list[Interval]:
    source = random.Random(seed)  # noqa: S311 - nothing secret

    def side(total: int, rate: float) -> Counts:
        return Counts(total, sum(source.random() < rate for _ in range(total)))

    return [Interval(side(REQUESTS[0], rate), side(REQUESTS[1], STABLE_RATE)) for _ in range(INTERVALS)]


def _judged(intervals: Sequence[Interval]) -> list[Judgement]:
    evidence, judgements = Evidence(), []
    for interval in intervals:
        evidence = evidence.after(RULE, interval)
        judgements.append(judge_rates(RULE, evidence))
    return judgements


def _bounds(panel: Panel, intervals: Sequence[Interval], judgements: Sequence[Judgement]) -> Iterator[str]:
    bounds = [bounds_of_difference(intervals[: number + 1]) for number in range(0, INTERVALS, EVERY)]
    lower = panel.points([100 * each.lower for each in bounds], EVERY)
    upper = panel.points([100 * each.upper for each in bounds], EVERY)
    yield f'<polygon points="{_path([*lower, *reversed(upper)])}" fill="{BOUNDS}" fill-opacity="0.15"/>'
    yield _line(panel.points([100 * judgement.estimate for judgement in judgements]), BOUNDS, width=2)
    yield from _limit(panel, 100 * RULE.margin, "margin", -5)


def _evidence(panel: Panel, judgements: Sequence[Judgement]) -> Iterator[str]:
    for verdict, strengths in (
        ("pass", [-log10(judgement.p_beyond) for judgement in judgements]),
        ("fail", [-log10(judgement.p_within) for judgement in judgements]),
    ):
        yield _line(panel.points(strengths), COLOURS[verdict], width=2)
    yield from _limit(panel, -log10(RULE.alpha), "20 : 1", 14)
    number, first = next((at, each) for at, each in enumerate(judgements, 1) if each.verdict != "wait")
    x, y = panel.x(number), panel.y(-log10(RULE.alpha))
    colour = COLOURS[first.verdict]
    yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>'
    yield _text(x - 9, y - 9, f"{first.verdict} at interval {number}", anchor="end", weight="bold", colour=colour)


def _limit(panel: Panel, value: float, name: str, below: float) -> Iterator[str]:
    y = panel.y(value)
    yield _line([(panel.left, y), (panel.left + panel.width, y)], INK, dashes="5 4")
    yield _text(panel.left + panel.width - 4, y + below, name, anchor="end")


def picture() -> str:
    """Return the picture as SVG."""
    parts = [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>']
    for column, (title, rate, seed) in enumerate(CANARIES):
        intervals = _drawn(rate, seed)
        judgements = _judged(intervals)
        left = 60 + column * 415
        bounds = Panel(left, 60, 355, 170, -1.5, 3)
        parts.append(_text(left, 24, title, weight="bold", colour=COLOURS["pass" if rate == STABLE_RATE else "fail"]))
        parts += bounds.frame(
            [(value, f"{value:+g}" if value else "0") for value in (-1, 0, 1, 2, 3)], "difference to stable, points"
        )
        parts += _bounds(bounds, intervals, judgements)
        strength = Panel(left, 280, 355, 170, 0, 4)
        ticks = [(0, "1"), (1, "10"), (2, "100"), (3, "1,000"), (4, "10,000")]
        parts += strength.frame(ticks, "evidence: worse (red), within the margin (green)")
        parts += _evidence(strength, judgements)
        parts.append(_text(left + 177, HEIGHT - 12, "interval", anchor="middle"))
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="sans-serif" font-size="12">\n{body}\n</svg>\n'
    )
