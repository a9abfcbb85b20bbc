"""How does a Route become routes of an App Mesh virtual router?

The VirtualService names the VirtualRouter; its routes weigh two VirtualNodes, each of which selects pods by their hash.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

from rollouts.api.keys import POD_TEMPLATE_HASH
from rollouts.api.selectors import read_selector
from rollouts.api.traffic import AppMeshTrafficRouting, AppMeshVirtualService
from rollouts.ports import Objects, Owner, Patch, Reads, Reference, Route, Router, Selected, Write
from rollouts.ports.router import Raw
from rollouts.traffic.proportions import Weights

GROUP = "appmesh.k8s.aws"
_PROTOCOLS = ("httpRoute", "http2Route", "grpcRoute", "tcpRoute")
_ACTION, _TARGETS = "action", "weightedTargets"


class AppMesh(Router[AppMeshTrafficRouting]):
    """Sets weights in a VirtualRouter, and points its two VirtualNodes at pods."""

    key = "appMesh"
    model: ClassVar = AppMeshTrafficRouting

    def problems(self, spec: AppMeshTrafficRouting, owner: Owner, objects: Objects | None) -> Iterator[tuple[str, str]]:
        canary, stable = _nodes(spec)
        if spec.virtual_service is None:
            yield "virtualService", "is missing: name a VirtualService"
        if not canary or not stable:
            yield "virtualNodeGroup", "must name two VirtualNodes: set canaryVirtualNodeRef and stableVirtualNodeRef"
        elif canary == stable:
            yield "virtualNodeGroup", f'names "{canary}" twice: canary and stable need a VirtualNode each'
        elif spec.virtual_service is not None and objects is not None:
            yield from _live(spec, spec.virtual_service, owner, objects)

    def reads(self, spec: AppMeshTrafficRouting, owner: Owner) -> Reads:
        """Name the routers as well: only the VirtualService tells which one it is."""
        service = [_reference("VirtualService", owner, spec.virtual_service.name)] if spec.virtual_service else []
        nodes = [_reference("VirtualNode", owner, name) for name in _nodes(spec) if name]
        return (*service, *nodes, Selected(GROUP, "VirtualRouter", owner.namespace, read_selector({})))

    def write(self, spec: AppMeshTrafficRouting, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        ends = dict(zip(_nodes(spec), (route.canary, route.stable), strict=True))
        found: list[Write] = []
        reference = _router(spec, owner, objects)
        raw = objects.get(reference) if reference is not None else None
        if reference is not None and raw is not None and spec.virtual_service is not None:
            shares = {name: end.weight for name, end in ends.items()}
            routes = [
                _with_shares(each, shares) if _is_meant(each, spec.virtual_service) else each for each in _routes(raw)
            ]
            if routes != _routes(raw):
                found.append(Patch(reference, {"spec": {"routes": routes}}))
        for name, end in ends.items():
            place = _reference("VirtualNode", owner, name)
            if (node := objects.get(place)) is not None and end.pod_hash and _hash(node) != end.pod_hash:
                labels = {"matchLabels": {POD_TEMPLATE_HASH: end.pod_hash}}
                found.append(Patch(place, {"spec": {"podSelector": labels}}))
        return tuple(found)

    def leave(self, spec: AppMeshTrafficRouting, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        places = {_reference("VirtualNode", owner, name) for name in _nodes(spec)}
        writes = [each for each in self.write(spec, owner, route, objects) if each.reference not in places]
        nodes = [place for place in sorted(places, key=str) if _may_select_any(objects.get(place))]
        selector = {"podSelector": {"matchLabels": {POD_TEMPLATE_HASH: None}}}
        return (*writes, *(Patch(place, {"spec": selector}) for place in nodes))


def _reference(kind: str, owner: Owner, name: str) -> Reference:
    return Reference(GROUP, kind, owner.namespace, name)


def _nodes(spec: AppMeshTrafficRouting) -> tuple[str, str]:
    """Return the names of the canary's and the stable VirtualNode."""
    group = spec.virtual_node_group
    refs = (group.canary_virtual_node_ref, group.stable_virtual_node_ref) if group is not None else (None, None)
    canary, stable = (each.name if each is not None else "" for each in refs)
    return canary, stable


