"""Which plugins do the tests have that keep no promise? Each does one kind of wrong thing."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from rollouts.api.base import Model
from rollouts.ports import Asked, CalledStep, Flow, Gate, Here, Kit, Open, Provider, Reading, Situation, Step, Wishes
from rollouts.ports.checked_provider import CheckedProvider
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


def kit_with(plugin: Any) -> Kit:
    """Return our kit, with a stranger's plugin as the registry would have it."""
    ours = load_kit()
    steps, providers = dict(ours.steps), dict(ours.providers)
    if isinstance(plugin, Provider):
        providers["stranger"] = CheckedProvider(plugin, "stranger", ORIGIN)
    else:
        steps["stranger"] = checked_step(plugin, "stranger", ORIGIN)
    return Kit(steps=steps, providers=providers, strangers={"stranger": ORIGIN})
