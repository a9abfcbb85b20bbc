"""How long may something take to come true?"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from e2e import slowness

T = TypeVar("T")
# Of whatever is waited for. It only bounds a failure, so it is long enough for a machine that does ten things at once.
PATIENCE = 120.0


async def eventually(
    check: Callable[[], Awaitable[T]], *, within: float = PATIENCE, every: float = 0.05, what: str = ""
) -> T:
    """Ask again until the answer is truthy or an assertion in it holds, and return it; fail with the last answer."""
    deadline = time.monotonic() + within
    while True:
        last: object
        try:
            result = await check()
        except AssertionError as error:
            last = error
        else:
            if result:
                await slowness.look()
                return result
            last = result
        if time.monotonic() > deadline:
            raise AssertionError(f"{what or check!r}: not within {within:g} s; last: {last!r}")
        await asyncio.sleep(every)


async def end(*tasks: asyncio.Task[None]) -> None:
    """Cancel what goes on beside a test; raise what one of them broke on before."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled() and (why := task.exception()) is not None:
            raise why
