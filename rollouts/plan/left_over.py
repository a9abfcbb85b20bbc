"""What has the spec stopped to name within an object that its routers go on using: other routes of it, other names?

What the status remembers is left in memory, what the spec says now is written on top, and the difference is due: so
what isn't named any more goes to stable, and what is in use stays as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollouts.api.merging import merge_patch, merged
from rollouts.plan.actions import Action
from rollouts.plan.leaving import LeftOver, left_overs
from rollouts.plan.observed import Observed
from rollouts.plan.router_actions import as_actions
from rollouts.plan.traffic import BoundRouter
from rollouts.ports import Kit, Objects, Patch, Reference, Route, Write
from rollouts.ports.checked import PluginError

Raw = Mapping[str, Any]
_ROUNDS = 3
"""How often a router may have to be asked until its objects say a route: a subset comes before who names it."""


@dataclass(frozen=True, slots=True)
class Tidying:
    """What is due, and what is against it. `is_done` tells that nothing is left over."""

    actions: tuple[Action, ...] = ()
    because: tuple[str, ...] = ()
    is_done: bool = False


def tidy(here: Observed, bound: Sequence[BoundRouter], route: Route, kit: Kit) -> Tidying:
    """Return what tidies objects up that say a route already."""
    every = left_overs(here, kit)
    if not every:
        return Tidying(is_done=True)
    try:
        due = _due(every, bound, route, here.objects or {})
    except PluginError as error:
        return Tidying(because=(f"what the spec no longer names can't be left: {error}",))
    actions, against = as_actions(here, due)
    return Tidying(tuple(actions), tuple(against), is_done=not due)


def _due(every: Sequence[LeftOver], bound: Sequence[BoundRouter], route: Route, live: Objects) -> tuple[Write, ...]:
    after = _tidied(every, bound, route, live)
    if _writes(bound, route, after) or _tidied(every, bound, route, after) != after:
        return ()  # a router that doesn't come to rest so: better left over than written for ever
    patches = ((each, merge_patch(raw, after[each] or {})) for each, raw in live.items() if raw is not None)
    return tuple(Patch(each, body) for each, body in patches if body)


def _tidied(every: Sequence[LeftOver], bound: Sequence[BoundRouter], route: Route, live: Objects) -> Objects:
    """Return the objects as they would be, but for those that come or go."""
    after = dict(live)
    for each in every:
        writes = each.bound.leave(each.rest, after)
        after = _patched(after, [write for write in writes if write.reference in each.shared])
    for _ in range(_ROUNDS):
        for router in bound:
            after = _patched(after, router.write(route, after))
    return after


def _writes(bound: Sequence[BoundRouter], route: Route, objects: Objects) -> tuple[Write, ...]:
    return tuple(write for each in bound for write in each.write(route, objects))


def _patched(objects: Objects, writes: Sequence[Write]) -> dict[Reference, Raw | None]:
    patches = {each.reference: each.body for each in writes if isinstance(each, Patch)}
    return {**objects, **{place: merged(objects[place], body) for place, body in patches.items()}}
