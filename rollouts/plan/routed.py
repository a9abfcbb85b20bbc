"""What is next for a canary with a traffic router: for its route, its Services and its sizes?

The last route that was seen in force is in the status. What follows from it, scaling down above all, is done by a pass
after the one that has written it there: whoever plans after a crash decides from the same facts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from rollouts.api.canary import CanaryStrategy
from rollouts.plan.affinity import sticking_in
from rollouts.plan.leaving import is_written_down
from rollouts.plan.left_over import Tidying, tidy
from rollouts.plan.managed import NONE, wished_for, withheld
from rollouts.plan.missing import canary_unmet, enough
from rollouts.plan.observed import Observed
from rollouts.plan.route import Capacity, Turn, Wanted, next_weight
from rollouts.plan.routed_sizes import Load, Routed, routed_sizes
from rollouts.plan.router_actions import as_actions
from rollouts.plan.scene import Scene
from rollouts.plan.services import hash_behind
from rollouts.plan.shift import Shift
from rollouts.plan.sides import Sides, find_sides, switches, told_route, weights_of, with_ping_pong
from rollouts.plan.traffic import BoundRouter, bind_routers, owner_of
from rollouts.plan.verification import Verifier
from rollouts.plan.wishes import wishes_at
from rollouts.ports import Destination, Kit, Objects, Route, Seen, Write


class Additional(Protocol):
    """Tells where the weights of an experiment go."""

    def __call__(self, *, has_services: bool) -> tuple[Destination, ...]:
        """Return the destinations; `has_services` tells that the router sends traffic to Services."""


@dataclass(frozen=True, slots=True)
class Routers:
    """All routers of a Rollout, with what they read."""

    bound: tuple[BoundRouter, ...]
    objects: Objects
    verifier: Verifier

    def say(self, route: Route) -> bool:
        """Whether a route is in force, as far as routers can bring it about."""
        return not self.due(route) and not self.verifier.untold(route)

    def due(self, route: Route) -> tuple[Write, ...]:
        """Return the writes that bring the objects to a route."""
        return tuple(write for each in self.bound for write in each.write(route, self.objects))

    def standing(self, route: Route) -> Route | None:
        """Return the route that is in force: this with its managed routes or without any; None if it's another."""
        plain = NONE.on(route)
        routes = (route,) if route == plain else (route, plain)
        return next((each for each in routes if self.say(each)), None)


def by_router(
    scene: Scene, spec: CanaryStrategy, kit: Kit, now: datetime, others: Additional = lambda **_: ()
) -> Shift:
    """Shift traffic by a router: stable keeps its pods, weights go where pods are, those of experiments as well."""
    here, revisions = scene.here, scene.revisions
    if spec.traffic_routing is None or here.objects is None:
        raise AssertionError("validation lets nothing but readable routes through")
    max_weight = spec.traffic_routing.max_traffic_weight_or_default
    capacity = Capacity(scene.bounds.replicas, max_weight, spec.replica_progress_threshold)
    state = with_ping_pong(here, spec, scene.state)
    sticking = sticking_in(owner_of(here.raw["metadata"], spec), spec, scene.steps, state)
    told, bound = told_route(state.weights, max_weight), bind_routers(here.raw["metadata"], spec, kit)
    if told is not None and sticking is not None:
        told = sticking.on(told)
    verifier = Verifier.of(here, bound, kit, told, state.weights)
    routers = Routers(bound, here.objects, verifier)
    is_followed = verifier.verdict(told).seen.verified is not False
    wishes = wishes_at(
        scene.steps,
        state,
        has_stable=revisions.has_distinct_stable,
        max_weight=max_weight,
        keeps_scale=spec.abort_scale_down_delay_seconds == 0,
        skips_steps=scene.is_rollback,
    )
    is_last = state.index is None or state.index >= len(scene.steps)
    routed = Routed(revisions, state, spec, wishes, capacity, is_last)
    sides = find_sides(here, spec, revisions, state, told)
    lacks = _lacks(routed)
    managed = wished_for(wishes, [each.name for each in spec.traffic_routing.managed_routes])
    kept_out = withheld(sides.canary, routed.wished, lacks) if managed else ""
    additional = others(has_services=bool(sides.stable.service))
    sides = replace(sides, additional=additional, sticking=sticking, managed=NONE if kept_out else managed)
    standing = routers.standing(sides.managed.on(told)) if told is not None else None
    is_in_force = standing is not None and is_followed
    if not is_in_force and not _has_turned(sides, routers, capacity):
        sides = replace(sides, is_in_force=False)
    wanted = _wanted(routed, sides, told, lacks)
    if told is not None and routers.standing(sides.route(wanted.goal, capacity)):
        # It has gone there already, which the status doesn't tell yet: no way back because of what has changed since.
        wanted = replace(wanted, current=wanted.goal)
    turn = next_weight(wanted, capacity)
    route = sides.route(turn.weight, capacity) if turn.weight is not None else None
    due = routers.due(route) if route is not None else ()
    verdict = verifier.verdict(route if not due else None)
    untold = verifier.untold(route) if route is not None else ""
    if route is not None and not due and not untold:
        state = replace(state, weights=weights_of(route, verdict.seen))
    load = _load(here, spec, told, route, wanted.goal, is_at_rest=is_in_force and route == standing)
    actions, refused = as_actions(here, due if is_written_down(here) else ())
    tidying = tidy(here, bound, route, kit) if route is not None and not due else Tidying()
    setting = _setting(turn, sides, spec) if due else ""
    unrouted = untold or _unrouted(turn, wanted, setting, refused, verdict.seen)
    unmanaged = untold or _unmanaged(turn, sides, setting, refused, verdict.seen)
    waits = f"without {managed} for now: {kept_out}" if kept_out else ""
    return Shift(
        scaling=routed_sizes(routed, load, now, halted=scene.is_halted),
        actions=(
            *switches(here, spec, state, replace(sides, is_in_force=is_in_force), capacity),
            *actions,
            *tidying.actions,
        ),
        state=state,
        is_complete=_has_its_pods(routed) and (capacity.replicas == 0 or (turn.weight == max_weight and not unrouted)),
        unrouted=unrouted,
        unmanaged=unmanaged or (waits if routed.wished else ""),
        because=(*_because(unrouted or turn.held, wanted), *((waits,) if waits else ()), *tidying.because),
        asks=verdict.asks,
        told=verdict.state,
        is_tidy=tidying.is_done,
    )


