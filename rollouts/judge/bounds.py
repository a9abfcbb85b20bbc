"""Between which bounds is the difference of the two rates?

A confidence sequence: with probability 1 - alpha its bounds enclose the difference at *every* look (Darling and
Robbins 1967; Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences",
2021). A margin is outside as soon as the bets against it have won alpha / 2. Where the difference varies with time, its
greatest value is over the lower bound, and its least one is under the upper bound.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, exp, fsum, log, sqrt

from rollouts.judge.bets import TIMES, growths
from rollouts.judge.counts import Counts, Interval

HALVINGS = 12
NEAREST, FARTHEST = log(1e-7), log(2)  # a bound's distance from the estimate, halved on a scale of ratios: 0.4% right
_POWER = 2.8  # near the bound; for a single bet it would be the square
_LITTLE = 0.5  # a logarithm: less money says nothing of the distance
_PLENTY = 1e30  # nobody needs to know of more money than that
_LARGEST = 300.0  # a logarithm, of more than plenty


@dataclass(frozen=True, slots=True)
class Bounds:
    """The canary's rate minus stable's is between these."""

    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class _Search:
    """A search for one bound: how much more (sign 1) or less (sign -1) than a margin is the difference at least?"""

    intervals: Sequence[Interval]
    canary: Counts
    stable: Counts
    alpha: float
    burst: int
    sign: int

    @property
    def estimate(self) -> float:
        return self.canary.rate - self.stable.rate

    def distance(self, halvings: int) -> float:
        """Return how far from the estimate the bound is: the nearest margin on a scale that is refuted.

        What is farther out is refuted as well, so that halving finds it. How much the bets win at a guess tells sooner
        where it is: the logarithm of their money grows about as a power of the distance.
        """
        near, far = 0, 2**halvings
        step = (FARTHEST - NEAREST) / far
        needed = -log(self.alpha)
        at = round((log(self._by_normal_approximation(needed)) - NEAREST) / step)
        least = 1
        while far - near > 1:
            if not near < at < far:
                at = (near + far) // 2
            won = log(self.won(self.estimate - self.sign * exp(NEAREST + step * at)))
            move = ceil(abs(log(needed / max(won, _LITTLE))) / _POWER / step)
            if won >= needed:
                far, at = at, at - max(least, move)
            else:
                near, at = at, at + max(least, move)
            least *= 2
        return exp(NEAREST + step * far)

    def won(self, margin: float) -> float:
        """Return the most that the money of bets against a margin ever was: what a `Wager` keeps, up to plenty."""
        many = [times**self.sign for times in TIMES]
        bets, most = [0.0] * len(many), 1.0
        bad, total = 0, 0
        for number, interval in enumerate(self.intervals, 1):
            grown = growths(interval, many, ratio=1.0, margin=margin, centre=bad / (total + 1), burst=self.burst)
            start = 1 / (number * (number + 1) * len(many))
            bets = [(bet + start) * exp(min(more, _LARGEST)) for bet, more in zip(bets, grown, strict=True)]
            most = max(most, fsum(bets) + 1 / (number + 1))
            if most > _PLENTY:
                break
            bad, total = bad + interval.stable.bad, total + interval.stable.total
        return most

    def _by_normal_approximation(self, needed: float) -> float:
        variance = sum(
            (side.bad + 1) * (side.total - side.bad + 1) / (side.total + 2) ** 3 for side in (self.canary, self.stable)
        )
        return sqrt(2 * (needed + log(len(TIMES))) * self.burst * variance)  # money is spread over the bets


def bounds_of_difference(
    intervals: Sequence[Interval], alpha: float = 0.05, burst: int = 1, halvings: int = HALVINGS
) -> Bounds:
    """Return the bounds after these intervals.

    Some 10 margins are tried on all intervals. So `Evidence` doesn't keep the bounds up to date: they are made for
    people who read a verdict.
    """
    comparing = [interval for interval in intervals if interval.compares]
    canary = sum((interval.canary for interval in comparing), Counts())
    stable = sum((interval.stable for interval in comparing), Counts())
    below, above = (_Search(comparing, canary, stable, alpha / 2, burst, sign) for sign in (1, -1))
    return Bounds(
        lower=max(-1.0, below.estimate - below.distance(halvings)),
        upper=min(1.0, above.estimate + above.distance(halvings)),
    )
