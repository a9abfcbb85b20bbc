"""What is one pass over one AnalysisRun? Observe, plan, start what is due, write what was measured.

Measurements and writes go on beside the passes. There is one write for all that was measured since the last one. The
beginning of a run is written together with its first measurements, if they don't take long.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zlib import crc32

import structlog

from rollouts.controller import requests
from rollouts.controller.caches import Lookups
from rollouts.controller.freshness import Freshness, version_of
from rollouts.controller.key import Key, status_of
from rollouts.controller.measuring import Measuring
from rollouts.controller.observe import is_going
from rollouts.controller.overdue import SAFETY_WAKE, Overdue
from rollouts.controller.pace import SHORTEST_WAKE, next_pass, seconds_until
from rollouts.controller.result import Done, Gone, Result, Waiting
from rollouts.controller.tell import Teller
from rollouts.controller.writing import Write, Writing
from rollouts.guard import Guard
from rollouts.kube.client import Api
from rollouts.kube.errors import Conflict, NotFound
from rollouts.kube.resources import ANALYSIS_RUNS
from rollouts.plan.analysis.observed import ObservedRun, Taken, observe_run
from rollouts.plan.analysis.run import AnalysisPlan, plan_analysis, prepared
from rollouts.plan.strangers import strangers_in
from rollouts.ports import Kit
from rollouts.ports.checked import PluginError

Raw = Mapping[str, Any]

PATIENCE = 1.0
"""Seconds for which the beginning of a run waits for its first measurements, so that they share a write."""

LONGEST_WRITE = 60.0
"""Seconds after which a write has ended in any case."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A run that has begun, though its status doesn't say so yet."""

    at: datetime
    until: float


@dataclass(frozen=True, slots=True)
class _Scene:
    """What a pass works on."""

    key: Key
    raw: Raw
    taken: tuple[Taken, ...]
    plan: AnalysisPlan
    is_waiting: bool  # something was due that is begun only after this pass's write


