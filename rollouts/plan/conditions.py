"""Which conditions does a Rollout show? An output of the decisions; never read back to decide.

The one exception is the progress deadline's clock: the API keeps it only in the Progressing condition's lastUpdateTime.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from rollouts.api.meta import Condition
from rollouts.api.timestamps import format_time

Truth = Literal["True", "False", "Unknown"]

PROGRESSING = "Progressing"
ABORTED = "RolloutAborted"
TIMED_OUT = "ProgressDeadlineExceeded"
PAUSED = "RolloutPaused"
RESUMED = "RolloutResumed"
RETRIED = "RolloutRetry"
CREATED = "NewReplicaSetCreated"
FOUND = "FoundNewReplicaSet"
UPDATED = "ReplicaSetUpdated"
AVAILABLE = "NewReplicaSetAvailable"
NOT_AVAILABLE = "ReplicaSetNotAvailable"
CREATE_ERROR = "ReplicaSetCreateError"
INVALID_SPEC = "InvalidSpec"

# Reasons under which Progressing tells of movement only: replacing one by another is no news worth a write of its own.
MOVING = frozenset({CREATED, FOUND, UPDATED, RESUMED, RETRIED})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A condition as it should be. `refreshes` renews lastUpdateTime and message even if nothing else changes."""

    type: str
    status: Truth
    reason: str
    message: str
    refreshes: bool = False


def find(conditions: Iterable[Condition] | None, kind: str) -> Condition | None:
    """Return the condition of a type, if it is there."""
    return next((each for each in conditions or () if each.type == kind), None)


def _as_json(condition: Condition) -> dict[str, Any]:
    return {
        "type": condition.type,
        "status": condition.status,
        "reason": condition.reason,
        "message": condition.message,
        "lastUpdateTime": format_time(condition.last_update_time),
        "lastTransitionTime": format_time(condition.last_transition_time),
    }


def _new(wanted: Wanted, previous: Condition | None, now: datetime) -> dict[str, Any]:
    moved = previous is None or previous.status != wanted.status
    since = now if moved or previous is None else previous.last_transition_time
    return {
        "type": wanted.type,
        "status": wanted.status,
        "reason": wanted.reason,
        "message": wanted.message,
        "lastUpdateTime": format_time(now),
        "lastTransitionTime": format_time(since),
    }


def merge(
    old: Sequence[Condition] | None, wanted: Iterable[Wanted], drop: Iterable[str], now: datetime
) -> list[dict[str, Any]]:
    """Return the conditions as JSON: unchanged ones keep their place and times, changed ones move to the end."""
    gone = set(drop)
    kept = {each.type: each for each in old or () if each.type not in gone}
    changed: list[dict[str, Any]] = []
    for each in wanted:
        previous = kept.get(each.type)
        is_same = previous is not None and (previous.status, previous.reason) == (each.status, each.reason)
        if is_same and not each.refreshes:
            continue
        kept.pop(each.type, None)
        changed.append(_new(each, previous, now))
    return [*(_as_json(each) for each in kept.values()), *changed]


def deadline_of(condition: Condition | None, seconds: int) -> datetime | None:
    """Return when the progress deadline ends, or None where no clock runs.

    A completed update has no deadline; neither has one that is aborted, paused or already out of time.
    """
    if condition is None or condition.reason in {ABORTED, PAUSED, AVAILABLE, TIMED_OUT}:
        return None
    return condition.last_update_time + timedelta(seconds=seconds)
