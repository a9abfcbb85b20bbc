"""Which analysis runs are current, what do they say, and which come next?

The status names the current run of each slot. A run is decided by writing its name there, and made by a pass that reads
it there: whoever dies in between makes the same run, never a second one. Runs that the status doesn't name any more are
ended, at whatever point that was interrupted.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from rollouts.api import keys
from rollouts.api.status import RolloutAnalysisRunStatus
from rollouts.plan import state
from rollouts.plan.actions import ANALYSIS_RUN, Action, ChildAction, CreateChild
from rollouts.plan.analysis.assess import COMPLETED, ERROR, FAILED, INCONCLUSIVE, PENDING
from rollouts.plan.children.analyses.new_run import NoRunError, new_run
from rollouts.plan.children.analyses.slots import BACKGROUND, Demand, failure
from rollouts.plan.children.analyses.words import told
from rollouts.plan.children.child import Child, tidied, told_to_end
from rollouts.plan.observed import refusal_of
from rollouts.plan.ownership import free_name, taken_by_others
from rollouts.plan.scene import Scene
from rollouts.plan.state import State
from rollouts.ports import Check


@dataclass(frozen=True, slots=True)
class Current:
    """The runs that are asked for in this pass.

    `state` knows what they say, `known` has all runs of the Rollout by name. `trouble` tells, by slot, why a run can't
    be made, `due` are those that are made.
    """

    state: State
    demands: Mapping[str, Demand]
    known: Mapping[str, Child] = field(repr=False)
    due: tuple[CreateChild, ...] = ()
    trouble: Mapping[str, str] = field(default_factory=dict)

    @property
    def failure(self) -> str:
        """Why the update is to be aborted; empty if no run says so."""
        failed = (slot for slot in self.demands if self._phase(slot) in {FAILED, ERROR})
        return next((failure(slot, self.state.runs[slot].message) for slot in failed), "")

    @property
    def is_undecided(self) -> bool:
        """Whether a run couldn't decide, and nobody has decided instead."""
        return not self.state.was_resumed and any(self._phase(slot) == INCONCLUSIVE for slot in self.demands)

    def decided(self, now: datetime) -> State:
        """Return the state with what the runs have decided: they are facts, as good as anybody's word."""
        if self.failure:
            return state.aborted(self.state, now)
        return state.undecided(self.state, now) if self.is_undecided else self.state

    def check(self, slot: str) -> Check | None:
        """Return how far the run of a slot is; None if it has none yet."""
        record = self.state.runs.get(slot) if slot in self.demands else None
        if record is None:
            return None
        if self.is_unmade(record) and slot in self.trouble:
            return Check(
                record.status, f"analysis run {record.name} can't be made yet: {self.trouble[slot]}", is_stuck=True
            )
        return Check(record.status, self._told(record))

    def stuck(self, slot: str) -> str:
        """Why the run of a slot can't be made; empty if it can, or isn't asked for."""
        check = self.check(slot)
        return check.because if check is not None and check.is_stuck else ""

    def told(self) -> Iterator[str]:
        """Say for each slot how far its run is; a failure is told as the cause of the abort."""
        for slot in () if self.failure else self.demands:
            if (check := self.check(slot)) is not None:
                yield check.because

    def is_unmade(self, record: RolloutAnalysisRunStatus) -> bool:
        """Whether a run that the status names isn't there, and has not come to an end before it went."""
        return record.name not in self.known and record.status not in COMPLETED

    def _phase(self, slot: str) -> str:
        record = self.state.runs.get(slot)
        return record.status if record is not None else ""

    def _told(self, record: RolloutAnalysisRunStatus) -> str:
        run = self.known.get(record.name)
        if run is not None:
            again = record.status == INCONCLUSIVE and self.state.was_resumed
            return f"{told(run)}; somebody has resumed it, so another run follows" if again else told(run)
        if record.status in COMPLETED:
            message = f": {record.message}" if record.message else ""
            return f"analysis run {record.name}, which is gone, was {record.status}{message}"
        gone = "" if record.status == PENDING else " again: somebody has deleted it"
        return f"analysis run {record.name} is being made{gone}"


def look(scene: Scene, demands: Iterable[Demand], *, keeps: Iterable[str] = ()) -> Current:
    """Return the current runs of the slots that are asked for; other slots are forgotten, but for `keeps`."""
    known = {each["metadata"]["name"]: Child.of(ANALYSIS_RUN, each) for each in scene.here.runs}
    by_slot = {each.slot: each for each in demands}
    runs: dict[str, RolloutAnalysisRunStatus] = {}
    for slot, record in scene.state.runs.items():
        run, called = known.get(record.name), by_slot.get(slot)
        is_current = called is not None and called.has(record.name, run.labels if run is not None else None)
        if is_current or (called is None and slot in keeps):
            runs[slot] = _refreshed(record, run)
    at = replace(scene.state, runs=runs) if runs != scene.state.runs else scene.state
    current = Current(at, by_slot, known)
    return _with_due(scene, current)


