"""Which route should the routers have now?

The steps wish for a weight, the pods decide when it comes: weight moves once the side that is to get more has the pods
for it, and stays where it is until then. What has no available pods gets no traffic. Where a side's traffic goes is
changed while it gets none; so weights and destinations never change at once.
"""

from dataclasses import dataclass

from rollouts.api.canary import ReplicaProgressThreshold
from rollouts.plan.missing import enough
from rollouts.plan.observed import ReplicaSet


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many pods a share of the traffic needs: all of it needs `replicas`."""

    replicas: int
    max_weight: int
    threshold: ReplicaProgressThreshold | None = None

    def pods_for(self, weight: int) -> int:
        """Return the pods that a weight needs, rounded up."""
        return -(-weight * self.replicas // self.max_weight)

    def carried_by(self, replica_set: ReplicaSet | None) -> int:
        """Return the weight that the available pods of a ReplicaSet can carry.

        One that was scaled a moment ago may count pods that it no longer has: its next status tells.
        """
        if self.replicas == 0:
            return self.max_weight
        if replica_set is None or not replica_set.is_observed:
            return 0
        pods = min(replica_set.size, replica_set.available)
        if pods >= enough(self.threshold, self.replicas):
            return self.max_weight
        return self.max_weight * pods // self.replicas


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the route.

    `service` gets its traffic, empty where the router splits by hash. `behind` is the hash of the pods that get it now,
    `pods` their ReplicaSet if there is one, `wanted` the ReplicaSet that should. `weight` is what it gets by the last
    route that was seen in force; None if that isn't known.
    """

    service: str
    behind: str
    pods: ReplicaSet | None
    wanted: ReplicaSet | None
    weight: int | None

    @property
    def is_right(self) -> bool:
        return self.wanted is not None and self.behind == self.wanted.pod_hash

    @property
    def has_pods(self) -> bool:
        return has_pods(self.pods)

    @property
    def name(self) -> str:
        return f"Service {self.service}" if self.service else "the router"


def has_pods(replica_set: ReplicaSet | None) -> bool:
    """Whether a ReplicaSet has available pods that it still asks for."""
    return replica_set is not None and min(replica_set.size, replica_set.available) > 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wished for, and what speaks about it.

    `current` is the weight that the router has, None if that isn't known. `lacks` says what the canary still lacks for
    `weight`. `gradual` lets the weight follow the canary's pods one by one.
    """

    weight: int
    current: int | None
    lacks: str
    canary: Side
    stable: Side
    gradual: bool = False

    @property
    def goal(self) -> int:
        """The weight to go for now: none before the canary's side has the right pods, so that it can be given them."""
        return self.weight if self.canary.is_right else 0


@dataclass(frozen=True, slots=True)
class Turn:
    """The canary's weight from now on, None to leave the router as it is; `held` says what keeps it from the wish."""

    weight: int | None
    held: str = ""


def next_weight(wanted: Wanted, capacity: Capacity) -> Turn:
    """Return the weight for the canary."""
    current = wanted.current
    if current is None:
        return _first(wanted, capacity)
    if not wanted.canary.has_pods:
        return _without_pods(wanted, current)
    if wanted.goal > current:
        return _up(wanted, capacity, current)
    return _down(wanted, capacity, current)


def _first(wanted: Wanted, capacity: Capacity) -> Turn:
    """Begin where stable gets all; if it can't, and a complete canary can help, begin with that."""
    stable, canary = wanted.stable, wanted.canary
    if stable.is_right and capacity.carried_by(stable.pods) >= capacity.max_weight:
        return Turn(0)
    if wanted.weight and canary.is_right and canary.has_pods and not wanted.lacks:
        return Turn(wanted.weight)
    return Turn(None, "the router is left as it is until all stable pods are available, and selected by their Service")


def _without_pods(wanted: Wanted, current: int) -> Turn:
    if current and not wanted.stable.has_pods:
        return Turn(None, "the router is left as it is: neither side has available pods")
    if current:
        return Turn(0, "the canary has no available pods: it gets no traffic")
    return Turn(0, (wanted.lacks or "no available pods are behind the canary's side") if wanted.weight else "")


def _up(wanted: Wanted, capacity: Capacity, current: int) -> Turn:
    if not wanted.lacks:
        return Turn(wanted.weight)
    follows = capacity.carried_by(wanted.canary.pods) if wanted.gradual else 0
    weight = max(current, min(wanted.weight, follows))
    return _stays(weight, wanted.lacks)


def _down(wanted: Wanted, capacity: Capacity, current: int) -> Turn:
    """Give stable back what it can carry: the worse the canary is, the less may wait for the last pod."""
    stable, goal = wanted.stable, wanted.goal
    if current > goal and not stable.is_right:
        return _stays(current, f"{stable.name} doesn't select the stable pods yet")
    weight = min(current, max(goal, capacity.max_weight - capacity.carried_by(stable.pods)))
    if weight > goal:
        pods = min(stable.pods.size, stable.pods.available) if stable.pods else 0
        return _stays(weight, f"stable has {pods} of {capacity.replicas} pods available")
    if goal == wanted.weight:
        return Turn(weight)
    return _stays(weight, wanted.lacks or f"{wanted.canary.name} doesn't select the canary's pods yet")


def _stays(weight: int, reason: str) -> Turn:
    return Turn(weight, f"the canary's weight is {weight} for now: {reason}")
