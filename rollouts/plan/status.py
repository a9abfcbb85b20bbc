"""What does the whole new status say? Facts counted from the ReplicaSets, plus what was decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rollouts.api import keys
from rollouts.api.status import TrafficWeights
from rollouts.api.timestamps import format_time
from rollouts.plan import conditions
from rollouts.plan.calls import as_json
from rollouts.plan.observed import Observed
from rollouts.plan.phase import phase_of
from rollouts.plan.revisions import Revisions
from rollouts.plan.services import Selection
from rollouts.plan.state import State
from rollouts.plan.workload import generation_of

Raw = Mapping[str, Any]

_COUNTS = frozenset({"replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "HPAReplicas", "message"})
_OURS = _COUNTS | {
    "abort", "abortedAt", "collisionCount", "conditions", "controllerPause", "currentPodHash", "currentStepHash",
    "currentStepIndex", "duration", "observedGeneration", "pauseConditions", "phase", "promoteFull", "restartedAt",
    "routedBy", "selector", "stableRS", "workloadObservedGeneration",
}  # fmt: skip

_CANARY_RUNS = {
    keys.ROLLOUT_TYPE_STEP: "currentStepAnalysisRunStatus",
    keys.ROLLOUT_TYPE_BACKGROUND: "currentBackgroundAnalysisRunStatus",
}
_BLUE_GREEN_RUNS = {
    keys.ROLLOUT_TYPE_PRE_PROMOTION: "prePromotionAnalysisRunStatus",
    keys.ROLLOUT_TYPE_POST_PROMOTION: "postPromotionAnalysisRunStatus",
}
RUNS: Mapping[str, tuple[str, str]] = {
    **{slot: ("canary", name) for slot, name in _CANARY_RUNS.items()},
    **{slot: ("blueGreen", name) for slot, name in _BLUE_GREEN_RUNS.items()},
}
"""Where the status names the current analysis run of each slot."""

_OUR_CANARY = frozenset(
    {
        "currentExperiment",
        "pausedStepIndex",
        "stablePingPong",
        "stepPluginStatuses",
        "weights",
        *_CANARY_RUNS.values(),
    }
)


@dataclass(frozen=True, slots=True)
class Counts:
    """Pods as the ReplicaSets report them.

    `replicas` counts all; `updated` and `updated_available` are those of the current template. `ready`, `available` and
    `scaled`, which autoscalers look at, count all of a canary, and of blue-green those that the active Service selects.
    """

    replicas: int
    updated: int
    ready: int
    available: int
    updated_available: int
    scaled: int

    @classmethod
    def of(cls, revisions: Revisions, selection: Selection | None = None) -> "Counts":
        canary, every = revisions.canary, revisions.all
        active = selection.active_among(revisions) if selection is not None else None
        counted = (active,) if active is not None else every
        return cls(
            replicas=sum(each.replicas for each in every),
            updated=canary.replicas if canary else 0,
            ready=sum(each.ready for each in counted),
            available=sum(each.available for each in counted),
            updated_available=canary.available if canary else 0,
            scaled=sum(each.replicas for each in counted),
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


def _canary(state: State) -> dict[str, Any]:
    """Return the part of the memory that is the canary's own."""
    memory = {
        "currentExperiment": state.experiment or None,
        "pausedStepIndex": state.paused_index,
        "stablePingPong": state.ping_pong or None,
        "stepPluginStatuses": as_json(state.calls) or None,
        "weights": None if state.weights is None else _weights(state.weights),
        **_runs(state, _CANARY_RUNS),
    }
    return {key: value for key, value in memory.items() if value is not None}


def _runs(state: State, fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the current analysis runs as JSON, None for a slot that has none."""
    records = {name: state.runs.get(slot) for slot, name in fields.items()}
    return {
        name: None if record is None else record.model_dump(mode="json", by_alias=True, exclude_none=True)
        for name, record in records.items()
    }


def _weights(weights: TrafficWeights) -> dict[str, Any]:
    raw = weights.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {key: value for key, value in raw.items() if value != []}


def build_status(
    here: Observed,
    state: State,
    counts: Counts,
    selection: Selection | None,
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
        HPAReplicas=counts.scaled,
        selector=_selector(here, selection),
        conditions=conditions.merge(here.status.conditions, wanted, (conditions.INVALID_SPEC,), now),
    )
    if here.workload is not None:
        status["workloadObservedGeneration"] = generation_of(here.workload)
    if duration:
        status["duration"] = dict(duration)
    for name, part in _strategy_parts(old, state, selection).items():
        if part:
            status[name] = part
        else:
            status.pop(name, None)
    status["phase"], message = phase_of(here.raw["spec"], status)
    if message:
        status["message"] = message
    return status


def _selector(here: Observed, selection: Selection | None) -> str:
    """Return which pods an autoscaler looks at: of blue-green those of the active version, once there is one."""
    everything = str(here.selector) or "<none>"
    if selection is None or not selection.active:
        return everything
    return f"{everything},{keys.POD_TEMPLATE_HASH}={selection.active}"


def _strategy_parts(old: Raw, state: State, selection: Selection | None) -> dict[str, dict[str, Any]]:
    """Return the parts of the status that belong to one strategy; what the other one has left is empty."""
    if selection is None:
        others = {key: value for key, value in (old.get("canary") or {}).items() if key not in _OUR_CANARY}
        return {"canary": others | _canary(state), "blueGreen": {}}
    blue_green = {
        **(old.get("blueGreen") or {}),
        "activeSelector": selection.active,
        "previewSelector": selection.preview,
        "scaleUpPreviewCheckPoint": state.check_point,
        **_runs(state, _BLUE_GREEN_RUNS),
    }
    return {"canary": {}, "blueGreen": {key: value for key, value in blue_green.items() if value}}


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
