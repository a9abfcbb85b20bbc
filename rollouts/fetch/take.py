"""How is a measurement taken? A provider's flow is run, and whatever it does wrong hurts this measurement only."""

import re
from base64 import b64encode
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, quote_plus

import aiohttp

from rollouts.fetch.compiled import Compiled, nobody_compiled
from rollouts.fetch.drive import drive
from rollouts.fetch.objects import Objects, checked, not_available
from rollouts.fetch.session import exchange
from rollouts.fetch.tokens import Tokens
from rollouts.guard import Run, directly
from rollouts.ports.checked import PluginError
from rollouts.ports.compiled import CompiledCall
from rollouts.ports.objects import ObjectRequest
from rollouts.ports.provider import (
    AnyProvider,
    Asked,
    MeasurementError,
    NoData,
    Outcome,
    Pending,
    Reading,
    Request,
    Response,
    SecretRef,
    Verdict,
)

_SHORTEST_SECRET = 8  # a shorter value, such as a region, would be cut out of the middle of words
_SECRET_SETTING = re.compile("KEY|SECRET|TOKEN|PASSWORD")
_MASK = "*****"

R = TypeVar("R")


class Secretive(Protocol):
    """What a plugin gets to know that may not be shown."""

    @property
    def secrets(self) -> Mapping[SecretRef, Mapping[str, str] | None]: ...

    @property
    def settings(self) -> Mapping[str, str]: ...


async def take(
    provider: AnyProvider,
    spec: Any,
    asked: Asked,
    session: aiohttp.ClientSession,
    objects: Objects = not_available,
    tokens: Tokens | None = None,
    run: Run = directly,
    compiled: Compiled = nobody_compiled,
) -> Outcome:
    """Return what a provider measures, with its secrets masked.

    `run` runs the provider's own code. Raises MeasurementError, whatever goes wrong.
    """
    answers = _Answers(provider, asked, session, objects, tokens or Tokens(), run, compiled)
    outcome = await _all_told(provider, asked, drive(lambda: provider.flow(spec, asked), answers.to, run))
    if not isinstance(outcome, Reading | NoData | Verdict | Pending):
        raise MeasurementError(
            f"the metric provider {provider.key!r} is broken: it returned a {type(outcome).__name__}"
        )
    return _tidied(outcome, asked)


async def stop(
    provider: AnyProvider,
    spec: Any,
    asked: Asked,
    session: aiohttp.ClientSession,
    objects: Objects = not_available,
    tokens: Tokens | None = None,
    run: Run = directly,
    compiled: Compiled = nobody_compiled,
) -> None:
    """Stop a pending measurement. Raises MeasurementError."""
    answers = _Answers(provider, asked, session, objects, tokens or Tokens(), run, compiled)
    await _all_told(provider, asked, drive(lambda: provider.terminate(spec, asked), answers.to, run))


async def _all_told(provider: AnyProvider, asked: Asked, driven: Coroutine[Any, Any, R]) -> R:
    """Return what a flow returns; whatever it raises is told in a MeasurementError."""
    try:
        return await driven
    except MeasurementError as error:
        raise MeasurementError(shown(str(error), asked)) from None
    except PluginError as error:
        raise MeasurementError(str(error)) from error
    except Exception as error:
        raise MeasurementError(_broken(provider, error)) from error


@dataclass(frozen=True, slots=True)
class _Answers:
    """Who answers a provider's requests."""

    provider: AnyProvider
    asked: Asked
    session: aiohttp.ClientSession
    objects: Objects
    tokens: Tokens
    run: Run
    compiled: Compiled
    reused: list[Request] = field(default_factory=list)

    async def to(self, request: Request | ObjectRequest | CompiledCall) -> Any:
        """Return the answer. Raises MeasurementError."""
        if isinstance(request, CompiledCall):
            return await self.compiled(request)
        if isinstance(request, Request):
            return await self._over_http(request)
        home = await self.run(lambda: self.provider.home(self.asked.namespace, self.asked.settings))
        return await self.objects(checked(request, self.provider, home), home)

    async def _over_http(self, request: Request) -> Response:
        if request.reuse:
            self.reused.append(request)
            return await self.tokens.answer(request, partial(exchange, self.session))
        response = await exchange(self.session, request)
        if response.status == 401:  # perhaps for a token that is good no longer: the next measurement has a new one
            for each in self.reused:
                self.tokens.drop(each)
        return response


def _broken(provider: AnyProvider, error: Exception) -> str:
    """Name the kind of error only: its text may hold anything."""
    return f"the metric provider {provider.key!r} is broken: it raised {type(error).__name__}"


def _tidied(outcome: Outcome, asked: Asked) -> Outcome:
    """Return an outcome whose texts may be shown and stored."""
    metadata = _shown_notes(outcome.metadata, asked)
    if isinstance(outcome, Pending):
        return replace(outcome, metadata=metadata, message=shown(outcome.message, asked))
    value = shown(outcome.value, asked)
    if isinstance(outcome, NoData):
        because, error = shown(outcome.because, asked), shown(outcome.error, asked)
        return replace(outcome, value=value, because=because, error=error, metadata=metadata)
    memory = _shown_notes(outcome.memory, asked)
    if isinstance(outcome, Verdict):
        return replace(outcome, value=value, message=shown(outcome.message, asked), metadata=metadata, memory=memory)
    return replace(outcome, value=value, metadata=metadata, memory=memory)


def _shown_notes(notes: Mapping[str, str], asked: Asked) -> dict[str, str]:
    return {str(name): shown(str(value), asked) for name, value in notes.items()}


def shown(text: str, asked: Secretive) -> str:
    """Return a text without the secrets that the provider was given.

    It keeps its length: the planner masks secrets of its own, and one that was cut in two would stay.
    """
    for secret in _secrets(asked):
        for form in (secret, quote(secret, safe=""), quote_plus(secret), b64encode(secret.encode()).decode()):
            text = text.replace(form, _MASK)
    return text


def _secrets(asked: Secretive) -> Iterator[str]:
    """Yield what must not be shown; addresses, which share their Secret with a token, may."""
    values: list[Mapping[str, str]] = [held for held in asked.secrets.values() if held is not None]
    values.append({name: value for name, value in asked.settings.items() if _SECRET_SETTING.search(name)})
    for held in values:
        for value in held.values():
            if len(value) >= _SHORTEST_SECRET and not value.startswith(("http://", "https://")):
                yield value
