"""How is a compiled step plugin called? Like any called step: until it is done, and what it is to remember is kept."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from rollouts.ports import Answer, CalledStep, MeasurementError, Situation
from rollouts.ports.called import ERROR, FAILED, RUNNING, SUCCESSFUL, AnyCalledStep, Operation
from rollouts.ports.checked import cut
from rollouts.ports.compiled import CompiledCall, CompiledKind

_KIND = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}
_PHASES = {each: each for each in (RUNNING, SUCCESSFUL, FAILED, ERROR)}


class CompiledStep(CalledStep[Any]):
    """A step that a plugin carries out. Its requests are for compiled plugins only."""

    def run(self, spec: Any, here: Situation) -> Any:
        return self._call("Run", spec, here)

    def terminate(self, spec: Any, here: Situation) -> Any:
        return self._call("Terminate", spec, here)

    def abort(self, spec: Any, here: Situation) -> Any:
        return self._call("Abort", spec, here)

    def _call(self, method: Operation, config: Any, here: Situation) -> Any:
        status = {"Status": here.status} if here.status else {}
        context = {"PluginName": self.key, **({"Config": config} if config else {}), **status}
        arguments = {"Rollout": {**_KIND, **here.rollout}, "Context": context}
        answer = yield CompiledCall(CompiledKind.STEP, self.key, method, arguments)
        phase = _PHASES.get(answer["phase"])
        if phase is None:
            raise MeasurementError(f"{self.key} says that its phase is {cut(answer['phase'], 50)!r}, which is none")
        again = answer["requeueAfter"]
        return Answer(
            phase,
            cut(answer["message"]),
            timedelta(seconds=again) if again > 0 else None,
            self._status(answer["status"]),
        )

    def _status(self, status: Any) -> Mapping[str, Any] | None:
        if status is None or isinstance(status, Mapping):
            return status
        raise MeasurementError(f"{self.key} wants to remember a {type(status).__name__}: the API takes objects only")


def compiled_step(name: str) -> AnyCalledStep:
    """Return the step that a plugin of this name carries out."""
    step: AnyCalledStep = type("Step", (CompiledStep,), {"key": name})()
    return step
