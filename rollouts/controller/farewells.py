"""Who leaves the traffic routers of a Rollout that is gone? A task beside the passes: there is none left to make.

Objects are read live: that nobody else uses a kind ends its watch. What a controller that dies in between has not done
stays undone, see decision 20.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from rollouts.controller.beside import Beside
from rollouts.controller.key import Key
from rollouts.controller.live_objects import ApiOf, Live
from rollouts.controller.router_writes import write_object
from rollouts.guard import Guard
from rollouts.kube.client import Api
from rollouts.kube.errors import NotFound
from rollouts.kube.resources import ROLLOUTS
from rollouts.plan.actions import ObjectAction
from rollouts.plan.farewell import farewell_reads, plan_farewell, routers_of
from rollouts.plan.leaving import reads_in
from rollouts.plan.strangers import stranger_routers
from rollouts.ports import Kit, Objects, Reads, picked

Raw = Mapping[str, Any]

PATIENCE = (0.0, 1.0, 2.0, 5.0, 15.0, 30.0, 60.0, 120.0)
"""Seconds before each try; the last one is given up after."""

MOST_AT_ONCE = 10
"""Rollouts that are taken leave of at once; the rest waits."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Gone:
    """The Rollouts that had one name, by their uids."""

    under_way: dict[str, asyncio.Task[None]] = field(default_factory=dict)


class Farewells(Beside[_Gone]):
    """Gives back what Rollouts that are gone had in hand.

    `find` returns the one that has the name by now, `api_of` what the objects of a group are read and written by.
    """

    def __init__(
        self,
        api: Api,
        api_of: ApiOf,
        kit: Kit,
        guard: Guard,
        find: Callable[[Key], Raw | None],
        *,
        most: int = MOST_AT_ONCE,
    ) -> None:
        super().__init__(most)
        self._api = api
        self._api_of = api_of
        self._kit = kit
        self._guard = guard
        self._find = find

    def say(self, key: Key, raw: Raw) -> None:
        """Take leave of a Rollout, as it was last seen."""
        if not routers_of(raw):
            return
        uid = raw["metadata"].get("uid", "")
        gone = self._work.setdefault(key, _Gone())
        if uid not in gone.under_way:
            gone.under_way[uid] = asyncio.create_task(self._say(key, raw, uid))

    async def _say(self, key: Key, raw: Raw, uid: str) -> None:
        try:
            async with self._limit:
                await self._leave(key, raw, uid)
        finally:
            gone = self._work.get(key)
            if gone is not None:
                gone.under_way.pop(uid, None)
                if not gone.under_way:
                    del self._work[key]

    async def _leave(self, key: Key, raw: Raw, uid: str) -> None:
        trouble = ""
        for delay in PATIENCE:
            await asyncio.sleep(delay)
            try:
                if not await self._is_gone(key, uid) or not await self._write(key, raw):
                    return
            except Exception as error:  # noqa: BLE001 - whatever a router raises must not go unheard
                trouble = str(error) or type(error).__name__
        _log.warning("not given back", routers=list(routers_of(raw)), rollout=str(key), reason=trouble)

    async def _is_gone(self, key: Key, uid: str) -> bool:
        """Look whether it is gone indeed: our cache can't tell, it lacks what another controller looks after."""
        try:
            found = await self._api.get(ROLLOUTS, key.namespace, key.name)
        except NotFound:
            return True
        return bool(found["metadata"].get("uid") != uid)

    async def _write(self, key: Key, raw: Raw) -> bool:
        """Write what is due, and tell whether it was anything."""
        run = self._guard.runner(stranger_routers(raw, self._kit))
        reads = await run(lambda: farewell_reads(raw, self._kit))
        live = await Live.of(self._api_of, reads)
        objects: Objects = picked(reads, await live.all_of(reads))
        successor = self._find(key)
        spared = await self._read_by(successor) if successor is not None else ()
        due = await run(lambda: plan_farewell(raw, self._kit, objects, spared))
        for action in due:
            await self._carry_out(live, action)
            _log.info("given back", object=str(action.reference), rollout=str(key))
        return bool(due)

    async def _read_by(self, rollout: Raw) -> Reads:
        run = self._guard.runner(stranger_routers(rollout, self._kit))
        return await run(lambda: reads_in(rollout, self._kit))

    async def _carry_out(self, live: Live, action: ObjectAction) -> None:
        served = live.served(action.reference)
        if served is not None:
            await write_object(*served, action)
