"""How does a Route become MeshHTTPRoutes and MeshTCPRoutes of Kuma?"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from rollouts.api.canary import SetHeaderRoute, SetMirrorRoute, StringMatch
from rollouts.api.traffic import KumaTrafficRouting
from rollouts.ports import Ability, Owner, Reference
from rollouts.ports.expressions import literal
from rollouts.ports.router import Raw
from rollouts.traffic.gateway_api.matches import asked, matches_of, with_header, within
from rollouts.traffic.gateway_api.targets import HTTP as HTTP_RULES
from rollouts.traffic.rules import Rules, RulesRouter, Shape

GROUP = "kuma.io"
HTTP, TCP = "MeshHTTPRoute", "MeshTCPRoute"
_ANY_HOST = {"type": "Present", "name": "host"}
"""Every request has one."""

_SERVICE = "svc"
"""What the third part of a name is that Kuma makes after a Service: web_shop_svc_8080."""


class Kuma(RulesRouter[KumaTrafficRouting]):
    """Sets weights in routes of the mesh, and adds rules for managed routes."""

    key = "kuma"
    model: ClassVar = KumaTrafficRouting
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
    way_out: ClassVar = "list some in meshHTTPRoutes or meshTCPRoutes"

    def places(self, spec: KumaTrafficRouting, owner: Owner) -> dict[str, Reference]:
        named = {(HTTP, "meshHTTPRoutes"): spec.mesh_http_routes, (TCP, "meshTCPRoutes"): spec.mesh_tcp_routes}
        return {
            f"{field}[{index}]": Reference(GROUP, kind, spec.namespace or owner.namespace, name)
            for (kind, field), names in named.items()
            for index, name in enumerate(names)
        }

    def unserved(self, spec: KumaTrafficRouting, managed: SetHeaderRoute | SetMirrorRoute) -> Iterator[tuple[str, str]]:
        del managed
        if spec.mesh_tcp_routes and not spec.mesh_http_routes:
            yield "", "kuma names routes of connections only, in which no request is seen: list a MeshHTTPRoute"

    def shape(self, reference: Reference, raw: Raw, owner: Owner) -> Shape:
        entries: Sequence[Raw] = (raw.get("spec") or {}).get("to") or []
        return Shape(
            lists=[each.get("rules") or [] for each in entries],
            changed=lambda lists: {"to": _with_rules(entries, lists)},
            destinations=lambda rule: (rule.get("default") or {}).get("backendRefs") or [],
            going_to=lambda rule, backends: {**rule, "default": {**rule["default"], "backendRefs": list(backends)}},
            service_of=lambda backend: _service(backend, reference.namespace, owner.namespace),
            beside=_beside,
            with_headers=_with_headers,
            mirrored=_mirrored,
            plain=range(len(entries)) if reference.kind == TCP else (),
            default_weight=1,
        )


def _with_rules(entries: Sequence[Raw], lists: Sequence[Rules]) -> list[Raw]:
    return [{**entry, "rules": list(rules)} if rules else entry for entry, rules in zip(entries, lists, strict=True)]


def _service(backend: Raw, here: str, there: str) -> str:
    """Return which Service of the Rollout's namespace (`there`) a backend of a route (`here`) is, empty if none."""
    if backend.get("kind") != "MeshService" or not backend.get("name"):
        return ""
    name, *rest = str(backend["name"]).split("_")
    namespace = rest[0] if rest[1:2] == [_SERVICE] else backend.get("namespace") or here
    return name if namespace == there else ""


def _beside(backend: Raw, service: str) -> Raw:
    _, line, rest = str(backend["name"]).partition("_")
    return {**backend, "name": f"{service}{line}{rest}"}


def _with_headers(rule: Raw, header: SetHeaderRoute, canary: Raw) -> list[Raw]:
    matches = [_asking(each, header) for each in matches_of(rule, HTTP_RULES)]
    alone = {**rule["default"], "backendRefs": [{**canary, "weight": 1}]}
    return [{**rule, "matches": matches, "default": alone}]


def _asking(match: Raw, header: SetHeaderRoute) -> Raw:
    """Return a match that asks for what a header route does, too."""
    more: dict[str, list[Raw]] = {}
    for each in header.match:
        for field, name, value in asked(each):
            compared = {"name": name, **_comparison(value)}
            if field != "headers" and compared["type"] == "Prefix":
                compared |= {"type": "RegularExpression", "value": f"{literal(compared['value'])}.*"}
            more.setdefault(field, list(match.get(field) or ())).append(compared)
    return {**match, **more}


def _mirrored(rule: Raw, mirror: SetMirrorRoute, canary: Raw) -> list[Raw]:
    """Return a rule that does the same with fewer requests, and copies them."""
    own = matches_of(rule, HTTP_RULES)
    matches = [*_others_than(own, within(own, mirror.match, HTTP_RULES))]
    if not matches:
        return []
    target = {key: value for key, value in canary.items() if key != "weight"}
    share = {} if mirror.percentage is None else {"percentage": mirror.percentage}
    copy = {"type": "RequestMirror", "requestMirror": {"backendRef": target, **share}}
    default = {**rule["default"], "filters": [*(rule["default"].get("filters") or ()), copy]}
    return [{**rule, "matches": matches, "default": default}]


def _others_than(own: Sequence[Raw], matches: Sequence[Raw]) -> Iterator[Raw]:
    """Yield matches that mean the same, and are none of a rule's own: Kuma makes one rule of two that match alike."""
    for each in matches:
        yield from with_header([dict(each)], _ANY_HOST) if each in own else [each]


def _comparison(value: StringMatch) -> dict[str, str]:
    if value.regex is not None:
        return {"type": "RegularExpression", "value": value.regex}
    if value.prefix is not None:
        return {"type": "Prefix", "value": value.prefix}
    return {"type": "Exact", "value": value.exact or ""}
