"""Which traffic routers has the spec stopped to name, and how are their objects given back?

The status remembers each router with what its spec said. One that is no longer named is brought to rest once: all
traffic to stable, and nothing of ours left in people's objects. Then it is forgotten. An object that a router in use
reads, too, is tidied up by who knows that one's route: `left_over`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from rollouts.api.status import RoutedBy, TrafficWeights, parse_status
from rollouts.plan.actions import Action, Plan
from rollouts.plan.observed import Observed
from rollouts.plan.revisions import Revisions, sort_out
from rollouts.plan.router_actions import as_actions
from rollouts.plan.traffic import PREVIEW_MIRROR, BoundRouter, bound_reads, read_spec, routed_part, routers_named
from rollouts.ports import Destination, Kit, Objects, Owner, Reads, Reference, Route, Write, picked
from rollouts.ports.checked import PluginError

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Left:
    """A router that is to be left. `bound` is None where it isn't installed any more.

    `is_shared` tells that there are only objects left of it that are in use.
    """

    entry: RoutedBy
    bound: BoundRouter | None
    is_shared: bool = False

    @property
    def title(self) -> str:
        if self.is_shared:
            return f"what the spec no longer names of the router {self.entry.router}"
        return f"the router {self.entry.router}, which the spec no longer names,"


@dataclass(frozen=True, slots=True)
class LeftOver:
    """A router as it was, `shared` what those in use go on reading of its objects, and its route without a canary."""

    bound: BoundRouter
    shared: frozenset[Reference]
    rest: Route


@dataclass(frozen=True, slots=True)
class Leaving:
    """What there is to be done about routers that are to be left, and what the status remembers of all."""

    actions: tuple[Action, ...] = ()
    routed_by: tuple[Raw, ...] = ()
    forgotten: frozenset[str] = frozenset()
    because: tuple[str, ...] = ()


def reads_left(rollout: Raw, kit: Kit) -> Reads:
    """Return what the routers read that a raw Rollout has stopped to name; not what others of its routers read."""
    written = _mapping(rollout.get("status")).get("routedBy")
    if not isinstance(written, list) or all(_is_in_use(_mapping(each), rollout) for each in written):
        return ()  # as it is with most Rollouts, each time that anything about them changes
    status, _ = parse_status(_mapping(rollout.get("status")))
    current = frozenset(bound_reads(rollout, kit))
    found: list[Any] = []
    for each in _left(rollout, status.routed_by, kit):
        with suppress(PluginError):  # leaving it says so
            found += each.bound.reads() if each.bound is not None else ()
    return tuple(each for each in dict.fromkeys(found) if each not in current)


def _is_in_use(entry: Raw, rollout: Raw) -> bool:
    """Whether the spec still says of a router all that the status remembers of it."""
    router, managed, named = entry.get("router"), entry.get("managedRoutes") or (), _named(rollout)
    if not isinstance(router, str) or router not in named or named[router] != entry.get("spec"):
        return False
    return isinstance(managed, Sequence) and all(each in _managed(rollout) for each in managed)


def reads_in(rollout: Raw, kit: Kit) -> Reads:
    """Return all that routers of a raw Rollout read: those in use, and those that are to be left."""
    return (*bound_reads(rollout, kit), *reads_left(rollout, kit))


def plan_leaving(here: Observed, kit: Kit, weights: TrafficWeights | None, *, is_tidy: bool = False) -> Leaving:
    """Return what is due, and what is to be remembered: routers in use, and those that can't be left yet.

    `is_tidy` tells that objects that others in use read, too, have nothing left over.
    """
    remembered = list(_current(here.raw, weights))
    actions: list[Action] = []
    because: list[str] = []
    unheard = _unheard(here, kit)
    for entry in unheard:
        remembered.append(entry.model_dump(by_alias=True, exclude_defaults=True))
        because.append(f"{Left(entry, None).title} can't be left: {here.unheard}")
    for each in _left(here.raw, [each for each in here.status.routed_by if each not in unheard], kit):
        writes, waits = _due(here, each, kit)
        if not writes and not waits and (is_tidy or not _shared(here, each, kit)):
            if each.bound is not None and each.bound.router.tells:
                because.append(f"{each.title} wrote its objects itself: nobody has given them back, look after them")
            continue
        made, refused = as_actions(here, writes)
        actions += made
        remembered.append(each.entry.model_dump(by_alias=True, exclude_defaults=True))
        because += [*([waits] if waits else ()), *refused, *([f"{each.title} is left"] if made else ())]
    gone = {each.router for each in here.status.routed_by} - {entry["router"] for entry in remembered}
    return Leaving(tuple(actions), tuple(remembered), frozenset(gone), tuple(because))


def left_overs(here: Observed, kit: Kit) -> list[LeftOver]:
    """Return what may be left over in objects that are in use, as far as stable can have its traffic."""
    unheard, found = _unheard(here, kit), []
    for each in _left(here.raw, [entry for entry in here.status.routed_by if entry not in unheard], kit):
        shared, revisions = _shared(here, each, kit), sort_out(here)
        if each.bound is not None and shared and not _waits(here, each, revisions):
            found.append(LeftOver(each.bound, shared, _rest(each.entry, _stable_hash(revisions))))
    return found


def _shared(here: Observed, left: Left, kit: Kit) -> frozenset[Reference]:
    """Return the objects of a router that those in use read, too."""
    if left.bound is None:
        return frozenset()
    objects = here.objects or {}
    with suppress(PluginError):  # leaving it says so
        return frozenset(picked(left.bound.reads(), objects)) & frozenset(picked(bound_reads(here.raw, kit), objects))
    return frozenset()


def leave_first(here: Observed, kit: Kit) -> Plan | None:
    """Return what must be done before the strategy may change any size: it doesn't know of this router's traffic."""
    if not here.status.routed_by:
        return None
    leaving = plan_leaving(here, kit, None)
    return Plan(actions=leaving.actions, because=leaving.because) if leaving.actions else None


def is_written_down(here: Observed) -> bool:
    """Whether the status remembers all routers in use: before that none is written to, or it might never be left.

    A status for this generation that remembers none is from before there was such a field, or the API server drops it:
    older definitions don't have it.
    """
    remembered = [(each.router, each.spec) for each in here.status.routed_by]
    is_dropped = not remembered and here.status.observed_generation == str(here.generation)
    return is_dropped or all(each in remembered for each in _named(here.raw).items())


def states_left(kit: Kit, forgotten: frozenset[str], routed_by: Sequence[Raw]) -> frozenset[str]:
    """Return the fields of the status that belonged to routers which are forgotten by now."""
    current = {name for entry in routed_by for name in _states(kit, entry["router"])}
    return frozenset(name for router in forgotten for name in _states(kit, router)) - current


def _states(kit: Kit, router: str) -> frozenset[str]:
    return kit.routers[router].states if router in kit.routers else frozenset()


def _routing(rollout: Raw) -> Raw:
    return _mapping(routed_part(rollout).get("trafficRouting"))


def _named(rollout: Raw) -> dict[str, Raw]:
    return routers_named(_routing(rollout))


def _managed(rollout: Raw) -> list[str]:
    return [each["name"] for each in _routing(rollout).get("managedRoutes") or ()]


def _current(rollout: Raw, weights: TrafficWeights | None) -> Iterator[Raw]:
    """Yield what is to be remembered of the routers in use."""
    canary = routed_part(rollout)
    managed = _managed(rollout)
    services = {"canaryService": canary.get("canaryService"), "stableService": canary.get("stableService")}
    if canary.get("pingPong") is not None and weights is not None:
        services = {"canaryService": weights.canary.service_name, "stableService": weights.stable.service_name}
    for router, spec in _named(rollout).items():
        named = {key: value for key, value in services.items() if value}
        yield {"router": router, "spec": spec, **named, **({"managedRoutes": managed} if managed else {})}


def _left(rollout: Raw, remembered: Sequence[RoutedBy], kit: Kit) -> list[Left]:
    gone = (Left(each, bind_again(rollout, each, kit)) for each in remembered if not _is_named(each, rollout))
    return [each for each in gone if each.bound is not None or each.entry.router not in kit.routers]


def _is_named(entry: RoutedBy, rollout: Raw) -> bool:
    return _is_in_use({"router": entry.router, "spec": entry.spec, "managedRoutes": entry.managed_routes}, rollout)


def _unheard(here: Observed, kit: Kit) -> list[RoutedBy]:
    """Return the strangers' routers that are to be left, if they are not to be called now."""
    every = here.status.routed_by if here.unheard else ()
    return [each for each in every if each.router in kit.strangers and not _is_named(each, here.raw)]


