"""How long does a ReplicaSet that is out of use keep its pods? As long as the scale-down deadline on it says.

Clients and load balancers take a while to follow a switch; until then the pods that they still talk to must live.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from rollouts.api import keys
from rollouts.api.timestamps import parse_time, whole_second
from rollouts.plan.observed import ReplicaSet


@dataclass(frozen=True, slots=True)
class Delays:
    """Which ReplicaSets stay until when, by name; `gone` names those whose time is over. `wake_at` is the first end."""

    deadlines: Mapping[str, datetime]
    gone: tuple[str, ...]

    @property
    def wake_at(self) -> datetime | None:
        return min(self.deadlines.values(), default=None)


def is_unreadable(text: str) -> bool:
    """Whether a scale-down deadline is no time at all."""
    try:
        parse_time(text)
    except ValueError:
        return True
    return False


def deadline_on(replica_set: ReplicaSet, now: datetime) -> datetime | None:
    """Return the deadline that a ReplicaSet carries; one that can't be read counts as over."""
    text = replica_set.annotations.get(keys.SCALE_DOWN_DEADLINE)
    if text is None:
        return None
    return now if is_unreadable(text) else parse_time(text)


def delay(replica_sets: Iterable[ReplicaSet], seconds: int, limit: int | None, now: datetime) -> Delays:
    """Give every ReplicaSet with pods `seconds` from now, once; no more than `limit` of them, the first ones first.

    A deadline that has been given is neither moved nor taken back. With no seconds there is no delay: all go at once.
    """
    deadlines: dict[str, datetime] = {}
    gone: list[str] = []
    for each in replica_sets:
        end = deadline_on(each, now)
        if end is None:
            end = whole_second(now) + timedelta(seconds=seconds)
        may_stay = each.size > 0 and end > now and (limit is None or len(deadlines) < limit)
        if may_stay:
            deadlines[each.name] = end
        else:
            gone.append(each.name)
    return Delays(deadlines, tuple(gone))
