"""What does one interval say for or against a hypothesis? A bet on it, whose odds are fair or worse if it is true.

The hypothesis: in every interval the canary's rate c is at most r s + d, where s is stable's rate. (Or at least that,
for the other direction.) A gambler who doubts it stakes on every request: his money is multiplied by 1 + a (y - m) for
a request to the canary and by 1 - b (y - k) for one to stable, where y is 1 for a bad request, 0 for a good one, and

    m = r k + d,        r a N = b M        for N requests to the canary and M to stable in the interval.

However s may be, his money is not expected to grow while the hypothesis is true. With x = s - k, c - m is at most r x,
so that the expected factor of the interval is at most

    (1 + a r x)^N (1 - b x)^M  <=  (1 + (N a r - M b) x / (N + M))^(N + M)  =  1,

the geometric mean being at most the arithmetic one. Rates may differ from request to request and from interval to
interval: the same inequality covers their means. So k need not be right; near to stable's rate it wins most.

Requests that aren't independent are bet on with less. Where one of a group of up to g requests tends to be bad because
another is (a client that tries again), the g-th root of the factor is taken: by Hölder's inequality the root's
expectation over a group is at most the root of the product of expectations, however its members hang together.

This is the test of Turner, Ly and Grünwald, "Generic E-variables for exact sequential k-sample tests" (2024), written
as a bet (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", 2024) so that a ratio and
a margin fit in. The stakes follow from the odds that a bad request is the canary's if it is so many times as bad as it
may be: Lindon and Malek, "Anytime-valid inference for multinomial count data" (2022), bet on these odds alone.
"""

from collections.abc import Iterable
from math import log1p

from rollouts.judge.counts import Interval

# How many times as bad as allowed may the canary be? Nobody knows: a bet on each.
TIMES = (1.02, 1.05, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
MOST_AT_STAKE = 0.99  # never all: a single request must not end the game


def growths(
    interval: Interval, many: Iterable[float], *, ratio: float, margin: float, centre: float, burst: int = 1
) -> list[float]:
    """Return the logarithms of the factors by which the money of bets grows in an interval.

    Each of `many` is how many times as bad a bet takes the canary for: over 1 it bets that the canary is beyond ratio
    and margin, under 1 that it is within them. `centre` is k: what stable's rate was thought to be before the interval
    was seen; `burst` is g.
    """
    canary, stable, canary_bad, stable_bad = (
        interval.canary.total, interval.stable.total, interval.canary.bad, interval.stable.bad,
    )  # fmt: skip
    canary_good, stable_good = canary - canary_bad, stable - stable_bad
    centre_of_canary = ratio * centre + margin
    weight = ratio * canary
    grown = []
    for times in many:
        share = (times - 1) / (times * weight + stable)
        on_canary, on_stable = share * stable, share * weight
        most = max(
            on_canary * centre_of_canary,
            on_canary * (centre_of_canary - 1),
            on_stable * (1 - centre),
            -on_stable * centre,
        )
        if most > MOST_AT_STAKE:
            on_canary *= MOST_AT_STAKE / most
            on_stable *= MOST_AT_STAKE / most
        independent = (
            canary_bad * log1p(on_canary * (1 - centre_of_canary))
            + canary_good * log1p(-on_canary * centre_of_canary)
            + stable_bad * log1p(-on_stable * (1 - centre))
            + stable_good * log1p(on_stable * centre)
        )
        grown.append(independent / burst)
    return grown
