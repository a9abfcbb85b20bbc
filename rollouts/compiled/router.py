"""How does a compiled traffic router bring about a Route? It is told all of it, in the order that it is used to.

It writes its objects itself, with a client of its own. We don't know which, so they aren't watched: the route counts as
in force once the plugin has answered, and is told again every few minutes, in case somebody has changed the objects.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import orjson
from pydantic import BaseModel

from rollouts.api.canary import SetHeaderRoute, SetMirrorRoute
from rollouts.compiled.settings import Settings
from rollouts.ports import Ability, Asked, Found, Objects, Owner, Question, Reads, Route, Router, Write
from rollouts.ports.checked import cut
from rollouts.ports.compiled import CompiledCall, CompiledKind
from rollouts.ports.router import AnyRouter, Destination

AGAIN = 300.0
"""Seconds after which a route is told again."""

Raw = Mapping[str, Any]
_KIND = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}
VERIFY_ERROR = "WeightVerifyError"


class CompiledRouter(Router[Settings]):
    """A router that a plugin carries out. What it can do only the plugin knows: it is asked for all that it can be."""

    model: ClassVar[type[BaseModel]] = Settings
    abilities = frozenset(Ability) - {Ability.SESSION_AFFINITY, Ability.SESSION_PERSISTENCE}
    tells = True

    def reads(self, spec: Settings, owner: Owner) -> Reads:
        del spec, owner
        return ()

    def write(self, spec: Settings, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        del spec, owner, route, objects
        return ()

    def questions(self, spec: Settings, owner: Owner, route: Route, objects: Objects) -> tuple[Question, ...]:
        del objects
        settings = orjson.dumps(spec.raw(), option=orjson.OPT_SORT_KEYS)
        about = f"the traffic router {self.key}"
        return (Question(self.key, about, (route, owner.managed_routes, settings), AGAIN),)

    def ask(self, question: Question, asked: Asked) -> Any:  # its requests are for compiled plugins only
        route, managed_routes, _ = question.facts
        rollout = {**_KIND, **asked.subject}
        metadata = rollout["metadata"]
        order = f"{self.key} {metadata['namespace']}/{metadata['name']}"
        for method, arguments in _calls(route, managed_routes, rollout):
            yield CompiledCall(CompiledKind.ROUTER, self.key, method, {"Rollout": rollout, **arguments}, order)
        weight = {"Rollout": rollout, **_weight(route)}
        answer = yield CompiledCall(CompiledKind.ROUTER, self.key, "VerifyWeight", weight, order)
        if answer["error"]:
            return Found(verified=False, because=cut(f"{self.key}: {answer['error']}"), reason=VERIFY_ERROR)
        says = "says that traffic follows" if answer["verified"] else "says that traffic doesn't follow yet"
        return Found(answer["verified"], f"{self.key} {says}" if answer["verified"] is not None else "")


def compiled_router(name: str) -> AnyRouter:
    """Return the router that a plugin of this name carries out."""
    router: AnyRouter = type("Router", (CompiledRouter,), {"key": name})()
    return router


def _calls(route: Route, managed_routes: tuple[str, ...], rollout: Raw) -> Iterator[tuple[str, Raw]]:
    """Yield the calls that bring a route about, as (method, arguments): managed routes, pods, weights."""
    if not route.headers and not route.mirrors:
        if managed_routes or not route.canary.weight:
            yield "RemoveManagedRoutes", {}
    else:
        yield from _removals(route, managed_routes, rollout)
    for header in route.headers:
        yield "SetHeaderRoute", {"SetHeaderRoute": _written(header)}
    for mirror in route.mirrors:
        yield "SetMirrorRoute", {"SetMirrorRoute": _written(mirror)}
    additional = [_destination(each) for each in route.additional]
    hashes = {"CanaryHash": route.canary.pod_hash, "StableHash": route.stable.pod_hash}
    yield "UpdateHash", {**hashes, "AdditionalDestinations": additional}
    yield "SetWeight", _weight(route)


def _removals(route: Route, managed_routes: tuple[str, ...], rollout: Raw) -> Iterator[tuple[str, Raw]]:
    """Yield what removes single managed routes: one without a match is none."""
    in_force = {each.name for each in route.headers} | {each.name for each in route.mirrors}
    for method, key in (("SetHeaderRoute", "setHeaderRoute"), ("SetMirrorRoute", "setMirrorRoute")):
        steps = rollout["spec"]["strategy"]["canary"].get("steps") or ()
        named = {step[key]["name"] for step in steps if step.get(key)}
        for name in managed_routes:
            if name in named - in_force:
                yield method, {method: {"name": name}}


def _weight(route: Route) -> Raw:
    additional = [_destination(each) for each in route.additional]
    return {"DesiredWeight": route.canary.weight, "AdditionalDestinations": additional}


def _destination(destination: Destination) -> Raw:
    return {
        "weight": destination.weight,
        "serviceName": destination.service,
        "podTemplateHash": destination.pod_hash,
    }


def _written(route: SetHeaderRoute | SetMirrorRoute) -> Raw:
    written: Raw = route.model_dump(mode="json", by_alias=True, exclude_none=True)
    return written
