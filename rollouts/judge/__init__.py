"""Is the canary worse than the stable version? Statistics for the metric provider `judge`, which compares the two.

`judge_rates` is for shares of requests (failed ones, or those slower than a threshold) and may be asked at every
interval; `judge_samples` is for latencies, once, at the end of a step. Both are pure functions of numbers.
docs/explanation/statistics.md tells what they assume, and how quick and how right they were when measured.
"""

from rollouts.judge.bounds import Bounds, bounds_of_difference
from rollouts.judge.counts import Counts, Interval
from rollouts.judge.evidence import Evidence
from rollouts.judge.judgement import Judgement, Verdict
from rollouts.judge.ledger import Ledger
from rollouts.judge.rates import judge_rates
from rollouts.judge.readings import Seen
from rollouts.judge.rules import RateRule, SampleRule
from rollouts.judge.samples import judge_samples

__all__ = [
    "Bounds",
    "Counts",
    "Evidence",
    "Interval",
    "Judgement",
    "Ledger",
    "RateRule",
    "SampleRule",
    "Seen",
    "Verdict",
    "bounds_of_difference",
    "judge_rates",
    "judge_samples",
]
