"""Objects of Istio as people make them, and what becomes of them."""

from collections.abc import Mapping
from typing import Any

from rollouts.api.base import parse
from rollouts.api.canary import SetHeaderRoute, SetMirrorRoute
from rollouts.api.traffic import IstioTrafficRouting
from rollouts.ports import Destination, Objects, Owner, Reference, Route, picked
from rollouts.ports.testing import applied
from rollouts.traffic.istio.router import Istio

Json = dict[str, Any]

GROUP = "networking.istio.io"
ROUTER = Istio()
OWNER = Owner("web", "default", "uid-web", "web-canary", "web-stable", managed_routes=("beta", "copy"))
WITHOUT_SERVICES = Owner("web", "default", "uid-web", managed_routes=("beta", "copy"))
ADDED = "rollouts.argoproj.io/istio-added"
MANAGED_BY = "argo-rollouts.argoproj.io/managed-by-rollouts"
HASH = "rollouts-pod-template-hash"


def spec(**fields: Any) -> IstioTrafficRouting:
    """Return what stands in trafficRouting.istio."""
    return parse(IstioTrafficRouting, fields)


RULE = {"name": "web", "canarySubsetName": "canary", "stableSubsetName": "stable"}
BY_HOST = spec(virtualService={"name": "web"})
BY_SUBSET = spec(virtualService={"name": "web"}, destinationRule=RULE)


def to(host: str, weight: int | None = None, **destination: Any) -> Json:
    """Return a destination with its weight."""
    return {"destination": {"host": host, **destination}, **({} if weight is None else {"weight": weight})}


def stable(weight: int | None = None, **destination: Any) -> Json:
    return to("web-stable", weight, **destination)


def canary(weight: int | None = None, **destination: Any) -> Json:
    return to("web-canary", weight, **destination)


def subset(name: str, weight: int | None = None) -> Json:
    return to("web", weight, subset=name)


def rule(*destinations: Json, **fields: Any) -> Json:
    return {**fields, "route": list(destinations)}


def reference(kind: str = "VirtualService", name: str = "web", namespace: str = "default") -> Reference:
    return Reference(GROUP, kind, namespace, name)


def virtual_service(*http: Json, at: Reference | None = None, **more: Any) -> dict[Reference, Mapping[str, Any]]:
    """Return a VirtualService as the API server has it; `more` are fields of its spec."""
    place = at or reference()
    routes = {"http": list(http)} if http else {}
    body = {"hosts": ["shop.example.com"], **routes, **more}
    return {place: {"kind": place.kind, "metadata": {"name": place.name, "namespace": place.namespace}, "spec": body}}


def destination_rule(*subsets: Json, **annotations: str) -> dict[Reference, Mapping[str, Any]]:
    """Return a DestinationRule as the API server has it."""
    place = reference("DestinationRule")
    metadata: Json = {"name": place.name, "namespace": place.namespace}
    metadata |= {"annotations": {MANAGED_BY: annotations["manager"]}} if annotations else {}
    return {place: {"kind": place.kind, "metadata": metadata, "spec": {"host": "web", "subsets": list(subsets)}}}


def named(name: str, **labels: str) -> Json:
    return {"name": name, "labels": labels} if labels else {"name": name}


def hashed(name: str, pod_hash: str, **labels: str) -> Json:
    return {"name": name, "labels": {**labels, HASH: pod_hash}}


def route(weight: int, **more: Any) -> Route:
    """Return a Route; `headers` and `mirrors` are as a manifest has them, `additional` are weights by Service.

    With `services=False` traffic goes to hashes, the additional one as well.
    """
    services = ("web-canary", "web-stable") if more.get("services", True) else ("", "")
    extra = tuple(
        Destination(name if services[0] else "", f"hash-{name}", share)
        for name, share in more.get("additional", {}).items()
    )
    return Route(
        Destination(services[0], more.get("canary", "c"), weight),
        Destination(services[1], more.get("stable", "s"), 100 - weight - sum(each.weight for each in extra)),
        extra,
        100,
        tuple(parse(SetHeaderRoute, each) for each in more.get("headers", ())),
        tuple(parse(SetMirrorRoute, each) for each in more.get("mirrors", ())),
    )


def written(
    objects: Objects, wanted: Route, settings: IstioTrafficRouting = BY_HOST, owner: Owner = OWNER, *, passes: int = 1
) -> Objects:
    """Return the objects once a Route is written, and see that nothing is left to be written after some passes."""
    for _ in range(passes):
        writes = ROUTER.write(settings, owner, wanted, picked(ROUTER.reads(settings, owner), objects))
        objects = applied(objects, writes)
    assert ROUTER.write(settings, owner, wanted, picked(ROUTER.reads(settings, owner), objects)) == ()
    return objects


def spec_of(objects: Objects, at: Reference | None = None) -> Json:
    found: Json = (objects[at or reference()] or {})["spec"]
    return found


def http(objects: Objects, at: Reference | None = None) -> list[Json]:
    found: list[Json] = spec_of(objects, at)["http"]
    return found


def annotations(objects: Objects, at: Reference | None = None) -> Json:
    found: Json = (objects[at or reference()] or {})["metadata"].get("annotations") or {}
    return found
