"""What do the backends of Skipper's RouteGroups weigh?

A RouteGroup names its backends once, and each of its routes, or all that say nothing else, has some of them with
weights. Where both Services are among them, their weights are set, and nothing else.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rollouts.ports import Owner, Reference, Route
from rollouts.ports.router import Raw
from rollouts.traffic.proportions import Weights
from rollouts.traffic.shares import shares_of

GROUP, KIND = "zalando.org", "RouteGroup"


def route_group(owner: Owner, name: str) -> Reference:
    """Return the reference to a RouteGroup beside the Rollout."""
    return Reference(GROUP, KIND, owner.namespace, name)


def patch(raw: Raw, route: Route) -> dict[str, Any]:
    """Return what is due on a RouteGroup; nothing if all is as it should be."""
    spec, shares = raw.get("spec") or {}, shares_of(route)
    services = _services(spec)
    ends = (route.canary.service, route.stable.service)
    routes = [_weighed(each, "backends", shares, ends, services) for each in spec.get("routes") or ()]
    default = _weighed(spec, "defaultBackends", shares, ends, services)
    found: dict[str, Any] = {}
    if default is not spec:
        found["defaultBackends"] = default["defaultBackends"]
    if any(one is not other for one, other in zip(routes, spec.get("routes") or (), strict=True)):
        found["routes"] = routes
    return {"spec": found} if found else {}


def _weighed(
    place: Raw, field: str, shares: Mapping[str, int], ends: tuple[str, str], services: Mapping[str, str]
) -> Raw:
    """Return what has a list of backends with their weights; the very same where there is nothing to be done."""
    backends = place.get(field) or []
    names = [services.get(each["backendName"], "") for each in backends]
    if not {*ends} <= {*names}:
        return place
    default = 0 if any("weight" in each for each in backends) else 1
    weights = Weights(lambda each: services.get(each["backendName"], ""), default=default)
    found = weights.shared(backends, shares)
    return place if found is backends else {**place, field: list(found)}


def _services(spec: Raw) -> dict[str, str]:
    """Return the Services by the names of the backends that they are."""
    named = ((each["name"], each.get("serviceName", "")) for each in spec.get("backends") or ())
    return {name: service for name, service in named if service}


def lacking(reference: Reference, raw: Raw | None, owner: Owner) -> Iterator[str]:
    """Say what a RouteGroup lacks."""
    if raw is None:
        yield f"{reference} doesn't exist in namespace {reference.namespace}: create it"
        return
    spec = raw.get("spec") or {}
    services = _services(spec)
    ends = [each for each in (owner.stable_service, owner.canary_service) if each]
    missing = [each for each in ends if each not in services.values()]
    yield from (f"{reference} has no backend with the Service {each}: add one to spec.backends" for each in missing)
    lists = [spec.get("defaultBackends") or (), *(each.get("backends") or () for each in spec.get("routes") or ())]
    named = [{services.get(each["backendName"], "") for each in backends} for backends in lists]
    if ends and not missing and not any({*ends} <= each for each in named):
        both = " and ".join(ends)
        yield f"no route of {reference} has both {both}: name them in its backends, or in spec.defaultBackends"
    for each in named:
        if len(each & {*ends}) == 1 and len(ends) > 1:
            (absent,) = {*ends} - each
            yield f"a list of backends of {reference} lacks the Service {absent}: add it, with the weight 0"
