"""What is next for a canary?

The order is always the same: whose are the ReplicaSets, what was asked for, what do the steps wish for, how far may the
sizes go, does the current step let us on, is the update over. Each question is answered in a module of its own.
"""

from dataclasses import replace
from datetime import datetime
from functools import partial

from rollouts.api.canary import CanaryStrategy
from rollouts.plan import state
from rollouts.plan.actions import Plan
from rollouts.plan.conclude import Course, conclude
from rollouts.plan.observed import Observed
from rollouts.plan.reasons import canary_reasons
from rollouts.plan.replicas import resolve_bounds
from rollouts.plan.routed import by_router
from rollouts.plan.scaling import replica_set_actions
from rollouts.plan.scene import Scene, set_scene
from rollouts.plan.shift import Shift, by_pods
from rollouts.plan.state import State
from rollouts.plan.wishes import BoundStep, bind_steps
from rollouts.ports import Gate, Here, Kit, Open, Shut


def plan_canary(here: Observed, canary: CanaryStrategy, kit: Kit, now: datetime) -> Plan:
    """Plan one pass of a valid Rollout with the canary strategy."""
    bounds = resolve_bounds(here.rollout.spec.replicas_or_default, canary.max_surge, canary.max_unavailable)
    scene = set_scene(here, bind_steps(canary.steps or (), kit), bounds, now)
    shift = by_pods(scene, canary) if canary.traffic_routing is None else by_router(scene, canary, kit, now)
    scene = replace(scene, state=shift.state)
    after, gate = _advance(scene, shift, now)
    course = Course(
        actions=(*replica_set_actions(scene, shift.scaling), *shift.actions),
        scaling=shift.scaling,
        state=after,
        gate=gate,
        may_promote=partial(_may_promote, scene, shift),
        reasons=partial(canary_reasons, scene, gate, shift.scaling, shift.because),
        is_fast_rollback=scene.is_rollback,
    )
    return conclude(scene, course, now)


def _gate(at: State, step: BoundStep, missing: str, now: datetime, unrouted: str = "") -> Gate:
    return step.plugin.gate(step.spec, Here(missing, at.paused_since, at.resumed, unrouted), now)


def _advance(scene: Scene, shift: Shift, now: datetime) -> tuple[State, Gate | None]:
    """Let the current step decide: go on to the next one, begin its pause, or wait.

    At most one step completes per pass; acting on the next one is the next pass's work. If that one is a pause, it
    begins with this write.
    """
    at, step = scene.state, scene.current
    if scene.begins or scene.is_halted or at.promote_full:
        return at, None
    if step is None:
        return _without_stale_pause(at), None
    gate = _gate(at, step, shift.scaling.unmet, now, shift.unrouted)
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


def _may_promote(scene: Scene, shift: Shift, at: State) -> bool:
    """Whether the canary becomes stable: all steps done, and complete; at once if there is no stable."""
    if scene.revisions.canary is None or scene.begins or at.abort or at.is_promoted:
        return False
    if not at.stable_hash:
        return True
    steps_done = at.index is None or at.index >= len(scene.steps)
    return steps_done and not scene.is_halted and shift.is_complete
