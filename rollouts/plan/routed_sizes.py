"""How many pods does each ReplicaSet get in this pass, with a traffic router?

The router splits the traffic, so pods only have to be enough: stable keeps its full size, or with dynamicStableScale
what its share needs; the canary has what its weight, or setCanaryScale, asks for. maxSurge and maxUnavailable have no
say. What may get traffic isn't scaled down before the router has moved it away.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from rollouts.api.canary import CanaryStrategy
from rollouts.api.timestamps import format_time
from rollouts.plan.delays import Delays, deadline_on, delay
from rollouts.plan.missing import canary_unmet, enough, stable_unmet
from rollouts.plan.observed import ReplicaSet
from rollouts.plan.replicas import Sizes
from rollouts.plan.revisions import Revisions
from rollouts.plan.route import Capacity
from rollouts.plan.scaling import Scaling, is_scaling_event
from rollouts.plan.state import State
from rollouts.ports import Wishes


@dataclass(frozen=True, slots=True)
class Load:
    """Where traffic may go. `shares` has, by hash, the most that it may be; empty while no route is known.

    `goal` is the weight that the canary is to get as soon as it can. `is_at_rest` tells that the route is in force,
    written down, and not about to change. `selected` holds the hashes behind Services that people may call directly.
    """

    shares: Mapping[str, int] = field(default_factory=dict)
    goal: int = 0
    is_at_rest: bool = False
    selected: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Routed:
    """What the sizes depend on; `is_last` tells that all steps are done."""

    revisions: Revisions
    state: State
    spec: CanaryStrategy
    wishes: Wishes
    capacity: Capacity
    is_last: bool = False

    @property
    def is_dynamic(self) -> bool:
        return bool(self.spec.dynamic_stable_scale)

    @property
    def keeps_aborted(self) -> bool:
        """Whether an aborted canary stays up until somebody decides."""
        return self.spec.abort_scale_down_delay_seconds == 0

    def at_least(self, count: int) -> int:
        """Raise a number of pods to minPodsPerReplicaSet; none stays none."""
        return max(count, min(self.spec.min_pods_per_replica_set or 0, self.capacity.replicas)) if count else 0

    @property
    def wished(self) -> int:
        """The canary's pods as the steps wish for them."""
        scale, replicas = self.wishes.scale, self.capacity.replicas
        if not self.revisions.has_distinct_stable:
            return replicas
        if scale is not None and scale.replicas is not None:
            return self.at_least(scale.replicas) if self.is_dynamic else scale.replicas
        weight = self.wishes.weight if scale is None or scale.weight is None else scale.weight
        return self.at_least(self.capacity.pods_for(weight))


def routed_sizes(routed: Routed, load: Load, now: datetime, *, halted: bool) -> Scaling:
    """Return the sizes for this pass. A halted rollout keeps them, unless the Rollout's own size has changed."""
    revisions, dynamic = routed.revisions, routed.is_dynamic
    canary = revisions.canary
    stable = revisions.stable if revisions.has_distinct_stable else None
    wanted, canary_delays = _canary(routed, load, now)
    if halted and stable is not None and (canary is None or canary.size == 0):
        wanted = 0  # one that has not begun doesn't begin now
    target = Sizes(canary=wanted, stable=_stable(routed, load) if stable is not None else 0)
    unmet = canary_unmet(revisions, target.canary, routed.spec.replica_progress_threshold)
    scaling = Scaling(
        target,
        {},
        create_at=0 if halted else wanted,
        unmet=unmet or ("" if dynamic else stable_unmet(revisions, target.stable)),
    )
    if halted and not is_scaling_event(revisions, routed.capacity.replicas):
        return _as_they_are(scaling, revisions, now)
    sizes: dict[str, int] = {}
    for each, count in ((stable, target.stable), (canary, target.canary)):
        if each is not None:
            sizes[each.name] = count if load.is_at_rest else max(count, min(each.size, routed.capacity.replicas))
    if halted:
        return replace(_as_they_are(scaling, revisions, now), sizes=sizes)
    delays = _others(routed, load, now)
    deadlines = {**delays.deadlines, **canary_delays.deadlines}
    return replace(
        scaling,
        sizes={**sizes, **dict.fromkeys(delays.gone, 0)},
        because=tuple(_reasons(sizes, target, canary, stable, deadlines)),
        deadlines=deadlines,
        wake_at=min(deadlines.values(), default=None),
    )


