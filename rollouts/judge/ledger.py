"""What is kept of everything seen so far? Some hundred characters, however long it takes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import log
from typing import Any, Self

import orjson

from rollouts.judge.bounds import Bounds, bounds_of_difference
from rollouts.judge.counts import Counts, Interval
from rollouts.judge.evidence import Evidence, Wager
from rollouts.judge.readings import Seen
from rollouts.judge.rules import RateRule

LONGEST_HISTORY = 8
_HALVINGS = 9  # bounds are 3% too wide at most, and take about a millisecond
_DIGITS = 4  # of logarithms of money


@dataclass(frozen=True, slots=True)
class Ledger:
    """The evidence; what was counted already; and the intervals, in pairs made one as they become many.

    Verdicts come from the evidence, which knows every interval. The history is there for the bounds that people read:
    they need the intervals themselves, and hardly change when neighbours are put together.
    """

    evidence: Evidence = field(default_factory=Evidence)
    history: tuple[Interval, ...] = ()
    canary: Seen = field(default_factory=Seen)
    stable: Seen = field(default_factory=Seen)

    def after(self, rule: RateRule, interval: Interval, canary: Seen, stable: Seen) -> Self:
        """Return the ledger after one more look."""
        history = (*self.history, interval) if interval.compares else self.history
        if len(history) > LONGEST_HISTORY:
            history = tuple(_together(history[at : at + 2]) for at in range(0, len(history), 2))
        return replace(
            self, evidence=self.evidence.after(rule, interval), history=history, canary=canary, stable=stable
        )

    def bounds(self, rule: RateRule) -> Bounds:
        """Return between what the difference is. Each bound by itself is right with 1 - alpha, as a verdict is.

        What the evidence has refuted by every single interval is outside, however the history was put together.
        """
        bounds = bounds_of_difference(self.history, min(1.0, 2 * rule.alpha), rule.burst, _HALVINGS)
        lower, upper, needed = bounds.lower, bounds.upper, -log(rule.alpha)
        if rule.ratio == 1 and self.evidence.beyond.peak >= needed:
            lower = max(lower, min(rule.margin, upper))
        if rule.ratio == 1 and self.evidence.within.peak >= needed:
            upper = min(upper, max(rule.margin, lower))
        return Bounds(lower, upper)

    def text(self) -> str:
        """Return all of it as JSON."""
        kept = {
            "seen": [_seen(self.canary), _seen(self.stable)],
            "intervals": self.evidence.intervals,
            "beyond": _wager(self.evidence.beyond),
            "within": _wager(self.evidence.within),
            "history": [
                [each.canary.total, each.canary.bad, each.stable.total, each.stable.bad] for each in self.history
            ],
        }
        return orjson.dumps(kept).decode()

    @classmethod
    def restored(cls, text: str) -> Self:
        """Return the ledger that a text was made of. Raises ValueError if it was made of anything else."""
        kept = orjson.loads(text)
        try:
            history = tuple(Interval(Counts(*each[:2]), Counts(*each[2:])) for each in kept["history"])
            canary, stable = (Seen(Counts(*each), is_known=True) if each else Seen() for each in kept["seen"])
            evidence = Evidence.restored(
                {
                    "canary": _sum(each.canary for each in history),
                    "stable": _sum(each.stable for each in history),
                    "intervals": kept["intervals"],
                    **{side: {"peak": kept[side][0], "bets": kept[side][1:]} for side in ("beyond", "within")},
                }
            )
        except (KeyError, TypeError, IndexError) as error:
            raise ValueError(f"this is no ledger of the judge: {error!r}") from error
        return cls(evidence, history, canary, stable)


def _together(intervals: Sequence[Interval]) -> Interval:
    canary = sum((each.canary for each in intervals), Counts())
    return Interval(canary, sum((each.stable for each in intervals), Counts()))


def _sum(counts: Any) -> dict[str, int]:
    total = sum(counts, Counts())
    return {"total": total.total, "bad": total.bad}


def _seen(seen: Seen) -> list[int]:
    return [seen.counts.total, seen.counts.bad] if seen.is_known else []


def _wager(wager: Wager) -> list[float]:
    return [round(each, _DIGITS) for each in (wager.peak, *wager.bets)]
