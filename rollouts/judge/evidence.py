"""How strong is the evidence so far? The money of a gambler who spreads it over many bets, and over many starts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import exp, fsum, log
from typing import Any, Self

from rollouts.judge.bets import TIMES, growths
from rollouts.judge.counts import Counts, Interval
from rollouts.judge.rules import RateRule


def log_sum(values: Sequence[float]) -> float:
    """Return the logarithm of the sum of numbers that are given by their logarithms."""
    most = max(values)
    return most + log(fsum(exp(value - most) for value in values))


@dataclass(frozen=True, slots=True)
class Wager:
    """One gambler's money: what each bet has become, and the most that all of it ever was. Logarithms.

    He starts with 1 and doesn't stake all of it at once: 1 / (t (t + 1)) of it goes into the bets with the t-th
    interval, in equal parts, and 1 / (t + 1) is left. So a canary that turns bad late is found, too, whatever was lost
    before. The sum is an average over bets and starts that were fixed beforehand. While the hypothesis is true it is
    not expected to grow, and the chance that it *ever* reaches 1 / alpha is at most alpha (Ville 1939): this is why one
    may look at every interval, and stop when one likes. Ramdas, Grünwald, Vovk and Shafer, "Game-theoretic statistics
    and safe anytime-valid inference" (2023), tell the whole story; Shin, Ramdas and Rinaldo, "E-detectors" (2024), that
    of changes.
    """

    bets: tuple[float, ...] = ()
    peak: float = 0.0

    def after(self, number: int, grown: Sequence[float]) -> Self:
        """Return the money after the interval of this number (from 1), in which the bets grew so much."""
        start = -log(number * (number + 1) * len(grown))
        entering = [log_sum((bet, start)) for bet in self.bets] or [start] * len(grown)
        bets = tuple(bet + more for bet, more in zip(entering, grown, strict=True))
        return replace(self, bets=bets, peak=max(self.peak, log_sum((*bets, -log(number + 1)))))

    @property
    def p_value(self) -> float:
        """The chance to see such evidence at some time although the hypothesis is true, at most."""
        return exp(-self.peak)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that must be kept of the intervals so far, under one rule.

    `beyond` bets that the canary is worse than the rule allows, `within` that it isn't. dataclasses.asdict makes JSON
    of it, for a status that outlives the process.
    """

    canary: Counts = field(default_factory=Counts)
    stable: Counts = field(default_factory=Counts)
    intervals: int = 0
    beyond: Wager = field(default_factory=Wager)
    within: Wager = field(default_factory=Wager)

    @classmethod
    def restored(cls, kept: Mapping[str, Any]) -> Self:
        """Return the evidence that dataclasses.asdict was given. Raises ValueError if it was given anything else."""
        try:
            canary, stable = Counts(**kept["canary"]), Counts(**kept["stable"])
            beyond, within = (
                Wager(tuple(map(float, kept[side]["bets"])), float(kept[side]["peak"])) for side in ("beyond", "within")
            )
            evidence = cls(canary, stable, int(kept["intervals"]), beyond, within)
        except (KeyError, TypeError) as error:
            raise ValueError(f"this is no evidence of the judge: {error!r}") from error
        for wager in (beyond, within):
            if len(wager.bets) != (len(TIMES) if evidence.intervals else 0):
                raise ValueError(f"evidence of {len(wager.bets)} bets: another version of the judge has other ones")
        return evidence

    def after(self, rule: RateRule, interval: Interval) -> Self:
        """Return the evidence after one more interval. One in which a side had no request changes nothing."""
        if not interval.compares:
            return self
        number = self.intervals + 1
        # Only what was known before the interval may be used, or the bets would not be fair.
        centre = self.stable.bad / (self.stable.total + 1)
        of_rule = partial(growths, interval, ratio=rule.ratio, margin=rule.margin, centre=centre, burst=rule.burst)
        return replace(
            self,
            canary=self.canary + interval.canary,
            stable=self.stable + interval.stable,
            intervals=number,
            beyond=self.beyond.after(number, of_rule(TIMES)),
            within=self.within.after(number, of_rule([1 / times for times in TIMES])),
        )
