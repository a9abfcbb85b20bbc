"""Where does each side's traffic go, where should it go, and may that be changed now?

Behind a Service are the pods that its selector finds, wherever the Service came from. A router without Services sends
traffic to hashes: behind a side is then the hash of the last route that was in force.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from rollouts.api.canary import CanaryStrategy
from rollouts.api.status import TrafficWeights, WeightDestination
from rollouts.plan.actions import SwitchService
from rollouts.plan.affinity import Sticking
from rollouts.plan.managed import NONE, Managed
from rollouts.plan.observed import Observed, ReplicaSet
from rollouts.plan.revisions import Revisions
from rollouts.plan.route import Capacity, Side, has_pods
from rollouts.plan.services import can_take_over, hash_behind, switch
from rollouts.plan.state import PING, PONG, State
from rollouts.ports import Destination, Route, Seen


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides of the route; `told` is the last route that was seen in force, `is_in_force` whether it is now.

    `additional` are the destinations of an experiment, whose shares are taken from stable's. `sticking` keeps clients
    on the side that they were given. `managed` are the managed routes that are to be in force.
    """

    canary: Side
    stable: Side
    told: Route | None
    is_in_force: bool
    additional: tuple[Destination, ...] = ()
    sticking: Sticking | None = None
    managed: Managed = NONE

    def route(self, weight: int, capacity: Capacity) -> Route:
        """Return the route with this weight for the canary, to where each side's traffic may go.

        An experiment gets what it asks for, or nothing where that is more than stable has.
        """
        canary, stable, rest = self.canary, self.stable, capacity.max_weight - weight
        taken = sum(each.weight for each in self.additional)
        additional = self.additional if taken <= rest else ()
        route = Route(
            canary=Destination(canary.service, self._hash_after(canary, capacity), weight),
            stable=Destination(stable.service, self._hash_after(stable, capacity), rest - (taken if additional else 0)),
            additional=additional,
            max_weight=capacity.max_weight,
            headers=self.managed.headers,
            mirrors=self.managed.mirrors,
        )
        return route if self.sticking is None else self.sticking.on(route)

    def _hash_after(self, side: Side, capacity: Capacity) -> str:
        """Return the hash that a side's traffic goes to next: Services have selectors for that, other routers turn."""
        if side.service or side.wanted is None or not self._may_turn(side, side.wanted, capacity):
            return side.behind
        return side.wanted.pod_hash

    def may_switch(self, side: Side, name: str, capacity: Capacity) -> bool:
        """Whether the Service of a side, which may not be in use yet, may be pointed at the wanted pods now."""
        if side.wanted is None:
            return False
        if self.told is None or side.service == name:
            return self.told is None or self._may_turn(side, side.wanted, capacity)
        is_canary = side is self.canary
        opposite, told = (self.stable, self.told.stable) if is_canary else (self.canary, self.told.canary)
        if name not in {opposite.service, told.service}:
            return True
        # The spec has exchanged the names: the opposite side's traffic would go wherever its Service is pointed at.
        if opposite.service != name or opposite.wanted is None or opposite.wanted.pod_hash != side.wanted.pod_hash:
            return False
        return self._may_turn(opposite, side.wanted, capacity)

    def _may_turn(self, side: Side, wanted: ReplicaSet, capacity: Capacity) -> bool:
        """Whether what gets a side's traffic may be exchanged: while there is none, or for pods that can carry it."""
        if side.weight is None:
            return True
        if side.weight == 0:
            return self.is_in_force
        is_better = has_pods(wanted) and not side.has_pods
        return side is self.stable and (is_better or capacity.carried_by(wanted) >= side.weight)


