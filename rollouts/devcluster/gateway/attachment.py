"""Which listeners take a route, and are its backends there? What a route's parents report of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rollouts.devcluster.gateway.world import GROUP
from rollouts.devcluster.objects import key_of
from rollouts.expr.errors import Failure
from rollouts.expr.patterns import compiled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollouts.devcluster.gateway.world import Listener, World
    from rollouts.devcluster.objects import Key, Object


@dataclass(frozen=True, slots=True)
class Verdict:
    """A condition's status, reason and message."""

    holds: bool
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A route at one of its parents."""

    route: Object
    parent: Object
    listeners: tuple[Listener, ...]
    accepted: Verdict


def attachments(world: World) -> Iterator[Attachment]:
    """Yield what each Gateway of ours makes of each route that names it as a parent."""
    gateways = {key_of(each): each for each in world.gateways}
    for route in world.routes:
        for parent in route["spec"].get("parentRefs") or ():
            gateway = gateways.get(_gateway_of(parent, route))
            if gateway is not None:
                yield _attached(world, gateway, route, parent)


def _gateway_of(parent: Object, route: Object) -> Key:
    is_gateway = parent.get("group", GROUP) == GROUP and parent.get("kind", "Gateway") == "Gateway"
    return (parent.get("namespace") or route["metadata"]["namespace"], parent["name"]) if is_gateway else ("", "")


def _attached(world: World, gateway: Object, route: Object, parent: Object) -> Attachment:
    named = [
        each
        for each in world.listeners(gateway)
        if parent.get("sectionName", each.name) == each.name and parent.get("port", each.port) == each.port
    ]
    namespace = route["metadata"]["namespace"]
    open_to = [each for each in named if each.takes_all_namespaces or each.gateway[0] == namespace]
    meant = tuple(each for each in open_to if hostnames(each, route))
    fault = next(filter(None, map(_fault, _patterns(route))), "")
    if fault:  # Envoy would refuse everybody else's routes with it
        meant, verdict = (), Verdict(holds=False, reason="UnsupportedValue", message=fault)
    elif not named:
        verdict = Verdict(holds=False, reason="NoMatchingParent", message="no listener of this name or port")
    elif not open_to:
        text = f"no listener takes routes of the namespace {namespace}"
        verdict = Verdict(holds=False, reason="NotAllowedByListeners", message=text)
    elif not meant:
        text = "no listener is for one of the route's hostnames"
        verdict = Verdict(holds=False, reason="NoMatchingListenerHostname", message=text)
    else:
        verdict = Verdict(holds=True, reason="Accepted", message="requests are routed")
    return Attachment(route, parent, meant, verdict)


def _patterns(route: Object) -> Iterator[str]:
    for rule in route["spec"].get("rules") or ():
        for match in rule.get("matches") or ():
            for each in (match.get("path") or {}, *(match.get("headers") or ()), *(match.get("queryParams") or ())):
                if each.get("type") == "RegularExpression":
                    yield each["value"]


def _fault(pattern: str) -> str:
    """Return what is wrong with a regular expression, nothing if it is one."""
    try:
        compiled(pattern)
    except Failure as error:
        return f"{pattern}: {error}"
    return ""


def hostnames(listener: Listener, route: Object) -> list[str]:
    """Return the hostnames under which a listener serves a route; `*` is every one."""
    asked: list[str] = route["spec"].get("hostnames") or []
    if not listener.hostname or not asked:
        return asked or [listener.hostname or "*"]
    found = (_narrower(listener.hostname, each) for each in asked)
    return [each for each in found if each]


def _narrower(one: str, other: str) -> str:
    """Return the narrower of two hostnames where one is within the other, else nothing."""
    if _is_within(one, other):
        return one
    return other if _is_within(other, one) else ""


def _is_within(host: str, pattern: str) -> bool:
    return host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:]))


def references(route: Object) -> Iterator[Object]:
    """Yield every backend that a route names, those of mirrors too."""
    for rule in route["spec"].get("rules") or ():
        backends = rule.get("backendRefs") or ()
        for part in (rule, *backends):
            for each in part.get("filters") or ():
                if each["type"] == "RequestMirror":
                    yield each["requestMirror"]["backendRef"]
        yield from backends


def resolved(world: World, route: Object) -> Verdict:
    """Say whether all backends of a route are there."""
    for each in references(route):
        verdict = _found(world, route, each)
        if not verdict.holds:
            return verdict
    return Verdict(holds=True, reason="ResolvedRefs", message="all backends are there")


def is_found(world: World, route: Object, backend: Object) -> bool:
    """Say whether a backend is there and may be used."""
    return _found(world, route, backend).holds


def _found(world: World, route: Object, backend: Object) -> Verdict:
    kind, name = backend.get("kind", "Service"), backend["name"]
    if backend.get("group", "") or kind != "Service":
        text = f"{kind} {name} can't be a backend here: only Services can"
        return Verdict(holds=False, reason="InvalidKind", message=text)
    if backend.get("namespace", route["metadata"]["namespace"]) != route["metadata"]["namespace"]:
        text = f"Service {name} is in another namespace, and the dev cluster knows no ReferenceGrants"
        return Verdict(holds=False, reason="RefNotPermitted", message=text)
    if not world.has_port((route["metadata"]["namespace"], name), backend.get("port")):
        text = f"there is no Service {name} with port {backend.get('port')}"
        return Verdict(holds=False, reason="BackendNotFound", message=text)
    return Verdict(holds=True, reason="ResolvedRefs", message="")