class Analyses:
    """Makes the passes over AnalysisRuns."""

    def __init__(
        self,
        *,
        api: Api,
        lookups: Lookups,
        freshness: Freshness,
        overdue: Overdue,
        measuring: Measuring,
        writing: Writing,
        teller: Teller,
        kit: Kit,
        guard: Guard,
        resync: float,
        late: Callable[[float], None] = lambda _: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._lookups = lookups
        self._freshness = freshness
        self._overdue = overdue
        self._measuring = measuring
        self._writing = writing
        self._teller = teller
        self._kit = kit
        self._guard = guard
        self._resync = resync
        self._late = late
        self._clock = clock
        self._monotonic = monotonic
        self._views: dict[Key, ObservedRun] = {}
        self._begun: dict[Key, _Begun] = {}
        self._due: dict[Key, float] = {}

    async def reconcile(self, key: Key) -> Result:
        """Make one pass."""
        raw = self._find(key)
        if raw is None or is_going(raw):
            self._measuring.forget(key)
            return Gone()
        if self._writing.is_busy(key):
            return Waiting(LONGEST_WRITE)
        if owed := self._freshness.owed(key):
            return await self._overdue.wait(key, owed)
        return await self._carry_out(key, raw)

    async def _carry_out(self, key: Key, raw: Raw) -> Result:
        taken, now = self._measuring.taken(key), self._clock()
        here = self._observe(key, raw, taken, now)
        plan = await self._planned(key, here, now)
        if not self._is_still(key, raw):
            return Gone()  # meanwhile: the next pass looks at what has the name now
        if plan.is_over:
            return self._begin_to_write(key, partial(self._delete, key, raw), is_news=False)
        scene = _Scene(key, raw, taken, plan, self._start(key, plan))
        if plan.status is None or self._may_wait(scene):
            return self._rest(scene)
        patch = requests.patch_status(raw, raw["metadata"]["resourceVersion"], plan.status)
        if patch is None:
            return self._rest(scene)
        return self._begin_to_write(key, partial(self._write, scene, patch), is_news=bool(taken))

    async def _planned(self, key: Key, here: ObservedRun, now: datetime) -> AnalysisPlan:
        """Return the plan; where strangers' code takes too long, the run can't be carried out."""
        run = self._guard.runner(strangers_in((here.raw.get("spec") or {},), self._kit))
        try:
            ready = self._views[key] = await run(lambda: prepared(here, self._kit))
            return await run(lambda: plan_analysis(ready, now, self._kit))
        except PluginError as error:
            return plan_analysis(replace(here, spec=None, unreadable=str(error)), now, self._kit)

    def forget(self, key: Key) -> None:
        """Drop everything known of a run that is gone."""
        self._writing.forget(key)
        self._measuring.forget(key)
        self._freshness.forget(key)
        for memory in (self._views, self._begun, self._due):
            memory.pop(key, None)

    def _begin_to_write(self, key: Key, write: Write, *, is_news: bool) -> Result:
        """Write beside the passes. What was measured is news, which no row of writes can make by itself."""
        self._writing.start(key, write)
        return Done(LONGEST_WRITE, acted=not is_news, is_well=False)  # the end of the write brings the next pass

    def _observe(self, key: Key, raw: Raw, taken: tuple[Taken, ...], now: datetime) -> ObservedRun:
        here = observe_run(raw, taken, self._measuring.under_way(key), previous=self._views.get(key))
        if here.status.started_at is not None:
            return here
        begun = self._begun.setdefault(key, _Begun(now.replace(microsecond=0), self._monotonic() + PATIENCE))
        return replace(here, status=here.status.model_copy(update={"started_at": begun.at}))

    def _start(self, key: Key, plan: AnalysisPlan) -> bool:
        """Begin with what is due; return whether something has to wait for a write."""
        started = [self._measuring.start(key, each) for each in plan.measure]
        if any(started) and (due := self._due.pop(key, None)) is not None:
            self._late(max(0.0, self._monotonic() - due))
        return not all(started)

    def _may_wait(self, scene: _Scene) -> bool:
        """Tell whether all there is to write is that the run has begun, and its first measurements are under way."""
        begun = self._begun.get(scene.key)
        is_measured = bool(self._measuring.under_way(scene.key)) and not scene.taken
        return begun is not None and is_measured and self._monotonic() < begun.until

    def _rest(self, scene: _Scene) -> Result:
        self._measuring.written(scene.key, scene.taken)  # it came too late to say anything
        if scene.is_waiting:
            return Done(SHORTEST_WAKE)
        delay, begun = self._delay(scene), self._begun.get(scene.key)
        if scene.plan.status is not None and begun is not None:
            delay = min(delay, max(SHORTEST_WAKE, begun.until - self._monotonic()))
        return Done(delay)

    async def _write(self, scene: _Scene, patch: Raw) -> float:
        """Write the status; return the seconds until the next pass."""
        key, raw = scene.key, scene.raw
        try:
            written = await self._api.patch(
                ANALYSIS_RUNS, key.namespace, key.name, patch, subresource=status_of(ANALYSIS_RUNS)
            )
        except NotFound:
            self._freshness.deleted(key, raw, self._monotonic())
            return 0.0
        except Conflict:
            self._freshness.outdated(key, raw, self._monotonic())
            return 0.0
        self._freshness.wrote(key, written, self._monotonic())
        self._measuring.written(key, scene.taken)
        self._begun.pop(key, None)
        self._tell(scene)
        if not self._measuring.taken(key) and self._is_newest(key, written):
            self._writing.nothing_missed(key)
        return SHORTEST_WAKE if scene.is_waiting else self._delay(scene)

    def _is_newest(self, key: Key, written: Raw) -> bool:
        cached = self._find(key)
        return cached is not None and version_of(cached) <= version_of(written)

    def _is_still(self, key: Key, raw: Raw) -> bool:
        cached = self._find(key)
        return cached is not None and cached["metadata"]["uid"] == raw["metadata"]["uid"]

    def _find(self, key: Key) -> Raw | None:
        return self._lookups.of(ANALYSIS_RUNS.kind).get(key.namespace, key.name)

    def _tell(self, scene: _Scene) -> None:
        for event in scene.plan.events:
            self._teller.event(scene.raw, event.type, event.reason, event.message)
        say = _log.info if scene.plan.events or not scene.taken else _log.debug
        say("analysis", run=str(scene.key), because=list(scene.plan.because))

    async def _delete(self, key: Key, raw: Raw) -> float:
        """Delete a run; return the seconds until the next pass, which sees that it is gone."""
        metadata = raw["metadata"]
        try:
            await self._api.delete(
                ANALYSIS_RUNS,
                key.namespace,
                key.name,
                propagation="Background",
                uid=metadata["uid"],
                resource_version=metadata["resourceVersion"],
            )
        except Conflict:
            self._freshness.outdated(key, raw, self._monotonic())
            return 0.0
        except NotFound:
            pass
        else:
            _log.info("deleted", run=str(key), because="its time to live is over")
        self._freshness.deleted(key, raw, self._monotonic())
        return SAFETY_WAKE

    def _delay(self, scene: _Scene) -> float:
        """Return the seconds until time alone may change the answer.

        The times of the API are whole seconds, so what lies behind the second is added: intervals keep their length,
        and the runs of a cluster aren't all due at the same moment.
        """
        finished = [each.finished_at.microsecond for each in scene.taken]
        uid: str = scene.raw["metadata"]["uid"]
        behind = max(finished) / 1e6 if finished else crc32(uid.encode()) / 2**32
        now = self._clock() - timedelta(seconds=behind)
        delay = next_pass(self._resync, seconds_until(scene.plan.wake_at, now))
        self._due[scene.key] = self._monotonic() + delay
        return delay
