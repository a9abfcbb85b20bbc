"""Which routes of a VirtualService are meant?"""

from collections.abc import Callable, Collection, Iterator
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


Shared = Callable[[Raw], bool]
"""Whether a route shares its traffic between canary and stable."""


def http_meant(entry: IstioVirtualService, others: Collection[Raw], shared: Shared) -> list[int]:
    """Return which HTTP routes are meant: those with the names or, where none is named, the only one.

    Of several it is the only one without a name; where routes of other protocols are named, it has to be shared, too.
    """
    if entry.routes:
        return [index for index, rule in enumerate(others) if rule.get("name") in entry.routes]
    nameless = [(index, rule) for index, rule in enumerate(others) if not rule.get("name")]
    if entry.tls_routes or entry.tcp_routes:
        nameless = [(index, rule) for index, rule in nameless if shared(rule)]
    elif len(others) == 1:
        return [0]
    return [index for index, _ in nameless] if len(nameless) == 1 else []


def _only(rules: Collection[Raw], shared: Shared) -> list[int]:
    """Return the only route of a protocol of which none is named, if it is one that can be meant."""
    return [0] if len(rules) == 1 and all(map(shared, rules)) else []


def tls_meant(entry: IstioVirtualService, rules: Collection[Raw], shared: Shared) -> list[int]:
    """Return which TLS routes are meant."""
    if not entry.tls_routes:
        return _only(rules, shared)
    return [index for index, rule in enumerate(rules) if any(is_tls_meant(wanted, rule) for wanted in entry.tls_routes)]


def is_tls_meant(wanted: IstioTlsRoute, rule: Raw) -> bool:
    """Whether an entry means a TLS route: one of its matches has the port and all of the server names."""
    return any(
        wanted.port in {None, match.get("port")}
        and (not wanted.sni_hosts or {*wanted.sni_hosts} == {*(match.get("sniHosts") or ())})
        for match in _matches(rule)
    )


def tcp_meant(entry: IstioVirtualService, rules: Collection[Raw], shared: Shared) -> list[int]:
    """Return which TCP routes are meant."""
    if not entry.tcp_routes:
        return _only(rules, shared)
    return [index for index, rule in enumerate(rules) if any(is_tcp_meant(wanted, rule) for wanted in entry.tcp_routes)]


def is_tcp_meant(wanted: IstioTcpRoute, rule: Raw) -> bool:
    """Whether an entry means a TCP route: one of its matches has the port."""
    return any(wanted.port in {None, match.get("port")} for match in _matches(rule))


def _matches(rule: Raw) -> Iterator[Raw]:
    """Yield the matches of a route; without any it matches everything."""
    everything: dict[str, Any] = {}
    yield from rule.get("match") or (everything,)
