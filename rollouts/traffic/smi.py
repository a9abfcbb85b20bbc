"""How does a Route become a TrafficSplit of the Service Mesh Interface? One of the Rollout's own tells all of it."""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from rollouts.api.merging import merge_patch
from rollouts.api.traffic import SmiTrafficRouting
from rollouts.ports import Ability, Create, Objects, Owner, Patch, Reads, Reference, Route, Router, Write
from rollouts.ports.router import Raw
from rollouts.traffic.owned import is_owned, owned_by, taken, without_owned
from rollouts.traffic.shares import shares_of

GROUP = "split.smi-spec.io"
_WITH_QUANTITIES = f"{GROUP}/v1alpha1"


class Smi(Router[SmiTrafficRouting]):
    """Keeps a TrafficSplit."""

    key = "smi"
    model: ClassVar = SmiTrafficRouting
    abilities = frozenset({Ability.MAX_WEIGHT, Ability.EXPERIMENTS})

    def problems(self, spec: SmiTrafficRouting, owner: Owner, objects: Objects | None) -> Iterator[tuple[str, str]]:
        if spec.root_service and spec.root_service == owner.canary_service:
            yield (
                "rootService",
                f'"{spec.root_service}" is the canaryService, too: name the Service that clients address',
            )
        reference = _split(spec, owner)
        if message := taken(reference, (objects or {}).get(reference), owner):
            yield "trafficSplitName" if spec.traffic_split_name else "", message

    def reads(self, spec: SmiTrafficRouting, owner: Owner) -> Reads:
        return (_split(spec, owner),)

    def write(self, spec: SmiTrafficRouting, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        reference = _split(spec, owner)
        split = objects.get(reference)
        backends = [{"service": name, "weight": weight} for name, weight in shares_of(route).items()]
        wanted = {"service": spec.root_service or route.stable.service, "backends": backends}
        if split is None:
            return (Create(reference, {"metadata": {"ownerReferences": owned_by(owner)}, "spec": wanted}),)
        if not is_owned(split, owner):
            return ()
        if split.get("apiVersion") == _WITH_QUANTITIES:
            wanted["backends"] = _as_quantities(backends, split["spec"].get("backends") or ())
        patch = merge_patch({key: split["spec"].get(key) for key in wanted}, wanted)
        return (Patch(reference, {"spec": patch}),) if patch else ()

    def leave(self, spec: SmiTrafficRouting, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        del route  # without a split the Service that clients address sends requests to the pods it selects
        return without_owned((_split(spec, owner),), objects, owner)


def _split(spec: SmiTrafficRouting, owner: Owner) -> Reference:
    return Reference(GROUP, "TrafficSplit", owner.namespace, spec.traffic_split_name or owner.name)


def _as_quantities(backends: list[dict[str, Any]], now: Iterable[Raw]) -> list[dict[str, Any]]:
    """Return backends with quantities for weights; one that says the same as a number stays a number."""
    same = {(each["service"], int(each["weight"])): each["weight"] for each in now if str(each["weight"]).isdigit()}
    return [{**each, "weight": same.get((each["service"], each["weight"]), str(each["weight"]))} for each in backends]
