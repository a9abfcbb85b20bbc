"""What does the status of an analysis run say? The run's verdict, its summaries, and all of it as JSON."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rollouts.api.analysis_run import AnalysisRunStatus, MetricResult
from rollouts.api.base import Model
from rollouts.api.timestamps import format_time
from rollouts.plan.analysis.assess import COMPLETED, ERROR, FAILED, INCONCLUSIVE, PENDING, RUNNING, SUCCESSFUL
from rollouts.plan.narrate import Event

Raw = Mapping[str, Any]

RUN_TERMINATED = "Run Terminated"
BAD = frozenset({FAILED, ERROR, INCONCLUSIVE})
_WORSE = (SUCCESSFUL, RUNNING, PENDING, INCONCLUSIVE, ERROR, FAILED)
_COUNTED = {SUCCESSFUL: "successful", FAILED: "failed", INCONCLUSIVE: "inconclusive", ERROR: "error"}


def worst(results: Iterable[MetricResult]) -> MetricResult | None:
    """Return the worst of the metrics that have a verdict and decide; of equal ones the first."""
    ended = [each for each in results if each.phase in COMPLETED and not each.dry_run]
    return max(ended, key=lambda each: _WORSE.index(each.phase), default=None)


def metric_message(result: MetricResult, why: str) -> str:
    """Return what the run says about the metric that decided it."""
    cause = f': "Error Message: {result.message}"' if result.message else ""
    return f'Metric "{result.name}" assessed {result.phase} due to {why}{cause}'


def summary(results: Iterable[MetricResult], names: Sequence[str], *, dry_run: bool) -> dict[str, int]:
    """Return how many metrics ended in which way; those that only report are counted apart."""
    counts = {"count": len(names)} if names else {}
    for each in results:
        if bool(each.dry_run) == dry_run and each.phase in COMPLETED:
            counts[_COUNTED[each.phase]] = counts.get(_COUNTED[each.phase], 0) + 1
    return counts


def as_json(part: Model | AnalysisRunStatus) -> dict[str, Any]:
    """Return a part of the status as the API writes it: nothing empty, and times in whole seconds."""
    raw: dict[str, Any] = _plain(part.model_dump(by_alias=True, exclude_none=True))
    return raw


def _plain(value: Any) -> Any:
    # As the API writes it: zero, false and empty texts are left out, objects stay. Concrete types, because a long
    # status has many values, and asking each of them whether it is a Mapping takes most of the time.
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items() if part or isinstance(part, dict)}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return format_time(value) if isinstance(value, datetime) else value


def events(old: AnalysisRunStatus, new: AnalysisRunStatus) -> list[Event]:
    """Return what there is to tell once the new status has been written."""
    before = {each.name: each.phase for each in old.metric_results}
    told = [
        _event(f"Metric{each.phase}", f"Metric '{each.name}' Completed. Result: {each.phase}", each.phase)
        for each in new.metric_results
        if each.phase in COMPLETED and before.get(each.name) not in COMPLETED
    ]
    if new.phase in COMPLETED and old.phase not in COMPLETED:
        told.append(_event(f"AnalysisRun{new.phase}", f"Analysis Completed. Result: {new.phase}", new.phase))
    return told


def _event(reason: str, message: str, phase: str) -> Event:
    return Event("Warning" if phase in (FAILED, ERROR) else "Normal", reason, message)