def _as_they_are(scaling: Scaling, revisions: Revisions, now: datetime) -> Scaling:
    deadlines = {each.name: end for each in revisions.all if (end := deadline_on(each, now)) is not None}
    return replace(scaling, deadlines=deadlines)


def _stable(routed: Routed, load: Load) -> int:
    """Return stable's pods: all, or with dynamicStableScale those that its share needs, now or after the next move."""
    capacity, stable = routed.capacity, routed.revisions.stable
    if not routed.is_dynamic or not load.shares or stable is None:
        return capacity.replicas
    share = max(load.shares.get(stable.pod_hash, 0), capacity.max_weight - load.goal)
    # Promotion switches the Service that selects these pods: until then, one of them answers whoever calls it directly.
    least = 1 if routed.is_last else 0
    return min(capacity.replicas, max(routed.at_least(capacity.pods_for(share)), least))


def _canary(routed: Routed, load: Load, now: datetime) -> tuple[int, Delays]:
    """Return the canary's pods, and the deadline that it carries after an abort."""
    canary = routed.revisions.canary
    share = load.shares.get(canary.pod_hash, 0) if canary is not None else 0
    if not routed.revisions.has_distinct_stable:
        return routed.capacity.replicas, Delays({}, ())
    if routed.state.abort:
        return _aborted(routed, load, share, now)
    if routed.wishes.scale is not None:
        return max(routed.wished, 1 if share else 0), Delays({}, ())
    return max(routed.wished, routed.at_least(routed.capacity.pods_for(share))), Delays({}, ())


def _aborted(routed: Routed, load: Load, share: int, now: datetime) -> tuple[int, Delays]:
    """Return what is left of an aborted canary: it stays until stable has taken over, and for its delay."""
    canary, stable, seconds = (
        routed.revisions.canary,
        routed.revisions.stable,
        routed.spec.abort_scale_down_delay_seconds,
    )
    if canary is None:
        return 0, Delays({}, ())
    if routed.is_dynamic and seconds is None:
        return routed.at_least(routed.capacity.pods_for(share)), Delays({}, ())
    if routed.keeps_aborted:
        return routed.wished if routed.wishes.scale is not None else canary.size, Delays({}, ())
    has_taken_over = (
        load.is_at_rest
        and not share
        and stable is not None
        and stable.available >= enough(routed.capacity.threshold, routed.capacity.replicas)
    )
    if deadline_on(canary, now) is None and not has_taken_over:
        return canary.size, Delays({}, ())
    delays = delay([canary], routed.spec.abort_scale_down_delay_seconds_or_default, None, now)
    return 0 if delays.gone else canary.size, delays


def _others(routed: Routed, load: Load, now: datetime) -> Delays:
    """Return until when previous pods stay. What traffic may go to has no deadline, an overtaken update no delay."""
    free = [each for each in routed.revisions.others if not _is_needed(each, load, now)]
    newest_first = sorted(free, key=lambda each: each.revision, reverse=True)
    if routed.is_dynamic:
        return Delays({}, tuple(each.name for each in newest_first))
    overtaken = [
        each for each in newest_first if not routed.state.is_promoted and deadline_on(each, now) is None
    ]  # fmt: skip
    served = [each for each in newest_first if each not in overtaken]
    seconds, limit = routed.spec.scale_down_delay_seconds_or_default, routed.spec.scale_down_delay_revision_limit
    delays = delay(served, seconds, limit, now)
    return Delays(delays.deadlines, (*delays.gone, *(each.name for each in overtaken)))


def _is_needed(each: ReplicaSet, load: Load, now: datetime) -> bool:
    # Once it has got a deadline, traffic has been seen to leave it for good.
    may_still_get_some = bool(load.shares) and not load.is_at_rest and deadline_on(each, now) is None
    return bool(load.shares.get(each.pod_hash)) or each.pod_hash in load.selected or may_still_get_some


def _reasons(
    sizes: Mapping[str, int],
    target: Sizes,
    canary: ReplicaSet | None,
    stable: ReplicaSet | None,
    deadlines: Mapping[str, datetime],
) -> Iterator[str]:
    for each, count, name in ((canary, target.canary, "the canary"), (stable, target.stable, "stable")):
        if each is not None and sizes[each.name] > count:
            yield f"{name} keeps its pods until the router has moved the traffic away"
    for name, end in deadlines.items():
        yield f"ReplicaSet {name} keeps its pods until {format_time(end)}: requests may still be on their way to them"
