"""What do the backends of a rule have to weigh?

Weights are shares of the sum of their rule. Backends that aren't ours keep their share of it: their weights are put in
proportion to ours, which add up to the maximum weight, or to a multiple of it where whole numbers need that.
"""

from collections.abc import Collection, Iterable, Mapping
from math import gcd
from typing import Any

from rollouts.ports.router import Raw

Rule = dict[str, Any]

SERVICE = {"group": "", "kind": "Service"}
DEFAULT_WEIGHT = 1


def service_of(backend: Raw, here: str, there: str) -> str:
    """Return which Service of the Rollout's namespace (`there`) a backend of a route (`here`) is, empty if none."""
    is_service = backend.get("group", "") == "" and backend.get("kind", "Service") == "Service"
    name: str = backend["name"]
    return name if is_service and (backend.get("namespace") or here) == there else ""


class Backends:
    """The backends of one route, whose namespace is `here`; the Rollout's Services are `there`."""

    def __init__(self, here: str, there: str) -> None:
        self._here = here
        self._there = there

    def services(self, rule: Raw) -> list[str]:
        """Return the Services of a rule, empty for what isn't one that a Rollout could own."""
        return [service_of(each, self._here, self._there) for each in rule.get("backendRefs") or ()]

    def reference(self, rule: Raw, like: Collection[str], name: str) -> dict[str, Any]:
        """Return a bare reference to a Service, by the port that a similar one has in this rule."""
        model = self._model(rule, like)
        kept = {key: model[key] for key in ("namespace", "port") if key in model}
        return {**SERVICE, **kept, "name": name}

    def weighed(self, rule: Raw, shares: Mapping[str, int], gone: Collection[str]) -> Raw:
        """Return a rule with these shares of the traffic that is ours; the very same rule if it has them already.

        Backends in `gone` are taken out, missing ones are put at the end.
        """
        backends = [dict(each) for each in rule["backendRefs"] if service_of(each, self._here, self._there) not in gone]
        now = self._weights(backends, shares)
        if len(backends) == len(rule["backendRefs"]) and _are_as(now, shares):
            return rule
        others = [each for each in backends if service_of(each, self._here, self._there) not in shares]
        ours_now = self._weights(rule["backendRefs"], {*shares, *gone})
        total, whole = sum(ours_now.values()), sum(shares.values())
        if others and not total:
            return rule  # somebody has drained all that is ours
        factor = total // gcd(total, *(_weight(each) * whole for each in others)) if others else 1
        for each in others:
            each["weight"] = _weight(each) * whole * factor // total
        ours = {name: share * factor for name, share in shares.items()}
        model = self._model({"backendRefs": backends}, shares)
        for each in backends:
            if (name := service_of(each, self._here, self._there)) in shares:
                each["weight"] = ours.pop(name, 0)
        added = [{**model, "name": name, "weight": weight} for name, weight in ours.items()]
        return {**rule, "backendRefs": [*backends, *added]}

    def _weights(self, backends: Collection[Raw], shares: Iterable[str]) -> dict[str, int]:
        now = dict.fromkeys(shares, 0)
        for each in backends:
            if (name := service_of(each, self._here, self._there)) in now:
                now[name] += _weight(each)
        return now

    def _model(self, rule: Raw, like: Collection[str]) -> Raw:
        """Return the backend that a new one of ours is made after."""
        return next(
            (each for each in rule["backendRefs"] if service_of(each, self._here, self._there) in like),
            {**SERVICE, "name": ""},
        )


def _weight(backend: Raw) -> int:
    weight: int | None = backend.get("weight")
    return DEFAULT_WEIGHT if weight is None else weight


def _are_as(now: Mapping[str, int], shares: Mapping[str, int]) -> bool:
    """Tell whether weights stand to each other as the shares do; a Service that isn't there has none."""
    total, whole = sum(now.values()), sum(shares.values())
    return total > 0 and all(now[name] * whole == share * total for name, share in shares.items())
