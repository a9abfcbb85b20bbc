"""Which routes of a VirtualService are meant?"""

from collections.abc import Collection, Iterator
from typing import Any

from rollouts.api.traffic import IstioTcpRoute, IstioTlsRoute, IstioVirtualService
from rollouts.ports.router import Raw

HTTP, TLS, TCP = "http", "tls", "tcp"


def rules_of(raw: Raw, protocol: str) -> list[Raw]:
    """Return the routes of a protocol, in their order."""
    rules: list[Raw] = (raw.get("spec") or {}).get(protocol) or []
    return rules


def others_of(raw: Raw, managed: Collection[str]) -> list[Raw]:
    """Return the HTTP routes that aren't managed routes of ours."""
    return [rule for rule in rules_of(raw, HTTP) if rule.get("name") not in managed]


def http_meant(entry: IstioVirtualService, others: Collection[Raw]) -> list[int]:
    """Return which HTTP routes are meant: those with the names or, where nothing is named, the only one."""
    if entry.routes:
        return [index for index, rule in enumerate(others) if rule.get("name") in entry.routes]
    return [0] if len(others) == 1 and not entry.tls_routes and not entry.tcp_routes else []


def tls_meant(entry: IstioVirtualService, rules: Collection[Raw]) -> list[int]:
    """Return which TLS routes are meant."""
    return [index for index, rule in enumerate(rules) if any(is_tls_meant(wanted, rule) for wanted in entry.tls_routes)]


def is_tls_meant(wanted: IstioTlsRoute, rule: Raw) -> bool:
    """Whether an entry means a TLS route: one of its matches has the port and all of the server names."""
    return any(
        wanted.port in {None, match.get("port")}
        and (not wanted.sni_hosts or {*wanted.sni_hosts} == {*(match.get("sniHosts") or ())})
        for match in _matches(rule)
    )


def tcp_meant(entry: IstioVirtualService, rules: Collection[Raw]) -> list[int]:
    """Return which TCP routes are meant."""
    return [index for index, rule in enumerate(rules) if any(is_tcp_meant(wanted, rule) for wanted in entry.tcp_routes)]


def is_tcp_meant(wanted: IstioTcpRoute, rule: Raw) -> bool:
    """Whether an entry means a TCP route: one of its matches has the port."""
    return any(wanted.port in {None, match.get("port")} for match in _matches(rule))


def _matches(rule: Raw) -> Iterator[Raw]:
    """Yield the matches of a route; without any it matches everything."""
    everything: dict[str, Any] = {}
    yield from rule.get("match") or (everything,)
