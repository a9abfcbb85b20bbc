"""Does a stranger's metric provider do what its port says? It stands between the provider and whoever asks it."""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Self, TypeVar

from rollouts.api.metrics import Metric
from rollouts.ports.checked import CheckedModel, Checks, PluginError
from rollouts.ports.checked_flow import checked_flow
from rollouts.ports.objects import Home
from rollouts.ports.provider import (
    AnyProvider,
    Asked,
    Flow,
    MeasurementError,
    NoData,
    Outcome,
    Pending,
    Provider,
    Reading,
    SecretRef,
    Stopping,
    Verdict,
)

_PHASES = frozenset({"Successful", "Failed", "Inconclusive", "Error"})
_LONGEST_PAUSE = timedelta(days=365)

T = TypeVar("T")


class CheckedProvider(Provider[Any]):
    """A provider that raises nothing but MeasurementError, and returns nothing but what its port says."""

    def __init__(self, provider: AnyProvider, name: str, origin: str) -> None:
        self._provider = provider
        self._checks = checks = Checks("metric provider", name, origin)
        self.key = name  # type: ignore[misc] # each of these stands for another provider
        self.model = CheckedModel(provider.model, checks)  # type: ignore[misc,assignment]
        self.objects = dict(provider.objects)  # type: ignore[misc]
        self.paths = tuple(provider.paths)  # type: ignore[misc]
        self.connection = frozenset(provider.connection)  # type: ignore[misc]

    def problems(self, spec: Any) -> Iterator[tuple[str, str]]:
        yield from self._checks.problems(lambda: self._provider.problems(spec))

    def problems_around(self, spec: Any, metric: Metric) -> Iterator[tuple[str, str]]:
        yield from self._checks.problems(lambda: self._provider.problems_around(spec, metric))

    def secrets_of(self, spec: Any, namespace: str) -> tuple[SecretRef, ...]:
        found: tuple[Any, ...] = self._asked("secrets_of", tuple, lambda: self._provider.secrets_of(spec, namespace))
        if not all(isinstance(each, SecretRef) for each in found):
            raise MeasurementError(str(self._checks.broken("secrets_of returned something else than references")))
        return found

    def home(self, namespace: str, settings: Mapping[str, str]) -> Home:
        return self._asked("home", Home, lambda: self._provider.home(namespace, settings))

    def metadata_of(self, spec: Any) -> Mapping[str, str]:
        """Return what the provider notes; a broken one is told by its measurements."""
        try:
            noted = self._checks.call("metadata_of", object, lambda: self._provider.metadata_of(spec))
            return self._checks.notes("metadata_of", noted)
        except (MeasurementError, PluginError):
            return {}

    def flow(self, spec: Any, asked: Asked) -> Flow:
        outcome: Any = yield from self._flow("flow", lambda: self._provider.flow(spec, asked))
        try:
            return self._tidied(outcome)
        except PluginError as error:
            raise MeasurementError(str(error)) from error

    def terminate(self, spec: Any, asked: Asked) -> Stopping:
        yield from self._flow("terminate", lambda: self._provider.terminate(spec, asked))

    def beside(self, others: Mapping[str, AnyProvider]) -> Self:
        del others
        return self

    def _asked(self, what: str, kind: type[T], work: Callable[[], Any]) -> T:
        try:
            return self._checks.call(what, kind, work, (MeasurementError,))
        except PluginError as error:
            raise MeasurementError(str(error)) from error

    def _flow(self, what: str, begin: Callable[[], Any]) -> Generator[Any, Any, Any]:
        try:
            return (yield from checked_flow(self._checks, what, begin))
        except PluginError as error:
            raise MeasurementError(str(error)) from error

    def _tidied(self, outcome: object) -> Outcome:
        checks = self._checks
        if not isinstance(outcome, Reading | NoData | Verdict | Pending):
            raise checks.broken(f"flow returned a {type(outcome).__name__}")
        metadata = checks.notes("metadata", outcome.metadata)
        if isinstance(outcome, Pending):
            pause = outcome.again_after
            if pause is not None and (not isinstance(pause, timedelta) or pause > _LONGEST_PAUSE):
                raise checks.broken("flow returned a pause that is none")
            return replace(outcome, metadata=metadata, message=checks.text("the message", outcome.message))
        value = checks.text("the value", outcome.value)
        if isinstance(outcome, NoData):
            because, error = checks.text("the reason", outcome.because), checks.text("the error", outcome.error)
            return replace(outcome, value=value, because=because, error=error, metadata=metadata)
        if isinstance(outcome, Verdict):
            if outcome.phase not in _PHASES:
                raise checks.broken("flow returned a phase that is none")
            message, memory = checks.text("the message", outcome.message), checks.notes("memory", outcome.memory)
            return replace(outcome, value=value, message=message, metadata=metadata, memory=memory)
        return replace(outcome, value=value, metadata=metadata)
