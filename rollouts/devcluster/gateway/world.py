"""What do the objects of the cluster say about Gateways, at one moment?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rollouts.devcluster.objects import key_of, labels_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rollouts.devcluster.objects import Key, Object

GROUP = "gateway.networking.k8s.io"
CONTROLLER = "devcluster/gateway"
CLASS = "devcluster"

_SERVICE_NAME = "kubernetes.io/service-name"


@dataclass(frozen=True, slots=True)
class Listener:
    """A port of a Gateway."""

    gateway: Key
    name: str
    port: int
    hostname: str
    takes_all_namespaces: bool

    @property
    def title(self) -> str:
        """The name of its port in Envoy's configuration; listeners that differ in their hostnames share one."""
        return f"{'/'.join(self.gateway)}:{self.port}"


@dataclass(frozen=True, slots=True)
class World:
    """Gateways of our class, all routes, and the Services behind them."""

    gateways: tuple[Object, ...]
    routes: tuple[Object, ...]
    services: dict[Key, Object]
    slices: dict[Key, list[Object]]
    addresses: dict[Key, str] = field(default_factory=dict)  # of Gateways

    def listeners(self, gateway: Object) -> Iterator[Listener]:
        """Yield the listeners of a Gateway."""
        for each in gateway["spec"]["listeners"]:
            allowed = ((each.get("allowedRoutes") or {}).get("namespaces") or {}).get("from", "Same")
            yield Listener(key_of(gateway), each["name"], each["port"], each.get("hostname", ""), allowed == "All")

    def has_port(self, service: Key, port: int | None) -> bool:
        """Say whether a Service exists and has this port."""
        found = self.services.get(service)
        return found is not None and port in [each["port"] for each in found["spec"].get("ports") or []]

    def endpoints(self, service: Key, port_name: str) -> list[tuple[str, int]]:
        """Return the addresses at which a Service's port is answered by pods that are ready."""
        return sorted(
            (address, port["port"])
            for each in self.slices.get(service, ())
            for port in each.get("ports") or ()
            if (port.get("name") or "") == port_name
            for endpoint in each["endpoints"]
            if endpoint["conditions"]["ready"]
            for address in endpoint["addresses"]
        )


def by_service(slices: Iterable[Object]) -> dict[Key, list[Object]]:
    """Return EndpointSlices by the Service that they are of."""
    found: dict[Key, list[Object]] = {}
    for each in slices:
        name = labels_of(each).get(_SERVICE_NAME)
        if name:
            found.setdefault((each["metadata"]["namespace"], name), []).append(each)
    return found
