"""What is known of one metric after its latest measurement? Counters, what is kept, and the metric's verdict."""

from datetime import datetime

from rollouts.api.analysis_run import Measurement, MetricResult
from rollouts.plan.analysis.assess import COMPLETED, ERROR, FAILED, INCONCLUSIVE, RUNNING, SUCCESSFUL
from rollouts.plan.analysis.metric import Rules

_COUNTERS = {SUCCESSFUL: "successful", FAILED: "failed", INCONCLUSIVE: "inconclusive"}
TERMINATED = "terminated: the analysis has ended"


def last_of(result: MetricResult | None) -> Measurement | None:
    """Return the latest measurement."""
    return result.measurements[-1] if result is not None and result.measurements else None


def unfinished(result: MetricResult | None) -> Measurement | None:
    """Return the latest measurement if it has not ended yet."""
    last = last_of(result)
    return None if last is None or last.phase in COMPLETED else last


def is_known(result: MetricResult | None, started_at: datetime) -> bool:
    """Whether a measurement that began then has been recorded to its end, or belongs to none that goes on."""
    going_on, last = unfinished(result), last_of(result)
    if going_on is not None:
        return going_on.started_at not in (None, started_at)
    return last is not None and last.started_at is not None and last.started_at >= started_at


def record(result: MetricResult, measurement: Measurement, keep: int) -> MetricResult:
    """Add a measurement, or put it in the place of the one that went on."""
    before = result.measurements[:-1] if unfinished(result) else result.measurements
    kept = (*before, measurement)[-keep:]
    return result.model_copy(update={"measurements": kept, **_counted(result, measurement.phase)})


def record_termination(result: MetricResult, now: datetime) -> MetricResult:
    """End the measurement that went on. It says nothing about the version, so it isn't counted."""
    last = result.measurements[-1]
    ended = last.model_copy(
        update={"phase": INCONCLUSIVE, "message": TERMINATED, "finished_at": now, "resume_at": None}
    )
    return result.model_copy(update={"measurements": (*result.measurements[:-1], ended)})


def _counted(result: MetricResult, phase: str) -> dict[str, int]:
    if phase not in COMPLETED:
        return {}
    if phase == ERROR:
        return {
            "error": (result.error or 0) + 1,
            "consecutive_error": (result.consecutive_error or 0) + 1,
            "consecutive_success": 0,
        }
    name = _COUNTERS[phase]
    return {
        "count": (result.count or 0) + 1,
        name: (getattr(result, name) or 0) + 1,
        "consecutive_error": 0,
        "consecutive_success": (result.consecutive_success or 0) + 1 if phase == SUCCESSFUL else 0,
    }


def exceeded(result: MetricResult, rules: Rules) -> tuple[str, str]:
    """Return (phase, why) for the limit that is exceeded; of several the last one counts, as in the API."""
    failed, inconclusive, errors = result.failed or 0, result.inconclusive or 0, result.consecutive_error or 0
    verdict = ("", "")
    if 0 <= rules.failure_limit < failed:
        verdict = FAILED, f"failed ({failed}) > failureLimit ({rules.failure_limit})"
    if inconclusive > rules.inconclusive_limit:
        verdict = INCONCLUSIVE, f"inconclusive ({inconclusive}) > inconclusiveLimit ({rules.inconclusive_limit})"
    if errors > rules.consecutive_error_limit:
        verdict = ERROR, f"consecutiveErrors ({errors}) > consecutiveErrorLimit ({rules.consecutive_error_limit})"
    return verdict


def verdict_of(result: MetricResult, rules: Rules, *, is_terminating: bool) -> tuple[str, str]:
    """Return (phase, why) of a metric that has no verdict yet."""
    phase, why = exceeded(result, rules)
    if phase:
        return phase, why
    if not is_terminating and unfinished(result):
        return RUNNING, ""
    if 0 < rules.consecutive_success_limit <= (result.consecutive_success or 0):
        return SUCCESSFUL, ""
    if rules.count is not None and (result.count or 0) >= rules.count:
        return _at_the_end(result, rules)
    return _interrupted(result, rules) if is_terminating else (RUNNING, "")


def _interrupted(result: MetricResult, rules: Rules) -> tuple[str, str]:
    """Return (phase, why) of a metric that is ended before its time. One without a count has nothing left to show."""
    is_bad_so_far = not result.successful and bool(result.failed or result.inconclusive or result.error)
    if rules.count is None or not is_bad_so_far:
        return SUCCESSFUL, ""
    total = (result.count or 0) + (result.error or 0)
    return INCONCLUSIVE, f"it was terminated before any measurement was successful ({total} were taken)"


def _at_the_end(result: MetricResult, rules: Rules) -> tuple[str, str]:
    """Return (phase, why) after the last measurement, with no limit exceeded."""
    if rules.consecutive_success_limit > 0:
        phase = INCONCLUSIVE if rules.failure_limit >= 0 else FAILED
        in_a_row = result.consecutive_success or 0
        limit = rules.consecutive_success_limit
        return phase, f"consecutiveSuccess ({in_a_row}) < consecutiveSuccessLimit ({limit}) after the last measurement"
    if result.successful:
        return SUCCESSFUL, ""
    # Tolerated one by one, but not one measurement speaks for the version.
    return (INCONCLUSIVE if result.inconclusive else FAILED), f"none of {result.count} measurements was successful"
