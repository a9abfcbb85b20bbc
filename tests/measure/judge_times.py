"""How long does the judge take? Writes the table of docs/how-to/judge.md: `python -m tests.measure.judge_times`.

Every canary is a whole run, from estimates of Prometheus to the verdict: looked at once a minute for an hour.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from tests.measure.judge_course import JudgedCourse, judged
from tests.measure.shop import Shop

CANARIES = 24
MINUTES = 60


@dataclass(frozen=True)
class Traffic:
    """Requests in a second to either side, and the share of stable's that fails."""

    canary: float
    stable: float
    rate: float

    def minutes(self, seed: int, times: float) -> float:
        """Return when a canary that fails so many times as often has failed; infinite if it hasn't."""
        shop = Shop.drawn(
            seed,
            {"abc": times * self.rate, "xyz": self.rate},
            {"abc": self.canary, "xyz": self.stable},
            60 * MINUTES + 60,
        )
        course = JudgedCourse(judged(interval="60s"), shop.increase).go(until=60 * MINUTES)
        return course.seconds / 60 if course.raw["status"]["phase"] == "Failed" else float("inf")


ROWS = (
    Traffic(10, 40, 0.01),
    Traffic(2, 38, 0.01),
    Traffic(10, 40, 0.001),
    Traffic(2, 38, 0.05),
)


def table() -> Iterator[str]:
    """Yield the lines of the table."""
    yield "| requests a second: canary, stable | failing: stable, canary | median | 19 of 20 within | wrong aborts |"
    yield "|---|---|---|---|---|"
    for row in ROWS:
        doubled = sorted(row.minutes(seed, 2) for seed in range(CANARIES))
        equal = [row.minutes(seed, 1) for seed in range(1_000, 1_000 + CANARIES)]
        slowest = doubled[-(-19 * CANARIES // 20) - 1]
        wrong = sum(each <= MINUTES for each in equal)
        yield (
            f"| {row.canary:g}, {row.stable:g} | {100 * row.rate:g}%, {200 * row.rate:g}% "
            f"| {_minutes(median(doubled))} | {_minutes(slowest)} | {wrong} of {CANARIES} |"
        )


def _minutes(value: float) -> str:
    return f"{value:g} min" if value <= MINUTES else "more than an hour"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in table())
