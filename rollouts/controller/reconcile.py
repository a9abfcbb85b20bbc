"""What is one pass over one Rollout? Observe, plan, perform, tell; and say when to look again."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from rollouts.controller.calling import Calling
from rollouts.controller.freshness import Freshness
from rollouts.controller.inquiries import Inquiries
from rollouts.controller.key import Key
from rollouts.controller.leaving import give_back
from rollouts.controller.lessons import Lessons
from rollouts.controller.observe import Absent, NotYet, Observer, Picture, Stamp, Unchanged, Unreadable
from rollouts.controller.overdue import SAFETY_WAKE, Overdue
from rollouts.controller.pace import SHORTEST_WAKE, next_pass, seconds_until
from rollouts.controller.perform import Seen, perform
from rollouts.controller.refusals import Refusals
from rollouts.controller.result import Done, Failed, Gone, Result, Waiting
from rollouts.controller.rivalry import Rivalry
from rollouts.controller.router_writes import Routed
from rollouts.controller.status_delay import StatusDelay
from rollouts.controller.tell import Teller
from rollouts.controller.traffic import TrafficLookup
from rollouts.controller.traffic_metrics import RouteMeter
from rollouts.guard import Guard
from rollouts.kube.client import FIELD_MANAGER, Api
from rollouts.kube.errors import ApiError, KubeError
from rollouts.kube.resources import REPLICA_SETS, SERVICES
from rollouts.plan import Observed, Plan, plan_rollout
from rollouts.plan.actions import ObjectAction
from rollouts.plan.contested import SOMEBODY, in_words, last_writer
from rollouts.plan.invalid import plan_unreadable
from rollouts.plan.soundness import checked
from rollouts.plan.strangers import strangers_of
from rollouts.ports import Kit, Reference
from rollouts.ports.checked import PluginError

Raw = Mapping[str, Any]
Timed = Callable[[str], AbstractContextManager[None]]
PlanRollout = Callable[[Observed, datetime, Kit], Plan]

FAREWELL_RETRY = timedelta(seconds=30)
"""After how long a router that the spec no longer names is tried again, if it didn't answer."""

TICK = 0.001
"""By how much a timer may be early."""


@dataclass(frozen=True, slots=True)
class _Rest:
    """A pass that left nothing to do: what it saw, and until when that is the last word."""

    stamp: Stamp
    until: float


@dataclass(frozen=True, slots=True)
class _Scene:
    """What a pass works on."""

    key: Key
    raw: Raw
    observed: Observed | None
    stamp: Stamp | None
    now: datetime