def bind_again(rollout: Raw, entry: RoutedBy, kit: Kit) -> BoundRouter | None:
    """Bind a router that is remembered; None where it isn't installed, or can't read any more what its spec was."""
    router = kit.routers.get(entry.router)
    if router is None:
        return None
    try:
        spec = read_spec(router, entry.spec)
    except (ValidationError, PluginError):
        return None
    metadata = rollout["metadata"]
    owner = Owner(
        name=metadata["name"],
        namespace=metadata.get("namespace", "default"),
        uid=metadata.get("uid", ""),
        canary_service=entry.canary_service or "",
        stable_service=entry.stable_service or "",
        managed_routes=entry.managed_routes,
    )
    return BoundRouter(router, spec, owner)


def _due(here: Observed, left: Left, kit: Kit) -> tuple[tuple[Write, ...], str]:
    """Return what is due to leave a router, or what keeps it from being left for now."""
    if left.bound is None:
        return (), f"{left.title} isn't installed any more: its objects stay as they are"
    current, revisions = bound_reads(here.raw, kit), sort_out(here)
    try:
        hidden = [each for each in left.bound.reads() if each in here.hidden]
        if hidden:
            return (), f"{left.title} can't be left: {hidden[0]} can't be seen"
        mine = tuple(leaving_writes(left.entry, left.bound, _stable_hash(revisions), here.objects or {}, current))
    except PluginError as error:
        return (), f"{left.title} can't be left: {error}"
    shared = not mine and bool(_shared(here, left, kit))
    waits = _waits(here, replace(left, is_shared=shared), revisions) if mine or shared else ""
    return ((), waits) if waits else (mine, "")


