"""What can go wrong between a controller and its API server?"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeVar

from rollouts.sim.world import Raw, Snapshot

Name = TypeVar("Name", bound=Hashable)


class Trouble(Enum):
    """One kind of fault of one pass."""

    LOST_ACTION = "an action never arrives"
    LOST_ANSWER = "an action is carried out, but its answer is lost"
    LOST_STATUS = "the status write never arrives"
    CONFLICT = "somebody else writes the Rollout before we do"
    INTERRUPTED = "the next scripted change happens between two writes"
    CRASH = "the controller dies between two writes and forgets everything"
    STALE = "some objects are seen as they were before"
    LAG = "the ReplicaSet controller is slow"


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault; `place` tells which write or which objects it hits."""

    trouble: Trouble
    place: int = 0


def stale(current: Snapshot, earlier: Snapshot, owed: Mapping[str, int], place: int) -> Snapshot:
    """Return `current` with some objects as they were `earlier`, but never older than what we wrote ourselves.

    `owed` has the resourceVersion of the last answer that we got, by uid. Bit n of `place` decides about object n.
    """

    def mixed(now: Mapping[Name, Raw], before: Mapping[Name, Raw], first: int) -> dict[Name, Raw]:
        result = dict(now)
        for number, (name, raw) in enumerate(now.items(), first):
            old = before.get(name)
            if old is None or not place >> (number % 8) & 1 or old["metadata"]["uid"] != raw["metadata"]["uid"]:
                continue
            if int(old["metadata"]["resourceVersion"]) >= owed.get(raw["metadata"]["uid"], 0):
                result[name] = old
        return result

    return replace(
        current,
        rollouts=mixed(current.rollouts, earlier.rollouts, 0),
        replica_sets=mixed(current.replica_sets, earlier.replica_sets, 1),
        services=mixed(current.services, earlier.services, 4),
        workloads=mixed(current.workloads, earlier.workloads, 7),
        objects=mixed(current.objects, earlier.objects, 5),
        children=mixed(current.children, earlier.children, 2),
    )
