"""Which routes does a Rollout mean?"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rollouts.api.gateway_api import GatewayApiTrafficRouting, GatewayRequestRoute, GatewayRoute
from rollouts.api.selectors import read_selector
from rollouts.ports import Objects, Owner, Reference, Selected
from rollouts.ports.router import Raw

GROUP = "gateway.networking.k8s.io"
HTTP, GRPC, TCP, TLS = "HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute"


@dataclass(frozen=True, slots=True)
class Target:
    """One entry of the spec. `path` is where it stands, `rules` the names of the rules that are meant, if only some."""

    path: str
    read: Reference | Selected
    rules: tuple[str, ...]
    uses_headers: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A route that exists."""

    target: Target
    reference: Reference
    raw: Raw

    @property
    def rules(self) -> list[Raw]:
        rules: list[Raw] = (self.raw.get("spec") or {}).get("rules") or []
        return rules


def entries(spec: GatewayApiTrafficRouting) -> Iterator[tuple[str, str, GatewayRoute]]:
    """Yield the kind, the path and the entry of each route that the spec names."""
    lists: dict[str, tuple[str, Iterable[GatewayRoute]]] = {
        HTTP: ("httpRoutes", spec.http_routes),
        GRPC: ("grpcRoutes", spec.grpc_routes),
        TCP: ("tcpRoutes", spec.tcp_routes),
        TLS: ("tlsRoutes", spec.tls_routes),
    }
    for kind, (field, routes) in lists.items():
        for index, route in enumerate(routes):
            yield kind, f"{field}[{index}]", route


def targets(spec: GatewayApiTrafficRouting, owner: Owner) -> tuple[Target, ...]:
    """Return what the spec names, without the entries that validation refuses."""
    return tuple(
        Target(path, read, route.rules, isinstance(route, GatewayRequestRoute) and route.use_header_routes is not False)
        for kind, path, route in entries(spec)
        if (read := _read(kind, route, route.namespace or spec.namespace or owner.namespace)) is not None
    )


def _read(kind: str, route: GatewayRoute, namespace: str) -> Reference | Selected | None:
    if route.name:
        return Reference(GROUP, kind, namespace, route.name)
    try:
        return None if route.selector is None else Selected(GROUP, kind, namespace, read_selector(route.selector))
    except ValueError:
        return None


def find(named: Iterable[Target], objects: Objects) -> list[Found]:
    """Return the routes that exist, each once: the first entry that means it counts."""
    found: dict[Reference, Found] = {}
    for target in named:
        for reference, raw in objects.items():
            if raw is not None and _is_meant(target, reference, raw):
                found.setdefault(reference, Found(target, reference, raw))
    return list(found.values())


def _is_meant(target: Target, reference: Reference, raw: Raw) -> bool:
    read = target.read
    return reference == read if isinstance(read, Reference) else read.matches(reference, raw)
