"""What does the whole new status say? Facts counted from the ReplicaSets, plus what was decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rollouts.api.timestamps import format_time
from rollouts.plan import conditions
from rollouts.plan.observed import Observed
from rollouts.plan.phase import phase_of
from rollouts.plan.revisions import Revisions
from rollouts.plan.state import State

Raw = Mapping[str, Any]

_COUNTS = frozenset({"replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "HPAReplicas", "message"})
_OURS = _COUNTS | {
    "abort", "abortedAt", "collisionCount", "conditions", "controllerPause", "currentPodHash", "currentStepHash",
    "currentStepIndex", "duration", "observedGeneration", "pauseConditions", "phase", "promoteFull", "restartedAt",
    "selector", "stableRS",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Counts:
    """Pods of all ReplicaSets, as the ReplicaSets report them; `updated` and `updated_available` are the canary's."""

    replicas: int
    updated: int
    ready: int
    available: int
    updated_available: int

    @classmethod
    def of(cls, revisions: Revisions) -> "Counts":
        canary, every = revisions.canary, revisions.all
        return cls(
            replicas=sum(each.replicas for each in every),
            updated=canary.replicas if canary else 0,
            ready=sum(each.ready for each in every),
            available=sum(each.available for each in every),
            updated_available=canary.available if canary else 0,
        )


def _pauses(state: State) -> list[dict[str, Any]]:
    return [{"reason": each.reason, "startTime": format_time(each.start_time)} for each in state.pauses]


def _memory(state: State) -> dict[str, Any]:
    """Return the memory as JSON, without what is empty."""
    memory: dict[str, Any] = {
        "abort": state.abort or None,
        "abortedAt": format_time(state.aborted_at) if state.aborted_at else None,
        "collisionCount": state.collision_count,
        "controllerPause": state.controller_pause or None,
        "currentPodHash": state.pod_hash or None,
        "currentStepHash": state.step_hash or None,
        "currentStepIndex": state.index,
        "pauseConditions": _pauses(state) or None,
        "promoteFull": state.promote_full or None,
        "restartedAt": format_time(state.restarted_at) if state.restarted_at else None,
        "stableRS": state.stable_hash or None,
    }
    return {key: value for key, value in memory.items() if value is not None}


def build_status(
    here: Observed,
    state: State,
    counts: Counts,
    wanted: Sequence[conditions.Wanted],
    duration: Raw | None,
    now: datetime,
) -> dict[str, Any]:
    """Return the whole status as JSON. What others keep there and isn't ours stays as it is."""
    old = here.sound_status
    status = {key: value for key, value in old.items() if key not in _OURS}
    status.update(_memory(state))
    status.update(
        observedGeneration=str(here.generation),
        replicas=counts.replicas,
        updatedReplicas=counts.updated,
        readyReplicas=counts.ready,
        availableReplicas=counts.available,
        HPAReplicas=counts.replicas,
        selector=str(here.selector) or "<none>",
        conditions=conditions.merge(here.status.conditions, wanted, (conditions.INVALID_SPEC,), now),
    )
    if duration:
        status["duration"] = dict(duration)
    canary = {key: value for key, value in (old.get("canary") or {}).items() if key != "pausedStepIndex"}
    if state.paused_index is not None:
        canary["pausedStepIndex"] = state.paused_index
    if canary:
        status["canary"] = canary
    else:
        status.pop("canary", None)
    status["phase"], message = phase_of(here.raw["spec"], status)
    if message:
        status["message"] = message
    return status


def _news(status: Raw) -> Any:
    """Return the part of a status that is worth a write of its own: everything but counts, messages and movement."""
    rest = {key: value for key, value in status.items() if key not in _COUNTS and key != "conditions"}
    rest["conditions"] = {
        each.get("type"): (each.get("status"), each.get("reason"))
        for each in status.get("conditions") or ()
        if isinstance(each, Mapping) and each.get("type") != "Available" and each.get("reason") not in conditions.MOVING
    }
    return rest


def can_wait(old: Raw, new: Raw) -> bool:
    """Whether the two differ in nothing that somebody waits for."""
    return bool(_news(old) == _news(new))
