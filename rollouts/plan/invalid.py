"""What happens to a Rollout that can't be carried out? It says so, keeps everything as it is, and looks again."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from rollouts.api.meta import Condition
from rollouts.api.status import parse_status
from rollouts.plan import conditions
from rollouts.plan.actions import Plan
from rollouts.plan.conditions import Wanted
from rollouts.plan.phase import DEGRADED

# What a spec refers to may appear later without any event for this object.
LOOK_AGAIN = timedelta(seconds=20)


def plan_invalid(raw: Mapping[str, Any], message: str, now: datetime, others: Sequence[str] = ()) -> Plan:
    """Return the plan that shows `message` as the InvalidSpec condition and touches nothing else.

    `others` are the problems that would come to light one by one: whoever asks why hears of all of them.
    """
    old = raw.get("status") or {}
    parsed, _ = parse_status(old)
    previous = conditions.find(parsed.conditions, conditions.INVALID_SPEC)
    wanted = Wanted(
        conditions.INVALID_SPEC, "True", conditions.INVALID_SPEC, message, refreshes=_is_other(previous, message)
    )
    status = dict(old) if isinstance(old, Mapping) else {}
    status.update(
        observedGeneration=str(raw["metadata"].get("generation", 0)),
        conditions=conditions.merge(parsed.conditions, (wanted,), (), now),
        phase=DEGRADED,
        message=f"{conditions.INVALID_SPEC}: {message}",
    )
    return Plan(
        status=status if status != old else None,
        wake_at=now + LOOK_AGAIN,
        because=(message, *others),
        problem=message,
    )


def _is_other(previous: Condition | None, message: str) -> bool:
    return previous is None or previous.message != message


def plan_unreadable(raw: Mapping[str, Any], problem: str, now: datetime) -> Plan:
    """Return the plan for a Rollout whose spec doesn't even have the API's shape; `problem` names path and value."""
    return plan_invalid(raw, f'The Rollout "{raw["metadata"]["name"]}" is invalid: {problem}', now)
