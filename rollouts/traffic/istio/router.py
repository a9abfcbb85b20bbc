"""How does a Route become VirtualServices and a DestinationRule of Istio?"""

from collections.abc import Iterator
from types import MappingProxyType
from typing import ClassVar

from rollouts.api.canary import SetHeaderRoute, SetMirrorRoute
from rollouts.api.traffic import IstioTrafficRouting
from rollouts.ports import Ability, Objects, Owner, Patch, Reads, Reference, Route, Router, Write
from rollouts.ports.router import Raw
from rollouts.traffic.istio import destination_rule as subsets
from rollouts.traffic.istio.picks import HTTP, TCP, TLS, rules_of
from rollouts.traffic.istio.problems import problems
from rollouts.traffic.istio.targets import GROUP, destination_rule, virtual_services
from rollouts.traffic.istio.virtual_service import VirtualService


class Istio(Router[IstioTrafficRouting]):
    """Sets weights in VirtualServices, adds managed routes, and keeps the subsets of a DestinationRule up to date."""

    key = "istio"
    clusters = MappingProxyType({GROUP: "istio.argoproj.io/primary-cluster=true"})
    model: ClassVar = IstioTrafficRouting
    abilities = frozenset(
        {
            Ability.PING_PONG,
            Ability.HEADER_ROUTES,
            Ability.QUERY_PARAMETERS,
            Ability.MIRROR_ROUTES,
            Ability.EXPERIMENTS,
            Ability.SESSION_AFFINITY,
        }
    )

    def needs_services(self, spec: IstioTrafficRouting) -> bool:
        return spec.destination_rule is None

    def problems(self, spec: IstioTrafficRouting, owner: Owner, objects: Objects | None) -> Iterator[tuple[str, str]]:
        yield from problems(spec, owner, objects)

    def unserved(
        self, spec: IstioTrafficRouting, managed: SetHeaderRoute | SetMirrorRoute
    ) -> Iterator[tuple[str, str]]:
        del managed
        every = [each for each in (spec.virtual_service, *spec.virtual_services) if each is not None]
        if every and all(not each.routes and (each.tls_routes or each.tcp_routes) for each in every):
            yield "", "istio names TLS and TCP routes only, in which no request is seen: name HTTP routes in routes"

    def reads(self, spec: IstioTrafficRouting, owner: Owner) -> Reads:
        rule = destination_rule(spec, owner)
        services = dict.fromkeys(each.reference for each in virtual_services(spec, owner))
        return (*services, *([] if rule is None else [rule]))

    def write(self, spec: IstioTrafficRouting, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        place = destination_rule(spec, owner)
        rule = objects.get(place) if place is not None else None
        due: dict[Reference, Raw] = {}
        if spec.destination_rule is not None and place is not None and rule is not None:
            in_use = {name for raw in objects.values() if raw is not None for name in _subsets_named(raw)}
            due[place] = subsets.patch(rule, spec.destination_rule, owner, route, in_use=in_use)
        if rule is None or not subsets.subsets_missing(rule, route, owner):
            for target in virtual_services(spec, owner):
                if (raw := objects.get(target.reference)) is not None:
                    due[target.reference] = VirtualService(raw, target.entry, spec, owner).patch(route)
        return tuple(Patch(reference, body) for reference, body in due.items() if body)

    def leave(self, spec: IstioTrafficRouting, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        place = destination_rule(spec, owner)
        writes = [each for each in self.write(spec, owner, route, objects) if each.reference != place]
        rule = objects.get(place) if place is not None else None
        if spec.destination_rule is not None and place is not None and rule is not None:
            in_use = {name for raw in objects.values() if raw is not None for name in _subsets_named(raw)}
            if body := subsets.left(rule, spec.destination_rule, owner, in_use=in_use):
                writes.append(Patch(place, body))
        return tuple(writes)


def _subsets_named(raw: Raw) -> Iterator[str]:
    """Yield the subsets that routes name as destinations."""
    for protocol in (HTTP, TLS, TCP):
        for rule in rules_of(raw, protocol):
            for each in rule.get("route") or ():
                if subset := (each.get("destination") or {}).get("subset"):
                    yield subset
