"""Does a stranger's step do what its port says? It stands between the step and whoever asks it."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, get_args

from rollouts.api.canary import SetHeaderRoute, SetMirrorRoute
from rollouts.ports.called import Answer, CalledStep, CallFlow, Phase, Situation
from rollouts.ports.checked import LONGEST_NOTES, CheckedModel, Checks, cut
from rollouts.ports.checked_flow import checked_flow
from rollouts.ports.provider import SecretRef
from rollouts.ports.step import AnyStep, Gate, Here, Open, Scale, Shut, Step, Wishes

_KIND = "step plugin"
_LONGEST_PAUSE = timedelta(days=365)


def checked_step(step: AnyStep, name: str, origin: str) -> AnyStep:
    """Return a step that keeps the promises of its port, whatever the one in it does."""
    kind = CheckedCalledStep if isinstance(step, CalledStep) else CheckedStep
    return kind(step, Checks(_KIND, name, origin))


class CheckedStep(Step[Any]):
    """A step that raises nothing but PluginError."""

    def __init__(self, step: Any, checks: Checks) -> None:
        self.key = step.key  # type: ignore[misc] # each of these stands for another step
        self.model = None if step.model is None else CheckedModel(step.model, checks)  # type: ignore[misc,assignment]
        self._step = step
        self._checks = checks

    def problems(self, spec: Any, *, max_weight: int, routed: bool) -> Iterator[tuple[str, str]]:
        yield from self._checks.problems(lambda: self._step.problems(spec, max_weight=max_weight, routed=routed))

    def hold(self, wishes: Wishes, spec: Any) -> Wishes:
        held = self._checks.call("hold", Wishes, lambda: self._step.hold(replace(wishes), spec))
        scale = held.scale
        sizes: list[object] = [held.weight]
        if isinstance(scale, Scale):
            sizes += [each for each in (scale.replicas, scale.weight) if each is not None]
        elif scale is not None:
            raise self._checks.broken("hold returned a scale that is none")
        if not all(type(each) is int and each >= 0 for each in sizes):
            raise self._checks.broken("hold returned wishes that are no sizes")
        for each, kind in ((held.header_routes, SetHeaderRoute), (held.mirrors, SetMirrorRoute)):
            if not isinstance(each, tuple) or not all(isinstance(route, kind) for route in each):
                raise self._checks.broken("hold returned managed routes that are none")
        return held

    def gate(self, spec: Any, here: Here, now: datetime) -> Gate:
        gate: Gate = self._checks.call("gate", Gate, lambda: self._step.gate(spec, here, now))  # type: ignore[arg-type]
        because = cut(self._checks.text("the reason of gate", gate.because))
        if isinstance(gate, Open):
            return replace(gate, because=because)
        if not isinstance(gate.pauses, bool) or not isinstance(gate.patient, bool):
            raise self._checks.broken("gate answers neither yes nor no")
        return replace(gate, because=because, until=self._until(gate, now))

    def _until(self, gate: Shut, now: datetime) -> datetime | None:
        """Return when to look again: a time that lies in the past would have the controller go round in circles."""
        if gate.until is None:
            return None
        if not isinstance(gate.until, datetime) or gate.until.tzinfo is None or gate.until <= now:
            raise self._checks.broken("gate asks to be asked again at a time that is none, or over")
        return gate.until


class CheckedCalledStep(CheckedStep, CalledStep[Any]):
    """A called step whose flows raise nothing but PluginError or MeasurementError."""

    gate = CheckedStep.gate

    def secrets_of(self, spec: Any, namespace: str) -> tuple[SecretRef, ...]:
        found = self._checks.call("secrets_of", tuple, lambda: self._step.secrets_of(spec, namespace))
        if not all(isinstance(each, SecretRef) for each in found):
            raise self._checks.broken("secrets_of returned something else than references")
        return found

    def run(self, spec: Any, here: Situation) -> CallFlow:
        return self._flow("run", lambda: self._step.run(spec, here))

    def terminate(self, spec: Any, here: Situation) -> CallFlow:
        return self._flow("terminate", lambda: self._step.terminate(spec, here))

    def abort(self, spec: Any, here: Situation) -> CallFlow:
        return self._flow("abort", lambda: self._step.abort(spec, here))

    def _flow(self, what: str, begin: Callable[[], Any]) -> CallFlow:
        answer = yield from checked_flow(self._checks, what, begin)
        if not isinstance(answer, Answer) or answer.phase not in get_args(Phase):
            raise self._checks.broken(f"{what} returned no Answer with a phase")
        pause = answer.again_after
        if pause is not None and (not isinstance(pause, timedelta) or pause > _LONGEST_PAUSE):
            raise self._checks.broken(f"{what} returned a pause that is none")
        message = self._checks.text("the message", answer.message)
        return replace(answer, message=message, status=self._status(answer.status))

    def _status(self, status: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """Return a status as the API server will give it back: plain JSON, and not endless."""
        if status is None:
            return None
        text = self._checks.call("status", str, lambda: json.dumps(status, allow_nan=False, skipkeys=False))
        if not isinstance(status, Mapping) or len(text) > LONGEST_NOTES:
            raise self._checks.broken(f"the status is no object of at most {LONGEST_NOTES} characters")
        read: dict[str, Any] = json.loads(text)
        return read
