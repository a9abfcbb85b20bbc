"""How often is one sample's value over the other's, and how likely is that by chance?

Mann and Whitney, "On a test of whether one of two random variables is stochastically larger than the other" (1947).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import comb, erfc, sqrt

EXACT_UP_TO = 20  # values a side; the normal approximation is good to 0.001 from there


@dataclass(frozen=True, slots=True)
class Ranks:
    """U, the number of pairs in which `canary` is greater (ties are a half), and what decides how likely it is."""

    u: float
    canary: int
    stable: int
    ties: tuple[int, ...]

    @classmethod
    def of(cls, canary: Sequence[float], stable: Sequence[float]) -> "Ranks":
        """Rank two samples together."""
        pooled = sorted([(value, 1) for value in canary] + [(value, 0) for value in stable])
        rank_sum, ties, at = 0.0, [], 0
        while at < len(pooled):
            end, of_canary = at, 0
            while end < len(pooled) and pooled[end][0] == pooled[at][0]:
                of_canary += pooled[end][1]
                end += 1
            rank_sum += of_canary * (at + end + 1) / 2
            ties.append(end - at)
            at = end
        most = len(canary) * (len(canary) + 1) / 2
        return cls(rank_sum - most, len(canary), len(stable), tuple(size for size in ties if size > 1))

    @property
    def deviation(self) -> float:
        """U's standard deviation while both samples are from one distribution, ties considered."""
        both = self.canary + self.stable
        if both < 2:
            return 0.0
        tied = sum(size**3 - size for size in self.ties) / (both * (both - 1))
        return sqrt(self.canary * self.stable / 12 * (both + 1 - tied))

    @property
    def p_greater(self) -> float:
        """The chance of such a U or a greater one. Small: the canary's values are greater."""
        return self._upper_tail(self.u)

    @property
    def p_less(self) -> float:
        """The chance of such a U or a smaller one. Small: the canary's values are smaller."""
        return self._upper_tail(self.canary * self.stable - self.u)

    def _upper_tail(self, u: float) -> float:
        if not self.ties and max(self.canary, self.stable) <= EXACT_UP_TO:
            at_least = sum(frequencies(self.canary, self.stable)[round(u) :])
            return at_least / comb(self.canary + self.stable, self.canary)
        if not self.deviation:
            return 1.0
        # Half a step off: U moves in steps, the normal distribution doesn't.
        beyond = (u - self.canary * self.stable / 2 - 0.5) / self.deviation
        return erfc(beyond / sqrt(2)) / 2


def frequencies(canary: int, stable: int) -> list[int]:
    """Return how many orders of the two samples give U = 0, 1, 2, ...: coefficients of a Gaussian binomial."""
    counts = [1] + [0] * (canary * stable)
    for step in range(1, canary + 1):
        for at in range(len(counts) - 1, stable + step - 1, -1):
            counts[at] -= counts[at - stable - step]
        for residue in range(step):
            counts[residue::step] = accumulate(counts[residue::step])
    return counts
