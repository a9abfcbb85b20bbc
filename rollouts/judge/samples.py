"""Are the canary's latencies greater than they may be?"""

from collections.abc import Sequence
from math import isfinite, nan
from statistics import median

from rollouts.judge.judgement import Judgement, Verdict, undecided
from rollouts.judge.ranks import Ranks
from rollouts.judge.rules import SampleRule
from rollouts.judge.shift import shift_of


def _allowed(rule: SampleRule, stable: Sequence[float]) -> float:
    return max(rule.margin, rule.share * abs(median(stable)))


def _decided(rule: SampleRule, p_within: float, p_beyond: float, allowed: float) -> tuple[Verdict, str]:
    worse = "greater" if rule.higher_is_worse else "smaller"
    if p_within <= rule.alpha:
        return "fail", f"shown to be {worse} by more than {allowed:.4g} (p {p_within:.2g}, limit {rule.alpha:g})"
    if p_beyond <= rule.alpha:
        return "pass", f"shown not to be {worse} by {allowed:.4g} or more (p {p_beyond:.2g}, limit {rule.alpha:g})"
    because = (
        f"neither shown to be {worse} by more than {allowed:.4g} (p {p_within:.2g}) nor not to be (p {p_beyond:.2g})"
    )
    return "inconclusive", because


def judge_samples(
    rule: SampleRule, canary: Sequence[float], stable: Sequence[float], *, is_last: bool = False
) -> Judgement:
    """Judge once, by all values: unlike `judge_rates` this is wrong more often than alpha if asked again and again.

    Values that aren't finite are left out. The null hypothesis is that one distribution is the other one shifted by the
    margin; where stable's median gives the margin it counts as known.
    """
    canary = [value for value in canary if isfinite(value)]
    stable = [value for value in stable if isfinite(value)]
    fewest = min(len(canary), len(stable))
    if fewest < rule.minimum:
        because = f"too few to compare: {fewest} values on the side with fewer, of {rule.minimum} needed"
        verdict, because = undecided(because, is_last=is_last or rule.while_too_few == "inconclusive")
        return Judgement(verdict, because, statistic=nan, estimate=nan, p_within=1.0, p_beyond=1.0)
    allowed = _allowed(rule, stable)
    sign = 1 if rule.higher_is_worse else -1
    at_margin = Ranks.of([value - sign * allowed for value in canary], stable)
    p_within, p_beyond = at_margin.p_greater, at_margin.p_less
    if not rule.higher_is_worse:
        p_within, p_beyond = p_beyond, p_within
    shift = shift_of(canary, stable, rule.alpha)
    verdict, because = _decided(rule, p_within, p_beyond, allowed)
    return Judgement(
        verdict,
        f"canary's {len(canary)} values against the baseline's {len(stable)}: shifted by {shift.estimate:.4g} "
        f"({shift.lower:.4g} to {shift.upper:.4g}): {because}",
        statistic=at_margin.u,
        estimate=shift.estimate,
        p_within=p_within,
        p_beyond=p_beyond,
        lower=shift.lower,
        upper=shift.upper,
    )