def _router(spec: AppMeshTrafficRouting, owner: Owner, objects: Objects) -> Reference | None:
    """Return the router that the VirtualService names, if it is one of the Rollout's namespace."""
    service = spec.virtual_service
    raw = objects.get(_reference("VirtualService", owner, service.name)) if service is not None else None
    provider = ((raw or {}).get("spec") or {}).get("provider") or {}
    named = (provider.get("virtualRouter") or {}).get("virtualRouterRef") or {}
    if not named or named.get("namespace", owner.namespace) != owner.namespace:
        return None
    return _reference("VirtualRouter", owner, named["name"])


def _routes(raw: Raw) -> list[Raw]:
    routes: list[Raw] = (raw.get("spec") or {}).get("routes") or []
    return routes


def _is_meant(route: Raw, service: AppMeshVirtualService) -> bool:
    return not service.routes or route.get("name") in service.routes


def _node(target: Raw) -> str:
    name: str = (target.get("virtualNodeRef") or {}).get("name", "")
    return name


def _targets(route: Raw) -> Iterator[tuple[str, list[Raw]]]:
    """Yield the protocol of a route, and its targets."""
    for protocol in _PROTOCOLS:
        if targets := ((route.get(protocol) or {}).get(_ACTION) or {}).get(_TARGETS):
            yield protocol, targets


def _with_shares(route: Raw, shares: dict[str, int]) -> Raw:
    changed: dict[str, Any] = {}
    for protocol, targets in _targets(route):
        action = {**route[protocol][_ACTION], _TARGETS: list(Weights(_node).shared(targets, shares))}
        changed[protocol] = {**route[protocol], _ACTION: action}
    return {**route, **changed}


def _hash(node: Raw) -> str:
    labels = ((node.get("spec") or {}).get("podSelector") or {}).get("matchLabels") or {}
    return str(labels.get(POD_TEMPLATE_HASH, ""))


def _may_select_any(node: Raw | None) -> bool:
    """Whether a VirtualNode selects by a hash, and by more: without any labels it would find everything."""
    if node is None or not _hash(node):
        return False
    selector = node["spec"]["podSelector"]
    return len(selector["matchLabels"]) > 1 or bool(selector.get("matchExpressions"))


def _live(
    spec: AppMeshTrafficRouting, service: AppMeshVirtualService, owner: Owner, objects: Objects
) -> Iterator[tuple[str, str]]:
    for side, name in zip(("canary", "stable"), _nodes(spec), strict=True):
        place = _reference("VirtualNode", owner, name)
        if objects.get(place) is None:
            yield f"virtualNodeGroup.{side}VirtualNodeRef", _missing(place)
    place = _reference("VirtualService", owner, service.name)
    if objects.get(place) is None:
        yield "virtualService", _missing(place)
        return
    router = _router(spec, owner, objects)
    if router is None:
        yield (
            "virtualService",
            f"{place} names no VirtualRouter of namespace {owner.namespace}: set one as its provider",
        )
    elif (raw := objects.get(router)) is None:
        yield "virtualService", _missing(router)
    else:
        yield from _router_problems(router, raw, spec, service)


def _missing(reference: Reference) -> str:
    return f"{reference} doesn't exist in namespace {reference.namespace}: create it"


def _router_problems(
    router: Reference, raw: Raw, spec: AppMeshTrafficRouting, service: AppMeshVirtualService
) -> Iterator[tuple[str, str]]:
    names = [str(each.get("name")) for each in _routes(raw)]
    for name in service.routes:
        if name not in names:
            yield "virtualService.routes", f'{router} has no route named "{name}": there are {", ".join(names)}'
    if not names:
        yield "virtualService", f"{router} has no routes: add one with both VirtualNodes as its targets"
    wanted = sorted(_nodes(spec))
    for route in _routes(raw):
        targets = [sorted(map(_node, each)) for _, each in _targets(route)]
        if _is_meant(route, service) and targets != [wanted]:
            both = " and ".join(wanted)
            yield "virtualService", f'route "{route.get("name")}" of {router} must have two targets: {both}'
