"""How does a call of a step plugin that a plan asks for become one that was made? Whatever goes wrong is its answer."""

import asyncio
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from rollouts.api.canary import PluginStep
from rollouts.fetch.drive import drive
from rollouts.fetch.perform import Bench
from rollouts.fetch.session import exchange
from rollouts.fetch.take import shown
from rollouts.plan.bound import StepError, bind_plugin
from rollouts.plan.calls import Call, Returned
from rollouts.plan.strangers import stranger
from rollouts.ports.called import ERROR, Answer, AnyCalledStep, CalledStep, Situation
from rollouts.ports.checked import PluginError, cut
from rollouts.ports.compiled import CompiledCall
from rollouts.ports.provider import MeasurementError, Request

Raw = Mapping[str, Any]

CALL_LIMIT = 300.0
"""Seconds that all requests of a call may take together."""


async def perform_call(call: Call, rollout: Raw, bench: Bench) -> Returned:
    """Call a step plugin for a Rollout."""
    try:
        async with asyncio.timeout(CALL_LIMIT):
            answer = await _answer(call, rollout, bench)
    except TimeoutError:
        answer = Answer(ERROR, f"it was given up after {CALL_LIMIT:g} seconds")
    except (MeasurementError, PluginError, StepError) as error:
        answer = Answer(ERROR, str(error))
    except ValidationError as error:
        answer = Answer(ERROR, f"its configuration can't be read: {type(error).__name__}")
    except Exception as error:  # noqa: BLE001 - whatever a plugin does wrong hurts this call only
        answer = Answer(ERROR, f"the step plugin {call.plugin!r} is broken: it raised {type(error).__name__}")
    return Returned(call, bench.clock(), answer)


async def _answer(call: Call, rollout: Raw, bench: Bench) -> Answer:
    run = bench.guard.runner(stranger(call.plugin, bench.kit))
    named = PluginStep(name=call.plugin, config=dict(call.config))
    bound = await run(lambda: bind_plugin(named, bench.kit))
    step, spec = bound.plugin, bound.spec
    if not isinstance(step, CalledStep):
        raise MeasurementError(
            f"the step plugin {call.plugin!r} isn't one that is called: is another version installed?"
        )
    references = await run(lambda: step.secrets_of(spec, bench.namespace))
    here = Situation(
        now=bench.clock(),
        rollout=deepcopy(dict(rollout)),
        index=call.index,
        status=deepcopy(dict(call.state)),
        secrets={each: await bench.read_secret(each) for each in references},
        settings=bench.settings(),
    )

    async def send(request: Any) -> Any:
        if isinstance(request, CompiledCall):
            return await bench.compiled(request)
        if not isinstance(request, Request):
            raise MeasurementError(f"the step plugin {call.plugin!r} may send HTTP requests only")
        return await exchange(bench.session, request)

    try:
        answer = await drive(lambda: _flow(step, spec, call, here), send, run)
    except MeasurementError as error:
        raise MeasurementError(shown(str(error), here)) from None
    if not isinstance(answer, Answer):
        raise PluginError(f"the step plugin {call.plugin!r} is broken: it returned a {type(answer).__name__}")
    return replace(answer, message=cut(shown(answer.message, here)), status=_masked(answer.status, here))


def _flow(step: AnyCalledStep, spec: Any, call: Call, here: Situation) -> Any:
    match call.operation:
        case "Run":
            return step.run(spec, here)
        case "Abort":
            return step.abort(spec, here)
        case "Terminate":
            return step.terminate(spec, here)


def _masked(value: Any, here: Situation) -> Any:
    """Return what a plugin wants to be reminded of without the secrets that it was given: it lies in the status."""
    if isinstance(value, str):
        return shown(value, here)
    if isinstance(value, Mapping):
        return {shown(str(key), here): _masked(each, here) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(each, here) for each in value]
    return value
