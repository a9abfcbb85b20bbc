"""Are the canary's samples, such as latencies, shifted by more than they may be? They are judged once."""

from collections.abc import Sequence
from math import isfinite

from rollouts.api.judge import JudgeMetric
from rollouts.judge import Judgement, SampleRule, judge_samples
from rollouts.measure.judge_requests import PHASES
from rollouts.measure.judge_source import Side, Source, values_of
from rollouts.ports.provider import Asked, Flow, MeasurementError, Pending, Verdict

MOST_SAMPLES = 2_000  # a side: more tell hardly more, and comparing takes time


def judged_samples(spec: JudgeMetric, rule: SampleRule, source: Source, sides: tuple[Side, Side], asked: Asked) -> Flow:
    """Ask about both sides, and judge."""
    if spec.samples is None:
        raise MeasurementError("there are no samples to judge")
    values = []
    for side in sides:
        outcome = yield from source.measured(spec.samples.query, side, asked)
        values.append(_thinned(values_of(outcome)))
    canary, baseline = values
    judgement = judge_samples(rule, canary, baseline)
    if min(len(canary), len(baseline)) < rule.minimum:
        if spec.too_few == "wait":
            return Pending(None, message=judgement.because)
        return Verdict(PHASES[spec.too_few], _sizes(canary, baseline), judgement.because)
    phase = {"fail": "Failed", "pass": "Successful"}.get(judgement.verdict) or PHASES[spec.undecided]
    value = f"{judgement.estimate:+.4g}, {_sizes(canary, baseline)}"
    return Verdict(phase, value, judgement.because, _notes(judgement, rule, canary, baseline))


def _thinned(values: Sequence[float]) -> list[float]:
    """Return finite values, evenly chosen of many."""
    finite = [value for value in values if isfinite(value)]
    if len(finite) <= MOST_SAMPLES:
        return finite
    return [finite[at * len(finite) // MOST_SAMPLES] for at in range(MOST_SAMPLES)]


def _sizes(canary: Sequence[float], baseline: Sequence[float]) -> str:
    return f"{len(canary):,} : {len(baseline):,} values"


def _notes(
    judgement: Judgement, rule: SampleRule, canary: Sequence[float], baseline: Sequence[float]
) -> dict[str, str]:
    return {
        "canaryValues": str(len(canary)),
        "baselineValues": str(len(baseline)),
        "shift": f"{judgement.estimate:.6g}",
        "lower": f"{judgement.lower:.6g}",
        "upper": f"{judgement.upper:.6g}",
        "pWorse": f"{judgement.p_within:.4g}",
        "pNotWorse": f"{judgement.p_beyond:.4g}",
        "alpha": f"{rule.alpha:g}",
        "margin": f"{rule.share:g} of the median" if rule.share else f"{rule.margin:g}",
    }