def _lacks(routed: Routed) -> str:
    """Say what the canary still lacks for the size that the steps wish for."""
    lacks, canary = canary_unmet(routed.revisions, routed.wished, routed.capacity.threshold), routed.revisions.canary
    if not lacks and canary is not None and not canary.is_observed:
        return "the canary's pods are still being counted"
    return lacks


def _wanted(routed: Routed, sides: Sides, told: Route | None, lacks: str) -> Wanted:
    """Return what the steps wish for; an update that is over or given up wishes for nothing."""
    state = routed.state
    is_updating = bool(state.stable_hash) and not state.is_promoted and not state.abort and routed.wished > 0
    return Wanted(
        weight=routed.wishes.weight if is_updating else 0,
        current=told.canary.weight if told is not None else None,
        lacks=lacks,
        canary=sides.canary,
        stable=sides.stable,
        gradual=state.promote_full and routed.is_dynamic,
    )


def _because(held: str, wanted: Wanted) -> tuple[str, ...]:
    """Return what there is to say, unless the sizes say the same."""
    is_told = bool(wanted.lacks) and wanted.lacks in held
    return (held,) if held and not is_told else ()


def _has_turned(sides: Sides, routers: Routers, capacity: Capacity) -> bool:
    """Whether the objects send a side's traffic to other pods already, which the status doesn't tell yet.

    Turning back would be as wrong as going round in circles.
    """
    if sides.told is None:
        return False
    turned = sides.route(sides.told.canary.weight, capacity)
    return NONE.on(turned) != sides.told and routers.standing(turned) is not None


def _has_its_pods(routed: Routed) -> bool:
    canary, capacity = routed.revisions.canary, routed.capacity
    return canary is not None and canary.available >= enough(capacity.threshold, capacity.replicas)


def _load(
    here: Observed, spec: CanaryStrategy, told: Route | None, route: Route | None, goal: int, *, is_at_rest: bool
) -> Load:
    """Return where traffic may go: by the route that was told, by the next one, and by Services called directly."""
    shares: dict[str, int] = {}
    for each in (told, route):
        for pod_hash, weight in _shares(each).items():
            shares[pod_hash] = max(weight, shares.get(pod_hash, 0))
    names = (spec.canary_service, spec.stable_service) if spec.ping_pong is None else ()
    return Load(shares, goal, is_at_rest, frozenset(hash_behind(here, name) for name in names) - {""})


def _shares(route: Route | None) -> dict[str, int]:
    shares: dict[str, int] = {}
    for each in (route.canary, route.stable, *route.additional) if route else ():
        shares[each.pod_hash] = shares.get(each.pod_hash, 0) + each.weight
    return shares


def _setting(turn: Turn, sides: Sides, spec: CanaryStrategy) -> str:
    """Return what the router is being set to, in words."""
    has_managed = spec.traffic_routing is not None and spec.traffic_routing.managed_routes
    return f"weight {turn.weight}, {sides.managed}" if has_managed else f"weight {turn.weight}"


def _unrouted(turn: Turn, wanted: Wanted, setting: str, refused: Sequence[str], seen: Seen) -> str:
    """Say what keeps the traffic from the weight that is wished for, or nothing; `setting` is what is being written."""
    if turn.weight is None:
        return turn.held if wanted.weight else ""
    unverified = f"weight {turn.weight} isn't verified yet: {seen.because}" if seen.verified is False else ""
    if turn.weight != wanted.weight or wanted.goal != wanted.weight:
        # The canary's Service isn't switched before the route without it is followed: pods alone wouldn't help.
        return turn.held if wanted.lacks or not unverified else f"{turn.held}; {unverified}"
    if refused:
        return refused[0]
    return f"the router is being set to {setting}" if setting else unverified


def _unmanaged(turn: Turn, sides: Sides, setting: str, refused: Sequence[str], seen: Seen) -> str:
    """Say what keeps the managed routes from being what they are to be, or nothing.

    While no weight is possible, as without any pods, there are none to be taken away.
    """
    if turn.weight is None:
        return turn.held if sides.managed else ""
    if refused:
        return refused[0]
    if setting:
        return f"the router is being set to {setting}"
    return f"the route isn't verified yet: {seen.because}" if seen.verified is False else ""