def told_route(weights: TrafficWeights | None, max_weight: int) -> Route | None:
    """Return the route in the status, in parts of today's maximum; None where it makes no sense.

    Which managed routes it has isn't in the status: the objects tell.
    """
    if weights is None:
        return None
    every = (weights.canary, weights.stable, *weights.additional)
    total = sum(each.weight for each in every)
    if total <= 0 or any(each.weight < 0 for each in every):
        return None
    canary, _, *additional = (
        Destination(each.service_name or "", each.pod_template_hash or "", each.weight * max_weight // total)
        for each in every
    )
    rest = max_weight - canary.weight - sum(each.weight for each in additional)
    stable = Destination(weights.stable.service_name or "", weights.stable.pod_template_hash or "", rest)
    return Route(canary, stable, tuple(additional), max_weight)


def weights_of(route: Route, seen: Seen) -> TrafficWeights:
    """Return what the status says about a route in force."""
    return TrafficWeights(
        canary=_told(route.canary),
        stable=_told(route.stable),
        additional=tuple(map(_told, route.additional)),
        verified=seen.verified,
    )


def _told(destination: Destination) -> WeightDestination:
    return WeightDestination(
        weight=destination.weight,
        service_name=destination.service or None,
        pod_template_hash=destination.pod_hash or None,
    )


def with_ping_pong(here: Observed, spec: CanaryStrategy, state: State) -> State:
    """Return the state with the pair's stable Service in it; where the status has lost it, the selectors tell."""
    if spec.ping_pong is None:
        return state.with_ping_pong("")
    if state.ping_pong in {PING, PONG}:
        return state
    is_ping = bool(state.stable_hash) and hash_behind(here, spec.ping_pong.ping_service) == state.stable_hash
    return state.with_ping_pong(PING if is_ping else PONG)


def service_names(spec: CanaryStrategy, state: State) -> tuple[str, str]:
    """Return the canary's and stable's Service; empty where there is none."""
    if spec.ping_pong is None:
        return spec.canary_service or "", spec.stable_service or ""
    pair = (spec.ping_pong.ping_service, spec.ping_pong.pong_service)
    return pair if state.ping_pong == PONG else (pair[1], pair[0])


def find_sides(here: Observed, spec: CanaryStrategy, revisions: Revisions, state: State, told: Route | None) -> Sides:
    """Return both sides as they are, and the ReplicaSets that they should have.

    Without an update, or after its abort, the canary's Service joins the stable pods; one of a pair stays for the next
    update.
    """
    canary_name, stable_name = service_names(spec, state)
    wanted = revisions.stable if state.abort or state.is_promoted else revisions.canary
    if spec.ping_pong is not None and (state.abort or state.is_promoted):
        wanted = None
    canary = _side(here, revisions, canary_name, told.canary if told else None, wanted)
    stable = _side(here, revisions, stable_name, told.stable if told else None, revisions.stable)
    if told is not None and canary.service == stable.service and told.canary.service != told.stable.service:
        # The spec has exchanged the names, and one side has come to the Service that the other is still to leave.
        canary, stable = _as_told(revisions, canary, told.canary), _as_told(revisions, stable, told.stable)
    return Sides(canary, stable, told, is_in_force=True)


def _side(here: Observed, revisions: Revisions, name: str, told: Destination | None, wanted: ReplicaSet | None) -> Side:
    wanted_hash = wanted.pod_hash if wanted else ""
    service, behind = name, hash_behind(here, name) if name else (told.pod_hash if told else wanted_hash)
    if told is not None and told.service != name and behind != wanted_hash:
        # The spec names another Service by now: it takes over once it selects the right pods.
        service, behind = told.service, told.pod_hash
    return Side(service, behind, _pods(revisions, behind), wanted, told.weight if told else None)


def _as_told(revisions: Revisions, side: Side, told: Destination) -> Side:
    """Return a side by the Service that it has by the last route in force."""
    return replace(side, service=told.service, behind=told.pod_hash, pods=_pods(revisions, told.pod_hash))


def _pods(revisions: Revisions, behind: str) -> ReplicaSet | None:
    return next((each for each in revisions.all if behind and each.pod_hash == behind), None)


def switches(
    here: Observed, spec: CanaryStrategy, state: State, sides: Sides, capacity: Capacity
) -> Iterator[SwitchService]:
    """Yield the switches of Services that are due."""
    canary_name, stable_name = service_names(spec, state)
    for name, side in ((stable_name, sides.stable), (canary_name, sides.canary)):
        service = here.services.get(name) if name else None
        if service is None or side.wanted is None:
            continue
        # Of a pair, pods may need the Service to become ready: load balancers register them through it.
        is_next_of_pair = spec.ping_pong is not None and side is sides.canary and sides.told is not None
        is_ready = is_next_of_pair or can_take_over(service, side.wanted)
        yield from switch(service, side.wanted, is_ready=is_ready and sides.may_switch(side, name, capacity))
