"""How much worse may a canary be, and how sure must one be?"""

from dataclasses import dataclass
from math import isfinite

from rollouts.judge.judgement import WhileTooFew


def _check(name: str, value: float, *, is_right: bool, expected: str) -> None:
    if not (isfinite(value) and is_right):
        raise ValueError(f"{name} is {value}; it must be {expected}")


@dataclass(frozen=True, slots=True)
class RateRule:
    """The canary's share of bad requests may be up to `ratio` times stable's, plus `margin`.

    `alpha` limits the chance of a wrong fail and, on its own, that of a wrong pass, over all looks together. With
    neither ratio nor margin a canary as good as stable can't ever be shown to be within them: it doesn't fail, that's
    all. `burst` is how many requests may be bad for one cause, such as three tries of one client: evidence takes so
    many times as long, and is right.
    """

    ratio: float = 1.0
    margin: float = 0.0
    alpha: float = 0.05
    burst: int = 1
    minimum: int = 100
    while_too_few: WhileTooFew = "wait"

    def __post_init__(self) -> None:
        _check("ratio", self.ratio, is_right=self.ratio >= 1, expected="1 or more")
        _check("margin", self.margin, is_right=0 <= self.margin < 1, expected="0 or more and less than 1")
        _check("alpha", self.alpha, is_right=0 < self.alpha < 1, expected="between 0 and 1")
        _check("burst", self.burst, is_right=self.burst >= 1, expected="1 or more")
        _check("minimum", self.minimum, is_right=self.minimum >= 1, expected="1 or more")

    def __str__(self) -> str:
        times = f"{self.ratio:g} times the baseline's rate" if self.ratio != 1 else "the baseline's rate"
        return f"{times} plus {100 * self.margin:g} points" if self.margin else times


@dataclass(frozen=True, slots=True)
class SampleRule:
    """The canary's latencies may be shifted by `margin`, or by `share` of stable's median where that is more.

    `alpha` is the chance of a wrong fail and, on its own, that of a wrong pass: of a single look.
    """

    margin: float = 0.0
    share: float = 0.0
    alpha: float = 0.05
    minimum: int = 20
    while_too_few: WhileTooFew = "wait"
    higher_is_worse: bool = True

    def __post_init__(self) -> None:
        _check("margin", self.margin, is_right=self.margin >= 0, expected="0 or more")
        _check("share", self.share, is_right=self.share >= 0, expected="0 or more")
        _check("alpha", self.alpha, is_right=0 < self.alpha < 1, expected="between 0 and 1")
        _check("minimum", self.minimum, is_right=self.minimum >= 1, expected="1 or more")
