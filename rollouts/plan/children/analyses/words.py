"""How far is an analysis run? In words that people read: what it has measured, what it waits for, how it ended."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rollouts.api.analysis_run import MetricResult, parse_analysis_run_status
from rollouts.plan.analysis.assess import COMPLETED
from rollouts.plan.analysis.metric import count_of
from rollouts.plan.analysis.results import last_of
from rollouts.plan.children.child import Child

Raw = Mapping[str, Any]

# Longer values are cut: one may be a whole JSON document.
_LONGEST_VALUE = 120


def told(run: Child) -> str:
    """Say how far a run is."""
    if run.has_ended:
        return f"analysis run {run.name} is {run.phase}" + (f": {run.message}" if run.message else "")
    if run.is_terminating:
        return f"analysis run {run.name} has been told to end"
    newest = [_with_newest(each) for each in _mappings(run.raw.get("status"), "metricResults")]
    status, _ = parse_analysis_run_status({"metricResults": newest})
    if not status.metric_results:
        return f"analysis run {run.name} has not measured anything yet"
    return f"analysis run {run.name}: {', '.join(_metrics(run, status.metric_results))}"


def _mappings(part: object, name: str) -> list[Raw]:
    """Return the items of a list that anybody may have written to."""
    value = part.get(name) if isinstance(part, Mapping) else None
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _with_newest(result: Raw) -> Raw:
    """Return what is known of a metric with its newest measurement only: reading all of them takes long."""
    return {**result, "measurements": _mappings(result, "measurements")[-1:]}


def _metrics(run: Child, results: Iterable[MetricResult]) -> Iterator[str]:
    metrics = {each.get("name"): each for each in _mappings(run.raw.get("spec"), "metrics")}
    for each in results:
        yield f'metric "{each.name}"{" (dry run)" if each.dry_run else ""} {_progress(each, metrics.get(each.name))}'


def _progress(result: MetricResult, metric: Raw | None) -> str:
    if result.phase in COMPLETED:
        return f"is {result.phase}" + (f": {result.message}" if result.message else "")
    done, wanted = result.count or 0, _count(metric)
    text = f"{done} of {wanted} measurements" if wanted is not None else f"{done} measurement{'s' * (done != 1)}"
    errors = f", {result.error} without an answer" if result.error else ""
    last = last_of(result)
    if last is None:
        return f"{text}{errors}"
    value = (last.value or last.message or "").strip()
    value = value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]}..."
    return f"{text}{errors}, last {value} ({last.phase})" if value else f"{text}{errors}, last is {last.phase}"


def _count(metric: Raw | None) -> int | None:
    try:
        return count_of(metric.get("count"), metric.get("interval")) if metric is not None else None
    except (ValueError, TypeError):
        return None  # an argument stands for it, or it is no number at all
