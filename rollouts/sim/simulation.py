"""What happens to a rollout, pass by pass, until nothing more does?"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from rollouts.plan import Action, Observed, Plan, Refusal, plan_rollout
from rollouts.plan.actions import ChildAction, CreateChild, CreateReplicaSet, ObjectAction, PatchRollout, ScaleWorkload
from rollouts.plan.calls import Returned
from rollouts.plan.narrate import Event, narrate
from rollouts.ports import Kit
from rollouts.sim.faults import Fault, Trouble, stale
from rollouts.sim.memory import Memory
from rollouts.sim.scenario import Change, Scenario
from rollouts.sim.world import DeniedError, Raw, Snapshot, World

# More passes in a row, without time going by, than any rollout needs: it goes round in circles.
RESTLESS = 400
# As many looks in a row that find nothing to do, with nothing else to come, are the end.
FRUITLESS = 3
STATUS_DELAY = timedelta(seconds=5)


class RestlessError(Exception):
    """The rollout never comes to rest."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass: what was seen and decided, what came of it, and the sizes and pods before and after it.

    `sizes` and `available` are true counts by ReplicaSet name, whatever the pass has seen; `available` is from before.
    `before` and `after` are what could be read before the pass and once it was over.
    """

    now: datetime
    here: Observed
    plan: Plan
    acknowledged: tuple[Action, ...]
    denied: tuple[str, ...]
    status_written: bool
    events: tuple[Event, ...]
    sizes_before: Mapping[str, int]
    sizes_after: Mapping[str, int]
    available: Mapping[str, int]
    before: Snapshot
    after: Snapshot

    @property
    def has_written(self) -> bool:
        return bool(self.acknowledged or self.denied or self.status_written or self.plan.calls)


Moment = Pass | Change


class Director(Protocol):
    """Lets things happen in answer to what has become of a rollout."""

    def cues(self, world: World) -> Sequence[Change]:
        """Return what happens now; asked whenever everything has settled."""
        ...

    def next_cue(self) -> datetime | None:
        """Return when to ask again, if nothing happens before."""
        ...

    def is_over(self, world: World) -> bool:
        """Tell whether there is nothing more to see."""
        ...


class _CrashError(Exception):
    """The controller dies here."""


@dataclass(slots=True)
class _Writes:
    """The writes of one pass, as they go through."""

    acknowledged: list[Action] = field(default_factory=list)
    denied: list[str] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    status_written: bool = False


class Simulation:
    """Runs the planner on a world. `faults` hit the passes with their numbers, counted from 0.

    What happens is the scenario's script; a `director` adds what depends on the course of things.
    """

    def __init__(
        self,
        scenario: Scenario,
        kit: Kit,
        *,
        faults: Mapping[int, Fault] | None = None,
        status_delay: timedelta = STATUS_DELAY,
        director: Director | None = None,
    ) -> None:
        self.world: World = scenario.world
        self.memory = Memory()
        self.passes = 0
        self._start = self.world.now
        self._end = self._start + timedelta(seconds=scenario.lasts)
        self._script = deque(sorted(scenario.script, key=lambda change: change.at))
        self._kit = kit
        self._faults = faults or {}
        self._delay = status_delay
        self._director = director
        self._earlier: deque[Snapshot] = deque(maxlen=4)

    def run(self) -> Iterator[Moment]:
        """Yield what happens until the scenario ends or nothing more happens. Raises RestlessError."""
        fruitless = 0
        while fruitless < FRUITLESS and self.world.now <= self._end:
            is_fruitless = True
            for moment in (*self._due(), *self._settle()):
                is_fruitless = False
                yield moment
            if self._director is not None:
                if self._director.is_over(self.world):
                    return
                if cues := self._director.cues(self.world):
                    self._script.extendleft(reversed(cues))
                    continue
            if (next_moment := self._next()) is None:
                return
            fruitless = fruitless + 1 if is_fruitless and not self.expects_a_change else 0
            self.world.now = next_moment

    @property
    def expects_a_change(self) -> bool:
        """Whether something is to come that is neither a pass nor what follows from one."""
        return bool(self._script or self.world.expects_news() or self._next_cue())

    @property
    def wakes(self) -> Mapping[str, datetime]:
        """When each Rollout is looked at again though nothing has changed."""
        return dict(self.memory.wakes)

    def _next_cue(self) -> datetime | None:
        return self._director.next_cue() if self._director is not None else None

    def _due(self) -> Iterator[Change]:
        while self._script and self._start + timedelta(seconds=self._script[0].at) <= self.world.now:
            yield self._change()

    def _change(self) -> Change:
        change = self._script.popleft()
        change.do(self.world)
        return change

    def _settle(self) -> Sequence[Moment]:
        """Run passes and ReplicaSet controllers until both are content at this instant."""
        moments: list[Moment] = []
        for _ in range(RESTLESS):
            lags = self._fault(Trouble.LAG)
            is_content = True
            for name in list(self.world.rollouts):
                had_trouble = self.passes in self._faults  # whoever got no answer, or an old one, looks again
                record, changes = self._pass(name)
                moments += [*changes, record]
                is_content = is_content and not record.has_written and not changes and not had_trouble
            moved = not lags and (self.world.run_replica_sets() | self.world.run_followers())
            if is_content and not moved:
                return _worth_telling(moments)
        raise RestlessError(f"{RESTLESS} passes in a row at {self.world.now}")

    def _fault(self, *troubles: Trouble) -> Fault | None:
        fault = self._faults.get(self.passes)
        return fault if fault is not None and fault.trouble in troubles else None

    def _next(self) -> datetime | None:
        times = [self.world.next_change(), self.memory.next_look(self._delay), self._next_cue()]
        if self._script:
            times.append(self._start + timedelta(seconds=self._script[0].at))
        return min((time for time in times if time is not None and time > self.world.now), default=None)

    # One pass.

    def _pass(self, name: str) -> tuple[Pass, list[Change]]:
        changes: list[Change] = []
        here, snapshot = self._observe(name), self.world.snapshot()
        now, before = self.world.now, self._sizes()
        available = {each: self.world.available(raw) for each, raw in self.world.replica_sets.items()}
        plan = plan_rollout(here, now, self._kit)
        writes = _Writes()
        try:
            self._perform(here, plan, writes, changes)
        except _CrashError:
            self.memory = Memory()
        self.passes += 1
        self._remember(name, here, plan, writes)
        record = Pass(
            now=now,
            here=here,
            plan=plan,
            acknowledged=tuple(writes.acknowledged),
            denied=tuple(writes.denied),
            status_written=writes.status_written,
            events=tuple(narrate(here, plan, writes.acknowledged, status_written=writes.status_written, kit=self._kit)),
            sizes_before=before,
            sizes_after=self._sizes(),
            available=available,
            before=snapshot,
            after=self.world.snapshot(),
        )
        return record, changes

    def _sizes(self) -> dict[str, int]:
        return {name: raw["spec"]["replicas"] for name, raw in self.world.replica_sets.items()}

    def _observe(self, name: str) -> Observed:
        seen = current = self.world.snapshot()
        fault = self._fault(Trouble.STALE)
        if fault and self._earlier:
            seen = stale(current, self._earlier[fault.place % len(self._earlier)], self.memory.owed, fault.place)
        self._earlier.append(current)
        refusals = self.memory.refusals(seen.rollouts[name], self.world.now)
        return replace(self.world.observe(name, seen, refusals), returned=self.memory.returned.get(name, ()))

    def _perform(self, here: Observed, plan: Plan, writes: _Writes, changes: list[Change]) -> None:
        """Send the writes: first actions, then the status unless the Rollout has changed before it."""
        fault = self._faults.get(self.passes)
        if fault and fault.trouble is Trouble.CONFLICT:
            self.world.patch_rollout(here.name, {"metadata": {"labels": {"touched": str(self.passes)}}})
        answers = (Returned(each, self.world.now, self.world.answer(each)) for each in plan.calls)
        self.memory.returned[here.name] = (*here.returned, *answers)
        version, is_current = here.raw["metadata"]["resourceVersion"], True
        for number, action in enumerate(plan.actions):
            self._interrupt(fault, number, changes)
            is_done = self._act(here, action, writes, fault if fault and fault.place == number else None)
            if isinstance(action, PatchRollout):
                is_current = is_done
                version = self.world.rollouts[here.name]["metadata"]["resourceVersion"] if is_done else version
        self._interrupt(fault, len(plan.actions), changes)
        if plan.status is None or not is_current or (fault and fault.trouble is Trouble.LOST_STATUS):
            return
        if plan.status_can_wait and self.memory.holds(here.name, self.world.now, self._delay):
            return
        try:
            self.world.write_status(here.name, plan.status, resource_version=version)
        except DeniedError as error:
            writes.denied.append(f"status: {error}")
            return
        writes.status_written = True
        self._wrote(self.world.rollouts[here.name]["metadata"])

    def _interrupt(self, fault: Fault | None, number: int, changes: list[Change]) -> None:
        if fault is None or fault.place != number:
            return
        if fault.trouble is Trouble.CRASH:
            raise _CrashError
        if fault.trouble is Trouble.INTERRUPTED and self._script:
            changes.append(self._change())

    def _act(self, here: Observed, action: Action, writes: _Writes, fault: Fault | None) -> bool:
        """Carry one action out; tell whether its answer says that it was."""
        trouble = fault.trouble if fault else None
        if trouble is Trouble.LOST_ACTION:
            return False
        try:
            self.world.perform(action, here.raw)
        except DeniedError as error:
            writes.denied.append(f"{type(action).__name__}: {error}")
            if (refusal := _refusal(action, error)) is not None:
                writes.refusals.append(refusal)
            return False
        if trouble is Trouble.LOST_ANSWER:
            return False
        writes.acknowledged.append(action)
        for raw in self._written_by(here, action):
            self._wrote(raw["metadata"])
        return True

    def _written_by(self, here: Observed, action: Action) -> Iterator[Raw]:
        """Yield the objects that an action has written to, as far as they are still there."""
        world = self.world
        if isinstance(action, ObjectAction):
            found = [world.objects.live.get(action.reference)]
        elif isinstance(action, ChildAction):
            found = [world.children.live.get((action.kind, action.name))]
        else:
            name = here.name if isinstance(action, PatchRollout) else action.name
            is_elsewhere = isinstance(action, ScaleWorkload)  # a Deployment may have its Rollout's name
            stores = (world.workloads,) if is_elsewhere else (world.rollouts, world.replica_sets, world.services)
            found = [store.get(name) for store in stores]
        yield from (each for each in found if each is not None)

    def _wrote(self, metadata: Mapping[str, str]) -> None:
        self.memory.owed[metadata["uid"]] = int(metadata["resourceVersion"])

    def _remember(self, name: str, here: Observed, plan: Plan, writes: _Writes) -> None:
        memory = self.memory
        if not plan.status_can_wait or writes.status_written:
            memory.held_since.pop(name, None)
        if writes.status_written:
            kept = (each for each in memory.returned.get(name, ()) if each not in here.returned)
            memory.returned[name] = tuple(kept)
        memory.wakes.pop(name, None)
        if plan.wake_at is not None:
            memory.wakes[name] = plan.wake_at
        for refusal in writes.refusals:
            memory.refuse(here.raw, refusal, self.world.now)


def _refusal(action: Action, error: DeniedError) -> Refusal | None:
    """Return what the next plans must know about a write that was refused for good."""
    if isinstance(action, CreateReplicaSet):
        return Refusal("create", "ReplicaSet", action.name, error.reason, str(error), action.digest)
    if isinstance(action, CreateChild):
        return Refusal("create", action.kind, action.name, error.reason, str(error))
    if isinstance(action, ObjectAction) and error.reason == "Forbidden":
        place = action.reference
        return Refusal("write", place.kind, place.name, error.reason, str(error), namespace=place.namespace)
    return None


def _worth_telling(moments: Sequence[Moment]) -> Sequence[Moment]:
    """Leave out passes that wrote nothing, but for the last: it tells why nothing moves."""
    written = [each for each in moments[:-1] if isinstance(each, Change) or each.has_written]
    last = moments[-1:]
    return [*written, *last]
