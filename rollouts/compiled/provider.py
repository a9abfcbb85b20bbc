"""How does a compiled metric provider measure? It is handed the run and the metric, and judges by itself."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from pydantic import BaseModel

from rollouts.api.timestamps import format_time, parse_time
from rollouts.compiled.settings import Settings
from rollouts.ports import Asked, MeasurementError, Outcome, Pending, Provider, Verdict
from rollouts.ports.checked import cut
from rollouts.ports.compiled import CompiledCall, CompiledKind
from rollouts.ports.provider import AnyProvider

Raw = Mapping[str, Any]

_KIND = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun"}
_NO_TIME = timedelta(0)
_RUNNING = frozenset({"", "Pending", "Running"})
_COMPLETED = frozenset({"Successful", "Failed", "Inconclusive", "Error"})


class CompiledProvider(Provider[Settings]):
    """A metric provider that a plugin carries out."""

    model: ClassVar[type[BaseModel]] = Settings

    def flow(self, spec: Settings, asked: Asked) -> Any:  # its requests are for compiled plugins only
        del spec
        call = self._call("Resume", asked, _going_on(asked)) if asked.goes_on else self._call("Run", asked)
        measured = yield call
        memory = asked.memory
        if not memory and asked.turn.number == 1:
            memory = yield CompiledCall(CompiledKind.METRIC, self.key, "GetMetadata", {"Metric": asked.metric})
        outcome = self._outcome(measured, asked, memory)
        if isinstance(outcome, Verdict) and asked.turn.number > asked.turn.keep:
            yield self._call("GarbageCollect", asked, {"Limit": asked.turn.keep})
        return outcome

    def terminate(self, spec: Settings, asked: Asked) -> Any:
        del spec
        yield self._call("Terminate", asked, _going_on(asked))

    def _call(self, method: str, asked: Asked, more: Raw | None = None) -> CompiledCall:
        arguments = {"AnalysisRun": {**_KIND, **asked.subject}, "Metric": asked.metric, **(more or {})}
        return CompiledCall(CompiledKind.METRIC, self.key, method, arguments)

    def _outcome(self, measured: Raw, asked: Asked, memory: Mapping[str, str]) -> Outcome:
        phase, metadata, message = measured.get("phase", ""), measured.get("metadata", {}), measured.get("message", "")
        if phase in _COMPLETED:
            return Verdict(phase, measured.get("value", ""), cut(message), metadata, memory)
        if phase not in _RUNNING:
            raise MeasurementError(f"{self.key} says that its phase is {cut(phase, 50)!r}, which is none")
        resume_at = measured.get("resumeAt")
        pause = max(parse_time(resume_at) - asked.now, _NO_TIME) if resume_at else None
        return Pending(pause, metadata, cut(message))


def compiled_provider(name: str) -> AnyProvider:
    """Return the metric provider that a plugin of this name carries out."""
    provider: AnyProvider = type("Provider", (CompiledProvider,), {"key": name})()
    return provider


def _going_on(asked: Asked) -> Raw:
    """Return what a plugin is shown of a measurement that it has begun."""
    begun: datetime = asked.turn.started_at or asked.now
    return {"Measurement": {"phase": "Running", "startedAt": format_time(begun), "metadata": dict(asked.metadata)}}
