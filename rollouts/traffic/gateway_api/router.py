"""How does a Route become routes of the Gateway API?"""

from collections.abc import Iterator
from typing import ClassVar

from rollouts.api.canary import SetHeaderRoute, SetMirrorRoute
from rollouts.api.gateway_api import GatewayApiTrafficRouting
from rollouts.ports import Ability, Objects, Owner, Patch, Reads, Route, Router, Seen, Write
from rollouts.ports.router import Raw
from rollouts.traffic.additions import added_by
from rollouts.traffic.gateway_api.acceptance import seen
from rollouts.traffic.gateway_api.backends import MOST_WEIGHT
from rollouts.traffic.gateway_api.marks import ADDED, marks
from rollouts.traffic.gateway_api.problems import problems
from rollouts.traffic.gateway_api.rules import Rules
from rollouts.traffic.gateway_api.sessions import NEEDS, has_session
from rollouts.traffic.gateway_api.targets import Found, find, targets
from rollouts.traffic.gateway_api.unserved import unserved

ABILITIES = frozenset(
    {
        Ability.MAX_WEIGHT,
        Ability.PING_PONG,
        Ability.HEADER_ROUTES,
        Ability.QUERY_PARAMETERS,
        Ability.MIRROR_ROUTES,
        Ability.EXPERIMENTS,
        Ability.SESSION_AFFINITY,
        Ability.SESSION_PERSISTENCE,
    }
)


class GatewayApi(Router[GatewayApiTrafficRouting]):
    """Sets weights in HTTPRoutes, GRPCRoutes, TCPRoutes and TLSRoutes; adds rules for managed routes and affinity."""

    key = "gatewayAPI"
    model: ClassVar = GatewayApiTrafficRouting
    abilities = ABILITIES
    most_weight = MOST_WEIGHT

    def problems(
        self, spec: GatewayApiTrafficRouting, owner: Owner, objects: Objects | None
    ) -> Iterator[tuple[str, str]]:
        yield from problems(spec, owner, objects)

    def unserved(
        self, spec: GatewayApiTrafficRouting, managed: SetHeaderRoute | SetMirrorRoute
    ) -> Iterator[tuple[str, str]]:
        yield from unserved(spec, managed)

    def reads(self, spec: GatewayApiTrafficRouting, owner: Owner) -> Reads:
        return tuple(each.read for each in targets(spec, owner))

    def seen(self, spec: GatewayApiTrafficRouting, owner: Owner, objects: Objects) -> Seen:
        return seen(find(targets(spec, owner), objects))

    def write(self, spec: GatewayApiTrafficRouting, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        return tuple(
            Patch(each.reference, patch, NEEDS if has_session(patch, owner.rollout) else "")
            for each in find(targets(spec, owner), objects)
            if (patch := _patch(each, spec, owner, route))
        )


def _patch(found: Found, spec: GatewayApiTrafficRouting, owner: Owner, route: Route) -> Raw:
    """Return what is due on one route, in one write; nothing if it is as it should be."""
    rollout = owner.rollout
    written = Rules(found, owner, added_by(found.raw, ADDED, rollout)).written(route)
    is_active = bool(route.canary.weight or route.additional or route.headers or route.mirrors)
    metadata = marks(found.raw, spec, rollout, written.added, is_active=is_active)
    return {
        **({"metadata": metadata} if metadata else {}),
        **({"spec": {"rules": written.rules}} if written.rules != found.rules else {}),
    }
