"""Routes of the Gateway API as people make them, and what becomes of them."""

from collections.abc import Mapping
from typing import Any

from rollouts.api.base import parse
from rollouts.api.gateway_api import GatewayApiTrafficRouting
from rollouts.ports import Objects, Owner, Reference, Route
from rollouts.traffic.gateway_api.router import GatewayApi
from tests.traffic import routers
from tests.traffic.routers import OWNER, Json

GROUP = "gateway.networking.k8s.io"
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


def written(
    objects: Objects, wanted: Route, settings: GatewayApiTrafficRouting = HTTP_SPEC, owner: Owner = OWNER
) -> Objects:
    return routers.written(ROUTER, settings, wanted, objects, owner)


def rules(objects: Objects, at: Reference | None = None) -> list[Json]:
    found: list[Json] = (objects[at or reference()] or {})["spec"]["rules"]
    return found


def weights(each: Json) -> dict[str, int | None]:
    return {one["name"]: one.get("weight") for one in each["backendRefs"]}
