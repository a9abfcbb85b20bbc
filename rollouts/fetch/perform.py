"""How does a measurement that a plan asks for become one that was taken? Whatever goes wrong is part of the answer."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import aiohttp
from pydantic import ValidationError

from rollouts.fetch.compiled import Compiled, nobody_compiled
from rollouts.fetch.objects import Objects, not_available
from rollouts.fetch.shared import completed, leaves_out
from rollouts.fetch.take import stop, take
from rollouts.fetch.tokens import Tokens
from rollouts.guard import Guard
from rollouts.plan.analysis.due import Measure
from rollouts.plan.analysis.metric import ProviderError, choose, place_of
from rollouts.plan.analysis.observed import Taken
from rollouts.plan.strangers import stranger
from rollouts.ports import Kit
from rollouts.ports.checked import PluginError
from rollouts.ports.provider import SHARED_SETTINGS, Asked, MeasurementError, Outcome, SecretRef, Verdict

ReadSecret = Callable[[SecretRef], Awaitable[Mapping[str, str] | None]]
"""Returns a Secret's values by key, or None if there is no such Secret. Raises MeasurementError."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What measurements are taken with: the same for all of one namespace.

    `objects` answers requests about objects of Kubernetes; providers that ask none do without. `tokens` keeps those
    of identity providers, `guard` runs the code of strangers' providers: give all benches the same. `compiled` calls
    compiled plugins. `run` is the AnalysisRun that is measured for.
    """

    kit: Kit
    namespace: str
    session: aiohttp.ClientSession
    read_secret: ReadSecret
    settings: Callable[[], Mapping[str, str]]
    clock: Callable[[], datetime]
    objects: Objects = not_available
    tokens: Tokens = field(default_factory=Tokens)
    guard: Guard = field(default_factory=Guard)
    compiled: Compiled = nobody_compiled
    run: Mapping[str, Any] = field(default_factory=dict, repr=False)


async def perform(measure: Measure, bench: Bench) -> Taken:
    """Take, resume or terminate a measurement."""
    secrets: dict[str, str] = {}
    outcome: Outcome | None = None
    error = ""
    try:
        for argument, reference in measure.secrets.items():
            held = await bench.read_secret(SecretRef(reference.name, bench.namespace))
            secrets[argument] = _value(held, reference.name, reference.key)
        outcome = await _outcome(measure, secrets, bench)
    except (MeasurementError, PluginError) as problem:
        error = str(problem)
    except (ProviderError, ValidationError) as problem:
        # The metric was sound before its secrets were filled in: the text of the error may hold one.
        error = f"with its secrets the metric is broken: {type(problem).__name__}"
    return Taken(measure.metric, measure.started_at, bench.clock(), outcome, error, secrets)


async def _outcome(measure: Measure, secrets: Mapping[str, str], bench: Bench) -> Outcome:
    metric, namespace, hidden = measure.filled(secrets), bench.namespace, {}
    run = bench.guard.runner(stranger(place_of(metric).key, bench.kit))
    if (place := leaves_out(metric, bench.kit)) is not None:
        held = await bench.read_secret(SHARED_SETTINGS)
        shared = await run(partial(completed, metric, place, bench.kit, held))
        if shared is not None:
            # Secrets that it names are where it is itself: in the controller's namespace.
            metric, namespace, hidden = shared.metric, "", {SHARED_SETTINGS: shared.hidden}
    chosen = await run(lambda: choose(metric, bench.kit))
    references = await run(lambda: chosen.provider.secrets_of(chosen.spec, namespace))
    asked = Asked(
        now=bench.clock(),
        namespace=namespace,
        secrets={**{each: await bench.read_secret(each) for each in references}, **hidden},
        settings=bench.settings(),
        metadata=measure.metadata,
        memory=measure.memory,
        began=measure.began,
        is_last=measure.is_last,
        turn=measure.turn,
        subject=bench.run,
        metric=metric,
        goes_on=measure.verb != "take",
    )
    if measure.verb == "terminate":
        await stop(chosen.provider, chosen.spec, asked, bench.session, bench.objects, bench.tokens, run, bench.compiled)
        return Verdict("Inconclusive")
    return await take(
        chosen.provider, chosen.spec, asked, bench.session, bench.objects, bench.tokens, run, bench.compiled
    )


def _value(held: Mapping[str, str] | None, name: str, key: str) -> str:
    if held is None:
        raise MeasurementError(f'the Secret "{name}" does not exist')
    if key not in held:
        raise MeasurementError(f'the Secret "{name}" has no key "{key}"')
    return held[key]
