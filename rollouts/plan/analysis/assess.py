"""What does a measurement mean? A provider's outcome and the metric's conditions become a phase with a message."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, quote_plus

from rollouts.api.analysis_run import Measurement
from rollouts.api.metrics import Metric
from rollouts.expr import ExpressionError, evaluate, go_type
from rollouts.plan.analysis.metric import rules_of
from rollouts.plan.analysis.observed import Taken
from rollouts.ports.provider import NoData, Pending, Reading, Verdict

RUNNING, PENDING = "Running", "Pending"
SUCCESSFUL, FAILED, INCONCLUSIVE, ERROR = "Successful", "Failed", "Inconclusive", "Error"
COMPLETED = frozenset({SUCCESSFUL, FAILED, INCONCLUSIVE, ERROR})
REDACTED = "*****"
# What goes into a status is kept in etcd, ten times per metric.
_LONGEST = 4_096
_SHORTEST_WAIT = timedelta(seconds=1)

_NO_DATA: Mapping[str, str] = {"fail": FAILED, "inconclusive": INCONCLUSIVE}


def judge(metric: Metric, result: Any, now: datetime) -> tuple[str, str]:
    """Return (phase, message) of what was measured, by the metric's conditions."""
    verdicts: dict[str, bool] = {}
    for name, condition in (("success", metric.success_condition), ("failure", metric.failure_condition)):
        if not condition:
            continue
        try:
            verdict = evaluate(condition, result, now)
        except ExpressionError as error:
            is_empty = result is None or (isinstance(result, list) and not result)
            return ERROR, f"metric result is nil or empty: {error}" if is_empty else str(error)
        if not isinstance(verdict, bool):
            return ERROR, f"expected bool, but got {go_type(verdict)}"
        verdicts[name] = verdict
    return _phase(verdicts.get("success"), verdicts.get("failure")), ""


def _phase(success: bool | None, failure: bool | None) -> str:  # noqa: FBT001 - the two answers, None without one
    if failure:
        return FAILED
    if success or (success is None and not failure):
        return SUCCESSFUL
    return FAILED if failure is None else INCONCLUSIVE


def assess(metric: Metric, taken: Taken) -> Measurement:
    """Return the measurement as the status shows it, without secrets."""
    at = taken.finished_at.replace(microsecond=0)
    measured = _measured(metric, taken, at)
    hidden = _hidden(taken.secrets.values())
    return measured.model_copy(
        update={
            "started_at": taken.started_at,
            "finished_at": at if measured.phase in COMPLETED else None,
            "value": _shown(measured.value, hidden),
            "message": _shown(measured.message, hidden),
            "metadata": redacted(measured.metadata, taken.secrets),
        }
    )


def _measured(metric: Metric, taken: Taken, at: datetime) -> Measurement:
    match taken.outcome:
        case None:
            return Measurement(phase=ERROR, message=taken.error or "the provider gave no answer")
        case Reading(result, value, metadata=metadata):
            phase, message = judge(metric, result, at)
            return Measurement(phase=phase, message=message, value=value, metadata=dict(metadata))
        case NoData() as nothing:
            return _without_data(metric, nothing, at)
        case Verdict(phase, value, message, metadata):
            if phase not in COMPLETED:
                phase, message = ERROR, f"the provider answered with the phase {phase!r}, which is none"
            return Measurement(phase=phase, message=message, value=value, metadata=dict(metadata))
        case Pending(again_after, metadata, message):
            wait = rules_of(metric).pause if again_after is None else max(again_after, _SHORTEST_WAIT)
            return Measurement(phase=RUNNING, message=message, resume_at=at + wait, metadata=dict(metadata))


def _without_data(metric: Metric, nothing: NoData, at: datetime) -> Measurement:
    policy = metric.no_data
    metadata = dict(nothing.metadata)
    if policy == "wait":
        again = at + rules_of(metric).pause
        return Measurement(phase=RUNNING, resume_at=again, message=f"waits for data: {nothing.because}")
    if policy is not None:
        message = f"no data: {nothing.because}"
        return Measurement(phase=_NO_DATA[policy], message=message, value=nothing.value, metadata=metadata)
    phase, message = (ERROR, nothing.error) if nothing.error else judge(metric, nothing.result, at)
    return Measurement(phase=phase, message=message, value=nothing.value, metadata=metadata)


def redacted(texts: Mapping[str, str] | None, secrets: Mapping[str, str]) -> dict[str, str] | None:
    """Return a provider's notes without the values of secrets; None if there are none."""
    hidden = _hidden(secrets.values())
    return {key: _shown(text, hidden) or "" for key, text in (texts or {}).items()} or None


def _hidden(secrets: Iterable[str]) -> list[str]:
    """Return the texts that give a secret away: the secret, and the forms in which requests carry it."""
    plain = {text for secret in secrets for text in (secret, secret.strip()) if text}
    coded = {form(text) for text in plain for form in (quote, quote_plus, _base64, _escaped)}
    return sorted(plain | coded, key=len, reverse=True)


def _base64(text: str) -> str:
    return b64encode(text.encode("utf-8", "surrogatepass")).decode()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _shown(text: str | None, hidden: Iterable[str]) -> str | None:
    for each in hidden:
        text = text and text.replace(each, REDACTED)
    if text and len(text) > _LONGEST:
        return f"{text[:_LONGEST]}... ({len(text)} characters)"
    return text or None
