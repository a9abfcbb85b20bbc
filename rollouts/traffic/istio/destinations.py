"""Which destinations of an Istio route are ours, and how is one more of them written?

A destination is known by its subset, if the Rollout has a DestinationRule and it has one, else by its host: a Service's
name, alone or with its namespace and more. What stands for something else gets a name that nothing of ours has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollouts.api.traffic import IstioTrafficRouting
from rollouts.ports import Destination, Owner, Route
from rollouts.ports.router import Raw
from rollouts.traffic.proportions import Weights

CANARY, STABLE = "canary", "stable"
_HOST, _SUBSET = "host ", "subset "
_ALL = 100


def subset_of(destination: Destination, owner: Owner) -> str:
    """Return the name of the subset for an experiment's pods that no Service finds, empty where one does."""
    return "" if destination.service else f"{owner.name}-{destination.pod_hash}"


@dataclass(frozen=True, slots=True)
class Ends:
    """What canary, stable and an experiment's pods go by; `services` and `subsets` have the sides by their names."""

    namespace: str
    services: Mapping[str, str]
    subsets: Mapping[str, str]

    @classmethod
    def of(cls, spec: IstioTrafficRouting, owner: Owner, canary: str, stable: str) -> "Ends":
        rule = spec.destination_rule
        subsets = {} if rule is None else {rule.canary_subset_name: CANARY, rule.stable_subset_name: STABLE}
        services = {name: side for name, side in ((canary, CANARY), (stable, STABLE)) if name}
        return cls(owner.namespace, services, subsets)

    def name_of(self, entry: Raw) -> str:
        """Return what a destination with its weight goes by."""
        destination = entry.get("destination") or {}
        if (subset := destination.get("subset")) and self.subsets:
            return self.subsets.get(subset, f"{_SUBSET}{subset}")
        name, _, place = str(destination.get("host", "")).partition(".")
        if place and place.partition(".")[0] != self.namespace:
            return f"{_HOST}{name}.{place}"
        return self.services.get(name, f"{_HOST}{name}")

    def has_both(self, rule: Raw) -> bool:
        """Whether a route shares traffic between canary and stable."""
        return {CANARY, STABLE} <= {self.name_of(each) for each in rule.get("route") or ()}

    def shared(self, entries: Sequence[Raw], shares: Mapping[str, int], gone: Sequence[str]) -> Sequence[Raw]:
        """Return destinations with these shares; the very same ones if they have them already.

        The weight of one that stands alone may be left out.
        """
        model = next((each for each in entries if self.name_of(each) in {CANARY, STABLE}), None)
        if model is None:
            return entries
        weights = Weights(self.name_of, default=_ALL if len(entries) == 1 else 0)
        return weights.shared(entries, shares, new=lambda name: self._new(name, model), gone=gone)

    def _new(self, name: str, model: Raw) -> dict[str, Any]:
        """Return a destination beside another one."""
        kept = {key: value for key, value in model["destination"].items() if key != "subset"}
        if name.startswith(_SUBSET):
            return {"destination": {**kept, "subset": name.removeprefix(_SUBSET)}}
        if name in {CANARY, STABLE}:
            subset = next((each for each, side in self.subsets.items() if side == name), "")
            if subset and "subset" in model["destination"]:
                return {"destination": {**kept, "subset": subset}}
            service = next((each for each, side in self.services.items() if side == name), "")
        else:
            service = name.removeprefix(_HOST)
        _, dot, place = kept["host"].partition(".")
        return {"destination": {**kept, "host": f"{service}{dot}{place}"}}

    def canary_of(self, entries: Sequence[Raw]) -> Raw | None:
        """Return the canary's destination with its weight, if there is one."""
        return next((each for each in entries if self.name_of(each) == CANARY), None)


def shares_of(route: Route, owner: Owner) -> dict[str, int]:
    """Return the shares by what the destinations go by."""
    shares = {STABLE: route.stable.weight, CANARY: route.canary.weight}
    for each in route.additional:
        subset = subset_of(each, owner)
        shares[f"{_SUBSET}{subset}" if subset else f"{_HOST}{each.service}"] = each.weight
    return shares


def subset_named(name: str) -> str:
    """Return the subset that a destination goes by, empty if it goes by a host."""
    return name.removeprefix(_SUBSET) if name.startswith(_SUBSET) else ""
