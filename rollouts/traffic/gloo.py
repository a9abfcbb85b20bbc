"""How does a Route become RouteTables of Gloo?"""

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from rollouts.api.canary import SetHeaderRoute, StringMatch
from rollouts.api.traffic import GlooTrafficRouting
from rollouts.ports import Ability, Owner, Reference
from rollouts.ports.expressions import literal
from rollouts.ports.router import Raw
from rollouts.traffic.rules import RulesRouter, Shape

GROUP = "gateway.solo.io"
_ACTION = "routeAction"


class Gloo(RulesRouter[GlooTrafficRouting]):
    """Sets weights in RouteTables, and adds routes for header routes."""

    key = "gloo"
    model: ClassVar = GlooTrafficRouting
    abilities = frozenset(
        {Ability.MAX_WEIGHT, Ability.PING_PONG, Ability.HEADER_ROUTES, Ability.QUERY_PARAMETERS, Ability.EXPERIMENTS}
    )
    way_out: ClassVar = "list in routeTables those that send traffic to the stable Service"

    def places(self, spec: GlooTrafficRouting, owner: Owner) -> dict[str, Reference]:
        return {
            f"routeTables[{index}]": Reference(GROUP, "RouteTable", spec.namespace or owner.namespace, name)
            for index, name in enumerate(spec.route_tables)
        }

    def shape(self, reference: Reference, raw: Raw, owner: Owner) -> Shape:
        upstream = _Upstreams(owner.namespace)
        return Shape(
            lists=[(raw.get("spec") or {}).get("routes") or []],
            changed=lambda lists: {"routes": list(lists[0])},
            destinations=_destinations,
            going_to=_going_to,
            service_of=lambda each: upstream.service_of(each.get("destination") or {}, reference.namespace),
            beside=lambda each, name: {**each, "destination": upstream.beside(each["destination"], name)},
            with_headers=_with_headers,
        )


def _destinations(rule: Raw) -> Sequence[Raw]:
    """Return the destinations of a route; a single one stands for all of its traffic."""
    action = rule.get(_ACTION) or {}
    several: Sequence[Raw] = (action.get("multi") or {}).get("destinations") or []
    return [{"destination": action["single"]}] if "single" in action else several


def _going_to(rule: Raw, destinations: Sequence[Raw]) -> Raw:
    action = {key: value for key, value in rule[_ACTION].items() if key != "single"}
    multi = {**(action.get("multi") or {}), "destinations": list(destinations)}
    return {**rule, _ACTION: {**action, "multi": multi}}


class _Upstreams:
    """Knows a Service by its name, and by the Upstream that Gloo makes of each: shop-web-stable-8080."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._name = re.compile(rf"{literal(namespace)}-(?P<service>.+)-(?P<port>\d+)")

    def service_of(self, destination: Raw, here: str) -> str:
        if kube := destination.get("kube"):
            is_there = (kube["ref"].get("namespace") or here) == self._namespace
            return str(kube["ref"]["name"]) if is_there else ""
        found = self._name.fullmatch((destination.get("upstream") or {}).get("name", ""))
        return found["service"] if found else ""

    def beside(self, destination: Raw, service: str) -> Raw:
        if kube := destination.get("kube"):
            return {**destination, "kube": {**kube, "ref": {**kube["ref"], "name": service}}}
        upstream = destination["upstream"]
        port = upstream["name"].rpartition("-")[2]
        return {**destination, "upstream": {**upstream, "name": f"{self._namespace}-{service}-{port}"}}


def _with_headers(rule: Raw, header: SetHeaderRoute, canary: Raw) -> list[Raw]:
    everything: Raw = {"prefix": "/"}
    matchers = [_asking(each, header) for each in rule.get("matchers") or (everything,)]
    nameless = {key: value for key, value in rule.items() if key != "name"}
    return [{**_going_to(nameless, [{**canary, "weight": 1}]), "matchers": matchers}]


def _asking(matcher: Raw, header: SetHeaderRoute) -> Raw:
    """Return a matcher that asks for what a header route does, too."""
    more: dict[str, list[Raw]] = {}
    for kind, name, value in (compared for each in header.match for compared in each.compared):
        field = "queryParameters" if kind == "queryParam" else "headers"
        more.setdefault(field, list(matcher.get(field) or ())).append({"name": name, **_comparison(value)})
    return {**matcher, **more}


def _comparison(value: StringMatch) -> dict[str, Any]:
    """Return how Gloo compares a header, or a query parameter; its expressions must match the whole value."""
    if value.regex is not None:
        return {"value": value.regex, "regex": True}
    if value.prefix is not None:
        return {"value": f"{literal(value.prefix)}.*", "regex": True}
    return {"value": value.exact or ""}
