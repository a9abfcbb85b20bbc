"""Who calls compiled plugins? Whoever runs them; where nobody does, that is said."""

from collections.abc import Awaitable, Callable
from typing import Any

from rollouts.ports.compiled import CompiledCall
from rollouts.ports.provider import MeasurementError

Compiled = Callable[[CompiledCall], Awaitable[Any]]
"""Makes a call of a compiled plugin. Raises MeasurementError."""


async def nobody_compiled(call: CompiledCall) -> Any:
    """Stand in where compiled plugins aren't run."""
    raise MeasurementError(f"the {call.kind.value} {call.plugin!r} is compiled: only the controller runs it")
