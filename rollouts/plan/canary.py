"""What is next for a canary without a traffic router?

The order is always the same: whose are the ReplicaSets, what was asked for, what do the steps wish for, how far may the
sizes go, does the current step let us on, is the update over. Each question is answered in a module of its own.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from rollouts.api import keys
from rollouts.api.canary import CanaryStrategy
from rollouts.plan import elapsed, state
from rollouts.plan.actions import Action, PatchRollout, Plan
from rollouts.plan.observed import Observed
from rollouts.plan.progress import Facts, deadline, is_out_of_time, timeout_text, wanted_conditions
from rollouts.plan.reasons import because, unmet
from rollouts.plan.replicas import target_sizes
from rollouts.plan.restart import Restart, plan_restart
from rollouts.plan.revisions import Revisions, claims
from rollouts.plan.scaling import Scaling, created, replica_set_actions, scale
from rollouts.plan.scene import Scene, set_scene
from rollouts.plan.services import canary_service_switches, hash_behind
from rollouts.plan.state import State
from rollouts.plan.status import Counts, build_status, can_wait
from rollouts.plan.wishes import BoundStep, wishes_at
from rollouts.ports import Gate, Here, Kit, Open, Shut


def plan_canary(here: Observed, canary: CanaryStrategy, kit: Kit, now: datetime) -> Plan:
    """Plan one pass of a valid Rollout with the canary strategy."""
    claim_actions = claims(here)
    if claim_actions:
        names = ", ".join(action.name for action in claim_actions)
        return Plan(actions=claim_actions, because=(f"ReplicaSets change hands first: {names}",))
    if here.rollout.spec.replicas is None:
        return Plan(actions=(PatchRollout(replicas=1),), because=("spec.replicas is not set: it becomes 1",))
    scene = set_scene(here, canary, kit, now)
    target = target_sizes(
        scene.bounds,
        wishes_at(scene.steps, scene.state, has_stable=scene.revisions.has_distinct_stable).weight,
        has_stable=scene.revisions.has_distinct_stable,
    )
    serving = hash_behind(here, canary.stable_service)
    scaling = scale(scene.revisions, scene.bounds, target, halted=scene.is_halted, serving=serving)
    actions = replica_set_actions(here, scene.revisions, scene.bounds, scaling)
    if here.annotations.get(keys.REVISION) != str(scene.revisions.next_revision):
        actions.append(PatchRollout(annotations={keys.REVISION: str(scene.revisions.next_revision)}))
    actions.extend(canary_service_switches(here, canary, scene.revisions, scene.state))
    return _decide(scene, actions, scaling, now)


def _gate(at: State, step: BoundStep, missing: str, now: datetime) -> Gate:
    return step.plugin.gate(step.spec, Here(missing, at.paused_since, at.resumed), now)


def _advance(scene: Scene, missing: str, now: datetime) -> tuple[State, Gate | None]:
    """Let the current step decide: go on to the next one, begin its pause, or wait.

    At most one step completes per pass; acting on the next one is the next pass's work. If that one is a pause, it
    begins with this write.
    """
    at, step = scene.state, scene.current
    if scene.begins or scene.is_halted or at.promote_full:
        return at, None
    if step is None:
        return _without_stale_pause(at), None
    gate = _gate(at, step, missing, now)
    if isinstance(gate, Open):
        at = state.step_completed(at)
        next_step = scene.steps[at.index] if at.index is not None and at.index < len(scene.steps) else None
        if next_step is not None and not at.pauses:
            next_gate = _gate(at, next_step, "the step has just begun", now)
            if isinstance(next_gate, Shut) and next_gate.pauses:
                return state.paused(at, now), next_gate
        return at, gate
    if gate.pauses and at.paused_since is None:
        return state.paused(at, now), gate
    return _without_stale_pause(at), gate


def _without_stale_pause(at: State) -> State:
    """Forget that we have paused, if nothing is left of it: somebody has moved on from the step."""
    is_clean = not at.controller_pause and at.paused_index is None
    return at if at.pauses or is_clean else replace(at, controller_pause=False, paused_index=None)


def _may_promote(scene: Scene, at: State) -> bool:
    """Whether the canary becomes stable: all steps done and all pods available; at once if there is no stable."""
    canary = scene.revisions.canary
    if canary is None or scene.begins or at.abort or at.is_promoted:
        return False
    if not at.stable_hash:
        return True
    steps_done = at.index is None or at.index >= len(scene.steps)
    return steps_done and not scene.is_halted and canary.available >= scene.bounds.replicas


def _decide(scene: Scene, actions: list[Action], scaling: Scaling, now: datetime) -> Plan:
    here, revisions = scene.here, scene.revisions
    after, gate = _advance(scene, unmet(revisions, scaling.target), now)
    creates = created(actions)
    facts = Facts(
        here=here,
        revisions=revisions,
        counts=Counts.of(revisions),
        before=scene.before,
        after=after,
        replicas=scene.bounds.replicas,
        step_count=len(scene.steps),
        patient=isinstance(gate, Shut) and gate.patient,
        refused=_refusal(here, revisions),
        creates=creates.name if creates else "",
    )
    facts = _abort_in_time(facts, now)
    completion = None
    if _may_promote(scene, facts.after):
        completion = _completion(scene)
        facts = replace(facts, after=state.promoted(facts.after, len(scene.steps)))
    restart = plan_restart(here, revisions, scene.bounds, facts.after, now)
    if restart.state is not facts.after:
        facts = replace(facts, after=restart.state)
    duration = elapsed.duration_of(here.status.duration, _turn(scene, facts, gate, completion), now)
    status = build_status(here, facts.after, facts.counts, list(wanted_conditions(facts, now)), duration, now)
    is_news = status != (here.raw.get("status") or {})
    return Plan(
        actions=(*actions, *restart.actions),
        status=status if is_news else None,
        status_can_wait=is_news and can_wait(here.sound_status, status),
        wake_at=_wake_at(facts, gate, restart),
        because=because(scene, facts, gate, scaling, restart),
    )


def _refusal(here: Observed, revisions: Revisions) -> str:
    if revisions.canary is not None:
        return ""
    mine = (each for each in here.refusals if each.verb == "create" and each.digest == revisions.digest)
    return next((each.message for each in mine if each.reason != "AlreadyExists"), "")


def _abort_in_time(facts: Facts, now: datetime) -> Facts:
    """Abort an update that is out of time, where the spec asks for it."""
    wanted = facts.here.rollout.spec.progress_deadline_abort
    if not wanted or facts.after.is_promoted or facts.after.abort or not is_out_of_time(facts, now):
        return facts
    return replace(facts, after=state.aborted(facts.after, now), cause=timeout_text(facts))


def _completion(scene: Scene) -> str:
    if scene.state.promote_full:
        return elapsed.FAST_PROMOTED
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


def _wake_at(facts: Facts, gate: Gate | None, restart: Restart) -> datetime | None:
    times = [restart.wake_at]
    if isinstance(gate, Shut):
        times.append(gate.until)
    end = deadline(facts)
    # Times in the status are whole seconds: look once the last of them is over.
    times.append(end + timedelta(seconds=1) if end else None)
    return min((time for time in times if time is not None), default=None)
