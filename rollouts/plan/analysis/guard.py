"""Which metric watches over the pods themselves? The one that `podHealth: true` adds to an analysis."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from rollouts.api.base import parse
from rollouts.api.metrics import Metric
from rollouts.plan.analysis.metric import rules_of

Raw = Mapping[str, Any]

GUARD = "pod-health"
_INTERVAL = 10
_SHORTEST_WATCH = 60.0


def guarded(metrics: Sequence[Raw], canary_hash: str, stable_hash: str, *, is_endless: bool) -> list[Raw]:
    """Return the metrics with one more that compares pods; a metric of its name stays as it is.

    An analysis that somebody waits for must come to an end: the pods are watched as long as the longest other metric
    takes. What else measures without an end is ended by something that isn't known here.
    """
    if any(each.get("name") == GUARD for each in metrics):
        return [*metrics]
    longest = max([_SHORTEST_WATCH, *map(_seconds, metrics)])
    count = {} if is_endless else {"count": math.ceil(longest / _INTERVAL) + 1}
    hashes = {"canaryHash": canary_hash}
    if stable_hash and stable_hash != canary_hash:
        hashes["stableHash"] = stable_hash
    guard = {"name": GUARD, "interval": f"{_INTERVAL}s", **count, "provider": {"podHealth": hashes}}
    return [*metrics, guard]


def _seconds(metric: Raw) -> float:
    """Return how long a metric takes, as far as its numbers are known before its arguments are."""
    try:
        rules = rules_of(parse(Metric, metric))
    except (ValidationError, ValueError):
        return 0.0
    pause = 0.0 if rules.interval is None else rules.interval.total_seconds()
    return rules.initial_delay.total_seconds() + pause * ((rules.count or 1) - 1)
