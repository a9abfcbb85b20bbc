"""What can't work about the settings of a canary that a traffic router gives their meaning?"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from rollouts.api.base import describe
from rollouts.api.canary import CanaryStrategy, HeaderRoutingMatch, SetHeaderRoute, SetMirrorRoute
from rollouts.plan.traffic import configured, owner_of, read_spec
from rollouts.plan.validate_affinity import affinity_problems
from rollouts.ports import Ability, Kit, Objects
from rollouts.ports.router import AnyRouter

Raw = Mapping[str, Any]
Found = tuple[str, str]
"""A problem: the path below the canary, and what is wrong."""


def routed_problems(canary: CanaryStrategy, metadata: Raw, kit: Kit, objects: Objects | None) -> Iterator[Found]:
    """Yield what is wrong; `objects` has what routers read, None where that isn't known."""
    yield from _settings(canary)
    yield from _ping_pong(canary)
    for below, message in _routers(canary, metadata, kit, objects):
        yield f"trafficRouting{'.' if below else ''}{below}", message
    yield from affinity_problems(canary, kit)
    yield from _unlisted(canary)
    named = configured(canary.traffic_routing) if canary.traffic_routing is not None else {}
    for key in named:
        if key in kit.routers:
            yield from _managed(kit.routers[key], canary)
            yield from _unserved(kit.routers[key], named[key], canary)


def _settings(canary: CanaryStrategy) -> Iterator[Found]:
    settings = {
        "scaleDownDelaySeconds": canary.scale_down_delay_seconds,
        "dynamicStableScale": canary.dynamic_stable_scale,
    }
    if canary.traffic_routing is None:
        for name, value in settings.items():
            if value:
                yield name, "needs trafficRouting: without a router pods and traffic are one"
    elif all(settings.values()):
        yield "dynamicStableScale", "leaves no pods for scaleDownDelaySeconds to keep: remove one of the two"
    counts = {
        "scaleDownDelaySeconds": canary.scale_down_delay_seconds,
        "scaleDownDelayRevisionLimit": canary.scale_down_delay_revision_limit,
        "abortScaleDownDelaySeconds": canary.abort_scale_down_delay_seconds,
        "minPodsPerReplicaSet": canary.min_pods_per_replica_set,
    }
    for name, value in counts.items():
        if value is not None and value < 0:
            yield name, f"{value} is negative: must be 0 or more"
    weight = canary.traffic_routing.max_traffic_weight if canary.traffic_routing else None
    if weight is not None and weight < 1:
        yield "trafficRouting.maxTrafficWeight", f"{weight} leaves no weights: must be 1 or more"


def _ping_pong(canary: CanaryStrategy) -> Iterator[Found]:
    pair = canary.ping_pong
    if pair is None:
        return
    for name, value in {"pingService": pair.ping_service, "pongService": pair.pong_service}.items():
        if not value:
            yield f"pingPong.{name}", "is empty: name a Service"
    if pair.ping_service and pair.ping_service == pair.pong_service:
        yield "pingPong.pongService", f'"{pair.pong_service}" is the pingService, too: name two Services'
    if canary.traffic_routing is None:
        yield "pingPong", "needs trafficRouting: without a router nothing moves traffic between the two Services"


def _routers(canary: CanaryStrategy, metadata: Raw, kit: Kit, objects: Objects | None) -> Iterator[Found]:
    """Yield what is wrong with the routers: paths below trafficRouting, empty for the whole."""
    routing = canary.traffic_routing
    if routing is None:
        return
    named = configured(routing)
    if not named:
        yield "", f"names no router: {_installed(kit)}"
    for key, spec in named.items():
        path = f"plugins.{key}" if key in (routing.plugins or {}) else key
        if key not in kit.routers:
            yield path, kit.broken.get(key) or f"no such router is installed: {_meant(key, kit)}{_installed(kit)}"
            continue
        router = kit.routers[key]
        try:
            model = read_spec(router, spec)
        except ValidationError as error:
            yield path, describe(error)
            continue
        yield from _needs(path, router, model, canary)
        owner = owner_of(metadata, canary)
        for below, message in router.problems(model, owner, objects):
            yield f"{path}.{below}" if below else path, message


def _meant(key: str, kit: Kit) -> str:
    """Ask for the router that differs in capital letters only, or that needs no plugin here."""
    near = {name.lower(): name for name in kit.routers}
    name = near.get(key.lower()) or near.get(key.rpartition("/")[2].lower())
    if name is None:
        return ""
    return f"did you mean {'plugins.' if '/' in name else 'trafficRouting.'}{name}? "


def _installed(kit: Kit) -> str:
    names = ", ".join(sorted(kit.routers))
    return (
        f"installed are {names}" if names else "there is none here; remove trafficRouting, and pods share the traffic"
    )


