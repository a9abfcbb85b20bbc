"""Which phase and message sum a Rollout up? A fixed order of questions about the status just computed."""

from collections.abc import Mapping
from typing import Any

from rollouts.api.timestamps import parse_time
from rollouts.plan import conditions
from rollouts.plan.analysis.assess import COMPLETED

PROGRESSING, PAUSED, DEGRADED, HEALTHY = "Progressing", "Paused", "Degraded", "Healthy"


def phase_of(raw_spec: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[str, str]:
    """Return (phase, message) for a status as JSON."""
    return (
        _degraded(status)
        or _paused(raw_spec, status)
        or _restarting(raw_spec, status)
        or _scaling(raw_spec, status)
        or _updating(raw_spec, status)
        or (HEALTHY, "")
    )


def _degraded(status: Mapping[str, Any]) -> tuple[str, str] | None:
    for condition in status.get("conditions") or ():
        if condition["type"] == conditions.INVALID_SPEC:
            return DEGRADED, f"{conditions.INVALID_SPEC}: {condition['message']}"
        if condition["reason"] in (conditions.ABORTED, conditions.TIMED_OUT):
            return DEGRADED, f"{condition['reason']}: {condition['message']}"
    return None


def _paused(raw_spec: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[str, str] | None:
    if raw_spec.get("paused"):
        return PAUSED, "manually paused"
    pauses = status.get("pauseConditions")
    return (PAUSED, pauses[0]["reason"]) if pauses else None


def _restarting(raw_spec: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[str, str] | None:
    wanted, done = raw_spec.get("restartAt"), status.get("restartedAt")
    if wanted and (not done or parse_time(wanted) != parse_time(done)):
        return PROGRESSING, "rollout is restarting"
    return None


def _scaling(raw_spec: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[str, str] | None:
    updated = status.get("updatedReplicas", 0)
    if updated < raw_spec.get("replicas", 1):
        return PROGRESSING, "more replicas need to be updated"
    if status.get("availableReplicas", 0) < updated:
        return PROGRESSING, "updated replicas are still becoming available"
    return None


def _updating(raw_spec: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[str, str] | None:
    strategy = raw_spec.get("strategy") or {}
    if strategy.get("blueGreen") is not None:
        return _cutting_over(raw_spec, status)
    # With a router, previous pods may wait for their scale-down delay: they get no traffic any more.
    is_routed = bool((strategy.get("canary") or {}).get("trafficRouting"))
    if not is_routed and status.get("replicas", 0) > status.get("updatedReplicas", 0):
        return PROGRESSING, "old replicas are pending termination"
    if status.get("stableRS") != status.get("currentPodHash"):
        return PROGRESSING, "waiting for all steps to complete"
    return None


def _cutting_over(raw_spec: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[str, str] | None:
    active = (status.get("blueGreen") or {}).get("activeSelector")
    has_nothing_to_serve = not active and raw_spec.get("replicas") == 0
    if active != status.get("currentPodHash") and not has_nothing_to_serve:
        return PROGRESSING, "active service cutover pending"
    if status.get("stableRS") != status.get("currentPodHash"):
        run = (status.get("blueGreen") or {}).get("postPromotionAnalysisRunStatus") or {}
        is_analysed = bool(raw_spec["strategy"]["blueGreen"].get("postPromotionAnalysis"))
        if is_analysed and run.get("status") not in COMPLETED:
            return PROGRESSING, "waiting for analysis to complete"
        return PROGRESSING, "waiting for post-promotion verification to complete"
    return None
