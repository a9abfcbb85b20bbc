"""Does the judge of latencies agree with scipy, and what does it say?"""

import random
from collections.abc import Callable
from itertools import product
from math import inf, isnan, nan
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rollouts.judge import SampleRule, judge_samples
from rollouts.judge.ranks import EXACT_UP_TO, Ranks, frequencies
from rollouts.judge.shift import nth_difference, shift_of

SIZES = [(1, 1), (1, 5), (3, 4), (8, 20), (20, 20), (21, 3), (60, 60), (5, 200), (300, 150)]


def drawn(sizes: tuple[int, int], *, digits: int, seed: int = 1, shift: float = 0.3) -> tuple[list[float], list[float]]:
    """Draw two samples; few digits make ties."""
    source = random.Random(seed)  # noqa: S311 - nothing secret
    canary = [round(source.lognormvariate(0, 1) + shift, digits) for _ in range(sizes[0])]
    return canary, [round(source.lognormvariate(0, 1), digits) for _ in range(sizes[1])]


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("digits", [0, 1, 12])
def test_mann_and_whitney_as_scipy_has_it(sizes: tuple[int, int], digits: int) -> None:
    canary, stable = drawn(sizes, digits=digits)
    ranks = Ranks.of(canary, stable)
    method = "exact" if not ranks.ties and max(sizes) <= EXACT_UP_TO else "asymptotic"
    if not ranks.deviation:
        assert (ranks.p_greater, ranks.p_less) == (1, 1)
        return
    for alternative, ours in (("greater", ranks.p_greater), ("less", ranks.p_less)):
        theirs = stats.mannwhitneyu(canary, stable, alternative=alternative, method=method)
        assert ranks.u == theirs.statistic
        assert ours == pytest.approx(theirs.pvalue, rel=1e-9, abs=1e-12)


@given(st.integers(1, 12), st.integers(1, 12))
def test_the_counts_of_orders_are_complete_and_symmetric(canary: int, stable: int) -> None:
    counts = frequencies(canary, stable)
    assert sum(counts) == np.prod([(stable + i) / i for i in range(1, canary + 1)]).round()
    assert counts == counts[::-1]
    assert counts[0] == 1


values = st.lists(st.floats(-1e12, 1e12) | st.sampled_from([0.0, -0.0, 1.0, 5e-324]), min_size=1, max_size=12)


@given(values, values, st.data())
def test_the_nth_difference_is_that_of_all_differences_sorted(
    canary: list[float], stable: list[float], data: st.DataObject
) -> None:
    differences = sorted(a - b for a, b in product(canary, stable))
    n = data.draw(st.integers(1, len(differences)))
    assert nth_difference(n, sorted(canary), sorted(stable)) == differences[n - 1]


@pytest.mark.parametrize("sizes", [(8, 9), (20, 20), (60, 60), (5, 200), (300, 150)], ids=str)
def test_the_shift_and_its_interval_are_what_scipy_would_not_refuse(sizes: tuple[int, int]) -> None:
    """Hodges and Lehmann's interval holds the shifts that the two-sided test doesn't refuse."""
    canary, stable = drawn(sizes, digits=12)
    alpha = 0.05
    shift = shift_of(canary, stable, alpha)
    assert shift.estimate == pytest.approx(median(a - b for a, b in product(canary, stable)))
    method = "exact" if max(sizes) <= EXACT_UP_TO else "asymptotic"

    def p_value(moved: float) -> float:
        found = stats.mannwhitneyu([value - moved for value in canary], stable, method=method)
        return float(found.pvalue)

    small = 1e-9
    assert p_value(shift.lower - small) <= alpha < p_value(shift.lower + small)
    assert p_value(shift.upper + small) <= alpha < p_value(shift.upper - small)


def test_the_interval_holds_the_true_shift_as_often_as_it_says() -> None:
    held = 0
    for seed in range(400):
        canary, stable = drawn((25, 25), digits=12, seed=seed, shift=0.5)
        shift = shift_of(canary, stable, 0.1)
        held += shift.lower <= 0.5 <= shift.upper
    assert held / 400 == pytest.approx(0.9, abs=0.03)


