"""How many pods does each ReplicaSet get in this pass, without a traffic router?

Without a router the share of pods is the share of traffic, so a weight is met as well as whole pods allow, within
maxSurge and maxUnavailable. Surge and unavailability are honoured here and nowhere else.

Two questions are kept apart: `target_sizes` (where do we want to be?) and `next_sizes` (how far may we go right now?).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rollouts.api.intorstring import resolve
from rollouts.plan.observed import ReplicaSet

DEFAULT_BOUND = "25%"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What may never be left: `replicas` wanted, up to `surge` more in all, at most `unavailable` fewer available."""

    replicas: int
    surge: int
    unavailable: int

    @property
    def ceiling(self) -> int:
        """The most pods that all ReplicaSets may ask for together."""
        return self.replicas + self.surge

    @property
    def floor(self) -> int:
        """The fewest pods that must stay available."""
        return self.replicas - self.unavailable


def resolve_bounds(replicas: int, max_surge: int | str | None, max_unavailable: int | str | None) -> Bounds:
    """Turn the spec's counts and percentages into pods: surge is rounded up, unavailability down.

    Were both nothing, no pod could ever be replaced: one may be unavailable then.
    """
    if replicas == 0:
        return Bounds(0, 0, 0)
    surge = resolve(DEFAULT_BOUND if max_surge is None else max_surge, replicas, round_up=True)
    unavailable = resolve(DEFAULT_BOUND if max_unavailable is None else max_unavailable, replicas, round_up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return Bounds(replicas, surge, min(unavailable, replicas))


@dataclass(frozen=True, slots=True)
class Sizes:
    """Pods of the canary and of the stable ReplicaSet."""

    canary: int
    stable: int


def _candidates(bounds: Bounds, weight: int, max_weight: int) -> Iterator[tuple[int, int]]:
    """Yield (canary, total) for every way to round, in order of preference.

    A side is left without pods only where that is meant: at the ends of the scale, or when there is one pod and no room
    for a second. A share of exactly half a pod is rounded up: the tie goes to the canary, unless that took the last
    stable pod and no surge offers a better total.
    """
    replicas = bounds.replicas
    none_is_fine = weight in (0, max_weight) or (replicas == 1 and bounds.surge == 0)
    totals = (replicas, replicas + 1) if bounds.surge > 0 else (replicas,)
    share, rest = divmod(replicas * weight, max_weight)
    rounded_up = share + (rest > 0)
    for total in totals:
        is_tied = 2 * (total * weight % max_weight) == max_weight
        takes_all = rounded_up == total and not none_is_fine
        if not takes_all:
            yield rounded_up, total
        if (share != 0 or none_is_fine) and (not is_tied or (takes_all and bounds.surge == 0)):
            yield share, total


def target_sizes(bounds: Bounds, weight: int, *, has_stable: bool, max_weight: int = 100) -> Sizes:
    """Return the sizes that come closest to `weight`; with a pod of surge, one more pod in all may come closer."""
    if not has_stable:
        return Sizes(canary=bounds.replicas, stable=0)
    if bounds.replicas == 0:
        return Sizes(canary=0, stable=0)
    candidates = _candidates(bounds, weight, max_weight)
    # Compared as whole numbers: |canary/total - weight/max| over the common denominator of two totals.
    both = bounds.replicas * (bounds.replicas + 1)
    canary, total = min(candidates, key=lambda pair: abs(pair[0] * max_weight - weight * pair[1]) * (both // pair[1]))
    return Sizes(canary=canary, stable=total - canary)


@dataclass(frozen=True, slots=True)
class Count:
    """Pods that a ReplicaSet asks for and those of them that are available."""

    size: int = 0
    available: int = 0

    @property
    def counted(self) -> int:
        """The available pods that the ReplicaSet still asks for."""
        return min(self.size, self.available)

    @classmethod
    def of(cls, replica_set: ReplicaSet | None) -> "Count":
        return cls() if replica_set is None else cls(replica_set.size, replica_set.available)


def next_sizes(
    bounds: Bounds, target: Sizes, canary: Count, stable: Count, others: Sequence[Count], *, has_canary: bool = True
) -> Sizes:
    """Return how far the two sizes may go towards `target` now.

    What grows may take what is left below the ceiling, stable first. What shrinks may give up what is available above
    the floor, and only once the older ReplicaSets are empty; before that, no more than its unavailable pods.
    """
    grown = _grow(bounds, target, canary, stable, others)
    if any(each.size for each in others):
        return Sizes(
            _without_idle(grown.canary, target.canary, canary), _without_idle(grown.stable, target.stable, stable)
        )
    increasing = not has_canary or target.canary >= canary.size
    return _shrink(bounds, target, grown, canary, stable, increasing=increasing)


def _grow(bounds: Bounds, target: Sizes, canary: Count, stable: Count, others: Sequence[Count]) -> Sizes:
    budget = bounds.ceiling - canary.size - stable.size - sum(each.size for each in others)
    more_stable = max(0, min(target.stable - stable.size, budget))
    more_canary = max(0, min(target.canary - canary.size, budget - more_stable))
    return Sizes(canary=canary.size + more_canary, stable=stable.size + more_stable)


def _without_idle(size: int, target: int, count: Count) -> int:
    """Take away pods that are neither wanted nor available: they would hold the place of pods that are wanted."""
    return size if size <= target else max(target, count.counted)


def _shrink(bounds: Bounds, target: Sizes, grown: Sizes, canary: Count, stable: Count, *, increasing: bool) -> Sizes:
    """Take pods from the side that shrinks (`drain`).

    The growing side counts by what is available, the shrinking side by what it asks for: its unavailable pods are the
    first to go, so they never stand in the way.
    """
    drain, other = (stable, canary) if increasing else (canary, stable)
    drain_grown, other_grown = (grown.stable, grown.canary) if increasing else (grown.canary, grown.stable)
    drain_target = target.stable if increasing else target.canary
    room = drain.size + other.counted - bounds.floor
    if room <= 0:
        return grown
    drained = max(drain_target, drain_grown - room) if drain_grown > drain_target else drain_grown
    drained, kept = _within_limits(bounds, drained, drain, other_grown, other)
    return Sizes(canary=kept, stable=drained) if increasing else Sizes(canary=drained, stable=kept)


def _within_limits(bounds: Bounds, drained: int, drain: Count, kept: int, other: Count) -> tuple[int, int]:
    """Return (drained, kept), corrected so that neither the ceiling nor the floor is left."""
    kept -= max(0, drained + kept - bounds.ceiling)
    available = min(drain.available, drained) + min(other.available, kept)
    missing = max(0, bounds.floor - available)
    kept += min(max(0, other.available - kept), missing)
    drained -= max(0, drained + kept - bounds.ceiling)
    return drained, kept


def others_sizes(bounds: Bounds, others: Sequence[ReplicaSet], available: int) -> dict[str, int]:
    """Return the sizes of the older ReplicaSets, by name: what isn't available goes first, then what isn't needed.

    `available` counts all ReplicaSets. The newest revisions are emptied first.
    """
    spare = max(0, available - bounds.floor)
    sizes: dict[str, int] = {}
    for each in sorted(others, key=lambda replica_set: replica_set.revision, reverse=True):
        healthy = min(each.size, each.available)
        gone = min(healthy, spare)
        spare -= gone
        sizes[each.name] = healthy - gone
    return sizes
