"""What does the judge say of rates, in words and numbers, also at the edges?"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from math import exp, isfinite, log
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollouts.judge import Bounds, Counts, Evidence, Interval, Judgement, RateRule, judge_rates
from rollouts.judge.bets import TIMES, growths


def interval(canary: tuple[int, int], stable: tuple[int, int]) -> Interval:
    """Return an interval of (bad, total) on either side."""
    return Interval(Counts(canary[1], canary[0]), Counts(stable[1], stable[0]))


def judged(rule: RateRule, intervals: Sequence[Interval], *, is_last: bool = False) -> Judgement:
    evidence = Evidence()
    for each in intervals:
        evidence = evidence.after(rule, each)
    return judge_rates(rule, evidence, is_last=is_last)


def test_a_bad_canary_fails_with_its_numbers() -> None:
    judgement = judged(RateRule(), [interval((30, 500), (40, 4_000))])
    assert judgement.verdict == "fail"
    assert judgement.because == (
        "canary 6% (30 of 500), baseline 1% (40 of 4,000) bad requests: "
        "shown to be more than the baseline's rate: over a million : 1, needed 20 : 1"
    )
    assert judgement.estimate == pytest.approx(0.05)
    assert judgement.p_within < 1e-6
    assert judgement.p_beyond == 1


def test_a_good_canary_passes_once_it_is_shown_to_be_within_the_margin() -> None:
    rule = RateRule(margin=0.02)
    judgement = judged(rule, [interval((5, 500), (5, 500))] * 4)
    assert judgement.verdict == "pass"
    assert judgement.because == (
        "canary 1% (20 of 2,000), baseline 1% (20 of 2,000) bad requests: "
        "shown to be within the baseline's rate plus 2 points: 314,409 : 1, needed 20 : 1"
    )
    assert judgement.p_beyond < 0.05 < judgement.p_within


def test_until_then_it_waits() -> None:
    judgement = judged(RateRule(ratio=1.25), [interval((5, 500), (5, 500))])
    assert judgement.verdict == "wait"
    assert judgement.because == (
        "canary 1% (5 of 500), baseline 1% (5 of 500) bad requests: not shown yet to be more than "
        "1.25 times the baseline's rate (1 : 1) nor to be within it (1 : 1), needed 20 : 1"
    )


def test_with_the_last_interval_waiting_is_over() -> None:
    judgement = judged(RateRule(), [interval((5, 500), (5, 500))], is_last=True)
    assert judgement.verdict == "inconclusive"
    assert judgement.because.endswith("and no more will come")


def test_too_few_requests_are_waited_for_however_bad_they_are() -> None:
    judgement = judged(RateRule(), [interval((99, 99), (0, 10_000))])
    assert judgement.verdict == "wait"
    assert "too few to compare: 99 requests to the side with fewer, of 100 needed" in judgement.because


def test_too_few_requests_can_be_inconclusive() -> None:
    rule = RateRule(while_too_few="inconclusive")
    assert judged(rule, []).verdict == "inconclusive"
    assert judged(rule, [interval((1, 200), (1, 200))]).verdict == "wait"


def test_what_was_shown_stays_shown() -> None:
    bad, good = interval((30, 500), (5, 500)), interval((5, 500), (30, 500))
    assert judged(RateRule(), [bad, *[good] * 50]).verdict == "fail"


def test_a_canary_that_passed_and_turns_bad_fails() -> None:
    rule = RateRule(margin=0.01)
    good, bad = interval((5, 500), (5, 500)), interval((50, 500), (5, 500))
    assert judged(rule, [good] * 40).verdict == "pass"
    assert judged(rule, [*[good] * 40, *[bad] * 3]).verdict == "fail"


def test_an_interval_without_requests_to_both_changes_nothing() -> None:
    evidence = Evidence().after(RateRule(), interval((3, 300), (1, 300)))
    assert evidence.after(RateRule(), interval((0, 0), (50, 100))) == evidence
    assert evidence.after(RateRule(), interval((50, 100), (0, 0))) == evidence


def test_evidence_without_intervals_can_be_kept() -> None:
    assert Evidence.restored(asdict(Evidence())) == Evidence()


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"beyond": {"bets": [0.5], "peak": 1.0}}, "evidence of 1 bets: another version"),
        ({"beyond": {"bets": 3, "peak": 1.0}}, "this is no evidence of the judge: TypeError"),
        ({"canary": {"total": 3, "bad": 4}}, "4 of 3 requests can't be bad"),
        ({"canary": {"sum": 3}}, "this is no evidence of the judge: TypeError"),
        ({"within": {}}, "this is no evidence of the judge: KeyError"),
    ],
)
def test_anything_else_is_no_evidence(changed: dict[str, Any], problem: str) -> None:
    kept = asdict(Evidence().after(RateRule(), interval((3, 300), (1, 300))))
    with pytest.raises(ValueError, match=f"^{problem}"):
        Evidence.restored(kept | changed)


def test_bounds_are_reported_where_they_are_given() -> None:
    judgement = judge_rates(RateRule(), Evidence(), bounds=Bounds(-0.1, 0.2))
    assert (judgement.lower, judgement.upper) == (-0.1, 0.2)


@pytest.mark.parametrize(
    ("intervals", "verdict"),
    [
        ([interval((0, 1_000), (0, 1_000))] * 200, "wait"),
        ([interval((1_000, 1_000), (1_000, 1_000))] * 200, "wait"),
        ([interval((1_000, 1_000), (0, 1_000))], "fail"),
        ([interval((0, 1_000), (1_000, 1_000))] * 200, "pass"),
        ([interval((0, 1), (0, 1))] * 200, "wait"),
        ([interval((1, 1), (0, 1))] * 200, "fail"),
        ([interval((10**6, 10**9), (10**6, 10**9))] * 20, "wait"),
        ([interval((1_060_000, 10**9), (10**6, 10**9))], "fail"),
        ([interval((10**9, 10**9), (0, 10**9))], "fail"),
    ],
    ids=[
        "no errors",
        "all errors",
        "all against none",
        "none against all",
        "one request",
        "one bad request",
        "huge",
        "huge, 6% more",
        "huge, all against none",
    ],
)
def test_edges(intervals: Sequence[Interval], verdict: str) -> None:
    judgement = judged(RateRule(), intervals)
    assert judgement.verdict == verdict
    assert isfinite(judgement.statistic)


def test_no_errors_on_either_side_is_within_a_margin() -> None:
    assert judged(RateRule(margin=0.01), [interval((0, 500), (0, 500))] * 5).verdict == "pass"


totals = st.integers(1, 10**9)


@st.composite
def sides(draw: st.DrawFn) -> Counts:
    total = draw(totals)
    return Counts(total, draw(st.integers(0, total)))


@given(
    st.lists(st.builds(Interval, sides(), sides()), min_size=1, max_size=5),
    st.floats(1, 10),
    st.floats(0, 0.99),
)
def test_any_counts_are_judged_alike_again_and_fit_in_json(
    intervals: list[Interval], ratio: float, margin: float
) -> None:
    rule = RateRule(ratio=ratio, margin=margin)
    judgement = judged(rule, intervals)
    assert isfinite(judgement.statistic)
    assert 0 <= judgement.p_within <= 1
    assert 0 <= judgement.p_beyond <= 1
    assert judged(rule, intervals) == judgement
    evidence = Evidence().after(rule, intervals[0])
    assert Evidence.restored(orjson.loads(orjson.dumps(asdict(evidence)))) == evidence


@settings(max_examples=200)
@given(
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.sampled_from(TIMES),
    st.floats(1, 4),
    st.floats(0, 0.5),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_no_bet_is_expected_to_win_at_the_limit(
    requests: tuple[int, int], times: float, ratio: float, margin: float, rates: tuple[float, float]
) -> None:
    """The inequality of the bets' docstring, with the expectation computed in full, wherever the bet is centred."""
    canary, stable = requests
    rate, centre = rates
    at_limit = min(1.0, ratio * rate + margin)
    # The factor of an interval is a product over requests, so that two growths give the factor of any single one.
    traffic = (
        Interval(Counts(canary), Counts(stable)),
        Interval(Counts(canary, canary), Counts(stable)),
        Interval(Counts(canary), Counts(stable, stable)),
    )
    for each in (times, 1 / times):
        if each < 1 and at_limit < ratio * rate + margin:
            continue  # no canary is that bad
        good, both, other = (
            growths(interval, (each,), ratio=ratio, margin=margin, centre=centre)[0] for interval in traffic
        )
        assert _expected(good, both, other, (canary, stable), (at_limit, rate)) <= 1e-9


