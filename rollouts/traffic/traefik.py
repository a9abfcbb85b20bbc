"""How does a Route become a weighted TraefikService? By the weights of the two Services in it, and nothing else."""

from collections.abc import Iterator
from typing import Any, ClassVar

from rollouts.api.traffic import TraefikTrafficRouting
from rollouts.ports import Ability, Objects, Owner, Patch, Reads, Reference, Route, Router, Write
from rollouts.ports.router import Raw
from rollouts.traffic.shares import shares_of, weighed

GROUP = "traefik.io"
KIND = "TraefikService"
_FIELD = "weightedTraefikServiceName"


class Traefik(Router[TraefikTrafficRouting]):
    """Sets weights in a TraefikService."""

    key = "traefik"
    model: ClassVar = TraefikTrafficRouting
    abilities = frozenset({Ability.MAX_WEIGHT, Ability.PING_PONG})

    def problems(self, spec: TraefikTrafficRouting, owner: Owner, objects: Objects | None) -> Iterator[tuple[str, str]]:
        if not spec.weighted_traefik_service_name:
            yield _FIELD, "is empty: name a TraefikService"
        elif objects is not None:
            yield from ((_FIELD, message) for message in _live(spec, owner, objects))

    def reads(self, spec: TraefikTrafficRouting, owner: Owner) -> Reads:
        return (_reference(spec, owner),)

    def write(self, spec: TraefikTrafficRouting, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        reference = _reference(spec, owner)
        services = _services(objects.get(reference))
        wanted = weighed(services, shares_of(route), lambda each: _service(each, owner))
        return (Patch(reference, {"spec": {"weighted": {"services": wanted}}}),) if wanted != services else ()


def _reference(spec: TraefikTrafficRouting, owner: Owner) -> Reference:
    return Reference(GROUP, KIND, owner.namespace, spec.weighted_traefik_service_name)


def _services(raw: Raw | None) -> list[dict[str, Any]]:
    weighted = ((raw or {}).get("spec") or {}).get("weighted") or {}
    services: list[dict[str, Any]] = weighted.get("services") or []
    return services


def _service(each: Raw, owner: Owner) -> str:
    """Return which Service an entry is; it may be a TraefikService, or one of another namespace."""
    is_ours = each.get("kind", "Service") == "Service" and each.get("namespace", owner.namespace) == owner.namespace
    name: str = each["name"]
    return name if is_ours else ""


def _live(spec: TraefikTrafficRouting, owner: Owner, objects: Objects) -> Iterator[str]:
    reference = _reference(spec, owner)
    raw = objects.get(reference)
    if raw is None:
        yield f"{reference} doesn't exist in namespace {owner.namespace}: create it, in the API group {GROUP}"
        return
    if not ((raw.get("spec") or {}).get("weighted") or {}).get("services"):
        yield f"{reference} has no spec.weighted.services: list canaryService and stableService there"
        return
    listed = {_service(each, owner) for each in _services(raw)}
    for role, name in {"canary": owner.canary_service, "stable": owner.stable_service}.items():
        if name and name not in listed:
            yield f"{reference} doesn't list the {role} Service {name}: add it to spec.weighted.services"
