"""Is the judge right when it looks at every interval, from Prometheus' estimates to the verdict of the run? Seeded."""

from statistics import median

import numpy as np
import pytest

from rollouts.judge import Evidence, Interval, RateRule, Seen
from tests.measure.judge_course import JudgedCourse, judged
from tests.measure.shop import Shop

GOOD, BAD = 0.01, 0.02
REQUESTS = {"abc": 10.0, "xyz": 40.0}


def shop(seed: int, rate: float, every: int = 15) -> Shop:
    return Shop.drawn(seed, {"abc": rate, "xyz": GOOD}, REQUESTS, 1_300, every)


def verdict(seed: int, rate: float) -> tuple[str, int]:
    """Return the run's verdict, and after how many measurements it came."""
    course = JudgedCourse(judged(count=20, interval="60s"), shop(seed, rate).increase).go()
    return course.raw["status"]["phase"], len(course.phases)


def test_good_canaries_are_aborted_hardly_ever() -> None:
    """The whole path. At alpha 0.05 more than 6 of 60 would come by chance once in 50 times."""
    verdicts = [verdict(seed, GOOD)[0] for seed in range(60)]
    assert verdicts.count("Failed") + verdicts.count("Successful") == 60
    assert verdicts.count("Failed") <= 6


def test_a_doubled_rate_is_found() -> None:
    told = [verdict(seed, BAD) for seed in range(1_000, 1_030)]
    assert sum(phase == "Failed" for phase, _ in told) >= 29
    assert median(looks for _, looks in told) <= 6


@pytest.mark.parametrize(("interval", "every"), [(30, 15), (60, 15), (60, 30)])
@pytest.mark.parametrize("rate", [0.002, 0.01, 0.1])
def test_estimates_at_the_edges_of_windows_abort_nobody(interval: int, every: int, rate: float) -> None:
    """Half of the first window may be an estimate. 300 canaries each, by the readings and the evidence alone."""
    rule, aborted = RateRule(), 0
    for seed in range(300):
        here = Shop.drawn(seed, {"abc": rate, "xyz": rate}, REQUESTS, 1_300, every)
        evidence, seen = Evidence(), {"abc": Seen(), "xyz": Seen()}
        for at in range(interval, 1_200, interval):
            new = {}
            for version, before in seen.items():
                asked = [here.increase(f"{what} {version} {at}", at) for what in ("total", "bad")]
                new[version], seen[version] = before.since_start(*asked)
            evidence = evidence.after(rule, Interval(new["abc"], new["xyz"]))
        aborted += evidence.beyond.peak >= -np.log(rule.alpha)
    assert aborted <= 300 * rule.alpha
