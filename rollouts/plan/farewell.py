"""What do the traffic routers of a Rollout that is gone leave behind, and what gives it back?

Its pods go, or belong to nobody: no size is waited for. What the Rollout owned is the garbage collector's, too; whoever
comes first.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rollouts.api.status import RoutedBy, parse_status
from rollouts.plan.actions import ObjectAction
from rollouts.plan.leaving import bind_again, leaving_writes
from rollouts.plan.router_actions import as_action
from rollouts.plan.traffic import BoundRouter
from rollouts.ports import Kit, Objects, Reads

Raw = Mapping[str, Any]


def routers_of(rollout: Raw) -> tuple[str, ...]:
    """Return the names of the routers that a Rollout has used, and not left so far."""
    return tuple(each.router for each in _remembered(rollout))


def farewell_reads(rollout: Raw, kit: Kit) -> Reads:
    """Return what these routers read."""
    return tuple(dict.fromkeys(read for _, bound in _bound(rollout, kit) for read in bound.reads()))


def plan_farewell(rollout: Raw, kit: Kit, objects: Objects, spared: Reads) -> tuple[ObjectAction, ...]:
    """Return what is due; nothing for objects that are `spared`: another Rollout under this name has them."""
    status, _ = parse_status(rollout.get("status") or {})
    return tuple(
        as_action(write, objects)
        for entry, bound in _bound(rollout, kit)
        for write in leaving_writes(entry, bound, status.stable_rs or "", objects, spared)
    )


def _remembered(rollout: Raw) -> tuple[RoutedBy, ...]:
    status = rollout.get("status")
    return parse_status(status)[0].routed_by if isinstance(status, Mapping) else ()


def _bound(rollout: Raw, kit: Kit) -> Iterator[tuple[RoutedBy, BoundRouter]]:
    for entry in _remembered(rollout):
        if (bound := bind_again(rollout, entry, kit)) is not None:
            yield entry, bound
