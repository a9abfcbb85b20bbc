"""Which lines of a ConfigMap tell a proxy the weights of a Rollout's Services?"""

import re
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict
from rollouts.ports import Ability, Objects, Owner, Patch, Reads, Reference, Route, Router, Write

_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")


class ConfigMapShares(BaseModel):
    """What stands in the Rollout: the ConfigMap, and the key of its data that is this Rollout's own."""

    model_config = ConfigDict(extra="forbid")

    name: str
    key: str = "weights"


class ConfigMapRouter(Router[ConfigMapShares]):
    """Writes one key of a ConfigMap that people have made: a line for each Service, and its weight."""

    key = "example.com/config-map"
    model = ConfigMapShares
    abilities = frozenset({Ability.MAX_WEIGHT, Ability.PING_PONG})

    def problems(self, spec: ConfigMapShares, owner: Owner, objects: Objects | None) -> Iterator[tuple[str, str]]:
        if not _KEY.fullmatch(spec.key):
            yield "key", f"{spec.key!r} is no key of a ConfigMap: use letters, digits, '-', '_' and '.'"
        place = _place(spec, owner)
        if objects is not None and objects.get(place) is None:
            yield "name", f"{place} doesn't exist in namespace {owner.namespace}: create it, and have the proxy read it"

    def reads(self, spec: ConfigMapShares, owner: Owner) -> Reads:
        return (_place(spec, owner),)

    def write(self, spec: ConfigMapShares, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        place = _place(spec, owner)
        found = objects.get(place)
        wanted = "".join(f"{service} {weight}\n" for service, weight in sorted(_weights(route).items()))
        if found is None or (found.get("data") or {}).get(spec.key) == wanted:
            return ()
        return (Patch(place, {"data": {spec.key: wanted}}),)


def _place(spec: ConfigMapShares, owner: Owner) -> Reference:
    return Reference("", "ConfigMap", owner.namespace, spec.name)


def _weights(route: Route) -> dict[str, int]:
    return {each.service: each.weight for each in (route.canary, route.stable)}
