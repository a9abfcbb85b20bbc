"""Which phase does a Rollout show, and why does it wait? What the status says, with a client's own checks in front.

The controller writes `status.phase` for the spec that it has seen. Between a person's write and the controller's next
pass that phase is out of date, so every client looks at three facts first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rollouts.api.durations import format_duration, parse_pause
from rollouts.view import fields
from rollouts.view.fields import Raw

HEALTHY, PROGRESSING, PAUSED, DEGRADED, UNKNOWN = "Healthy", "Progressing", "Paused", "Degraded", "Unknown"
COMPLETED = frozenset({"Successful", "Failed", "Inconclusive", "Error"})
"""The phases in which an analysis run or an experiment stays."""

RUN_STATUSES = (
    ("canary", "currentStepAnalysisRunStatus"),
    ("canary", "currentBackgroundAnalysisRunStatus"),
    ("blueGreen", "prePromotionAnalysisRunStatus"),
    ("blueGreen", "postPromotionAnalysisRunStatus"),
)
"""Where a Rollout's status names its present analysis runs."""

_NOT_CREATED = "Failed to create new replica set"


@dataclass(frozen=True, slots=True)
class Shown:
    """A phase and its message as people see them."""

    phase: str
    message: str = ""

    def __str__(self) -> str:
        return f"{self.phase} - {self.message}" if self.message else self.phase


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why nothing moves, until when if time alone ends it, and which verb of ours ends it (or none)."""

    reason: str
    until: datetime | None = None
    way_out: str = ""


def shown_status(rollout: Raw) -> Shown:
    """Return the phase and message to show."""
    status = fields.part(rollout, "status")
    if not fields.is_observed(rollout):
        return Shown(PROGRESSING, "waiting for rollout spec update to be observed")
    if status.get("controllerPause") and not status.get("pauseConditions"):
        return Shown(PROGRESSING, "waiting for rollout to unpause")
    if not fields.workload_is_observed(rollout):
        return Shown(PROGRESSING, "waiting for rollout spec update to be observed for the reference workload")
    if not status.get("phase"):
        return Shown(UNKNOWN, "the controller has not written a phase")
    return Shown(str(status["phase"]), str(status.get("message") or ""))


def is_invalid(rollout: Raw) -> bool:
    """Whether the controller refuses to act on the spec, which nothing but another spec ends."""
    return shown_status(rollout).message.startswith("InvalidSpec")


def refused_creation(rollout: Raw) -> str:
    """Return what the controller heard when it last tried to create the ReplicaSet; nothing unless that failed."""
    if not fields.is_observed(rollout):
        return ""
    conditions = fields.items(rollout, "status", "conditions")
    texts = [str(each.get("message", "")) for each in conditions if each.get("type") == "Progressing"]
    return next((text for text in texts if text.startswith(_NOT_CREATED)), "")


def current_step(rollout: Raw) -> Raw | None:
    """Return the step in progress; None when there is none."""
    steps = fields.items(rollout, "spec", "strategy", "canary", "steps")
    index = fields.part(rollout, "status").get("currentStepIndex")
    if not isinstance(index, int) or not 0 <= index < len(steps):
        return None
    step = steps[index]
    return step if isinstance(step, dict) else None


def _pause_length(rollout: Raw) -> timedelta | None:
    step = current_step(rollout)
    duration: Any = fields.part(step or {}, "pause").get("duration")
    try:
        return None if duration is None else parse_pause(duration)
    except ValueError:
        return None


def _canary_pause(rollout: Raw, condition: Raw) -> Waiting:
    length, since = _pause_length(rollout), fields.time_at(condition, "startTime")
    if length is None or since is None:
        return Waiting("the current step is a pause without a duration: somebody has to promote", None, "promote")
    return Waiting(f"the current step is a pause of {format_duration(length)}", since + length, "promote")


def _blue_green_pause(rollout: Raw, condition: Raw) -> Waiting:
    blue_green = fields.part(rollout, "spec", "strategy", "blueGreen")
    if blue_green.get("autoPromotionEnabled") is False:
        return Waiting(
            "the preview is ready, and autoPromotionEnabled is false: somebody has to promote", None, "promote"
        )
    seconds, since = fields.count(blue_green, "autoPromotionSeconds"), fields.time_at(condition, "startTime")
    until = since + timedelta(seconds=seconds) if since and seconds > 0 else None
    return Waiting("the preview waits for autoPromotionSeconds to pass", until, "promote")


def _inconclusive(rollout: Raw) -> str:
    """Name the run that couldn't decide."""
    status = fields.part(rollout, "status")
    runs = (fields.part(status, *place) for place in RUN_STATUSES)
    found = (str(each["name"]) for each in runs if each.get("status") == "Inconclusive" and each.get("name"))
    return next((f"analysis run {name}" for name in found), "an analysis run")


_PAUSES: dict[str, Callable[[Raw, Raw], Waiting]] = {
    "CanaryPauseStep": _canary_pause,
    "BlueGreenPause": _blue_green_pause,
    "InconclusiveAnalysisRun": lambda rollout, _: Waiting(
        f"{_inconclusive(rollout)} was inconclusive: somebody has to decide", None, "promote"
    ),
    "InconclusiveExperiment": lambda *_: Waiting(
        "an experiment was inconclusive: somebody has to decide", None, "promote"
    ),
}


def _refuge(rollout: Raw) -> str:
    """Say who serves after an abort: a share of the traffic, or a switched active Service, goes back first."""
    weights = fields.part(rollout, "status", "canary", "weights")
    if fields.count(fields.part(weights, "canary"), "weight") > 0:
        return "the traffic goes back to the stable pods"
    if weights.get("verified") is False:
        return "the traffic goes back to the stable pods, which isn't verified yet"
    stable, active = fields.part(rollout, "status").get("stableRS"), fields.active_hash(rollout)
    is_away = bool(stable and active) and active != stable
    return "the active Service goes back to the stable pods" if is_away else "the stable pods serve everything"


def _pause(rollout: Raw) -> Waiting | None:
    conditions = fields.items(rollout, "status", "pauseConditions")
    if not conditions:
        return None
    reason = str(conditions[0].get("reason", ""))
    known = _PAUSES.get(reason)
    return known(rollout, conditions[0]) if known else Waiting(f"paused: {reason}", None, "promote")


def waiting(rollout: Raw) -> Waiting | None:
    """Return what the Rollout waits for, as far as its own object tells; None unless for a person or a clock."""
    shown = shown_status(rollout)
    if shown.message.startswith("waiting for rollout"):
        return Waiting("the controller has not seen the latest change yet")
    if is_invalid(rollout):
        return Waiting("nothing is done until the spec, or what it names, is corrected")
    if fields.is_aborted(rollout) and fields.part(rollout, "spec").get("paused"):
        return Waiting("the update was aborted, but spec.paused keeps all pods as they are", None, "abort")
    if fields.is_aborted(rollout):
        return Waiting(f"the update was aborted: {_refuge(rollout)}", None, "retry rollout")
    if fields.part(rollout, "spec").get("paused"):
        return Waiting("spec.paused is true: somebody has to promote", None, "promote")
    return _pause(rollout)
