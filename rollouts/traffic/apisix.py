"""How does a Route become ApisixRoutes?

Weights are set in the backends of the rules that the Rollout names. A header route is an ApisixRoute of its own, under
the name of the managed route: the same rules, with a greater priority and the headers, for the canary alone.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from rollouts.api.canary import HeaderRoutingMatch, SetHeaderRoute
from rollouts.api.merging import merge_patch
from rollouts.api.traffic import ApisixRoute, ApisixTrafficRouting
from rollouts.ports import Ability, Create, Delete, Objects, Owner, Patch, Reads, Reference, Route, Router, Write
from rollouts.ports.router import Raw
from rollouts.traffic.owned import is_owned, owned_by, taken
from rollouts.traffic.shares import shares_of, weighed

GROUP = "apisix.apache.org"
_WHOLE = 100


class Apisix(Router[ApisixTrafficRouting]):
    """Sets weights in an ApisixRoute, and keeps one for each header route."""

    key = "apisix"
    model: ClassVar = ApisixTrafficRouting
    abilities = frozenset({Ability.MAX_WEIGHT, Ability.PING_PONG, Ability.HEADER_ROUTES, Ability.QUERY_PARAMETERS})

    def problems(self, spec: ApisixTrafficRouting, owner: Owner, objects: Objects | None) -> Iterator[tuple[str, str]]:
        if spec.route is None or not spec.route.name:
            yield "route", "is missing: name an ApisixRoute"
            return
        if spec.route.name in owner.managed_routes:
            message = f'"{spec.route.name}" is one of the managedRoutes, too: each is an ApisixRoute with its name'
            yield "route.name", f"{message}; choose another one there"
        if objects is not None:
            yield from ((f"route.{path}", message) for path, message in _live(spec.route, owner, objects))

    def reads(self, spec: ApisixTrafficRouting, owner: Owner) -> Reads:
        names = (spec.route.name, *owner.managed_routes) if spec.route is not None else ()
        return tuple(_route(owner, name) for name in dict.fromkeys(names))

    def write(self, spec: ApisixTrafficRouting, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        raw = objects.get(_route(owner, spec.route.name)) if spec.route is not None else None
        if spec.route is None or raw is None:
            return ()
        wanted = {
            each.name: _header_route(spec.route, raw, route, each, len(route.headers) - place)
            for place, each in enumerate(route.headers)
            if each.name
        }
        managed = (_managed(owner, name, wanted.get(name), objects) for name in owner.managed_routes)
        writes = (_weights(_route(owner, spec.route.name), spec.route, raw, route), *managed)
        return tuple(each for each in writes if each is not None)


def _route(owner: Owner, name: str) -> Reference:
    return Reference(GROUP, "ApisixRoute", owner.namespace, name)


def _rules(raw: Raw) -> list[Raw]:
    rules: list[Raw] = (raw.get("spec") or {}).get("http") or []
    return rules


def _is_meant(rule: Raw, named: ApisixRoute) -> bool:
    return rule.get("name") in named.rules if named.rules else True


def _service(backend: Raw) -> str:
    name: str = backend["serviceName"]
    return name


def _live(named: ApisixRoute, owner: Owner, objects: Objects) -> Iterator[tuple[str, str]]:
    reference = _route(owner, named.name)
    raw = objects.get(reference)
    for name in owner.managed_routes:
        if name != named.name and (message := taken(_route(owner, name), objects.get(_route(owner, name)), owner)):
            yield "name", f"the managed route {name} can't be made: {message}"
    if raw is None:
        yield "name", f"{reference} doesn't exist in namespace {owner.namespace}: create it"
        return
    names = [str(each.get("name")) for each in _rules(raw)]
    if not named.rules and len(names) != 1:
        yield "rules", f"{reference} has {len(names)} HTTP rules: name those that are meant"
        return
    for index, name in enumerate(named.rules):
        if name not in names:
            yield f"rules[{index}]", f'{reference} has no HTTP rule named "{name}": there are {", ".join(names)}'
    for rule in _rules(raw):
        if _is_meant(rule, named):
            yield from (("rules", message) for message in _backends(reference, rule, owner))


def _backends(reference: Reference, rule: Raw, owner: Owner) -> Iterator[str]:
    services = {_service(each) for each in rule.get("backends") or ()}
    for role, name in {"canary": owner.canary_service, "stable": owner.stable_service}.items():
        if name and name not in services:
            where = f'rule "{rule.get("name")}" of {reference}'
            yield f"{where} has no backend with the {role} Service {name}: add it"


def _weights(reference: Reference, named: ApisixRoute, raw: Raw, route: Route) -> Patch | None:
    """Return the patch of the weights that is due."""
    shares = shares_of(route)
    wanted = [
        {**each, "backends": weighed(each.get("backends") or (), shares, _service)} if _is_meant(each, named) else each
        for each in _rules(raw)
    ]
    return Patch(reference, {"spec": {"http": wanted}}) if wanted != _rules(raw) else None


def _header_route(named: ApisixRoute, raw: Raw, route: Route, header: SetHeaderRoute, rank: int) -> dict[str, Any]:
    """Return the spec of a header route; `rank` is greater for those that are more important."""
    rules = [
        {
            **each,
            "priority": (each.get("priority") or 0) + rank,
            "match": {**each["match"], "exprs": [*(each["match"].get("exprs") or ()), *_expressions(header.match)]},
            "backends": [{**backend, "weight": _WHOLE} for backend in _of_canary(each, route)],
        }
        for each in _rules(raw)
        if _is_meant(each, named) and _of_canary(each, route)
    ]
    return {**{key: value for key, value in raw["spec"].items() if key == "ingressClassName"}, "http": rules}


def _of_canary(rule: Raw, route: Route) -> list[Raw]:
    return [each for each in rule.get("backends") or () if _service(each) == route.canary.service]


def _expressions(match: Iterable[HeaderRoutingMatch]) -> Iterator[Mapping[str, Any]]:
    for kind, name, value in (compared for each in match for compared in each.compared):
        operator, text = "Equal", value.exact or ""
        if value.regex is not None:
            operator, text = "RegexMatch", value.regex
        elif value.prefix is not None:
            operator, text = "RegexMatch", f"^{re.escape(value.prefix)}"
        scope = "Query" if kind == "queryParam" else "Header"
        yield {"subject": {"scope": scope, "name": name}, "op": operator, "value": text}


def _managed(owner: Owner, name: str, wanted: Raw | None, objects: Objects) -> Write | None:
    """Return what is due on the ApisixRoute of a managed route, which isn't there while `wanted` is None."""
    reference = _route(owner, name)
    now = objects.get(reference)
    if now is None:
        body = {"metadata": {"ownerReferences": owned_by(owner)}, "spec": wanted}
        return Create(reference, body) if wanted is not None else None
    if not is_owned(now, owner):
        return None
    if wanted is None:
        return Delete(reference)
    changes = merge_patch(now["spec"], wanted)
    return Patch(reference, {"spec": changes}) if changes else None