def _expected(
    good: float, canary_bad: float, stable_bad: float, requests: tuple[int, int], rates: tuple[float, float]
) -> float:
    """Return the logarithm of the expected factor: it is that of good requests times a mean over each bad one."""
    a_bad_canary = exp((canary_bad - good) / requests[0])
    a_bad_stable = exp((stable_bad - good) / requests[1])
    return (
        good
        + requests[0] * log(1 - rates[0] + rates[0] * a_bad_canary)
        + requests[1] * log(1 - rates[1] + rates[1] * a_bad_stable)
    )


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (lambda: RateRule(ratio=0.9), "ratio is 0.9; it must be 1 or more"),
        (lambda: RateRule(ratio=float("nan")), "ratio is nan; it must be 1 or more"),
        (lambda: RateRule(margin=1), "margin is 1; it must be 0 or more and less than 1"),
        (lambda: RateRule(alpha=0), "alpha is 0; it must be between 0 and 1"),
        (lambda: RateRule(burst=0), "burst is 0; it must be 1 or more"),
        (lambda: RateRule(minimum=0), "minimum is 0; it must be 1 or more"),
        (lambda: Counts(3, 4), "4 of 3 requests can't be bad"),
        (lambda: Counts(3, -1), "-1 of 3 requests can't be bad"),
    ],
)
def test_rules_that_mean_nothing_are_refused(rule: Callable[[], object], problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{problem}$"):
        rule()
