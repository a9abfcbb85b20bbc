"""Is the canary's share of bad requests greater than it may be? Evidence is gathered with every measurement."""

from collections.abc import Generator
from contextlib import suppress
from math import exp
from typing import Any

from rollouts.api.judge import JudgedRequests, JudgeMetric
from rollouts.judge import Bounds, Counts, Interval, Ledger, RateRule, Seen, judge_rates
from rollouts.measure.judge_source import Side, Source, count_of
from rollouts.ports.objects import ObjectRequest
from rollouts.ports.provider import Asked, Flow, MeasurementError, Pending, Request, Verdict

EVIDENCE = "evidence"  # the name of what is kept
PHASES = {"successful": "Successful", "inconclusive": "Inconclusive"}
_MOST_ODDS = 20.0  # a logarithm: beyond that nobody counts


def judged_requests(spec: JudgeMetric, rule: RateRule, source: Source, sides: tuple[Side, Side], asked: Asked) -> Flow:
    """Ask about both sides, add what is new to the evidence, and judge."""
    requests = spec.requests
    if requests is None:
        raise MeasurementError("there are no requests to judge")
    ledger = _kept(asked)
    canary, seen_of_canary = yield from _new(requests, source, sides[0], asked, ledger.canary)
    baseline, seen_of_baseline = yield from _new(requests, source, sides[1], asked, ledger.stable)
    ledger = ledger.after(rule, Interval(canary, baseline), seen_of_canary, seen_of_baseline)
    return _judged(spec, rule, ledger, is_last=asked.is_last)


def _kept(asked: Asked) -> Ledger:
    """Return what earlier measurements left behind; one that goes on has it in its own notes.

    What nobody can read is given up: with answers since the start of the run, all of it comes again as one interval.
    """
    text = asked.metadata.get(EVIDENCE) or asked.memory.get(EVIDENCE)
    if text:
        with suppress(ValueError):
            return Ledger.restored(text)
    return Ledger()


def _new(
    requests: JudgedRequests, source: Source, side: Side, asked: Asked, seen: Seen
) -> Generator[Request | ObjectRequest, Any, tuple[Counts, Seen]]:
    """Return the requests of one side that haven't been counted yet."""
    is_counter = source.is_counter(requests.total)
    # The part first: what comes between two requests is missing there, and no more are bad than there are.
    other = yield from source.measured(requests.bad or requests.good or "", side, asked)
    part = count_of(other, is_counter=is_counter)
    whole = yield from source.measured(requests.total, side, asked)
    total = count_of(whole, is_counter=is_counter)
    bad = part if requests.bad is not None else _rest(total, part)
    return seen.by_counter(total, bad) if is_counter else seen.since_start(total, bad)


def _rest(total: float | None, good: float | None) -> float | None:
    return None if total is None else max(0.0, total - (good or 0.0))


def _judged(spec: JudgeMetric, rule: RateRule, ledger: Ledger, *, is_last: bool) -> Verdict | Pending:
    evidence, kept = ledger.evidence, {EVIDENCE: ledger.text()}
    is_too_few = min(evidence.canary.total, evidence.stable.total) < rule.minimum
    bounds = None if is_too_few else ledger.bounds(rule)
    judgement = judge_rates(rule, evidence, bounds=bounds)
    if is_too_few and spec.too_few == "wait":
        return Pending(None, kept, judgement.because)
    if is_too_few:
        phase = PHASES[spec.too_few]
    elif judgement.verdict == "fail":
        phase = "Failed"
    else:
        is_open = judgement.verdict != "pass" and is_last
        phase = PHASES[spec.undecided] if is_open else "Successful"
    return Verdict(
        phase,
        f"{_share(evidence.canary)} : {_share(evidence.stable)}",
        judgement.because,
        _notes(ledger, rule, bounds),
        kept,
        settles=judgement.verdict == "pass" and bool(spec.end_early),
    )


def _share(counts: Counts) -> str:
    return f"{100 * counts.rate:.3g}% of {counts.total:,}"


def _notes(ledger: Ledger, rule: RateRule, bounds: Bounds | None) -> dict[str, str]:
    """Return the numbers for whoever shows them: odds are of the evidence, needed are 1 / alpha."""
    evidence = ledger.evidence
    notes = {
        "canaryRequests": str(evidence.canary.total),
        "canaryBad": str(evidence.canary.bad),
        "baselineRequests": str(evidence.stable.total),
        "baselineBad": str(evidence.stable.bad),
        "oddsWorse": _odds(evidence.beyond.peak),
        "oddsNotWorse": _odds(evidence.within.peak),
        "oddsNeeded": f"{1 / rule.alpha:.4g}",
        "margin": f"{rule.margin:g}",
        "ratio": f"{rule.ratio:g}",
    }
    if bounds is not None:
        notes["difference"] = f"{evidence.canary.rate - evidence.stable.rate:.6f}"
        notes["lower"], notes["upper"] = f"{bounds.lower:.6f}", f"{bounds.upper:.6f}"
    return notes


def _odds(peak: float) -> str:
    return f"{exp(min(peak, _MOST_ODDS)):.4g}"
