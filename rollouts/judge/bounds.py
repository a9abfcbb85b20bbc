"""Between which bounds is the difference of the two rates?

A confidence sequence: with probability 1 - alpha its bounds enclose the difference at *every* look (Darling and
Robbins 1967; Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences",
2021). A margin is outside as soon as the bets against it have won alpha / 2. Where the difference varies with time, its
greatest value is over the lower bound, and its least one is under the upper bound.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import exp, log

from rollouts.judge.bets import TIMES, growth
from rollouts.judge.counts import Counts, Interval
from rollouts.judge.evidence import Wager

HALVINGS = 12
NEAREST, FARTHEST = log(1e-7), log(2)  # a bound's distance from the estimate, halved on a scale of ratios: 0.4% right


@dataclass(frozen=True, slots=True)
class Bounds:
    """The canary's rate minus stable's is between these."""

    lower: float
    upper: float


def _estimate(intervals: Sequence[Interval]) -> float:
    canary = sum((interval.canary for interval in intervals), Counts())
    stable = sum((interval.stable for interval in intervals), Counts())
    return canary.rate - stable.rate


def _refutes(intervals: Sequence[Interval], margin: float, alpha: float, burst: int, sign: int) -> bool:
    """Have bets shown that the difference is more (sign 1) or less (sign -1) than the margin?"""
    wager, bad, total = Wager(), 0, 0
    for number, interval in enumerate(intervals, 1):
        centre = bad / (total + 1)
        bet = partial(growth, interval, ratio=1.0, margin=margin, centre=centre, burst=burst)
        wager = wager.after(number, [bet(times**sign) for times in TIMES])
        if wager.peak >= -log(alpha):
            return True
        bad, total = bad + interval.stable.bad, total + interval.stable.total
    return False


def _distance(
    intervals: Sequence[Interval], estimate: float, alpha: float, burst: int, sign: int, halvings: int
) -> float:
    """Return how far from the estimate the bound is: the nearest margin that is refuted."""
    near, far = NEAREST, FARTHEST
    for _ in range(halvings):
        middle = (near + far) / 2
        if _refutes(intervals, estimate - sign * exp(middle), alpha, burst, sign):
            far = middle
        else:
            near = middle
    return exp(far)


def bounds_of_difference(
    intervals: Sequence[Interval], alpha: float = 0.05, burst: int = 1, halvings: int = HALVINGS
) -> Bounds:
    """Return the bounds after these intervals.

    Some 20 margins are tried on all intervals, which costs some 100 ms for 200 of them. So `Evidence` doesn't keep the
    bounds up to date: they are made for people who read a verdict.
    """
    comparing = [interval for interval in intervals if interval.compares]
    estimate = _estimate(comparing)
    return Bounds(
        lower=max(-1.0, estimate - _distance(comparing, estimate, alpha / 2, burst, 1, halvings)),
        upper=min(1.0, estimate + _distance(comparing, estimate, alpha / 2, burst, -1, halvings)),
    )
