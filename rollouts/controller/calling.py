"""Who calls step plugins? Tasks beside the passes: a service that takes its time holds nobody up but its own Rollout.

What a call returned stays here until a status with it has been written. All of it may be lost: then the status still
says that the call is to be made, and it is made again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from rollouts.controller.beside import Beside
from rollouts.controller.key import Key
from rollouts.plan.calls import Call, Returned

Raw = Mapping[str, Any]

Make = Callable[[Call, Raw], Awaitable[Returned]]
"""Makes a call for a Rollout. Never raises."""

MOST_AT_ONCE = 500
"""Calls under way in the whole controller; the rest waits."""


@dataclass(slots=True)
class _Calls:
    """What goes on for one Rollout, and what is there to be written."""

    under_way: dict[Call, asyncio.Task[None]] = field(default_factory=dict)
    returned: tuple[Returned, ...] = ()


class Calling(Beside[_Calls]):
    """Makes calls while its context lasts."""

    def __init__(self, make: Make, wake: Callable[[Key, float], None], *, most: int = MOST_AT_ONCE) -> None:
        super().__init__(most)
        self._make = make
        self._wake = wake

    def under_way(self, key: Key) -> tuple[Call, ...]:
        """Return the calls that are being made for a Rollout."""
        calls = self._work.get(key)
        return tuple(calls.under_way) if calls is not None else ()

    def returned(self, key: Key) -> tuple[Returned, ...]:
        """Return what was returned for a Rollout and isn't written yet."""
        calls = self._work.get(key)
        return calls.returned if calls is not None else ()

    def start(self, key: Key, call: Call, rollout: Raw) -> None:
        """Begin with a call, unless it is being made, or was made just now."""
        calls = self._work.setdefault(key, _Calls())
        if call not in calls.under_way and all(each.call != call for each in calls.returned):
            calls.under_way[call] = asyncio.create_task(self._carry_out(key, calls, call, rollout))

    def written(self, key: Key, returned: Collection[Returned]) -> None:
        """Drop what a status has been written with, or what came too late to change one."""
        calls = self._work.get(key)
        if calls is None:
            return
        calls.returned = tuple(each for each in calls.returned if each not in returned)
        if not calls.under_way and not calls.returned:
            del self._work[key]

    async def _carry_out(self, key: Key, calls: _Calls, call: Call, rollout: Raw) -> None:
        async with self._limit:
            returned = await self._make(call, rollout)
        del calls.under_way[call]
        calls.returned = (*calls.returned, returned)
        self._wake(key, 0.0)
