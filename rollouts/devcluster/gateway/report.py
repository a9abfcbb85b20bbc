"""What do Gateways say about themselves and about routes, once Envoy has taken something in?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollouts.devcluster.gateway.attachment import Attachment, Verdict, attachments, resolved
from rollouts.devcluster.gateway.world import CONTROLLER, GROUP
from rollouts.devcluster.objects import condition, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollouts.devcluster.gateway.world import Listener, World
    from rollouts.devcluster.objects import Object

_ACCEPTED = Verdict(holds=True, reason="Accepted", message="Envoy serves it")
_PROGRAMMED = Verdict(holds=True, reason="Programmed", message="Envoy has taken in what it says")
_NO_REFS = Verdict(holds=True, reason="ResolvedRefs", message="it refers to nothing")
_CONFLICTED = Verdict(holds=False, reason="NoConflicts", message="no other listener is in the way")


def conditions(old: Object | None, verdicts: dict[str, Verdict], generation: int, now: str) -> list[Object]:
    """Return conditions of a generation; the time of one is that of its last change."""
    found = []
    for kind, verdict in verdicts.items():
        status = "True" if verdict.holds else "False"
        before = condition(old or {}, kind)
        since = before["lastTransitionTime"] if before and before["status"] == status else now
        found.append(
            {
                "type": kind,
                "status": status,
                "reason": verdict.reason,
                "message": verdict.message,
                "observedGeneration": generation,
                "lastTransitionTime": since,
            }
        )
    return found


def route_status(world: World, route: Object, live: Object, now: str) -> Object:
    """Return a route's status: what our Gateways say of `route`, beside what others have said (`live`)."""
    old = live.get("status") or {}
    others = [each for each in old.get("parents") or () if each["controllerName"] != CONTROLLER]
    ours = [_parent(world, each, old, now) for each in attachments(world) if key_of(each.route) == key_of(route)]
    return {**old, "parents": [*others, *ours]} if old or others or ours else old


def _parent(world: World, attachment: Attachment, old: Object, now: str) -> Object:
    before = next((each for each in old.get("parents") or () if each["parentRef"] == attachment.parent), None)
    verdicts = {"Accepted": attachment.accepted, "ResolvedRefs": resolved(world, attachment.route)}
    generation = attachment.route["metadata"]["generation"]
    return {
        "parentRef": attachment.parent,
        "controllerName": CONTROLLER,
        "conditions": conditions(before, verdicts, generation, now),
    }


def gateway_status(world: World, gateway: Object, live: Object, now: str) -> Object:
    """Return a Gateway's status."""
    old, generation = live.get("status") or {}, gateway["metadata"]["generation"]
    attached = list(attachments(world))
    before = {each["name"]: each for each in old.get("listeners") or ()}
    verdicts = {"Accepted": _ACCEPTED, "Programmed": _PROGRAMMED}
    return {
        "addresses": [{"type": "IPAddress", "value": world.addresses[key_of(gateway)]}],
        "conditions": conditions(old, verdicts, generation, now),
        "listeners": [
            _listener(each, attached, before.get(each.name), generation, now) for each in world.listeners(gateway)
        ],
    }


def _listener(
    listener: Listener, attached: Iterable[Attachment], before: Object | None, generation: int, now: str
) -> Object:
    verdicts = {
        "Accepted": _ACCEPTED,
        "Programmed": _PROGRAMMED,
        "ResolvedRefs": _NO_REFS,
        "Conflicted": _CONFLICTED,
    }
    return {
        "name": listener.name,
        "attachedRoutes": sum(listener in each.listeners for each in attached),
        "supportedKinds": [{"group": GROUP, "kind": "HTTPRoute"}],
        "conditions": conditions(before, verdicts, generation, now),
    }
