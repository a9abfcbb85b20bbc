"""How is a traffic router's question asked? Whatever goes wrong is its answer."""

import asyncio
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from rollouts.fetch.drive import drive
from rollouts.fetch.perform import Bench
from rollouts.fetch.session import exchange
from rollouts.fetch.take import shown
from rollouts.plan.strangers import stranger
from rollouts.ports import Asked, Found, Home, ListObjects, MeasurementError, Question, Request
from rollouts.ports.checked import PluginError
from rollouts.ports.compiled import CompiledCall
from rollouts.ports.router import AnyRouter

ASK_LIMIT = 120.0
"""Seconds that all requests of a question may take together."""


async def perform_question(question: Question, rollout: Mapping[str, Any], bench: Bench) -> Found:
    """Ask a question for a Rollout in the bench's namespace."""
    asked = Asked(
        now=bench.clock(), namespace=bench.namespace, settings=bench.settings(), subject=deepcopy(dict(rollout))
    )
    try:
        async with asyncio.timeout(ASK_LIMIT):
            return await _found(question, asked, bench)
    except TimeoutError:
        error = f"it was given up after {ASK_LIMIT:g} seconds"
    except (MeasurementError, PluginError) as problem:
        error = shown(str(problem), asked)
    except Exception as problem:  # noqa: BLE001 - whatever a router does wrong hurts this question only
        error = f"the traffic router {question.router!r} is broken: it raised {type(problem).__name__}"
    return Found(verified=False, error=f"{question.about} can't be asked: {error}")


async def _found(question: Question, asked: Asked, bench: Bench) -> Found:
    router = bench.kit.routers[question.router]
    run = bench.guard.runner(stranger(question.router, bench.kit))

    async def answer(request: Any) -> Any:
        if isinstance(request, ListObjects):
            return await bench.objects(_allowed(request, router), Home(bench.namespace))
        if isinstance(request, CompiledCall):
            return await bench.compiled(request)
        if not isinstance(request, Request):
            raise MeasurementError(f"the traffic router {question.router!r} asked by a {type(request).__name__}")
        if request.reuse:
            return await bench.tokens.answer(request, lambda each: exchange(bench.session, each))
        return await exchange(bench.session, request)

    found = await drive(lambda: router.ask(question, asked), answer, run)
    if not isinstance(found, Found):
        raise PluginError(f"the traffic router {question.router!r} is broken: it returned a {type(found).__name__}")
    return found


def _allowed(request: ListObjects, router: AnyRouter) -> ListObjects:
    if request.kind not in router.lists:
        raise MeasurementError(f"the traffic router {router.key!r} may not list {request.kind}")
    return request
