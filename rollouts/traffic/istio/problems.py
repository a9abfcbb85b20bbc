"""Which settings of Istio can't work, and what do its objects lack?"""

from collections.abc import Collection, Iterator, Sequence

from rollouts.api.keys import MANAGED_BY
from rollouts.api.traffic import IstioDestinationRule, IstioTrafficRouting
from rollouts.ports import Objects, Owner, Reference
from rollouts.ports.router import Raw
from rollouts.traffic.istio.affinity import has_foreign_cookie
from rollouts.traffic.istio.destination_rule import subsets_of
from rollouts.traffic.istio.destinations import Ends
from rollouts.traffic.istio.picks import (
    TCP,
    TLS,
    http_meant,
    is_tcp_meant,
    is_tls_meant,
    others_of,
    rules_of,
    tcp_meant,
    tls_meant,
)
from rollouts.traffic.istio.targets import Target, destination_rule, virtual_services
from rollouts.traffic.istio.virtual_service import managed_names

Problem = tuple[str, str]


def problems(spec: IstioTrafficRouting, owner: Owner, objects: Objects | None) -> Iterator[Problem]:
    """Yield each problem by the path of its entry."""
    yield from _names(spec, owner)
    rule = spec.destination_rule
    if rule is not None and rule.canary_subset_name == rule.stable_subset_name:
        yield (
            "destinationRule.canarySubsetName",
            f'"{rule.canary_subset_name}" is stableSubsetName, too: name two subsets',
        )
    if objects is None:
        return
    for target in virtual_services(spec, owner):
        raw = objects.get(target.reference)
        if raw is None:
            yield target.path, _missing(target.reference)
        else:
            yield from _virtual_service(target, raw, spec, owner)
    place = destination_rule(spec, owner)
    if rule is not None and place is not None:
        yield from _destination_rule(rule, place, objects.get(place), owner)


def _names(spec: IstioTrafficRouting, owner: Owner) -> Iterator[Problem]:
    if (spec.virtual_service is None) == (not spec.virtual_services):
        yield "", "must name the VirtualServices in one way: set either virtualService or virtualServices"
    first: dict[Reference, str] = {}
    for target in virtual_services(spec, owner):
        known = first.setdefault(target.reference, target.path)
        if known != target.path:
            yield target.path, f"{target.reference} is {known}, too: list it once, with all its routes"
        for name in target.entry.routes:
            if name in owner.managed_routes:
                yield (
                    f"{target.path}.routes",
                    f'"{name}" is one of managedRoutes, which come and go: name another route',
                )


def _missing(reference: Reference) -> str:
    return f"{reference} doesn't exist in namespace {reference.namespace}: create it"


def _virtual_service(target: Target, raw: Raw, spec: IstioTrafficRouting, owner: Owner) -> Iterator[Problem]:
    """Yield what is wrong with a VirtualService: which of the routes that are meant isn't there, or goes elsewhere."""
    others = others_of(raw, managed_names(raw, owner))
    ends = Ends.of(spec, owner, owner.canary_service, owner.stable_service)
    entry, tls, tcp = target.entry, rules_of(raw, TLS), rules_of(raw, TCP)
    http = [others[index] for index in http_meant(entry, others, ends.has_both)]
    meant = {
        **{f'HTTP route "{rule.get("name", "")}"': rule for rule in http},
        **{f"TLS route {index}": tls[index] for index in tls_meant(entry, tls, ends.has_both)},
        **{f"TCP route {index}": tcp[index] for index in tcp_meant(entry, tcp, ends.has_both)},
    }
    yield from _http_names(target, others, is_any_meant=bool(meant))
    yield from _tls_and_tcp(target, raw)
    if owner.has_ping_pong or not _knows_ends(spec, owner):
        return  # of a ping-pong pair either may be the stable one
    for title, rule in meant.items():
        if not ends.has_both(rule):
            yield target.path, f"{title} of {target.reference} {_instead(rule)}: {_wanted(spec, owner)}"
    if owner.has_affinity:
        yield from ((target.path, message) for message in _affinity(target, owner, http))


