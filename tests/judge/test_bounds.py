"""Do the bounds enclose the true difference at every look, and are they narrow?"""

from math import exp

import numpy as np
import pytest

from rollouts.judge import Counts, Evidence, Interval, RateRule, bounds_of_difference
from rollouts.judge.bounds import FARTHEST, HALVINGS, NEAREST, _Search
from tests.judge.canaries import Traffic, ever, evidence

ALPHA = 0.05


def intervals_of(traffic: Traffic, canary: int) -> list[Interval]:
    sides = zip(
        traffic.canary.tolist(),
        traffic.canary_bad[canary].tolist(),
        traffic.stable.tolist(),
        traffic.stable_bad[canary].tolist(),
        strict=True,
    )
    return [Interval(Counts(n, bad), Counts(m, stable_bad)) for n, bad, m, stable_bad in sides]


def search_in(intervals: list[Interval], sign: int) -> _Search:
    canary, stable = (sum((getattr(each, side) for each in intervals), Counts()) for side in ("canary", "stable"))
    return _Search(intervals, canary, stable, ALPHA, 1, sign)


@pytest.mark.parametrize(("rate", "difference"), [(0.01, 0.0), (0.01, 0.02), (0.1, 0.05)])
def test_the_true_difference_is_hardly_ever_outside(rate: float, difference: float) -> None:
    """Outside means refuted as a margin at some look: on 2,000 canaries by arrays."""
    traffic = Traffic.drawn(11, 2_000, (200, 800), (rate + difference, rate), intervals=60)
    rule = RateRule(margin=difference)
    outside = [ever(evidence(traffic, rule, beyond=beyond), ALPHA / 2) for beyond in (True, False)]
    assert sum(outside) <= ALPHA + 0.01


def test_the_bounds_themselves_enclose_it_at_each_look() -> None:
    """The same by the function itself, on fewer canaries."""
    traffic = Traffic.drawn(12, 20, (300, 700), (0.05, 0.03), intervals=20)
    enclosed = 0
    for canary in range(20):
        intervals = intervals_of(traffic, canary)
        looks = [bounds_of_difference(intervals[:many], ALPHA) for many in (1, 5, 20)]
        enclosed += all(look.lower <= 0.02 <= look.upper for look in looks)
    assert enclosed >= 18


def test_bounds_and_verdicts_agree() -> None:
    traffic = Traffic.drawn(13, 20, (500, 500), (0.03, 0.01), intervals=10)
    money = evidence(traffic, RateRule(), beyond=True)
    for canary in range(20):
        is_shown = bool(money[canary].max() >= -np.log(ALPHA / 2))
        assert (bounds_of_difference(intervals_of(traffic, canary), ALPHA).lower > 0) == is_shown


def test_bounds_get_narrow() -> None:
    intervals = [Interval(Counts(1_000, 20), Counts(1_000, 10))] * 100
    bounds = bounds_of_difference(intervals)
    assert 0.007 < bounds.lower < 0.01 < bounds.upper < 0.0125


def test_without_requests_nothing_is_known() -> None:
    nothing = bounds_of_difference([])
    assert (nothing.lower, nothing.upper) == (-1, 1)


def test_edges_are_within_what_is_possible() -> None:
    huge = bounds_of_difference([Interval(Counts(10**9, 10**9), Counts(10**9, 0))] * 3)
    assert 0.99 < huge.lower <= 1
    assert huge.upper == 1
    single = bounds_of_difference([Interval(Counts(1, 1), Counts(1, 0))])
    assert single.lower < 0
    assert single.upper == 1


def test_bursts_make_them_wide() -> None:
    intervals = [Interval(Counts(1_000, 20), Counts(1_000, 10))] * 20
    independent, in_bursts = bounds_of_difference(intervals), bounds_of_difference(intervals, burst=5)
    assert in_bursts.lower < independent.lower < 0.01 < independent.upper < in_bursts.upper


@pytest.mark.parametrize("requests", [(50, 950), (500, 500), (900, 100)], ids=str)
@pytest.mark.parametrize("sign", [1, -1])
def test_what_is_farther_out_is_refuted_as_well(requests: tuple[int, int], sign: int) -> None:
    """Without this, halving could find a margin beyond one that isn't refuted."""
    for seed, rate in enumerate((0.002, 0.05, 0.4)):
        traffic = Traffic.drawn(seed, 1, requests, (rate, rate), intervals=10)
        margins = np.geomspace(1e-4, 1.5, 30).tolist()
        search = search_in(intervals_of(traffic, 0), sign)
        refuted = [search.won(-sign * margin) >= 1 / ALPHA for margin in margins]
        assert refuted == sorted(refuted)


@pytest.mark.parametrize("halvings", [9, HALVINGS])
@pytest.mark.parametrize("sign", [1, -1])
def test_guesses_find_what_halving_finds(halvings: int, sign: int) -> None:
    for seed, (requests, rate, number) in enumerate(
        [(20, 0.5, 1), (60, 0.02, 8), (400, 0.0, 3), (700, 0.05, 6), (10_000, 0.01, 8), (500, 1.0, 2)]
    ):
        search = search_in(
            intervals_of(Traffic.drawn(seed, 1, (requests, 3 * requests), (rate, 0.01), intervals=number), 0), sign
        )
        near, far = NEAREST, FARTHEST
        for _ in range(halvings):
            middle = (near + far) / 2
            if search.won(search.estimate - sign * exp(middle)) >= 1 / ALPHA:
                far = middle
            else:
                near = middle
        assert search.distance(halvings) == pytest.approx(exp(far), rel=1e-9)


def test_bounds_bet_as_the_evidence_does() -> None:
    intervals = intervals_of(Traffic.drawn(14, 1, (300, 700), (0.03, 0.01), intervals=12), 0)
    evidence = Evidence()
    for each in intervals:
        evidence = evidence.after(RateRule(margin=0.005), each)
    won = [search_in(intervals, sign).won(0.005) for sign in (1, -1)]
    assert won == pytest.approx([exp(evidence.beyond.peak), exp(evidence.within.peak)], rel=1e-9)