def test_wrong_fails_are_as_rare_as_alpha() -> None:
    rule = SampleRule(margin=0.5, alpha=0.1)
    verdicts = [judge_samples(rule, *drawn((40, 40), digits=12, seed=seed, shift=0.5)).verdict for seed in range(400)]
    assert verdicts.count("fail") / 400 == pytest.approx(0.1, abs=0.03)
    assert verdicts.count("pass") / 400 == pytest.approx(0.1, abs=0.03)


def test_a_slower_canary_fails_with_its_numbers() -> None:
    canary, stable = [100.0 + each for each in range(60)], [50.0 + each for each in range(60)]
    judgement = judge_samples(SampleRule(margin=10), canary, stable)
    assert judgement.verdict == "fail"
    assert judgement.estimate == 50
    assert judgement.because == (
        "canary's 60 values against the baseline's 60: shifted by 50 (43 to 57): "
        "shown to be greater by more than 10 (p 2.3e-17, limit 0.05)"
    )


def test_direction_and_share_of_the_median() -> None:
    low, high = [50.0 + each for each in range(60)], [100.0 + each for each in range(60)]
    assert judge_samples(SampleRule(higher_is_worse=False), low, high).verdict == "fail"
    assert judge_samples(SampleRule(), low, high).verdict == "pass"
    assert judge_samples(SampleRule(share=1.0), high, low).verdict == "pass"
    assert judge_samples(SampleRule(share=0.25), high, low).verdict == "fail"
    lower_by_share = judge_samples(SampleRule(share=0.6, higher_is_worse=False), low, high)
    assert lower_by_share.verdict == "pass"
    assert "not to be smaller by 77.7 or more" in lower_by_share.because


def test_alike_without_margin_is_inconclusive_and_with_one_passes() -> None:
    canary, stable = drawn((100, 100), digits=12, shift=0)
    assert judge_samples(SampleRule(), canary, stable).verdict == "inconclusive"
    assert judge_samples(SampleRule(margin=1), canary, stable).verdict == "pass"


def test_equal_constants() -> None:
    judgement = judge_samples(SampleRule(), [7.0] * 30, [7.0] * 30)
    assert (judgement.verdict, judgement.estimate) == ("inconclusive", 0)
    assert (judgement.p_within, judgement.p_beyond) == (1, 1)
    assert judge_samples(SampleRule(margin=1), [7.0] * 30, [7.0] * 30).verdict == "pass"


def test_too_few_values() -> None:
    assert judge_samples(SampleRule(), [1.0], [2.0]).verdict == "wait"
    assert judge_samples(SampleRule(), [1.0], [2.0], is_last=True).verdict == "inconclusive"
    few = judge_samples(SampleRule(while_too_few="inconclusive"), [], [])
    assert few.verdict == "inconclusive"
    assert isnan(few.estimate)
    assert "too few to compare: 0 values on the side with fewer, of 20 needed" in few.because


def test_one_value_a_side_has_a_shift_without_bounds() -> None:
    judgement = judge_samples(SampleRule(minimum=1), [3.0], [1.0])
    assert (judgement.verdict, judgement.estimate) == ("inconclusive", 2)
    assert (judgement.lower, judgement.upper) == (-inf, inf)


def test_values_that_are_none_are_left_out() -> None:
    canary, stable = drawn((30, 30), digits=12)
    assert judge_samples(SampleRule(), [*canary, nan, inf], [-inf, *stable]) == judge_samples(
        SampleRule(), canary, stable
    )


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (lambda: SampleRule(margin=-1), "margin is -1; it must be 0 or more"),
        (lambda: SampleRule(share=nan), "share is nan; it must be 0 or more"),
        (lambda: SampleRule(alpha=1), "alpha is 1; it must be between 0 and 1"),
        (lambda: SampleRule(minimum=0), "minimum is 0; it must be 1 or more"),
    ],
)
def test_rules_that_mean_nothing_are_refused(rule: Callable[[], SampleRule], problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{problem}$"):
        rule()
