"""By how much are the canary's values greater?

Hodges and Lehmann, "Estimates of location based on rank tests" (1963): the median of all differences between a value of
one sample and one of the other. Moses' interval: between which of the sorted differences is the true shift?
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, floor
from statistics import NormalDist
from struct import pack, unpack

from rollouts.judge.ranks import EXACT_UP_TO, Ranks, frequencies


@dataclass(frozen=True, slots=True)
class Shift:
    """The shift and its interval."""

    estimate: float
    lower: float
    upper: float


def _place(value: float) -> int:
    """Return a float's place among all floats: places are in the order of their floats, and can be halved."""
    (bits,) = unpack(">q", pack(">d", value + 0.0))
    return int(bits if bits >= 0 else -(bits & 0x7FFF_FFFF_FFFF_FFFF))


def _float(place: int) -> float:
    (value,) = unpack(">d", pack(">d", 0.0) if place == 0 else pack(">Q", place if place > 0 else -place + (1 << 63)))
    return float(value)


def _up_to(limit: float, canary: Sequence[float], stable: Sequence[float]) -> int:
    """Count the differences up to a limit. Both samples are sorted: one walk along each is enough."""
    count, at = 0, len(stable)
    for value in canary:
        while at > 0 and value - stable[len(stable) - at] > limit:
            at -= 1
        count += at
    return count


def nth_difference(n: int, canary: Sequence[float], stable: Sequence[float]) -> float:
    """Return the n-th smallest difference, from 1, of sorted samples: exactly, without making all of them."""
    low, high = _place(canary[0] - stable[-1]), _place(canary[-1] - stable[0])
    while low < high:
        middle = (low + high) // 2
        if _up_to(_float(middle), canary, stable) >= n:
            high = middle
        else:
            low = middle + 1
    return _float(low)


def _outside(canary: Sequence[float], stable: Sequence[float], alpha: float) -> int:
    """Return how many of the sorted differences are outside the interval, at either end; none: no bound."""
    ranks = Ranks.of(canary, stable)
    if max(ranks.canary, ranks.stable) > EXACT_UP_TO or ranks.ties:
        middle = ranks.canary * ranks.stable / 2
        return max(0, floor(middle - 0.5 + NormalDist().inv_cdf(alpha / 2) * ranks.deviation) + 1)
    allowed = alpha / 2 * comb(ranks.canary + ranks.stable, ranks.canary)
    outside, orders = 0, 0
    for count in frequencies(ranks.canary, ranks.stable):
        orders += count
        if orders > allowed:
            break
        outside += 1
    return outside


def shift_of(canary: Sequence[float], stable: Sequence[float], alpha: float) -> Shift:
    """Return the canary's shift; the interval encloses the true one with probability 1 - alpha."""
    canary, stable = sorted(canary), sorted(stable)
    pairs = len(canary) * len(stable)
    below = nth_difference((pairs + 1) // 2, canary, stable)
    above = below if pairs % 2 else nth_difference(pairs // 2 + 1, canary, stable)
    outside = _outside(canary, stable, alpha)
    return Shift(
        estimate=below + (above - below) / 2,
        lower=nth_difference(outside, canary, stable) if outside else float("-inf"),
        upper=nth_difference(pairs + 1 - outside, canary, stable) if outside else float("inf"),
    )