def leaving_writes(
    entry: RoutedBy, bound: BoundRouter, stable_hash: str, objects: Objects, current: Reads
) -> Iterator[Write]:
    """Yield what leaves a router, but for the objects that are read by others that are in use."""
    read = picked(current, objects)
    yield from (each for each in bound.leave(_rest(entry, stable_hash), objects) if each.reference not in read)


def _rest(entry: RoutedBy, stable_hash: str) -> Route:
    return Route(
        Destination(entry.canary_service or "", stable_hash, 0),
        Destination(entry.stable_service or "", stable_hash, 100),
    )


def _stable_hash(revisions: Revisions) -> str:
    return revisions.stable.pod_hash if revisions.stable is not None else revisions.pod_hash


def _waits(here: Observed, left: Left, revisions: Revisions) -> str:
    """Say why stable can't have all the traffic of a router yet; empty if it can.

    Pods share traffic next where the spec names no other router. As long as an update goes on stable has a part of the
    pods only: then Services keep their shares, which follow the pods to the end.
    """
    stable, replicas = revisions.stable, here.rollout.spec.replicas_or_default
    if stable is None or PREVIEW_MIRROR in left.entry.managed_routes:  # that one has never had shares
        return ""
    is_updating = revisions.has_distinct_stable and not here.status.abort
    if is_updating and left.entry.stable_service and not _named(here.raw):
        return f"{left.title} keeps its shares until the update is over"
    if not stable.is_observed or min(stable.size, stable.available) < replicas:
        return f"{left.title} keeps its shares until all stable pods are available"
    return ""


def _mapping(value: Any) -> Raw:
    return value if isinstance(value, Mapping) else {}
