"""Who takes measurements? Tasks beside the passes: a slow provider holds nobody up but its own metric.

What was measured stays here until a status with it has been written. All of it may be lost: a measurement that isn't
recorded is taken again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from rollouts.controller.beside import Beside
from rollouts.controller.key import Key
from rollouts.plan.analysis.due import Measure
from rollouts.plan.analysis.observed import Taken

MOST_AT_ONCE = 2_000
"""Measurements under way in the whole controller. To one host no more than fifty are sent at once, the rest waits."""

GATHERING = 0.1
"""Seconds that a measurement waits for others of its run, so that they share a write."""

_log = structlog.get_logger(__name__)

Take = Callable[[str, Measure], Awaitable[Taken]]
"""Takes a measurement for a run in a namespace."""

Wake = Callable[[Key, float], None]


@dataclass(slots=True)
class _Run:
    """What goes on for one run, and what is there to be written, by metric."""

    under_way: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    taken: dict[str, Taken] = field(default_factory=dict)


class Measuring(Beside[_Run]):
    """Takes measurements while its context lasts."""

    def __init__(
        self,
        take: Take,
        wake: Wake,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        most: int = MOST_AT_ONCE,
    ) -> None:
        super().__init__(most)
        self._take = take
        self._wake = wake
        self._clock = clock

    @property
    def count(self) -> int:
        """How many measurements are under way."""
        return sum(len(run.under_way) for run in self._work.values())

    def under_way(self, key: Key) -> frozenset[str]:
        """Return the metrics of a run that are being measured."""
        run = self._work.get(key)
        return frozenset(run.under_way) if run is not None else frozenset()

    def taken(self, key: Key) -> tuple[Taken, ...]:
        """Return what was measured for a run and isn't written yet."""
        run = self._work.get(key)
        return tuple(run.taken.values()) if run is not None else ()

    def start(self, key: Key, measure: Measure) -> bool:
        """Begin with a measurement. Not before the last one of the metric is written: nothing would be gained."""
        run = self._work.setdefault(key, _Run())
        if measure.metric in run.under_way or measure.metric in run.taken:
            return False
        run.under_way[measure.metric] = asyncio.create_task(self._measure(key, run, measure))
        return True

    def written(self, key: Key, taken: Collection[Taken]) -> None:
        """Drop what a status has been written with."""
        run = self._work.get(key)
        if run is None:
            return
        for each in taken:
            if run.taken.get(each.metric) is each:
                del run.taken[each.metric]
        if not run.under_way and not run.taken:
            del self._work[key]

    async def _measure(self, key: Key, run: _Run, measure: Measure) -> None:
        async with self._limit:
            taken = await self._carried_out(key, measure)
        del run.under_way[measure.metric]
        run.taken[measure.metric] = taken
        self._wake(key, GATHERING if run.under_way else 0.0)

    async def _carried_out(self, key: Key, measure: Measure) -> Taken:
        try:
            return await self._take(key.namespace, measure)
        except Exception as error:  # noqa: BLE001 - a mistake of ours or of a plugin hurts this measurement only
            # No text and no traceback: they may hold the value of a secret.
            _log.error("measurement broken", run=str(key), metric=measure.metric, error=type(error).__name__)
            text = f"it could not be taken: {type(error).__name__}"
            return Taken(measure.metric, measure.started_at, self._clock(), error=text)