def _instead(rule: Raw) -> str:
    """Say what a route lacks that doesn't share traffic between canary and stable."""
    if delegate := rule.get("delegate"):
        namespace = f".{delegate['namespace']}" if delegate.get("namespace") else ""
        return f"delegates to {delegate.get('name', '')}{namespace}, so name that one; it must have two destinations"
    return "must have two destinations"


def _affinity(target: Target, owner: Owner, meant: Sequence[Raw]) -> Iterator[str]:
    """Yield what is in the way of session affinity."""
    if not meant:
        yield f"{target.reference} has no HTTP route that is meant, which sessionAffinity needs: name one in routes"
    if any(has_foreign_cookie(each, owner.rollout) for each in meant):
        yield (
            f"{target.reference} has a destination that adds a Set-Cookie header, and can't add a second one: remove"
            " it there, or remove sessionAffinity"
        )


def _knows_ends(spec: IstioTrafficRouting, owner: Owner) -> bool:
    return spec.destination_rule is not None or bool(owner.canary_service and owner.stable_service)


def _wanted(spec: IstioTrafficRouting, owner: Owner) -> str:
    if spec.destination_rule is not None:
        rule = spec.destination_rule
        return f"the subsets {rule.stable_subset_name} and {rule.canary_subset_name}"
    return f"the hosts {owner.stable_service} and {owner.canary_service}"


def _http_names(target: Target, others: Collection[Raw], *, is_any_meant: bool) -> Iterator[Problem]:
    entry = target.entry
    known = [name for each in others if (name := each.get("name"))]
    for name in entry.routes:
        if name not in known:
            there = f"there are {', '.join(known)}" if known else "none of its HTTP routes has a name"
            yield f"{target.path}.routes", f'{target.reference} has no HTTP route named "{name}": {there}'
    if entry.routes or entry.tls_routes or entry.tcp_routes or is_any_meant:
        return
    if others:
        yield f"{target.path}.routes", f"{target.reference} has {len(others)} HTTP routes: name those that are meant"
    else:
        yield target.path, f"{target.reference} has no HTTP route: name TLS or TCP routes in tlsRoutes or tcpRoutes"


def _tls_and_tcp(target: Target, raw: Raw) -> Iterator[Problem]:
    for index, tls in enumerate(target.entry.tls_routes):
        if not any(is_tls_meant(tls, rule) for rule in rules_of(raw, TLS)):
            port = f" port {tls.port}" if tls.port is not None else ""
            hosts = f" sniHosts {', '.join(tls.sni_hosts)}" if tls.sni_hosts else ""
            yield f"{target.path}.tlsRoutes[{index}]", _no_route(target, "TLS", f"{port}{hosts}")
    for index, tcp in enumerate(target.entry.tcp_routes):
        if not any(is_tcp_meant(tcp, rule) for rule in rules_of(raw, TCP)):
            port = f" port {tcp.port}" if tcp.port is not None else ""
            yield f"{target.path}.tcpRoutes[{index}]", _no_route(target, "TCP", port)


def _no_route(target: Target, protocol: str, wanted: str) -> str:
    matching = f" that matches{wanted}" if wanted else ""
    return f"{target.reference} has no {protocol} route{matching}: add one, or correct the entry"


def _destination_rule(rule: IstioDestinationRule, place: Reference, raw: Raw | None, owner: Owner) -> Iterator[Problem]:
    if raw is None:
        yield "destinationRule", _missing(place)
        return
    manager = ((raw.get("metadata") or {}).get("annotations") or {}).get(MANAGED_BY, owner.name)
    if manager != owner.name:
        yield (
            "destinationRule",
            f'{place} belongs to Rollout "{manager}": use another one, or remove its annotation {MANAGED_BY}',
        )
    known = {subset["name"] for subset in subsets_of(raw)}
    for name in (rule.canary_subset_name, rule.stable_subset_name):
        if name not in known:
            there = f"there are {', '.join(sorted(known))}" if known else "it has none"
            yield "destinationRule", f'{place} has no subset "{name}": {there}'
