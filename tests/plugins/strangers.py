"""Which plugins do the tests have that keep no promise? Each does one kind of wrong thing."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from rollouts.api.base import Model
from rollouts.ports import (
    Asked,
    Asking,
    CalledStep,
    Create,
    Flow,
    Found,
    Gate,
    Here,
    Kit,
    Objects,
    Open,
    Owner,
    Patch,
    Provider,
    Question,
    Reading,
    Reads,
    Reference,
    Route,
    Router,
    Seen,
    Situation,
    Step,
    Wishes,
    Write,
)
from rollouts.ports.checked_provider import CheckedProvider
from rollouts.ports.checked_router import CheckedRouter
from rollouts.ports.checked_step import checked_step
from rollouts.registry import load_kit

ORIGIN = "rollouts-stranger 6.6"
Deed = Callable[..., Any]


def spin(*_: object) -> Any:
    while True:
        pass


def sleep(*_: object) -> Any:
    time.sleep(1e6)


def leave(*_: object) -> Any:
    raise SystemExit(3)


def fall(*_: object) -> Any:
    raise ValueError("marker-of-a-secret")


class NoAnswer:
    """Is nothing that a port returns."""


class Anything(Model):
    """No settings."""


class Measures(Provider[Anything]):
    """A provider that does something in one of its places."""

    key = "stranger"
    model = Anything

    def __init__(self, **deeds: Deed) -> None:
        self.deeds = deeds

    def _do(self, place: str, otherwise: Any, *given: Any) -> Any:
        return self.deeds[place](*given) if place in self.deeds else otherwise

    def problems(self, spec: Anything) -> Iterator[tuple[str, str]]:
        yield from self._do("problems", (), spec)

    def metadata_of(self, spec: Anything) -> Mapping[str, str]:
        noted: Mapping[str, str] = self._do("metadata_of", {}, spec)
        return noted

    def flow(self, spec: Anything, asked: Asked) -> Flow:
        del spec
        if "flow" in self.deeds:
            flow: Flow = self.deeds["flow"](asked)
            return flow
        return _reading()


def _reading() -> Flow:
    yield from ()
    return Reading(1, "1")


class Stands(Step[Mapping[str, Any]]):
    """A step that does something in one of its places."""

    key = "stranger"

    def __init__(self, **deeds: Deed) -> None:
        self.deeds = deeds

    def problems(self, spec: Mapping[str, Any], *, max_weight: int, routed: bool) -> Iterator[tuple[str, str]]:
        del max_weight, routed
        yield from self.deeds["problems"](spec) if "problems" in self.deeds else ()

    def hold(self, wishes: Wishes, spec: Mapping[str, Any]) -> Wishes:
        held: Wishes = self.deeds["hold"](wishes, spec) if "hold" in self.deeds else wishes
        return held

    def gate(self, spec: Mapping[str, Any], here: Here, now: datetime) -> Gate:
        gate: Gate = self.deeds["gate"](spec, here, now) if "gate" in self.deeds else Open("why not")
        return gate


class Asks(CalledStep[Mapping[str, Any]]):
    """A called step that does something when it is run."""

    key = "stranger"

    def __init__(self, run: Deed) -> None:
        self._run = run

    def run(self, spec: Mapping[str, Any], here: Situation) -> Any:
        return self._run(spec, here)


ASKS = Question("stranger", "the pages of web", (20,))
PAGE = Reference("test.example.com", "Page", "default", "web")


class Routes(Router[Anything]):
    """A router that keeps its weight in a page of its own, and does something else in one of its places."""

    key = "stranger"
    model = Anything

    def __init__(self, **deeds: Deed) -> None:
        self.deeds = deeds

    def _do(self, place: str, otherwise: Any, *given: Any) -> Any:
        return self.deeds[place](*given) if place in self.deeds else otherwise

    def needs_services(self, spec: Anything) -> bool:
        needed: bool = self._do("needs_services", bool(self.key), spec)
        return needed

    def problems(self, spec: Anything, owner: Owner, objects: Objects | None) -> Iterator[tuple[str, str]]:
        yield from self._do("problems", (), spec, owner, objects)

    def reads(self, spec: Anything, owner: Owner) -> Reads:
        reads: Reads = self._do("reads", (PAGE,), spec, owner)
        return reads

    def seen(self, spec: Anything, owner: Owner, objects: Objects) -> Seen:
        seen: Seen = self._do("seen", Seen(), spec, owner, objects)
        return seen

    def write(self, spec: Anything, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        if "write" in self.deeds:
            writes: tuple[Write, ...] = self.deeds["write"](spec, owner, route, objects)
            return writes
        page, body = objects[PAGE], {"spec": {"weight": route.canary.weight}}
        if page is None:
            return (Create(PAGE, body),)
        return () if page["spec"] == body["spec"] else (Patch(PAGE, body),)


class Stays(Routes):
    """A router that does something when it is left."""

    def leave(self, spec: Anything, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        writes: tuple[Write, ...] = self.deeds["leave"](spec, owner, route, objects)
        return writes


class Questions(Routes):
    """A router that asks somebody whether the traffic follows, and does something else in one of its places."""

    def questions(self, spec: Anything, owner: Owner, route: Route, objects: Objects) -> tuple[Question, ...]:
        asked: tuple[Question, ...] = self._do("questions", (ASKS,), spec, owner, route, objects)
        return asked

    def ask(self, question: Question, asked: Asked) -> Asking:
        if "ask" in self.deeds:
            flow: Asking = self.deeds["ask"](question, asked)
            return flow
        return _found()


def _found() -> Asking:
    yield from ()
    return Found(verified=True, because="it does")


def kit_with(plugin: Any) -> Kit:
    """Return our kit, with a stranger's plugin as the registry would have it."""
    ours = load_kit()
    steps, providers, routers = dict(ours.steps), dict(ours.providers), dict(ours.routers)
    if isinstance(plugin, Provider):
        providers["stranger"] = CheckedProvider(plugin, "stranger", ORIGIN)
    elif isinstance(plugin, Router):
        routers["stranger"] = CheckedRouter(plugin, "stranger", ORIGIN)
    else:
        steps["stranger"] = checked_step(plugin, "stranger", ORIGIN)
    return Kit(steps=steps, providers=providers, routers=routers, strangers={"stranger": ORIGIN})