def _refreshed(record: RolloutAnalysisRunStatus, run: Child | None) -> RolloutAnalysisRunStatus:
    if run is None:
        return record
    return RolloutAnalysisRunStatus(name=run.name, status=run.phase or PENDING, message=run.message or None)


def _with_due(scene: Scene, current: Current) -> Current:
    """Return the same with the runs that are to be made now: named by the status, and not there."""
    due: list[CreateChild] = []
    trouble: dict[str, str] = {}
    for slot, demand in current.demands.items():
        record = current.state.runs.get(slot)
        if record is None or not current.is_unmade(record) or (scene.is_halted and slot != BACKGROUND):
            continue
        if before := _still_going_on(current, slot):
            trouble[slot] = f"analysis run {before} is to end first"
            continue
        refusal = refusal_of(scene.here.refusals, "create", ANALYSIS_RUN, record.name)
        if refusal is not None:
            trouble[slot] = f"the API server refuses it: {refusal.message}"
            continue
        try:
            due.append(new_run(scene, demand, record.name))
        except NoRunError as error:
            trouble[slot] = str(error)
    return replace(current, due=tuple(due), trouble=trouble)


def _still_going_on(current: Current, slot: str) -> str:
    """Return the name of a run that a slot had before, and that has not been told to end yet; empty for none."""
    runs = (each for each in current.known.values() if each.labels.get(keys.ROLLOUT_TYPE) == slot)
    return next((each.name for each in runs if each.goes_on), "")


def named(scene: Scene, current: Current, after: State, demands: Iterable[Demand]) -> State:
    """Return the state that a pass ends with, with names for the runs that it asks for and that are still missing."""
    if scene.begins or scene.is_halted or after.is_inconclusive:
        return after
    missing = {
        demand.slot: RolloutAnalysisRunStatus(name=_name_for(scene, current, demand), status=PENDING)
        for demand in demands
        if _lacks(scene, current, after.runs.get(demand.slot))
    }
    if not missing:
        return after
    after = state.heard(after)
    return replace(after, runs={**after.runs, **missing})


def _lacks(scene: Scene, current: Current, record: RolloutAnalysisRunStatus | None) -> bool:
    """Whether a slot needs another run than the one that the status names."""
    if record is None:
        return True
    is_taken = current.is_unmade(record) and record.name in taken_by_others(scene.here.refusals, ANALYSIS_RUN)
    return is_taken or (record.status == INCONCLUSIVE and scene.state.was_resumed)


def _name_for(scene: Scene, current: Current, demand: Demand) -> str:
    """Return the name of the next run: that of one which is just like it and goes on, or one that is free."""
    taken = {*current.known, *taken_by_others(scene.here.refusals, ANALYSIS_RUN)}
    is_retried = scene.before.aborted_at is not None
    for run in () if is_retried else current.known.values():
        if run.goes_on and _is_same(scene, demand, run):
            return run.name
    return free_name(demand.base, ".", taken)


def _is_same(scene: Scene, demand: Demand, run: Child) -> bool:
    """Whether a run is what is asked for: a status that has been lost is no reason to measure anew."""
    if run.name != demand.base and not run.name.startswith(f"{demand.base}."):
        return False
    try:
        wanted = new_run(scene, demand, run.name).body
    except NoRunError:
        return False
    is_labelled = all(run.labels.get(key) == value for key, value in wanted["metadata"]["labels"].items())
    return is_labelled and run.raw.get("spec") == wanted["spec"]


def run_actions(scene: Scene, current: Current, after: State) -> tuple[ChildAction, ...]:
    """Return what makes the runs that are due, ends those that nobody waits for any more, and deletes old ones."""
    asked = {current.state.runs[slot].name for slot in current.demands if slot in current.state.runs}
    decided = {record.name for record in after.runs.values()}
    # One that this pass has just decided to go on with, or to name, is not ended by the same pass.
    shown = {record.name for record in current.state.runs.values()}
    wanted = asked | (decided - shown)
    hashes = {each.pod_hash for each in scene.revisions.all} | {scene.revisions.pod_hash}
    rest = tidied(
        current.known.values(),
        wanted=wanted,
        named=shown | decided,
        hashes=hashes,
        limits=scene.here.rollout.spec.analysis,
    )
    due = () if after.abort or after.is_inconclusive else current.due
    return (*due, *rest)


def ended(actions: Iterable[Action]) -> Iterator[str]:
    """Say which runs are ended by a pass, and why."""
    for name in told_to_end(actions, ANALYSIS_RUN):
        yield f"analysis run {name} is told to end: nothing waits for it any more"
