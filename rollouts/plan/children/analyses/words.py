"""How far is an analysis run? In words that people read: what it has measured, what it waits for, how it ended."""

from collections.abc import Iterator

from rollouts.api.analysis_run import MetricResult, parse_analysis_run_status
from rollouts.api.metrics import Metric
from rollouts.plan.analysis.assess import COMPLETED
from rollouts.plan.analysis.metric import rules_of
from rollouts.plan.analysis.observed import observe_run
from rollouts.plan.analysis.results import last_of
from rollouts.plan.children.child import Child

# Longer values are cut: one may be a whole JSON document.
_LONGEST_VALUE = 120


def told(run: Child) -> str:
    """Say how far a run is."""
    if run.has_ended:
        return f"analysis run {run.name} is {run.phase}" + (f": {run.message}" if run.message else "")
    if run.is_terminating:
        return f"analysis run {run.name} has been told to end"
    status, _ = parse_analysis_run_status(run.raw.get("status"))
    if not status.metric_results:
        return f"analysis run {run.name} has not measured anything yet"
    return f"analysis run {run.name}: {', '.join(_metrics(run, status.metric_results))}"


def _metrics(run: Child, results: tuple[MetricResult, ...]) -> Iterator[str]:
    spec = observe_run(run.raw).spec
    metrics = {each.name: each for each in spec.metrics} if spec is not None else {}
    for each in results:
        yield f'metric "{each.name}"{" (dry run)" if each.dry_run else ""} {_progress(each, metrics.get(each.name))}'


def _progress(result: MetricResult, metric: Metric | None) -> str:
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


def _count(metric: Metric | None) -> int | None:
    try:
        return rules_of(metric).count if metric is not None else None
    except ValueError:
        return None  # an argument stands for it
