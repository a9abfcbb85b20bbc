"""What is next for a canary without a traffic router?

The order is always the same: whose are the ReplicaSets, what was asked for, what do the steps wish for, how far may the
sizes go, does the current step let us on, is the update over. Each question is answered in a module of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rollouts.api import keys
from rollouts.api.canary import CanaryStrategy
from rollouts.plan import elapsed, state
from rollouts.plan.actions import Action, PatchRollout, Plan
from rollouts.plan.observed import Observed
from rollouts.plan.progress import Facts, deadline, is_out_of_time, timeout_text, wanted_conditions
from rollouts.plan.replicas import Bounds, Sizes, resolve_bounds, target_sizes
from rollouts.plan.restart import Restart, plan_restart
from rollouts.plan.revisions import Revisions, claims, sort_out
from rollouts.plan.scaling import Scaling, created, replica_set_actions, scale
from rollouts.plan.services import canary_service_switches
from rollouts.plan.state import State
from rollouts.plan.status import Counts, build_status, can_wait
from rollouts.plan.wishes import BoundStep, bind_steps, wishes_at
from rollouts.ports import Gate, Here, Kit, Open, Shut


@dataclass(frozen=True, slots=True)
class Scene:
    """What the rest of the plan builds on: the sorted ReplicaSets and the state after requests and changes.

    `begins` tells that the template or the steps have changed, so that the update begins anew in this pass;
    `has_new_template` that it was the template.
    """

    here: Observed
    revisions: Revisions
    steps: tuple[BoundStep, ...]
    before: State
    state: State
    bounds: Bounds
    begins: bool
    has_new_template: bool

    @property
    def is_halted(self) -> bool:
        return bool(self.here.rollout.spec.paused) or self.state.is_inconclusive

    @property
    def current(self) -> BoundStep | None:
        """The step in progress, if the update is at one."""
        at = self.state
        if at.index is None or at.index >= len(self.steps) or at.is_promoted or at.abort or not at.stable_hash:
            return None
        return self.steps[at.index]


def plan_canary(here: Observed, canary: CanaryStrategy, kit: Kit, now: datetime) -> Plan:
    """Plan one pass of a valid Rollout with the canary strategy."""
    claim_actions = claims(here)
    if claim_actions:
        names = ", ".join(action.name for action in claim_actions)
        return Plan(actions=claim_actions, because=(f"ReplicaSets change hands first: {names}",))
    if here.rollout.spec.replicas is None:
        return Plan(actions=(PatchRollout(replicas=1),), because=("spec.replicas is not set: it becomes 1",))
    scene = _set_scene(here, canary, kit, now)
    target = target_sizes(
        scene.bounds,
        wishes_at(scene.steps, scene.state, has_stable=scene.revisions.has_distinct_stable).weight,
        has_stable=scene.revisions.has_distinct_stable,
    )
    scaling = scale(scene.revisions, scene.bounds, target, halted=scene.is_halted)
    actions = replica_set_actions(here, scene.revisions, scene.bounds, scaling)
    if here.annotations.get(keys.REVISION) != str(scene.revisions.next_revision):
        actions.append(PatchRollout(annotations={keys.REVISION: str(scene.revisions.next_revision)}))
    actions.extend(canary_service_switches(here, canary, scene.revisions, scene.state))
    return _decide(scene, target, actions, scaling, now)


def _set_scene(here: Observed, canary: CanaryStrategy, kit: Kit, now: datetime) -> Scene:
    spec = here.rollout.spec
    steps = bind_steps(canary.steps or (), kit)
    before = State.of(here.status, len(steps))
    if (revisions := sort_out(here)).name_is_taken:
        # Another object has our name: count the collision, which gives the template another hash.
        before = replace(before, collision_count=(before.collision_count or 0) + 1)
        here = replace(here, status=here.status.model_copy(update={"collision_count": before.collision_count}))
        revisions = sort_out(here)
    is_new_template = bool(before.pod_hash) and before.pod_hash != revisions.pod_hash
    begins = is_new_template or before.step_hash != here.step_hash
    after = before if before.pod_hash else replace(before, pod_hash=revisions.pod_hash)
    if begins:
        after = state.reset(
            after,
            pod_hash=revisions.pod_hash,
            step_hash=here.step_hash,
            step_count=len(steps),
            restart_at=spec.restart_at if is_new_template and spec.restart_at and spec.restart_at <= now else None,
        )
    elif steps and after.index is None:
        after = replace(after, index=len(steps) if after.is_promoted else 0)
    return Scene(
        here=here,
        revisions=revisions,
        steps=steps,
        before=before,
        state=state.settle_requests(after, now, len(steps)),
        bounds=resolve_bounds(spec.replicas or 0, canary.max_surge, canary.max_unavailable),
        begins=begins,
        has_new_template=is_new_template or not before.pod_hash,
    )


def _unmet(revisions: Revisions, target: Sizes) -> str:
    """Say what keeps the ReplicaSets from their target, or nothing."""
    canary = revisions.canary
    if canary is None:
        return "the canary's ReplicaSet does not exist yet"
    if canary.size != target.canary:
        return f"the canary is being scaled from {canary.size} to {target.canary} pods"
    if canary.available != target.canary:
        return f"{canary.available} of the canary's {target.canary} pods are available"
    stable = revisions.stable if revisions.has_distinct_stable else None
    if stable is not None and (stable.size, stable.replicas) != (target.stable, target.stable):
        return f"stable has {stable.replicas} pods on its way to {target.stable}"
    old = sum(each.available for each in revisions.others)
    return f"{old} pods of older revisions are still available" if old else ""


def _gate(at: State, step: BoundStep, unmet: str, now: datetime) -> Gate:
    return step.plugin.gate(step.spec, Here(unmet, at.paused_since, at.resumed), now)


def _advance(scene: Scene, unmet: str, now: datetime) -> tuple[State, Gate | None]:
    """Let the current step decide: go on to the next one, begin its pause, or wait.

    At most one step completes per pass; acting on the next one is the next pass's work. If that one is a pause, it
    begins with this write.
    """
    at, step = scene.state, scene.current
    if scene.begins or scene.is_halted or at.promote_full:
        return at, None
    if step is None:
        return _without_stale_pause(at), None
    gate = _gate(at, step, unmet, now)
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
    return at if at.pauses else replace(at, controller_pause=False, paused_index=None)


def _may_promote(scene: Scene, at: State) -> bool:
    """Whether the canary becomes stable: all steps done and all pods available; at once if there is no stable."""
    canary = scene.revisions.canary
    if canary is None or scene.begins or at.abort or at.is_promoted:
        return False
    if not at.stable_hash:
        return True
    steps_done = at.index is None or at.index >= len(scene.steps)
    return steps_done and not scene.is_halted and canary.available >= scene.bounds.replicas


def _decide(scene: Scene, target: Sizes, actions: list[Action], scaling: Scaling, now: datetime) -> Plan:
    here, revisions = scene.here, scene.revisions
    after, gate = _advance(scene, _unmet(revisions, target), now)
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
    facts = replace(facts, after=restart.state)
    duration = elapsed.duration_of(here.status.duration, _turn(scene, facts, gate, completion), now)
    status = build_status(here, facts.after, facts.counts, list(wanted_conditions(facts, now)), duration, now)
    is_news = status != (here.raw.get("status") or {})
    return Plan(
        actions=(*actions, *restart.actions),
        status=status if is_news else None,
        status_can_wait=is_news and can_wait(here.sound_status, status),
        wake_at=_wake_at(facts, gate, restart),
        because=_because(scene, facts, gate, target, scaling, restart),
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


def _because(
    scene: Scene, facts: Facts, gate: Gate | None, target: Sizes, scaling: Scaling, restart: Restart
) -> tuple[str, ...]:
    """Say why things are as they are, the most important first."""
    after = facts.after
    reasons = [*_step_reasons(scene, facts, gate)]
    if facts.refused:
        reasons.insert(0, f"the API server refuses the ReplicaSet: {facts.refused}")
    if facts.cause:
        reasons.insert(0, f"aborted: {facts.cause}")
    if scene.here.rollout.spec.paused:
        reasons.insert(0, "spec.paused is true: no step completes and nothing is scaled")
    unmet = _unmet(scene.revisions, target)
    if unmet and unmet not in " ".join(reasons) and not scene.is_halted:
        reasons.append(_limited(scene, target, scaling, unmet))
    if scene.begins and after.index is not None and after.stable_hash:
        is_back = after.is_promoted
        reasons.insert(
            0, "back to the stable template: no steps are needed" if is_back else "the update begins at step 1"
        )
    reasons.extend(restart.because)
    reasons.extend(f"status part ignored: {path}" for path in scene.here.rubbish)
    return tuple(reasons)


def _step_reasons(scene: Scene, facts: Facts, gate: Gate | None) -> Sequence[str]:
    before, after = scene.state, facts.after
    if not before.stable_hash and after.is_promoted:
        return ("the first revision is stable from the start",)
    if after.is_promoted and before.is_promoted:
        return ()
    if after.is_promoted:
        return ("all steps are done and all pods are available: the canary becomes stable",)
    if after.abort:
        return ("the update is aborted: everything goes back to stable; retry, or change the template",)
    if after.promote_full:
        return ("full promotion was requested: steps are skipped",)
    step = scene.current
    if step is None or gate is None or before.index is None:
        return ()
    place = f"step {before.index + 1} of {len(scene.steps)} ({step.title})"
    if isinstance(gate, Open) or after.index != before.index:
        return (f"{place} is complete",) if isinstance(gate, Open) else (f"{place} is complete", gate.because)
    return (f"{place}: {gate.because}",)


def _limited(scene: Scene, target: Sizes, scaling: Scaling, unmet: str) -> str:
    """Add to what is unmet that the bounds, not the wish, hold it back."""
    bounds, canary = scene.bounds, scene.revisions.canary
    if canary is not None and canary.size != target.canary and scaling.sizes.get(canary.name) == canary.size:
        return (
            f"{unmet}, as far as maxSurge ({bounds.surge}) and maxUnavailable ({bounds.unavailable}) allow: "
            f"at most {bounds.ceiling} pods in all, at least {bounds.floor} available"
        )
    return unmet
