"""How did an analysis run or an experiment go, as a person says who counts and reads no phase?"""

from typing import Any

Json = dict[str, Any]
HEALTHY, PROGRESSING, DEGRADED, UNKNOWN = "Healthy", "Progressing", "Degraded", "Unknown"
_WORST_FIRST = (DEGRADED, UNKNOWN)
_UNLIMITED = -1
_ERRORS_IN_A_ROW = 4


def expected_of_run(run: Json) -> str:
    """Healthy, Progressing, Degraded or Unknown."""
    status = run.get("status") or {}
    if not status.get("completedAt"):
        return PROGRESSING
    results = status.get("metricResults") or []
    if not results:
        return HEALTHY if run["spec"].get("terminate") else DEGRADED  # ended before it began, or can't be carried out
    metrics = {each["name"]: each for each in run["spec"]["metrics"]}
    found = {_metric(metrics[each["name"]], each) for each in results if not each.get("dryRun")}
    return next((health for health in _WORST_FIRST if health in found), HEALTHY)


def _metric(metric: Json, result: Json) -> str:
    if _exceeds(result, "failed", metric.get("failureLimit", 0)):
        return DEGRADED
    if _exceeds(result, "consecutiveError", metric.get("consecutiveErrorLimit", _ERRORS_IN_A_ROW)):
        return DEGRADED
    if _exceeds(result, "inconclusive", metric.get("inconclusiveLimit", 0)):
        return UNKNOWN
    return HEALTHY if result.get("successful") or _watches(metric) else _without_success(metric, result)


def _exceeds(result: Json, name: str, limit: Any) -> bool:
    return int(limit) != _UNLIMITED and int(result.get(name, 0)) > int(limit)


def _watches(metric: Json) -> bool:
    """Whether it goes on until somebody ends it, which is its success."""
    return "interval" in metric and not metric.get("count")


def _without_success(metric: Json, result: Json) -> str:
    if not result.get("count") and not result.get("error"):
        return HEALTHY  # ended before anything was known
    is_done = int(result.get("count", 0)) >= int(metric.get("count") or 1)
    return DEGRADED if is_done and not result.get("inconclusive") else UNKNOWN


def expected_of_experiment(experiment: Json) -> str:
    """The same, by what became of its templates and analyses. One that was ended early may be either."""
    status = experiment.get("status") or {}
    phases = {each.get("phase") or each.get("status") for each in status.get("analysisRuns") or ()}
    phases |= {each.get("status") for each in status.get("templateStatuses") or ()}
    if phases & {"Failed", "Error"} and status.get("phase") not in {"Running", "Pending", None}:
        return DEGRADED
    return {"Successful": HEALTHY, "Failed": DEGRADED, "Error": DEGRADED, "Inconclusive": UNKNOWN}.get(
        status.get("phase", ""), PROGRESSING
    )
