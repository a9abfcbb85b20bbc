"""What was found, and by which numbers?"""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["fail", "pass", "wait", "inconclusive"]
WhileTooFew = Literal["wait", "inconclusive"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and the reason that a person reads.

    `estimate` is the canary's rate minus stable's, or the shift of its latencies; `lower` and `upper` are its bounds,
    where they were asked for. `p_within` is small if the data hardly agree with a canary within what it may be,
    `p_beyond` if they hardly agree with one beyond it. `statistic` is the logarithm of the evidence that it is beyond,
    or Mann and Whitney's U.
    """

    verdict: Verdict
    because: str
    statistic: float
    estimate: float
    p_within: float
    p_beyond: float
    lower: float | None = None
    upper: float | None = None


def undecided(because: str, *, is_last: bool) -> tuple[Verdict, str]:
    """Wait, unless nothing more will come."""
    return ("inconclusive", f"{because}, and no more will come") if is_last else ("wait", because)
