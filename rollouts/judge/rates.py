"""Does the canary fail more often than it may, or answer slowly more often?"""

from math import exp, log

from rollouts.judge.bounds import Bounds
from rollouts.judge.counts import Counts
from rollouts.judge.evidence import Evidence
from rollouts.judge.judgement import Judgement, Verdict, undecided
from rollouts.judge.rules import RateRule

_TOO_WIDE = 1.0  # bounds farther apart say nothing


def _said(counts: Counts) -> str:
    return f"{100 * counts.rate:.3g}% ({counts.bad:,} of {counts.total:,})"


def _odds(peak: float) -> str:
    if peak >= log(1e6):
        return "over a million : 1"
    return f"{exp(peak):,.0f} : 1" if peak >= log(100) else f"{exp(peak):.3g} : 1"


def _points(difference: float) -> str:
    return f"{100 * difference:+.2g}"


def _difference(bounds: Bounds | None) -> str:
    if bounds is None or bounds.upper - bounds.lower > _TOO_WIDE:
        return ""
    return f" ({_points(bounds.lower)} to {_points(bounds.upper)} points)"


def _decided(rule: RateRule, evidence: Evidence, *, is_last: bool) -> tuple[Verdict, str]:
    fewest = min(evidence.canary.total, evidence.stable.total)
    if fewest < rule.minimum:
        because = f"too few to compare: {fewest:,} requests to the side with fewer, of {rule.minimum:,} needed"
        return undecided(because, is_last=is_last or rule.while_too_few == "inconclusive")
    needed = -log(rule.alpha)
    if evidence.beyond.peak >= needed:
        return "fail", f"shown to be more than {rule}: {_odds(evidence.beyond.peak)}, needed {_odds(needed)}"
    if evidence.within.peak >= needed:
        return "pass", f"shown to be within {rule}: {_odds(evidence.within.peak)}, needed {_odds(needed)}"
    because = (
        f"not shown yet to be more than {rule} ({_odds(evidence.beyond.peak)}) nor to be within it "
        f"({_odds(evidence.within.peak)}), needed {_odds(needed)}"
    )
    return undecided(because, is_last=is_last)


def judge_rates(
    rule: RateRule, evidence: Evidence, *, bounds: Bounds | None = None, is_last: bool = False
) -> Judgement:
    """Judge by the evidence so far; ask as often as you like.

    What was shown once stays shown, however rarely one looks. A canary first shown to be within the rule and later to
    be beyond it fails. `is_last` says that no more requests will be judged: what would be a wait is inconclusive.
    """
    verdict, because = _decided(rule, evidence, is_last=is_last)
    return Judgement(
        verdict,
        f"canary {_said(evidence.canary)}, baseline {_said(evidence.stable)} bad requests"
        f"{_difference(bounds)}: {because}",
        statistic=evidence.beyond.peak,
        estimate=evidence.canary.rate - evidence.stable.rate,
        p_within=evidence.beyond.p_value,
        p_beyond=evidence.within.p_value,
        lower=bounds.lower if bounds else None,
        upper=bounds.upper if bounds else None,
    )