def _needs(path: str, router: AnyRouter, spec: Any, canary: CanaryStrategy) -> Iterator[Found]:
    """Yield what this router can't do, and what it can't do without."""
    routing = canary.traffic_routing
    if routing is not None and routing.max_traffic_weight is not None and Ability.MAX_WEIGHT not in router.abilities:
        yield "maxTrafficWeight", f"{router.key} knows weights from 0 to 100 only: remove it"
    elif routing is not None and router.most_weight is not None:
        weight = routing.max_traffic_weight_or_default
        if weight > router.most_weight:
            yield (
                "maxTrafficWeight",
                f"{weight} is more than {router.key} can hold: must be {router.most_weight} or less",
            )
    if canary.ping_pong is not None and Ability.PING_PONG not in router.abilities:
        yield path, "can't do pingPong: name canaryService and stableService instead"
    if _has_weights(canary) and Ability.EXPERIMENTS not in router.abilities:
        yield path, "can't send traffic to the pods of experiments: remove the weights of their templates"
    if canary.ping_pong is None and router.needs_services(spec):
        services = {"canaryService": canary.canary_service, "stableService": canary.stable_service}
        missing = " and ".join(name for name, value in services.items() if not value)
        if missing:
            yield path, f"splits traffic between two Services: set {missing}"


def _unlisted(canary: CanaryStrategy) -> Iterator[Found]:
    """Yield the steps whose managed route trafficRouting doesn't list."""
    if canary.traffic_routing is None:
        return
    listed = [each.name for each in canary.traffic_routing.managed_routes]
    for index, step in enumerate(canary.steps or ()):
        for key, route in (("setHeaderRoute", step.set_header_route), ("setMirrorRoute", step.set_mirror_route)):
            if route is not None and (route.name or "") not in listed:
                path = f"steps[{index}].{key}.name"
                known = f"has {', '.join(listed)}" if listed else "is empty"
                yield path, f'"{route.name or ""}" is not in trafficRouting.managedRoutes, which {known}: list it there'


def _managed(router: AnyRouter, canary: CanaryStrategy) -> Iterator[Found]:
    """Yield the steps that ask for routes which this router can't make."""
    for index, step in enumerate(canary.steps or ()):
        for key, ability, route in (
            ("setHeaderRoute", Ability.HEADER_ROUTES, step.set_header_route),
            ("setMirrorRoute", Ability.MIRROR_ROUTES, step.set_mirror_route),
        ):
            if route is not None and route.match and ability not in router.abilities:
                yield f"steps[{index}].{key}", f"{router.key} can't do that: remove the step, or use another router"
        if step.set_header_route is not None and Ability.HEADER_ROUTES in router.abilities:
            for place, match in enumerate(step.set_header_route.match):
                for below, message in _compared(router, match):
                    yield f"steps[{index}].setHeaderRoute.match[{place}].{below}", message


def unserved(router: AnyRouter, spec: Any, managed: SetHeaderRoute | SetMirrorRoute) -> Iterator[Found]:
    """Yield why nothing that a router's settings name can have a managed route."""
    try:
        model = read_spec(router, spec)
    except ValidationError:
        return  # which has been said
    yield from router.unserved(model, managed)


def _unserved(router: AnyRouter, spec: Any, canary: CanaryStrategy) -> Iterator[Found]:
    """Yield the steps whose route the router could make, but for nothing that its settings name."""
    for index, step in enumerate(canary.steps or ()):
        for key, ability, route in (
            ("setHeaderRoute", Ability.HEADER_ROUTES, step.set_header_route),
            ("setMirrorRoute", Ability.MIRROR_ROUTES, step.set_mirror_route),
        ):
            if route is not None and route.match and ability in router.abilities:
                for below, message in unserved(router, spec, route):
                    yield f"steps[{index}].{key}{'.' if below else ''}{below}", message


def _compared(router: AnyRouter, match: HeaderRoutingMatch) -> Iterator[Found]:
    """Yield what this router can't compare of an entry: paths below it."""
    known = " or ".join(router.header_matches)
    for kind, _, value in match.compared:
        if kind == "cookie":
            if "regex" not in router.header_matches:
                says = (
                    f"{router.key} can't find a cookie among others, which takes a regex: use headerName with {known}"
                )
                yield "cookieName", says
        elif kind == "queryParam" and Ability.QUERY_PARAMETERS not in router.abilities:
            yield "queryParamName", f"{router.key} can't compare query parameters: use headerName"
        else:
            what = "headers" if kind == "header" else "query parameters"
            for comparison in value.model_fields_set - set(router.header_matches):
                yield f"{kind}Value.{comparison}", f"{router.key} can't compare {what} like that: use {known}"


def _has_weights(canary: CanaryStrategy) -> bool:
    """Whether pods of an experiment are to get a share of the traffic."""
    experiments = (step.experiment for step in canary.steps or () if step.experiment is not None)
    return any(template.weight for each in experiments for template in each.templates)