class Reconciler:
    """Runs passes. All that it remembers of a Rollout may be lost: the objects hold the truth."""

    def __init__(
        self,
        *,
        api: Api,
        observer: Observer,
        freshness: Freshness,
        overdue: Overdue,
        lessons: Lessons,
        refusals: Refusals,
        teller: Teller,
        kit: Kit,
        traffic: TrafficLookup,
        guard: Guard,
        calling: Calling,
        inquiries: Inquiries,
        routes: RouteMeter,
        status_delay: float,
        resync: float,
        plan: PlanRollout = plan_rollout,
        timed: Timed = lambda _: nullcontext(),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._observer = observer
        self._freshness = freshness
        self._overdue = overdue
        self._lessons = lessons
        self._refusals = refusals
        self._teller = teller
        self._kit = kit
        self._traffic = traffic
        self._guard = guard
        self._calling = calling
        self._inquiries = inquiries
        self._routes = routes
        self._status_delay = StatusDelay(status_delay)
        self._resync = resync
        self._plan = plan
        self._timed = timed
        self._clock = clock
        self._monotonic = monotonic
        self._rivalry = Rivalry(monotonic)
        self._rests: dict[Key, _Rest] = {}

    async def reconcile(self, key: Key) -> Result:
        """Run one pass."""
        rest, now = self._rests.get(key), self._clock()
        has_news = bool(self._calling.returned(key)) or self._inquiries.has_news(key)
        if rest is not None and (has_news or self._monotonic() >= rest.until - TICK):
            rest = None
        with self._timed("observe"):
            sight = await self._observer.observe(key, now, rest.stamp if rest is not None else None)
        match sight:
            case Absent(left):
                await give_back(self._api, key, left)
                return Gone()
            case NotYet(owed):
                return await self._overdue.wait(key, owed)
            case Unchanged():
                return Waiting(rest.until - self._monotonic() if rest is not None else SAFETY_WAKE)
            case Unreadable(raw, problem, stamp):
                scene = _Scene(key, raw, None, stamp, now)
                return await self._carry_out(scene, plan_unreadable(raw, problem, now))
            case Picture(observed, stamp, trouble):
                observed = replace(
                    observed,
                    returned=self._calling.returned(key),
                    calling=self._calling.under_way(key),
                    answers=self._inquiries.answers(key),
                    contested=self._rivalry.contested(key),
                )
                scene = _Scene(key, observed.raw, observed, stamp, now)
                with self._timed("plan"):
                    plan = await self._planned(key, observed, now)
                for call in plan.calls:
                    self._calling.start(key, call, observed.raw)
                self._inquiries.want(key, plan.asks, observed.raw)
                result = await self._carry_out(scene, plan)
                return result if trouble is None else _in_spite_of(trouble, result)

    async def _planned(self, key: Key, observed: Observed, now: datetime) -> Plan:
        """Return the plan; one in which strangers' code takes part is given up if it takes too long."""
        try:
            plan = await self._guarded(key, observed, now)
        except PluginError as error:
            deaf = replace(observed, unheard=str(error))
            if strangers_of(deaf, self._kit) == strangers_of(observed, self._kit):
                return plan_unreadable(observed.raw, str(error), now)
            # Perhaps it is one that the spec no longer names: that stops nothing, and is tried again.
            return await self._planned(key, deaf, now)
        if observed.unheard:
            again = now + FAREWELL_RETRY
            return replace(plan, wake_at=min(again, plan.wake_at) if plan.wake_at is not None else again)
        return plan

    async def _guarded(self, key: Key, observed: Observed, now: datetime) -> Plan:
        run = self._guard.runner(strangers_of(observed, self._kit))
        ready = await run(lambda: checked(observed, self._kit))
        self._observer.found_sound(key, ready)
        return await run(lambda: self._plan(ready, now, self._kit))

    def forget(self, key: Key) -> None:
        """Drop everything known of a Rollout that is gone."""
        self._calling.forget(key)
        self._inquiries.forget(key)
        self._rests.pop(key, None)
        self._status_delay.settled(key)
        self._observer.forget(key)
        self._freshness.forget(key)
        self._refusals.forget(key)
        self._rivalry.forget(key)

    async def _carry_out(self, scene: _Scene, plan: Plan) -> Result:
        """Perform what is due of a plan; with nothing due, the Rollout is at rest."""
        self._teller.met(scene.key, scene.raw)
        self._routes.decided(scene.key, scene.raw, plan, is_refused=_has_refused_routes(scene.observed))
        due = tuple(action for action in plan.actions if not self._refusals.covers(scene.key, action))
        actions = tuple(action for action in due if not self._rivalry.held(scene.key, action))
        waits = self._status_wait(scene.key, plan)
        status = plan.status if not waits else None
        returned = scene.observed.returned if scene.observed is not None else ()
        if status is None:
            self._calling.written(scene.key, returned)  # it came too late to say anything
        if not actions and status is None:
            return self._rest(scene, plan, waits)
        self._rests.pop(scene.key, None)
        for each in actions:
            if isinstance(each, ObjectAction) and self._rivalry.is_contested(scene.key, each):
                await self._find_rival(scene, each.reference)
        with self._timed("perform"):
            outcome = await perform(
                self._api, scene.raw, _seen(scene.observed), actions, status, routed=self._routed(scene.observed)
            )
        self._rivalry.wrote(scene.key, actions)
        self._lessons.learn(scene.key, scene.raw, outcome, actions)
        if outcome.status_is_written:
            self._calling.written(scene.key, returned)
            self._status_delay.settled(scene.key)
        self._routes.performed(scene.key, self._observer.reads_by_router(scene.key), actions, outcome)
        self._teller.passed(scene.key, scene.raw, plan, outcome, scene.observed)
        return self._lessons.result(outcome, self._delay(scene, plan))

    async def _find_rival(self, scene: _Scene, reference: Reference) -> None:
        """Look who changes an object back, before it is ours again; caches don't keep who has written what."""
        served, writer = self._traffic.served(reference.kind, reference.group), SOMEBODY
        if served is not None:
            with suppress(KubeError):
                found = await served.api.get(served.resource, reference.namespace, reference.name)
                writer = last_writer(found, FIELD_MANAGER)
        if self._rivalry.blame(scene.key, reference, writer):
            self._teller.contested(scene.key, scene.raw, in_words(reference, writer))

    def _routed(self, observed: Observed | None) -> Routed:
        objects = observed.objects if observed is not None else None
        return Routed(objects or {}, self._traffic.served)

    def _status_wait(self, key: Key, plan: Plan) -> float:
        """Return for how many seconds the plan's status may wait; 0 when there is none, or when it is due."""
        if plan.status is not None and plan.status_can_wait:
            return self._status_delay.left(key, self._monotonic())
        self._status_delay.settled(key)
        return 0.0

    def _rest(self, scene: _Scene, plan: Plan, waits: float) -> Result:
        """Nothing is to be done: the next pass may stop at the stamp, until a wake or a change of what was seen."""
        delay = self._delay(scene, plan)
        if waits:
            delay = min(delay, waits)
        if scene.stamp is not None:
            self._rests[scene.key] = _Rest(scene.stamp, self._monotonic() + delay)
        is_well = self._refusals.next_retry(scene.key) is None
        return Done(delay, acted=delay <= SHORTEST_WAKE, is_well=is_well)

    def _delay(self, scene: _Scene, plan: Plan) -> float:
        """Return the seconds until time alone may change the answer."""
        retry = self._refusals.next_retry(scene.key)
        again = retry - self._monotonic() if retry is not None else None
        held = [left for each in plan.actions if (left := self._rivalry.held(scene.key, each))]
        return next_pass(self._resync, seconds_until(plan.wake_at, self._clock()), again, *held)


def _in_spite_of(trouble: ApiError, result: Result) -> Result:
    """Return the result of a pass that did what it could do without something that it couldn't read."""
    match result:
        case Failed(errors):
            return Failed((*errors, trouble))
        case Done() | Waiting():
            return Failed((trouble,))
        case _:
            return result


def _has_refused_routes(observed: Observed | None) -> bool:
    """Whether the server refuses a write to an object of a router."""
    if observed is None or not observed.refusals:
        return False
    return not {each.kind for each in observed.refusals}.isdisjoint(each.kind for each in observed.objects or ())


def _seen(observed: Observed | None) -> Seen:
    """Return the objects that a plan's actions may name, by kind and name."""
    if observed is None:
        return {}
    replica_sets = {(REPLICA_SETS.kind, each.name): each.raw for each in observed.replica_sets}
    services = (*(raw for raw in observed.services.values() if raw is not None), *observed.left)
    workloads = (observed.workload,) if observed.workload is not None else ()
    others = (*workloads, *observed.runs, *observed.experiments)
    return {
        **{(raw["kind"], raw["metadata"]["name"]): raw for raw in others},
        **replica_sets,
        **{(SERVICES.kind, raw["metadata"]["name"]): raw for raw in services},
    }
