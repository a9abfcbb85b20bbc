"""How does a Route become HTTPRoutes of Linkerd?

They are the Gateway API's in a group of their own, with a Service as their parent. The Gateway API's own routes, which
Linkerd knows as well, are for trafficRouting.gatewayAPI.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

from rollouts.api.gateway_api import GatewayApiTrafficRouting
from rollouts.api.traffic import LinkerdTrafficRouting
from rollouts.ports import Ability, Objects, Owner, Reads, Reference, Route, Router, Seen, Write
from rollouts.traffic.gateway_api import targets
from rollouts.traffic.gateway_api.backends import MOST_WEIGHT
from rollouts.traffic.gateway_api.router import GatewayApi

GROUP = "policy.linkerd.io"
_NATIVE = GatewayApi()


class Linkerd(Router[LinkerdTrafficRouting]):
    """Sets weights in Linkerd's HTTPRoutes, and adds rules for header routes."""

    key = "linkerd"
    model: ClassVar = LinkerdTrafficRouting
    abilities = frozenset(
        {Ability.MAX_WEIGHT, Ability.PING_PONG, Ability.HEADER_ROUTES, Ability.QUERY_PARAMETERS, Ability.EXPERIMENTS}
    )
    most_weight = MOST_WEIGHT

    def problems(self, spec: LinkerdTrafficRouting, owner: Owner, objects: Objects | None) -> Iterator[tuple[str, str]]:
        if not spec.http_routes:
            yield "", "names no route: list some in httpRoutes"
            return
        yield from _NATIVE.problems(_native(spec), owner, None if objects is None else _renamed(objects, targets.GROUP))

    def reads(self, spec: LinkerdTrafficRouting, owner: Owner) -> Reads:
        return tuple(replace(each, group=GROUP) for each in _NATIVE.reads(_native(spec), owner))

    def seen(self, spec: LinkerdTrafficRouting, owner: Owner, objects: Objects) -> Seen:
        return _NATIVE.seen(_native(spec), owner, _renamed(objects, targets.GROUP))

    def write(self, spec: LinkerdTrafficRouting, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        writes = _NATIVE.write(_native(spec), owner, route, _renamed(objects, targets.GROUP))
        return tuple(replace(each, reference=replace(each.reference, group=GROUP)) for each in writes)


def _native(spec: LinkerdTrafficRouting) -> GatewayApiTrafficRouting:
    """Return the same in the words of trafficRouting.gatewayAPI."""
    return GatewayApiTrafficRouting(namespace=spec.namespace, http_routes=spec.http_routes)


def _renamed(objects: Objects, group: str) -> dict[Reference, Any]:
    return {replace(reference, group=group): raw for reference, raw in objects.items()}
