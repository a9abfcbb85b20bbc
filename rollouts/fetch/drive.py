"""How is a flow run? Its requests are sent, its answers handed to it, and its own code is never waited for long."""

import contextlib
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from rollouts.guard import Run
from rollouts.ports.checked import PluginError
from rollouts.ports.provider import MeasurementError

MAX_REQUESTS = 20

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Asks:
    request: Any


@dataclass(frozen=True, slots=True)
class _Ends(Generic[R]):
    result: R


async def drive(begin: Callable[[], Generator[Any, Any, R]], answer: Callable[[Any], Awaitable[Any]], run: Run) -> R:
    """Return what a flow returns. A request that fails raises its MeasurementError in the flow.

    Raises MeasurementError, PluginError, and whatever else the flow does.
    """
    flow = await run(begin)
    try:
        turn: _Asks | _Ends[R] = await run(lambda: _turn(lambda: next(flow)))
        for _ in range(MAX_REQUESTS):
            if isinstance(turn, _Ends):
                return turn.result
            turn = await run(await _answered(flow, turn, answer))
        if isinstance(turn, _Ends):
            return turn.result
    finally:
        with contextlib.suppress(PluginError, ValueError):  # it may be at it still, in a thread that was given up
            await run(flow.close)
    raise MeasurementError(f"the measurement was given up after {MAX_REQUESTS} requests")


async def _answered(
    flow: Generator[Any, Any, R], turn: _Asks, answer: Callable[[Any], Awaitable[Any]]
) -> Callable[[], _Asks | _Ends[R]]:
    """Have a request answered, and return the flow's next turn."""
    try:
        answered = await answer(turn.request)
    except MeasurementError as error:
        failed = error
        return lambda: _turn(lambda: flow.throw(failed))
    return lambda: _turn(lambda: flow.send(answered))


def _turn(go_on: Callable[[], Any]) -> _Asks | _Ends[Any]:
    """Let the flow go on to its next request or to its end. No StopIteration leaves the thread that it happens in."""
    try:
        return _Asks(go_on())
    except StopIteration as end:
        return _Ends(end.value)
