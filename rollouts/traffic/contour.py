"""How does a Route become HTTPProxies of Contour?"""

from collections.abc import Sequence
from typing import Any, ClassVar

from rollouts.api.canary import SetHeaderRoute, StringMatch
from rollouts.api.traffic import ContourTrafficRouting
from rollouts.ports import Ability, Owner, Reference
from rollouts.ports.router import Raw
from rollouts.traffic.expressions import literal
from rollouts.traffic.rules import Rules, RulesRouter, Shape

GROUP = "projectcontour.io"


class Contour(RulesRouter[ContourTrafficRouting]):
    """Sets weights in HTTPProxies, for requests and for connections, and adds routes for header routes."""

    key = "contour"
    model: ClassVar = ContourTrafficRouting
    abilities = frozenset({Ability.MAX_WEIGHT, Ability.PING_PONG, Ability.HEADER_ROUTES, Ability.EXPERIMENTS})
    way_out: ClassVar = "list in httpProxies those that send traffic to the stable Service"

    def places(self, spec: ContourTrafficRouting, owner: Owner) -> dict[str, Reference]:
        return {
            f"httpProxies[{index}]": Reference(GROUP, "HTTPProxy", owner.namespace, name)
            for index, name in enumerate(spec.http_proxies)
        }

    def shape(self, reference: Reference, raw: Raw, owner: Owner) -> Shape:
        del reference, owner  # an HTTPProxy names Services of its own namespace only
        spec = raw.get("spec") or {}
        of_connections = [[spec["tcpproxy"]]] if "tcpproxy" in spec else []
        return Shape(
            lists=[spec.get("routes") or [], *of_connections],
            changed=_changed,
            destinations=lambda rule: [each for each in rule.get("services") or () if not each.get("mirror")],
            going_to=_going_to,
            service_of=lambda service: str(service["name"]),
            beside=lambda service, name: {**service, "name": name},
            with_headers=_with_headers,
            plain={1},
        )


def _changed(lists: Sequence[Rules]) -> Raw:
    routes, *of_connections = lists
    changes: dict[str, Any] = {"routes": list(routes)} if routes else {}
    return {**changes, **({"tcpproxy": of_connections[0][0]} if of_connections else {})}


def _going_to(rule: Raw, services: Sequence[Raw]) -> Raw:
    """Return a route to other services; those that get a copy of requests only stay at their places."""
    rest = iter(services)
    kept = [each if each.get("mirror") else next(rest, None) for each in rule["services"]]
    return {**rule, "services": [*(each for each in kept if each is not None), *rest]}


def _with_headers(rule: Raw, header: SetHeaderRoute, canary: Raw) -> Raw:
    conditions = [{"header": {"name": each.header_name, **_comparison(each.header_value)}} for each in header.match]
    alone = _going_to(rule, [{**canary, "weight": 100}])
    return {**alone, "conditions": [*(rule.get("conditions") or ()), *conditions]}


def _comparison(value: StringMatch) -> dict[str, str]:
    """Return how Contour compares a header; its expressions must match the whole value."""
    if value.regex is not None:
        return {"regex": value.regex}
    if value.prefix is not None:
        return {"regex": f"{literal(value.prefix)}.*"}
    return {"exact": value.exact or ""}
