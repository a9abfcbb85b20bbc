"""Which objects of Istio does a Rollout mean?"""

from collections.abc import Iterator
from dataclasses import dataclass

from rollouts.api.traffic import IstioTrafficRouting, IstioVirtualService
from rollouts.ports import Owner, Reference

GROUP = "networking.istio.io"


@dataclass(frozen=True, slots=True)
class Target:
    """A VirtualService as the spec names it. `path` is where it stands."""

    path: str
    reference: Reference
    entry: IstioVirtualService


def virtual_services(spec: IstioTrafficRouting, owner: Owner) -> tuple[Target, ...]:
    """Return the VirtualServices that the spec names."""
    return tuple(Target(path, _reference("VirtualService", entry.name, owner), entry) for path, entry in _entries(spec))


def _entries(spec: IstioTrafficRouting) -> Iterator[tuple[str, IstioVirtualService]]:
    if spec.virtual_service is not None:
        yield "virtualService", spec.virtual_service
    for index, entry in enumerate(spec.virtual_services):
        yield f"virtualServices[{index}]", entry


def destination_rule(spec: IstioTrafficRouting, owner: Owner) -> Reference | None:
    """Return the DestinationRule that the spec names."""
    rule = spec.destination_rule
    return None if rule is None else _reference("DestinationRule", rule.name, owner)


def _reference(kind: str, text: str, owner: Owner) -> Reference:
    """Return what `name` or `name.namespace` means: names may have dots in them, namespaces don't."""
    name, dot, namespace = text.rpartition(".")
    return Reference(GROUP, kind, namespace, name) if dot else Reference(GROUP, kind, owner.namespace, text)
