"""A traffic router for tests: it keeps its route in one object of the simulated world, where tests read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from rollouts.api.canary import SetHeaderRoute, SetMirrorRoute
from rollouts.ports import (
    Ability,
    Create,
    Objects,
    Owner,
    Patch,
    Reads,
    Reference,
    Route,
    Router,
    Seen,
    Write,
)
from rollouts.registry import load_kit
from rollouts.sim.scenario import Change
from rollouts.sim.world import World
from tests.plan.given import Raw, rollout, service

KEY = "test/recording"
SPLIT = Reference("test.example.com", "Split", "default", "web")


class Recording(BaseModel):
    """What stands in the Rollout. `hashes` splits by pod hashes, `verifies` waits for the data plane."""

    split: str = "web"
    hashes: bool = False
    verifies: bool = False


class RecordingRouter(Router[Recording]):
    """Writes the whole route down."""

    key = KEY
    model = Recording
    abilities = frozenset(Ability)

    def needs_services(self, spec: Recording) -> bool:
        return not spec.hashes

    def reads(self, spec: Recording, owner: Owner) -> Reads:
        return (self._split(spec, owner),)

    def _split(self, spec: Recording, owner: Owner) -> Reference:
        return replace(SPLIT, namespace=owner.namespace, name=spec.split)

    def seen(self, spec: Recording, owner: Owner, objects: Objects) -> Seen:
        split = objects.get(self._split(spec, owner))
        if not spec.verifies or split is None:
            return Seen()
        if (split.get("status") or {}).get("followed") == split["metadata"]["generation"]:
            return Seen(verified=True)
        return Seen(verified=False, because="the data plane has not followed yet")

    def write(self, spec: Recording, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        reference = self._split(spec, owner)
        split = objects.get(reference)
        shares: dict[str, int] = {}
        for each in (route.canary, route.stable, *route.additional):
            to = each.pod_hash if spec.hashes else each.service
            shares[to] = shares.get(to, 0) + each.weight
        wanted: dict[str, Any] = {
            "shares": [{"to": to, "weight": weight} for to, weight in sorted(shares.items())],
            "whole": route.max_weight,
            # Where requests go whatever the weights: without any, the fields aren't there.
            "headers": _managed(route, route.headers, hashes=spec.hashes),
            "mirrors": _managed(route, route.mirrors, hashes=spec.hashes),
        }
        returning = _returning(spec, route)
        if split is None:
            made = {**wanted, "returning": returning}
            return (Create(reference, {"spec": {key: value for key, value in made.items() if value is not None}}),)
        spec_now = split.get("spec") or {}
        if returning != spec_now.get("returning"):
            wanted["returning"] = returning
        now = {key: spec_now.get(key) for key in wanted}
        return () if now == wanted else (Patch(reference, {"spec": wanted}),)


def _returning(spec: Recording, route: Route) -> list[Raw] | None:
    """Return who comes again and where they go, as it is written down; None where nobody sticks."""
    if route.affinity is None:
        return None
    canary, stable = (each.pod_hash if spec.hashes else each.service for each in (route.canary, route.stable))
    return [
        {
            "values": [*each.values],
            "shares": [{"to": canary, "weight": each.canary}, {"to": stable, "weight": each.stable}],
        }
        for each in route.affinity.returning
    ]


def _managed(
    route: Route, managed: Sequence[SetHeaderRoute | SetMirrorRoute], *, hashes: bool
) -> list[Mapping[str, Any]] | None:
    to = route.canary.pod_hash if hashes else route.canary.service
    found: list[Mapping[str, Any]] = [
        {"to": to, **each.model_dump(mode="json", by_alias=True, exclude_unset=True)} for each in managed
    ]
    return found or None


KIT = replace(load_kit(), routers={KEY: RecordingRouter()})


@dataclass
class DataPlane:
    """What moves the traffic: it follows each change of the split after so many seconds, with None never.

    The object's status shows what it has followed to.
    """

    after: float | None = 0
    _due: dict[int, datetime] = field(default_factory=dict)

    def follow(self, world: World) -> bool:
        split = world.objects.live.get(SPLIT)
        if split is None or self._has_followed(split) or self.after is None:
            return False
        due = self._due.setdefault(split["metadata"]["generation"], world.now + timedelta(seconds=self.after))
        if world.now < due:
            return False
        before = (split.get("status") or {}).get("traffic") or {}
        traffic = {**dict.fromkeys(before), **split["spec"]}  # a merge would keep what the split no longer says
        world.patch_object(SPLIT, {"status": {"followed": split["metadata"]["generation"], "traffic": traffic}})
        return True

    def next_change(self, world: World) -> datetime | None:
        split = world.objects.live.get(SPLIT)
        if split is None or self._has_followed(split):
            return None
        due = self._due.get(split["metadata"]["generation"])
        return due if due is not None and due > world.now else None

    def expects_news(self, world: World) -> bool:
        return self.next_change(world) is not None

    @staticmethod
    def _has_followed(split: Mapping[str, Any]) -> bool:
        followed = (split.get("status") or {}).get("followed")
        return bool(followed == split["metadata"]["generation"])


SERVICES: Raw = {"canaryService": "c", "stableService": "s"}
TOP = ("replicas", "steps", "paused", "minReadySeconds", "progressDeadlineSeconds", "progressDeadlineAbort")
PAIR: Raw = {"pingPong": {"pingService": "ping", "pongService": "pong"}}


def by_router(image: str = "app:1", *, services: Mapping[str, Any] = SERVICES, **settings: Any) -> Raw:
    """Return a Rollout with a router; settings of the router, of the canary, and of the Rollout may be mixed."""
    router = {name: settings.pop(name) for name in Recording.model_fields if name in settings}
    top: Raw = {name: settings.pop(name) for name in TOP if name in settings}
    routing = {"plugins": {KEY: router}, **settings.pop("trafficRouting", {})}
    return rollout(image, canary={**services, "trafficRouting": routing, **settings}, **top)


def written_down(rollout: Raw) -> Raw:
    """Return a Rollout whose status remembers its router."""
    canary = rollout["spec"]["strategy"]["canary"]
    services = {name: canary[name] for name in SERVICES if canary.get(name)}
    plugins = canary["trafficRouting"]["plugins"]
    known = [{"router": router, "spec": spec, **services} for router, spec in plugins.items()]
    return {**rollout, "status": {**rollout.get("status", {}), "routedBy": known}}


def create_services(*names: str) -> list[Change]:
    """Return the creation of Services."""

    def creation(name: str) -> Change:
        return Change(0, f'Service "{name}" is created', lambda world: world.create_service(service(name)))

    return [creation(name) for name in names]


def split(
    shares: Mapping[str, int], *, followed: bool = True, **managed: Sequence[Mapping[str, Any]]
) -> dict[Reference, Mapping[str, Any] | None]:
    """Return the router's object as the API server has it; `followed` tells whether its data plane is there."""
    metadata = {"name": "web", "namespace": "default", "uid": "uid-split", "resourceVersion": "8", "generation": 2}
    ends = [{"to": to, "weight": weight} for to, weight in sorted(shares.items())]
    spec: Raw = {"shares": ends, "whole": sum(shares.values()), **managed}
    return {SPLIT: {"kind": "Split", "metadata": metadata, "spec": spec, "status": {"followed": 2 if followed else 1}}}


def told(
    canary: int,
    pod_hash: str,
    stable_hash: str,
    *,
    services: tuple[str, str] = ("c", "s"),
    whole: int = 100,
    verified: bool | None = None,
) -> Raw:
    """Return a canary's status with the route that was last seen in force."""
    weights: Raw = {
        "canary": {"weight": canary, "serviceName": services[0], "podTemplateHash": pod_hash},
        "stable": {"weight": whole - canary, "serviceName": services[1], "podTemplateHash": stable_hash},
    }
    return {"weights": weights if verified is None else {**weights, "verified": verified}}
