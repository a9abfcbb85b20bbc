"""Is what the judge keeps small, whole, and never counted twice?"""

import random
from typing import Any

import orjson
import pytest

from rollouts.judge import Counts, Interval, Ledger, RateRule, Seen, bounds_of_difference
from rollouts.judge.ledger import LONGEST_HISTORY

RULE = RateRule(margin=0.005)


def drawn(number: int, requests: int = 400, rate: float = 0.01, seed: int = 1) -> list[Interval]:
    source = random.Random(seed)  # noqa: S311 - nothing secret

    def side(total: int, rate: float) -> Counts:
        bad = round(source.gauss(total * rate, (total * rate) ** 0.5))
        return Counts(total, min(total, max(0, bad)))

    return [Interval(side(requests, rate), side(4 * requests, 0.01)) for _ in range(number)]


def kept(intervals: list[Interval], *, restart: bool = False) -> Ledger:
    ledger = Ledger()
    for each in intervals:
        canary, stable = (
            Seen(seen.counts + new, is_known=True)
            for seen, new in ((ledger.canary, each.canary), (ledger.stable, each.stable))
        )
        ledger = ledger.after(RULE, each, canary, stable)
        ledger = Ledger.restored(ledger.text()) if restart else ledger
    return ledger


def test_a_controller_that_starts_anew_after_each_measurement_knows_the_same() -> None:
    intervals = drawn(50)
    through, again = kept(intervals), kept(intervals, restart=True)
    assert (again.history, again.canary, again.stable) == (through.history, through.canary, through.stable)
    assert again.evidence.canary == through.evidence.canary
    assert again.evidence.beyond.peak == pytest.approx(through.evidence.beyond.peak, abs=0.01)
    assert again.evidence.within.peak == pytest.approx(through.evidence.within.peak, abs=0.01)


@pytest.mark.parametrize("requests", [1, 1_000_000])
def test_it_stays_small(requests: int) -> None:
    assert len(kept(drawn(1_000, requests)).text()) < 1_024


def test_neighbours_are_put_together_and_none_is_lost() -> None:
    intervals = drawn(1_000)
    ledger = kept(intervals)
    assert len(ledger.history) <= LONGEST_HISTORY
    assert ledger.evidence.canary == sum((each.canary for each in intervals), Counts())
    assert sum((each.stable for each in ledger.history), Counts()) == ledger.evidence.stable


def test_bounds_by_the_short_history_are_about_those_by_the_whole() -> None:
    intervals = drawn(100, rate=0.015)
    short, whole = kept(intervals).bounds(RULE), bounds_of_difference(intervals, 2 * RULE.alpha)
    assert short.lower == pytest.approx(whole.lower, abs=0.0005)
    assert short.upper == pytest.approx(whole.upper, abs=0.0005)


def test_the_short_bounds_enclose_the_truth_at_every_look() -> None:
    """Both bounds, each at alpha: 40 canaries, 40 looks, 0.1 of them may be outside at some time."""
    outside = 0
    for seed in range(40):
        ledger = Ledger()
        for each in drawn(40, rate=0.02, seed=seed):
            ledger = ledger.after(RULE, each, Seen(), Seen())
            bounds = ledger.bounds(RULE)
            if not bounds.lower <= 0.01 <= bounds.upper:
                outside += 1
                break
    assert outside <= 4


def test_what_a_verdict_excludes_is_outside_the_bounds() -> None:
    for rate, is_bad in ((0.03, True), (0.01, False)):
        ledger = kept(drawn(60, rate=rate))
        bounds = ledger.bounds(RULE)
        assert (bounds.lower >= RULE.margin) == is_bad
        assert (bounds.upper <= RULE.margin) == (not is_bad)


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"seen":[[],[]],"history":[[1]]}', '{"seen":1}', "\xff"])
def test_what_is_no_ledger_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Ledger.restored(text)


def test_every_part_is_checked() -> None:
    whole = orjson.loads(kept(drawn(3)).text())
    rubbish: tuple[Any, ...] = (None, 7, "x", [1], [[1, 2, 3, 4]])
    for name in whole:
        for each in rubbish:
            if name == "intervals" and each == 7:
                continue
            with pytest.raises(ValueError, match=r"."):
                Ledger.restored(orjson.dumps({**whole, name: each}).decode())


Reading = tuple[float | None, float | None]


@pytest.mark.parametrize(
    ("told", "news"),
    [
        pytest.param([(10.4, 1.2), (25.0, 2.9)], [(10, 1), (15, 1)], id="whole requests only"),
        pytest.param([(None, None), (5.0, None)], [(0, 0), (5, 0)], id="no series are no requests"),
        pytest.param([(100.0, 4.0), (98.0, 3.0), (103.0, 5.0)], [(100, 4), (0, 0), (3, 1)], id="estimates that fall"),
        pytest.param([(10.0, 0.0), (12.0, 7.0), (30.0, 7.0)], [(10, 0), (2, 2), (18, 5)], id="bad ones ahead"),
        pytest.param([(50.0, 1.0), (50.0, 1.0)], [(50, 1), (0, 0)], id="asked twice"),
    ],
)
def test_answers_since_the_start_are_counted_once(told: list[Reading], news: list[tuple[int, int]]) -> None:
    seen, found = Seen(), []
    for total, bad in told:
        new, seen = seen.since_start(total, bad)
        found.append((new.total, new.bad))
    assert found == news


@pytest.mark.parametrize(
    ("told", "news"),
    [
        pytest.param([(900.0, 9.0), (950.0, 10.0)], [(0, 0), (50, 1)], id="the first reading is where it starts"),
        pytest.param([(900.0, 9.0), (20.0, 1.0), (60.0, 2.0)], [(0, 0), (0, 0), (40, 1)], id="a reset"),
        pytest.param([(900.0, 9.0), (950.0, 3.0), (960.0, 4.0)], [(0, 0), (0, 0), (10, 1)], id="a reset of bad ones"),
        pytest.param([(900.0, 9.0), (None, None), (950.0, 9.0)], [(0, 0), (0, 0), (50, 0)], id="a gap"),
        pytest.param([(900.0, 9.0), (940.0, None), (950.0, 9.0)], [(0, 0), (0, 0), (50, 0)], id="half a gap"),
        pytest.param([(900.0, None), (950.0, None), (960.0, 2.0)], [(0, 0), (50, 0), (10, 2)], id="none was bad"),
        pytest.param([(0.0, 0.0), (50.0, 60.0)], [(0, 0), (50, 50)], id="never more than there are"),
    ],
)
def test_counters_are_counted_once(told: list[Reading], news: list[tuple[int, int]]) -> None:
    seen, found = Seen(), []
    for total, bad in told:
        new, seen = seen.by_counter(total, bad)
        found.append((new.total, new.bad))
    assert found == news
