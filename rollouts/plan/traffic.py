"""Which traffic routers does a Rollout use?

To a router, the preview of a blue-green rollout is the canary, and what is active is stable.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from rollouts.api.base import parse
from rollouts.api.canary import CanaryStrategy
from rollouts.api.traffic import TrafficRouting
from rollouts.ports import Answers, Kit, Objects, Owner, Question, Reads, Reference, Route, Seen, Write, picked
from rollouts.ports.checked import PluginError
from rollouts.ports.router import AnyRouter

Raw = Mapping[str, Any]
_SETTINGS = frozenset({"managed_routes", "max_traffic_weight", "session_affinity", "plugins"})

PREVIEW_MIRROR = "preview-mirror"
"""The managed route of a blue-green rollout."""


@dataclass(frozen=True, slots=True)
class BoundRouter:
    """A router together with its spec, and the Rollout that it works for."""

    router: AnyRouter
    spec: Any
    owner: Owner

    def reads(self) -> Reads:
        return self.router.reads(self.spec, self.owner)

    def seen(self, objects: Objects) -> Seen:
        return self.router.seen(self.spec, self.owner, self._own(objects))

    def questions(self, route: Route, objects: Objects) -> tuple[Question, ...]:
        return self.router.questions(self.spec, self.owner, route, self._own(objects))

    def state(self, answers: Answers) -> Raw:
        found = self.router.state(self.spec, answers)
        return {name: value for name, value in found.items() if name in self.router.states}

    def leave(self, route: Route, objects: Objects) -> tuple[Write, ...]:
        return self.router.leave(self.spec, self.owner, route, self._own(objects))

    def write(self, route: Route, objects: Objects) -> tuple[Write, ...]:
        return self.router.write(self.spec, self.owner, route, self._own(objects))

    def _own(self, objects: Objects) -> dict[Reference, Raw | None]:
        return picked(self.reads(), objects)


def routed_part(rollout: Raw) -> Raw:
    """Return what a raw Rollout says of its routers and Services, as a canary says it."""
    strategy = _mapping(_mapping(rollout.get("spec")).get("strategy"))
    blue_green = _mapping(strategy.get("blueGreen"))
    routing = _mapping(blue_green.get("trafficRouting"))
    if not routing:
        return _mapping(strategy.get("canary"))
    routers = {key: value for key, value in routing.items() if key != "mirror"}
    return {
        "canaryService": blue_green.get("previewService"),
        "stableService": blue_green.get("activeService"),
        "trafficRouting": {**routers, "managedRoutes": [{"name": PREVIEW_MIRROR}]},
    }


def routing_path(rollout: Raw) -> str:
    """Return where a raw Rollout names its routers."""
    strategy = _mapping(_mapping(rollout.get("spec")).get("strategy"))
    is_blue_green = bool(_mapping(strategy.get("blueGreen")).get("trafficRouting"))
    return f"spec.strategy.{'blueGreen' if is_blue_green else 'canary'}.trafficRouting"


def configured(routing: TrafficRouting) -> dict[str, Any]:
    """Return the spec of each router that is named: the typed ones as models, plugins' as they were written."""
    fields = type(routing).model_fields
    typed = {fields[name].alias or name: getattr(routing, name) for name in fields if name not in _SETTINGS}
    return {**{key: spec for key, spec in typed.items() if spec is not None}, **(routing.plugins or {})}


def routers_named(routing: Raw) -> dict[str, Raw]:
    """Return what a raw trafficRouting says of each router that it names."""
    fields = TrafficRouting.model_fields
    keys = (fields[name].alias or name for name in fields if name not in _SETTINGS)
    plugins = routing.get("plugins")
    every = {**{key: routing.get(key) for key in keys}, **(plugins if isinstance(plugins, Mapping) else {})}
    return {key: spec for key, spec in every.items() if isinstance(spec, Mapping)}


def owner_of(metadata: Raw, canary: CanaryStrategy) -> Owner:
    """Return what routers may know of a Rollout."""
    affinity = canary.traffic_routing.session_affinity if canary.traffic_routing is not None else None
    return Owner(
        name=metadata["name"],
        namespace=metadata.get("namespace", "default"),
        uid=metadata.get("uid", ""),
        canary_service=canary.canary_service or "",
        stable_service=canary.stable_service or "",
        has_ping_pong=canary.ping_pong is not None,
        managed_routes=tuple(each.name for each in canary.traffic_routing.managed_routes)
        if canary.traffic_routing is not None
        else (),
        has_affinity=affinity is not None,
        has_sessions=affinity is not None and affinity.session_persistence is not None,
    )


def bind_routers(metadata: Raw, canary: CanaryStrategy, kit: Kit) -> tuple[BoundRouter, ...]:
    """Bind each router of a valid spec to its plugin; more than one may be named, and each gets the same route."""
    routing = canary.traffic_routing
    if routing is None:
        return ()
    owner = owner_of(metadata, canary)
    named = ((kit.routers[key], spec) for key, spec in configured(routing).items())
    return tuple(BoundRouter(router, read_spec(router, spec), owner) for router, spec in named)


def bound_reads(rollout: Raw, kit: Kit) -> Reads:
    """Return what the routers of a raw Rollout read; nothing where its plan says what is wrong with it.

    Raises PluginError where a stranger's router can't say it.
    """
    return tuple(dict.fromkeys(read for reads in reads_by_router(rollout, kit).values() for read in reads))


def reads_by_router(rollout: Raw, kit: Kit) -> Mapping[str, Reads]:
    """Return the same for each router, by its key. Raises PluginError."""
    part = routed_part(rollout)
    if not part.get("trafficRouting"):
        return {}
    try:
        canary = parse(CanaryStrategy, part)
        return {each.router.key: each.reads() for each in bind_routers(rollout["metadata"], canary, kit)}
    except PluginError:
        raise
    except Exception:  # noqa: BLE001 - a spec that isn't valid may be anything
        return {}


def read_spec(router: AnyRouter, spec: Any) -> Any:
    """Read what the Rollout says about a router. Raises pydantic.ValidationError."""
    return spec if isinstance(spec, BaseModel) else router.model.model_validate(spec, by_alias=True, by_name=False)


def _mapping(value: object) -> Raw:
    return value if isinstance(value, Mapping) else {}
