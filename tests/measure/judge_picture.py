"""What did the judge see of a good and of a bad canary? The picture of docs/how-to/judge.md, from two whole runs."""

from collections.abc import Iterator
from datetime import datetime

from tests.judge.picture import BOUNDS, COLOURS, INK, _line, _path, _text
from tests.measure.judge_course import JudgedCourse, Raw, judged
from tests.measure.shop import Shop
from tests.plan.given import START

SEED = 33
CANARIES = (("a bad canary: 2% of its requests fail", 0.02), ("a good canary: 1%, as stable", 0.01))
REQUESTS = {"abc": 20.0, "xyz": 80.0}
MINUTES = 15
MARGIN = 0.5
LOWEST, HIGHEST = -1.5, 3.0
WIDTH, HEIGHT = 860, 300
TOP, TALL, WIDE = 56, 210, 350


def run_of(rate: float) -> JudgedCourse:
    """Return a run that measures every 30 s and ends with the verdict."""
    shop = Shop.drawn(SEED, {"abc": rate, "xyz": 0.01}, REQUESTS, 60 * MINUTES + 60)
    metric = judged(margin=f"{MARGIN}%", count=2 * MINUTES + 1, endEarly=True)
    return JudgedCourse(metric, shop.increase).go()


def _x(left: float, minutes: float) -> float:
    return left + WIDE * minutes / MINUTES


def _y(points: float) -> float:
    return TOP + TALL * (HIGHEST - min(max(points, LOWEST), HIGHEST)) / (HIGHEST - LOWEST)


def _frame(left: float) -> Iterator[str]:
    for points in range(-1, 4):
        yield _line([(left, _y(points)), (left + WIDE, _y(points))], "#d0d7de")
        yield _text(left - 6, _y(points) + 4, f"{points:+d}" if points else "0", anchor="end")
    for minutes in range(0, MINUTES + 1, 5):
        yield _text(_x(left, minutes), TOP + TALL + 18, f"{minutes} min", anchor="middle")
    yield _line([(left, _y(MARGIN)), (left + WIDE, _y(MARGIN))], INK, dashes="5 4")
    yield _text(left + WIDE - 4, _y(MARGIN) - 5, "margin", anchor="end")


def _minutes(measurement: Raw) -> float:
    at = datetime.fromisoformat(measurement["finishedAt"])
    return (at - START).total_seconds() / 60


def _seen(left: float, run: JudgedCourse) -> Iterator[str]:
    """Draw what each measurement's metadata say, and the verdict where it came."""
    told = [each for each in run.measured if "difference" in each.get("metadata", {})]
    lines = {
        name: [(_x(left, _minutes(each)), _y(100 * float(each["metadata"][name]))) for each in told]
        for name in ("lower", "upper", "difference")
    }
    band = _path([*lines["lower"], *reversed(lines["upper"])])
    yield f'<polygon points="{band}" fill="{BOUNDS}" fill-opacity="0.15"/>'
    yield _line(lines["difference"], BOUNDS, width=2)
    has_failed = run.raw["status"]["phase"] == "Failed"
    colour = COLOURS["fail" if has_failed else "pass"]
    x, _ = lines["difference"][-1]
    _, y = lines["lower" if has_failed else "upper"][-1]
    yield _line([(x, TOP), (x, TOP + TALL)], colour, dashes="2 3")
    yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>'
    verdict = "worse than allowed" if has_failed else "not worse than allowed"
    anchor, beside = ("start", 8) if _minutes(told[-1]) < MINUTES / 2 else ("end", -8)
    text = f"{verdict}, after {_minutes(told[-1]):g} min"
    yield _text(x + beside, TOP + 14, text, weight="bold", colour=colour, anchor=anchor)


def picture() -> str:
    """Return the picture as SVG."""
    parts = [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>']
    for column, (title, rate) in enumerate(CANARIES):
        left = 56 + column * 420
        parts.append(_text(left, 24, title, weight="bold"))
        parts.append(_text(left, 42, "difference to stable in points, with its bounds"))
        parts += _frame(left)
        parts += _seen(left, run_of(rate))
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="sans-serif" font-size="12">\n{body}\n</svg>\n'
    )
