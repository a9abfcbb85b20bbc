"""What becomes of thousands of canaries at once? The judge's bets, written again for arrays of numpy."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rollouts.judge import RateRule
from rollouts.judge.bets import MOST_AT_STAKE, TIMES

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Traffic:
    """Requests to either side in each interval, and bad ones by canary and interval."""

    canary: Ints
    stable: Ints
    canary_bad: Ints
    stable_bad: Ints

    @classmethod
    def drawn(
        cls,
        seed: int,
        canaries: int,
        requests: tuple[int | Ints, int | Ints],
        rates: tuple[float | Floats, float | Floats],
        intervals: int = 200,
    ) -> "Traffic":
        """Draw bad requests; requests and rates are numbers or one number per interval."""
        random = np.random.default_rng(seed)
        canary, stable = (np.broadcast_to(np.asarray(side, dtype=np.int64), intervals) for side in requests)
        bad = [
            random.binomial(total, rate, (canaries, intervals))
            for total, rate in zip((canary, stable), rates, strict=True)
        ]
        return cls(canary, stable, bad[0], bad[1])

    def centres(self) -> Floats:
        """Stable's rate as known before each interval."""
        bad = np.cumsum(self.stable_bad, axis=1) - self.stable_bad
        centres: Floats = bad / (np.cumsum(self.stable) - self.stable + 1)
        return centres


def evidence(traffic: Traffic, rule: RateRule, *, beyond: bool) -> Floats:
    """Return the logarithm of the money by canary and interval."""
    times = np.array(TIMES) ** (1 if beyond else -1)
    canaries, intervals = traffic.canary_bad.shape
    bets = np.full((canaries, len(times)), -np.inf)
    money = np.empty((canaries, intervals))
    centres = traffic.centres()
    for at in range(intervals):
        bets = np.logaddexp(bets, -np.log((at + 1) * (at + 2) * len(times))) + _growth(
            traffic, rule, times, centres, at
        )
        most = bets.max(axis=1)
        cash = -np.log(at + 2)
        money[:, at] = np.logaddexp(most + np.log(np.exp(bets - most[:, None]).sum(axis=1)), cash)
    return money


def _growth(traffic: Traffic, rule: RateRule, times: Floats, centres: Floats, at: int) -> Floats:
    canary, stable = int(traffic.canary[at]), int(traffic.stable[at])
    bad, stable_bad = traffic.canary_bad[:, at, None], traffic.stable_bad[:, at, None]
    k = centres[:, at, None]
    m = rule.ratio * k + rule.margin
    a = (times - 1) * stable / (times * rule.ratio * canary + stable)
    b = (times - 1) * rule.ratio * canary / (times * rule.ratio * canary + stable)
    most = np.maximum.reduce([a * m, a * (m - 1), b * (1 - k), -b * k])
    scale = np.minimum(1, MOST_AT_STAKE / np.maximum(most, 1e-300))
    a, b = a * scale, b * scale
    grown = (
        bad * np.log1p(a * (1 - m))
        + (canary - bad) * np.log1p(-a * m)
        + stable_bad * np.log1p(-b * (1 - k))
        + (stable - stable_bad) * np.log1p(b * k)
    )
    of_rule: Floats = grown / rule.burst
    return of_rule


def ever(money: Floats, alpha: float) -> float:
    """Return the share of canaries whose evidence was enough at some interval."""
    return float((money.max(axis=1) >= -np.log(alpha)).mean())


def intervals_until(money: Floats, alpha: float) -> Floats:
    """Return the number of intervals until the evidence was enough, by canary; infinite if it never was."""
    enough = money >= -np.log(alpha)
    until: Floats = np.where(enough.any(axis=1), enough.argmax(axis=1) + 1.0, np.inf)
    return until
