"""Which metrics only report, and how many measurements are kept? Rules that find metrics by a part of their name."""

from collections.abc import Iterable, Iterator, Sequence

from rollouts.api.analysis import DryRun, MeasurementRetention
from rollouts.expr.errors import Failure
from rollouts.expr.patterns import matches
from rollouts.plan.problem import Problem

DEFAULT_RETENTION = 10


def finds(pattern: str, name: str) -> bool:
    """Whether a regular expression occurs in a metric's name; a broken one finds nothing."""
    try:
        return matches(name, pattern)
    except Failure:
        return False


def is_dry(name: str, rules: Iterable[DryRun]) -> bool:
    """Whether a metric only reports."""
    return any(finds(rule.metric_name, name) for rule in rules)


def retention_of(name: str, rules: Iterable[MeasurementRetention]) -> int:
    """Return how many measurements of a metric are kept."""
    limits = (rule.limit for rule in rules if finds(rule.metric_name, name) and rule.limit > 0)
    return next(limits, DEFAULT_RETENTION)


def rule_problems(
    field: str, rules: Sequence[DryRun | MeasurementRetention], names: Sequence[str]
) -> Iterator[Problem]:
    """Yield the rules that find none of the metrics, and those that are there twice."""
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        path = f"{field}[{index}]"
        if rule.metric_name in seen:
            yield Problem(f"{path}.metricName", f'"{rule.metric_name}" is there twice: keep one of them')
        seen.add(rule.metric_name)
        if not any(finds(rule.metric_name, name) for name in names):
            try:
                matches("", rule.metric_name)
                hint = f"metrics are {', '.join(names) or 'none'}"
            except Failure as error:
                hint = f"{error}; write .* for every metric"
            yield Problem(path, f"Rule didn't match any metric name(s): {hint}")
