"""How does a Route become Mappings of Emissary-ingress, formerly Ambassador?

Beside each Mapping that sends traffic to the stable Service stands a canary Mapping, made after it. Its weight in
percent is the canary's share, the rest is the stable Mapping's. It stays there between updates, with nothing: no clock
has to tell when the last request is through, after which it could go.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

from rollouts.api.merging import merge_patch
from rollouts.api.traffic import AmbassadorTrafficRouting
from rollouts.ports import Create, Objects, Owner, Patch, Reads, Reference, Route, Router, Write
from rollouts.ports.router import Raw
from rollouts.traffic.owned import adopted_by, is_controlled, is_owned, owned_by, taken, without_owned

GROUP = "getambassador.io"
_SERVICE = re.compile(r"(?P<scheme>[a-zA-Z]+://)?(?P<name>[^.:/]+)(?P<rest>.*)")
"""What a Mapping's service is: https://web-stable.shop:8443, whose scheme, namespace and port may be missing."""


class Ambassador(Router[AmbassadorTrafficRouting]):
    """Keeps a canary Mapping beside each stable one."""

    key = "ambassador"
    model: ClassVar = AmbassadorTrafficRouting

    def problems(
        self, spec: AmbassadorTrafficRouting, owner: Owner, objects: Objects | None
    ) -> Iterator[tuple[str, str]]:
        if not spec.mappings:
            yield "mappings", "names no Mapping: list those that send traffic to the stable Service"
        times = Counter(spec.mappings)
        for index, name in enumerate(spec.mappings):
            path = f"mappings[{index}]"
            if times[name] > 1:
                yield path, f"{name} is listed {times[name]} times: list it once"
            if objects is not None:
                yield from ((path, message) for message in _live(name, owner, objects))

    def reads(self, spec: AmbassadorTrafficRouting, owner: Owner) -> Reads:
        return tuple(each for name in spec.mappings for each in (_mapping(owner, name), _canary_of(owner, name)))

    def write(self, spec: AmbassadorTrafficRouting, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        writes = (_write(owner, route, objects, name) for name in dict.fromkeys(spec.mappings))
        return tuple(each for each in writes if each is not None)

    def leave(self, spec: AmbassadorTrafficRouting, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        del route  # a Mapping that stands alone gets everything
        return without_owned((_canary_of(owner, name) for name in spec.mappings), objects, owner)


def _mapping(owner: Owner, name: str) -> Reference:
    return Reference(GROUP, "Mapping", owner.namespace, name)


def _canary_of(owner: Owner, name: str) -> Reference:
    return _mapping(owner, f"{name}-canary")


def _live(name: str, owner: Owner, objects: Objects) -> Iterator[str]:
    """Say what is wrong with a stable Mapping, and with the canary's."""
    reference, canary = _mapping(owner, name), _canary_of(owner, name)
    raw = objects.get(reference)
    if raw is None:
        yield f"{reference} doesn't exist in namespace {owner.namespace}: create it"
    else:
        service, weight = _service(raw), raw["spec"].get("weight")
        if not _towards(service, owner.stable_service, owner.canary_service):
            yield f'{reference} sends traffic to "{service}": it must be the stable Service {owner.stable_service}'
        if weight is not None:
            yield f"{reference} has the weight {weight} itself: remove spec.weight, it gets what the canary leaves"
    made = objects.get(canary)
    if made is not None and not _is_ours(
        made, owner, _towards(_service(raw), owner.stable_service, owner.canary_service)
    ):
        yield taken(canary, made, owner)


def _write(owner: Owner, route: Route, objects: Objects, name: str) -> Create | Patch | None:
    """Return what is due on the canary Mapping of a stable one."""
    stable, reference = objects.get(_mapping(owner, name)), _canary_of(owner, name)
    canary = objects.get(reference)
    service = _towards(_service(stable), route.stable.service, route.canary.service)
    if stable is None or not service or (canary is not None and not _is_ours(canary, owner, service)):
        return None
    spec = {**stable["spec"], "service": service, "weight": route.canary.weight}
    labels = stable["metadata"].get("labels") or {}  # by labels a Host picks its Mappings
    if canary is None:
        metadata = {**({"labels": dict(labels)} if labels else {}), "ownerReferences": owned_by(owner)}
        return Create(reference, {"metadata": metadata, "spec": spec})
    now = canary["metadata"].get("labels") or {}
    new_labels, changes = merge_patch(now, {**now, **labels}), merge_patch(canary["spec"], spec)
    metadata = {
        **({"labels": new_labels} if new_labels else {}),
        **({} if is_owned(canary, owner) else {"ownerReferences": adopted_by(owner, canary)}),
    }
    patch: Raw = {
        **({"metadata": metadata} if metadata else {}),
        **({"spec": changes} if changes else {}),
    }
    return Patch(reference, patch) if patch else None


def _is_ours(canary: Raw, owner: Owner, service: str) -> bool:
    """Tell whether a canary Mapping is the Rollout's; Argo Rollouts leaves its own ones without an owner."""
    return is_owned(canary, owner) or (not is_controlled(canary) and _service(canary) == service)


def _service(mapping: Raw | None) -> str:
    service: str = ((mapping or {}).get("spec") or {}).get("service") or ""
    return service


def _towards(service: str, stable: str, canary: str) -> str:
    """Return a Mapping's service with the canary Service instead of the stable one; nothing if it is another."""
    found = _SERVICE.fullmatch(service)
    if found is None or found["name"] != stable:
        return ""
    return f"{found['scheme'] or ''}{canary}{found['rest']}"
