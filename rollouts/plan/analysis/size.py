"""What if the status of an analysis run becomes too large to be written? Then it tells less of the past.

An API server takes no object of more than 1.5 MB. A run whose status is refused would never come to its verdict, and
whoever waits for that would wait for ever. No verdict depends on what is left out here: the counters have it all.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from rollouts.api.analysis_run import AnalysisRunStatus, Measurement, MetricResult
from rollouts.plan.analysis.results import unfinished
from rollouts.plan.analysis.status import as_json

MOST = 512 * 1024
"""Characters of a status. The spec, and who wrote which field, need their room, too."""

Shorten = Callable[[MetricResult], MetricResult]


def fitted(status: AnalysisRunStatus) -> tuple[AnalysisRunStatus, dict[str, Any]]:
    """Return a status that can be written, and its JSON: the same, or with fewer measurements, or shorter texts."""
    written = as_json(status)
    for shorten in _WAYS:
        if len(json.dumps(written)) <= MOST:
            break
        status = status.model_copy(update={"metric_results": tuple(map(shorten, status.metric_results))})
        written = as_json(status)
    return status, written


def _newest(count: int, result: MetricResult) -> MetricResult:
    """Keep the newest measurements; one that goes on is the last."""
    return result.model_copy(update={"measurements": result.measurements[-count:]})


def _brief(length: int, result: MetricResult) -> MetricResult:
    """Cut the texts of measurements that have ended; what goes on is found again by its notes."""
    going_on = unfinished(result)
    measurements = tuple(each if each is going_on else _cut(each, length) for each in result.measurements)
    message = result.message and result.message[:length]
    return result.model_copy(update={"measurements": measurements, "message": message})


def _cut(measurement: Measurement, length: int) -> Measurement:
    texts = {"value": measurement.value, "message": measurement.message}
    return measurement.model_copy(
        update={**{name: text and text[:length] for name, text in texts.items()}, "metadata": None}
    )


def _forgetful(result: MetricResult) -> MetricResult:
    """Drop what a provider has left behind with the metric: it can do without."""
    return result.model_copy(update={"metadata": None})


_WAYS: tuple[Shorten, ...] = (
    *(partial(_newest, count) for count in (20, 10, 5, 2, 1)),
    *(partial(_brief, length) for length in (1024, 256, 64)),
    _forgetful,
)
