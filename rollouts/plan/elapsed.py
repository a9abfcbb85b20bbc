"""How long did an update take, and how much of that did people take? Keeps `status.duration`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rollouts.api.status import RolloutDuration
from rollouts.api.timestamps import format_time

PROMOTED, FAST_PROMOTED, ABORTED = "Promoted", "FastPromoted", "Aborted"
ROLLED_BACK, FAST_ROLLED_BACK = "RolledBack", "FastRolledBack"


@dataclass(frozen=True, slots=True)
class Turn:
    """What happened to the update in this pass.

    `begins` starts the clock. `completion` is how it ended, once that is decided; `finishes` tells that its pods are
    all there, or that it was given up. `waits_for_people` tells that a pause has no end of its own.
    """

    begins: bool = False
    completion: str | None = None
    finishes: bool = False
    waits_for_people: bool = False


def duration_of(old: RolloutDuration | None, turn: Turn, now: datetime) -> dict[str, Any] | None:
    """Return the new `status.duration` as JSON, or None where there has been no update yet."""
    if turn.begins:
        old = RolloutDuration(rollout_started_at=now)
    if old is None:
        return None
    total = old.total_manual_pause_duration_seconds or 0
    pause = old.manual_pause_started_at
    if turn.waits_for_people and pause is None:
        pause = now
    elif pause is not None and not turn.waits_for_people:
        total += max(0, int((now - pause).total_seconds()))
        pause = None
    completion = turn.completion or old.completion_status
    finished = old.finished_at or (now if completion and turn.finishes else None)
    times = {"rolloutStartedAt": old.rollout_started_at, "manualPauseStartedAt": pause, "finishedAt": finished}
    duration: dict[str, Any] = {name: format_time(time) for name, time in times.items() if time is not None}
    if total:
        duration["totalManualPauseDurationSeconds"] = total
    if completion:
        duration["completionStatus"] = completion
    return duration
