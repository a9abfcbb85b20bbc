"""What does a pass end with? Promotion, deadline, restart, conditions, status, and when to look again.

Both strategies end here: what is theirs, they have decided before.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from rollouts.api import keys
from rollouts.plan import elapsed, state
from rollouts.plan.actions import Action, PatchRollout, Plan, UpdateReplicaSet
from rollouts.plan.calls import Calling
from rollouts.plan.handover import plan_handover
from rollouts.plan.leaving import Leaving, plan_leaving, states_left
from rollouts.plan.observed import Observed
from rollouts.plan.progress import (
    Facts,
    deadline,
    is_late_itself,
    is_out_of_time,
    timeout_text,
    wanted_conditions,
)
from rollouts.plan.reasons import because
from rollouts.plan.restart import last_replacement, plan_restart
from rollouts.plan.revisions import Revisions
from rollouts.plan.scaling import Scaling, created
from rollouts.plan.scene import Scene
from rollouts.plan.services import Selection
from rollouts.plan.state import State
from rollouts.plan.status import Counts, build_status, can_wait
from rollouts.plan.upkeep import plan_upkeep
from rollouts.plan.workload import generation_of
from rollouts.ports import Gate, Kit, Question, Shut


@dataclass(frozen=True, slots=True)
class Course:
    """What a strategy has decided in a pass.

    `state` is the state as the strategy leaves it, `gate` what its current step or pause answers. `may_promote` tells
    whether the current template becomes the stable one from such a state, `reasons` gives the strategy's reasons for
    the facts that the pass ends with. `cause` says why the strategy has aborted, if it has just done so, and `calling`
    which step plugins are called. `asks` and `told` are what a router asks outside of the cluster, and what it found.
    `is_tidy` tells that routers' objects have nothing left over of what the spec has stopped to name.
    """

    actions: tuple[Action, ...]
    scaling: Scaling
    state: State
    gate: Gate | None
    may_promote: Callable[[State], bool]
    reasons: Callable[[Facts], Iterator[str]]
    is_fast_rollback: bool = False
    cause: str = ""
    calling: Calling = field(default_factory=Calling)
    asks: tuple[Question, ...] = ()
    told: Mapping[str, Any] = field(default_factory=dict)
    is_tidy: bool = False


def conclude(scene: Scene, course: Course, kit: Kit, now: datetime) -> Plan:
    """Return the whole plan of a pass."""
    here, revisions, gate = scene.here, scene.revisions, course.gate
    creates = created(course.actions)
    selection = Selection.of(here)
    facts = Facts(
        here=here,
        revisions=revisions,
        counts=Counts.of(revisions, selection),
        selection=selection,
        before=scene.before,
        after=course.state,
        replicas=scene.bounds.replicas,
        step_count=len(scene.steps),
        patient=(isinstance(gate, Shut) and gate.patient) or bool(course.scaling.deadlines),
        cause=course.cause,
        refused=_refusal(here, revisions),
        creates=creates.name if creates else "",
        scales=_scales(here, course.actions),
        replaced_at=last_replacement(here, revisions, course.state, now),
    )
    facts = _abort_in_time(facts, now)
    completion = None
    if course.may_promote(facts.after):
        completion = _completion(scene, course)
        facts = replace(facts, after=state.promoted(facts.after, len(scene.steps)))
    restart = plan_restart(here, revisions, scene.bounds, facts.after, now)
    upkeep = plan_upkeep(here, revisions.all, _changing(course.actions), now)
    if restart.state is not facts.after:
        facts = replace(facts, after=restart.state)
    duration = elapsed.duration_of(here.status.duration, _turn(scene, facts, gate, completion), now)
    wanted = list(wanted_conditions(facts, now))
    leaving = plan_leaving(here, kit, facts.after.weights, is_tidy=course.is_tidy)
    status = build_status(here, facts.after, facts.counts, selection, wanted, duration, now)
    status = _remembering({**status, **course.told}, leaving, kit)
    is_news = status != (here.raw.get("status") or {})
    handover = plan_handover(scene, course.scaling.sizes)
    told = (
        *course.reasons(facts), *course.calling.because, *restart.because, *upkeep.because, *handover.because,
        *leaving.because,
    )  # fmt: skip
    return Plan(
        actions=(
            *course.actions,
            *_annotate(here, revisions, handover.annotations),
            *restart.actions,
            *upkeep.actions,
            *handover.actions,
        ),
        status=status if is_news else None,
        status_can_wait=is_news and can_wait(here.sound_status, status) and not is_late_itself(facts, now),
        wake_at=_wake_at(
            facts, gate, (course.scaling.wake_at, course.calling.until, restart.wake_at, upkeep.wake_at), now
        ),
        because=because(scene, facts, told),
        calls=course.calling.due,
        asks=course.asks,
    )


def _remembering(status: dict[str, Any], leaving: Leaving, kit: Kit) -> dict[str, Any]:
    """Return the status with the routers that are used or still to be left, and without what others have left."""
    gone = states_left(kit, leaving.forgotten, leaving.routed_by)
    kept = {key: value for key, value in status.items() if key not in gone}
    return {**kept, "routedBy": list(leaving.routed_by)} if leaving.routed_by else kept


def _annotate(here: Observed, revisions: Revisions, others: Mapping[str, str]) -> Iterator[PatchRollout]:
    """Write into the Rollout's annotations what they don't say yet: the revision first, it is the news."""
    wanted = {keys.REVISION: str(revisions.next_revision)}
    if here.workload is not None and (generation := generation_of(here.workload)):
        wanted[keys.WORKLOAD_GENERATION] = generation
    changes = {key: value for key, value in {**wanted, **others}.items() if here.annotations.get(key) != value}
    if changes:
        yield PatchRollout(annotations=changes)


def _changing(actions: Sequence[Action]) -> set[str]:
    """Return the names of the ReplicaSets whose templates change in this pass."""
    updates = (each for each in actions if isinstance(each, UpdateReplicaSet))
    return {each.name for each in updates if each.template is not None}


def _refusal(here: Observed, revisions: Revisions) -> str:
    if revisions.canary is not None:
        return ""
    mine = (each for each in here.refusals if each.verb == "create" and each.digest == revisions.digest)
    return next((each.message for each in mine if not each.name_is_taken), "")


def _scales(here: Observed, actions: Sequence[Action]) -> bool:
    """Whether the pass changes a size; not by what has been refused: that is only tried again."""
    refused = {each.subject for each in here.refusals if each.verb == "update"}
    updates = (each for each in actions if isinstance(each, UpdateReplicaSet))
    return any(each.size is not None and each.name not in refused for each in updates)


def _abort_in_time(facts: Facts, now: datetime) -> Facts:
    """Abort an update that is out of time, where the spec asks for it.

    Not while a size is asked for that the ReplicaSet controller hasn't seen yet: pods have had no chance to move.
    """
    wanted = facts.here.rollout.spec.progress_deadline_abort
    if not wanted or facts.after.is_promoted or facts.after.abort or not is_out_of_time(facts, now):
        return facts
    if not all(each.is_observed for each in facts.revisions.all):
        return facts
    return replace(facts, after=state.aborted(facts.after, now), cause=timeout_text(facts))


def _completion(scene: Scene, course: Course) -> str:
    if scene.state.promote_full:
        return elapsed.FAST_PROMOTED
    if course.is_fast_rollback:
        return elapsed.FAST_ROLLED_BACK
    canary = scene.revisions.canary
    is_back = canary is not None and keys.REVISION_HISTORY in canary.annotations
    return elapsed.ROLLED_BACK if is_back else elapsed.PROMOTED


def _turn(scene: Scene, facts: Facts, gate: Gate | None, completion: str | None) -> elapsed.Turn:
    after = facts.after
    retried = scene.before.aborted_at is not None and after.aborted_at is None
    if scene.has_new_template and after.is_promoted:
        completion = elapsed.FAST_ROLLED_BACK
    elif after.abort:
        completion = elapsed.ABORTED
    waits = facts.is_paused and (not isinstance(gate, Shut) or gate.until is None)
    is_there = facts.counts.updated_available >= scene.bounds.replicas
    return elapsed.Turn(
        begins=scene.has_new_template or retried,
        completion=completion,
        finishes=after.abort or (after.is_promoted and is_there),
        waits_for_people=waits and not after.is_promoted,
    )


def _wake_at(facts: Facts, gate: Gate | None, others: Sequence[datetime | None], now: datetime) -> datetime | None:
    times = list(others)
    if isinstance(gate, Shut):
        times.append(gate.until)
    end = deadline(facts)
    # Times in the status are whole seconds: look once the last of them is over.
    times.append(end + timedelta(seconds=1) if end and end >= now else None)
    return min((time for time in times if time is not None), default=None)
