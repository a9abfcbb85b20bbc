"""Are false verdicts at or under alpha although one looks at every interval, and how quick are the right ones?

Everything is drawn from seeds: 2,000 canaries of 200 intervals a case. A share that should be at most 5% may be 6% by
chance of the draw (two standard errors); most are far below.
"""

import numpy as np
import pytest

from rollouts.judge import Counts, Evidence, Interval, RateRule, judge_rates
from tests.judge.canaries import Traffic, ever, evidence, intervals_until

CANARIES = 2_000
BY_CHANCE = 0.01


@pytest.mark.parametrize(
    ("rate", "requests"),
    [
        (0.001, (500, 500)),
        (0.01, (50, 950)),
        (0.01, (900, 100)),
        (0.05, (50, 950)),
        (0.2, (500, 500)),
        (0.5, (900, 100)),
    ],
    ids=str,
)
def test_a_canary_as_good_as_stable_is_seldom_aborted(rate: float, requests: tuple[int, int]) -> None:
    traffic = Traffic.drawn(1, CANARIES, requests, (rate, rate))
    assert ever(evidence(traffic, RateRule(), beyond=True), 0.05) <= 0.05 + BY_CHANCE


@pytest.mark.parametrize(
    ("rule", "rate"),
    [(RateRule(ratio=1.5), 0.001), (RateRule(margin=0.02), 0.001), (RateRule(ratio=1.2, margin=0.01), 0.2)],
    ids=str,
)
def test_at_the_very_limit_neither_verdict_is_given_too_often(rate: float, rule: RateRule) -> None:
    traffic = Traffic.drawn(2, CANARIES, (200, 800), (rule.ratio * rate + rule.margin, rate))
    for beyond in (True, False):
        assert ever(evidence(traffic, rule, beyond=beyond), 0.05) <= 0.05 + BY_CHANCE


def test_rates_and_weights_that_vary_with_time_fool_nobody() -> None:
    """Totals would: the canary gets most of its traffic while both sides are bad."""
    steps = np.repeat([50, 100, 300, 600], 50)
    rates = np.repeat([0.002, 0.01, 0.03, 0.15], 50)
    traffic = Traffic.drawn(3, CANARIES, (steps, 1000 - steps), (rates, rates))
    assert traffic.canary_bad.sum() / traffic.canary.sum() > 3 * traffic.stable_bad.sum() / traffic.stable.sum()
    assert ever(evidence(traffic, RateRule(), beyond=True), 0.05) <= 0.05 + BY_CHANCE


def test_a_smaller_alpha_is_kept_too() -> None:
    traffic = Traffic.drawn(4, 2 * CANARIES, (100, 900), (0.05, 0.05), intervals=100)
    assert ever(evidence(traffic, RateRule(), beyond=True), 0.01) <= 0.01 + 0.003


def in_bursts(seed: int, size: int) -> Traffic:
    """Draw traffic in which requests are bad in groups."""
    random = np.random.default_rng(seed)
    requests = np.full(100, 600)
    bad = [size * random.binomial(600 // size, 0.01, (CANARIES, 100)) for _ in range(2)]
    return Traffic(requests, requests, bad[0], bad[1])


@pytest.mark.parametrize("size", [3, 10])
def test_bursts_are_what_it_must_be_told_of(size: int) -> None:
    traffic = in_bursts(9, size)
    assert ever(evidence(traffic, RateRule(), beyond=True), 0.05) > 0.5
    assert ever(evidence(traffic, RateRule(burst=size), beyond=True), 0.05) <= 0.05 + BY_CHANCE


# Median and 95th percentile of the intervals until a doubled rate is found, of 1,000 requests each to both sides.
DOUBLED = [
    (0.001, (500, 500), 46, 121),
    (0.01, (500, 500), 6, 13),
    (0.05, (500, 500), 2, 4),
    (0.01, (100, 900), 13, 34),
    (0.05, (100, 900), 3, 8),
    (0.2, (100, 900), 1, 2),
]


@pytest.mark.parametrize(("rate", "requests", "median", "late"), DOUBLED, ids=str)
def test_a_doubled_rate_is_found_in_time(rate: float, requests: tuple[int, int], median: int, late: int) -> None:
    traffic = Traffic.drawn(5, CANARIES, requests, (2 * rate, rate), intervals=min(200, 5 * late))
    until = intervals_until(evidence(traffic, RateRule(), beyond=True), 0.05)
    assert np.median(until) <= median
    assert np.quantile(until, 0.95, method="higher") <= late


def test_a_canary_that_turns_bad_late_is_found() -> None:
    rates = np.repeat([0.01, 0.03], [100, 100])
    traffic = Traffic.drawn(6, CANARIES, (500, 500), (rates, 0.01))
    until = intervals_until(evidence(traffic, RateRule(), beyond=True), 0.05)
    assert 100 < np.median(until) <= 106
    assert np.isfinite(until).all()


def test_a_canary_within_the_margin_passes_in_time() -> None:
    traffic = Traffic.drawn(7, CANARIES, (500, 500), (0.01, 0.01), intervals=60)
    until = intervals_until(evidence(traffic, RateRule(margin=0.01), beyond=False), 0.05)
    assert np.median(until) <= 10
    assert np.isfinite(until).all()


@pytest.mark.parametrize("rule", [RateRule(), RateRule(ratio=1.3, margin=0.01, burst=2)], ids=str)
def test_the_arrays_bet_like_the_judge(rule: RateRule) -> None:
    traffic = Traffic.drawn(8, 3, (300, 700), (0.04, 0.02), intervals=60)
    beyond, within = (evidence(traffic, rule, beyond=each) for each in (True, False))
    for canary in range(3):
        seen = Evidence()
        for at in range(60):
            interval = Interval(
                Counts(300, int(traffic.canary_bad[canary, at])), Counts(700, int(traffic.stable_bad[canary, at]))
            )
            seen = seen.after(rule, interval)
            judged = judge_rates(rule, seen)
            assert judged.statistic == pytest.approx(max(0, beyond[canary, : at + 1].max()))
            assert judged.p_beyond == pytest.approx(min(1, np.exp(-within[canary, : at + 1].max())))
