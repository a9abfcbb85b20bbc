"""How does a Route become HTTPProxies of Contour?"""

from collections.abc import Sequence
from typing import Any, ClassVar

from rollouts.api.canary import RouteMatch, SetHeaderRoute, SetMirrorRoute, StringMatch
from rollouts.api.traffic import ContourTrafficRouting
from rollouts.ports import Ability, Owner, Reference
from rollouts.ports.expressions import literal
from rollouts.ports.router import Raw
from rollouts.traffic.rules import Rules, RulesRouter, Shape

GROUP = "projectcontour.io"
_EVERY_REQUEST = 100
_PATHS = frozenset({"prefix", "exact", "regex"})
_EVERYTHING: Raw = {"prefix": "/"}


class Contour(RulesRouter[ContourTrafficRouting]):
    """Sets weights in HTTPProxies, for requests and for connections, and adds routes for managed routes."""

    key = "contour"
    model: ClassVar = ContourTrafficRouting
    abilities = frozenset(
        {
            Ability.MAX_WEIGHT,
            Ability.PING_PONG,
            Ability.HEADER_ROUTES,
            Ability.QUERY_PARAMETERS,
            Ability.MIRROR_ROUTES,
            Ability.EXPERIMENTS,
        }
    )
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
            mirrored=_mirrored,
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


def _with_headers(rule: Raw, header: SetHeaderRoute, canary: Raw) -> list[Raw]:
    conditions = [_asked(*compared) for each in header.match for compared in each.compared]
    alone = _going_to(rule, [{**canary, "weight": 100}])
    return [{**alone, "conditions": [*(rule.get("conditions") or ()), *conditions]}]


def _mirrored(rule: Raw, mirror: SetMirrorRoute, canary: Raw) -> list[Raw]:
    """Return a route for each alternative that does the same with fewer requests, and copies them.

    Contour copies to one Service per route: where people have one already, that stays.
    """
    if mirror.percentage == 0 or any(each.get("mirror") for each in rule["services"]):
        return []
    share = {} if mirror.percentage in {None, _EVERY_REQUEST} else {"weight": mirror.percentage}
    rest = {key: value for key, value in canary.items() if key != "weight"}
    services = [*rule["services"], {**rest, "mirror": True, **share}]
    every = (within(rule.get("conditions") or (), each) for each in mirror.match)
    return [{**rule, "conditions": conditions, "services": services} for conditions in every if conditions is not None]


def within(conditions: Sequence[Raw], wanted: RouteMatch) -> list[Raw] | None:
    """Return conditions that ask for a match, too; None where nothing can be both, or that can't be told."""
    path = next((each for each in conditions if each.keys() & _PATHS), _EVERYTHING)
    narrow = _narrower(path, wanted.path)
    asked = {":method": wanted.method, **(wanted.headers or {})}
    more = [_of_header(name, value) for name, value in sorted(asked.items()) if value is not None]
    new = [each for each in more if each not in conditions]
    if narrow is None or any(_is_exact(each, one) for each in conditions for one in new):
        return None
    kept = [each for each in conditions if each is not path]
    found = [narrow, *kept, *new]
    # Two routes that ask for the same would be one too many: every request has a method.
    return found if new or narrow != path else [*found, {"header": {"name": ":method", "present": True}}]


def _narrower(path: Raw, wanted: StringMatch | None) -> Raw | None:
    """Return the narrower of two conditions on the path; Contour's prefixes are those of texts."""
    if wanted is None:
        return path
    parts = {"exact": wanted.exact, "prefix": wanted.prefix, "regex": wanted.regex}
    there: Raw = {name: text for name, text in parts.items() if text is not None}
    pairs = ((path, there), (there, path))
    return next((narrow for wide, narrow in pairs if _covers(wide, narrow)), None)


def _covers(wide: Raw, narrow: Raw) -> bool:
    if wide in (narrow, _EVERYTHING):
        return True
    begin, text = wide.get("prefix"), narrow.get("exact", narrow.get("prefix"))
    return begin is not None and text is not None and str(text).startswith(str(begin))


def _is_exact(one: Raw, other: Raw) -> bool:
    """Whether two conditions ask for different values of a header."""
    here, there = one.get("header") or {}, other.get("header") or {}
    is_same = str(here.get("name", "")).lower() == str(there.get("name", "")).lower()
    return is_same and "exact" in here and "exact" in there


def _asked(kind: str, name: str, value: StringMatch) -> Raw:
    if kind == "queryParam":
        return {"queryParameter": {"name": name, **_comparison(value)}}
    return _of_header(name, value)


def _of_header(name: str, value: StringMatch) -> Raw:
    return {"header": {"name": name, **_comparison(value)}}


def _comparison(value: StringMatch) -> dict[str, str]:
    """Return how Contour compares a header, or a query parameter; its expressions must match the whole value."""
    if value.regex is not None:
        return {"regex": value.regex}
    if value.prefix is not None:
        return {"regex": f"{literal(value.prefix)}.*"}
    return {"exact": value.exact or ""}
