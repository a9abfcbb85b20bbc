"""Routes of the Gateway API as people make them, and what becomes of them."""

from collections.abc import Mapping
from typing import Any

from rollouts.api.base import parse
from rollouts.api.canary import SetHeaderRoute, SetMirrorRoute
from rollouts.api.gateway_api import GatewayApiTrafficRouting
from rollouts.ports import Destination, Objects, Owner, Reference, Route, picked
from rollouts.ports.testing import applied
from rollouts.traffic.gateway_api.router import GatewayApi

Json = dict[str, Any]

GROUP = "gateway.networking.k8s.io"
OWNER = Owner("web", "default", "uid-web", "web-canary", "web-stable")
ROUTER = GatewayApi()
LABEL = "rollouts.argoproj.io/gatewayapi-canary"
ACTIVE = "rollouts.argoproj.io/gatewayapi-active-rollouts"
ADDED = "rollouts.argoproj.io/gatewayapi-added"


def spec(**fields: Any) -> GatewayApiTrafficRouting:
    """Return what stands in trafficRouting.gatewayAPI."""
    return parse(GatewayApiTrafficRouting, fields)


HTTP_SPEC = spec(httpRoutes=[{"name": "web"}])


def backend(name: str, weight: int | None = None, **fields: Any) -> Json:
    """Return a backend of a rule."""
    return {"name": name, "port": 80, **({} if weight is None else {"weight": weight}), **fields}


def stable(weight: int | None = None) -> Json:
    return backend("web-stable", weight)


def canary(weight: int | None = None) -> Json:
    return backend("web-canary", weight)


def rule(*backends: Json, **fields: Any) -> Json:
    return {**fields, "backendRefs": list(backends)}


def reference(kind: str = "HTTPRoute", name: str = "web", namespace: str = "default") -> Reference:
    return Reference(GROUP, kind, namespace, name)


def live(*rules: Json, at: Reference | None = None, **metadata: Any) -> dict[Reference, Mapping[str, Any]]:
    """Return a route as the API server has it."""
    place = at or reference()
    names = {"name": place.name, "namespace": place.namespace, "generation": 4}
    raw: Json = {"kind": place.kind, "metadata": {**names, **metadata}, "spec": {"rules": list(rules)}}
    return {place: raw}


def route(weight: int, *, max_weight: int = 100, **more: Any) -> Route:
    """Return a Route; `headers` and `mirrors` are as a manifest has them, `additional` are weights by Service."""
    extra = tuple(Destination(name, name, share) for name, share in more.get("additional", {}).items())
    return Route(
        Destination("web-canary", "c", weight),
        Destination("web-stable", "s", max_weight - weight - sum(each.weight for each in extra)),
        extra,
        max_weight,
        tuple(parse(SetHeaderRoute, each) for each in more.get("headers", ())),
        tuple(parse(SetMirrorRoute, each) for each in more.get("mirrors", ())),
    )


def written(
    objects: Objects, wanted: Route, settings: GatewayApiTrafficRouting = HTTP_SPEC, owner: Owner = OWNER
) -> Objects:
    """Return the objects once a Route is written, and see that it is written once."""
    after = applied(objects, ROUTER.write(settings, owner, wanted, picked(ROUTER.reads(settings, owner), objects)))
    assert ROUTER.write(settings, owner, wanted, picked(ROUTER.reads(settings, owner), after)) == ()
    return after


def rules(objects: Objects, at: Reference | None = None) -> list[Json]:
    found: list[Json] = (objects[at or reference()] or {})["spec"]["rules"]
    return found


def weights(each: Json) -> dict[str, int | None]:
    return {one["name"]: one.get("weight") for one in each["backendRefs"]}
