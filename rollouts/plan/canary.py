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
from rollouts.plan.bound import BoundStep, bind_steps
from rollouts.plan.calls import Calling, plan_calls
from rollouts.plan.children.analyses.current import ended, look, named, run_actions
from rollouts.plan.children.analyses.slots import BACKGROUND, STEP, canary_demands
from rollouts.plan.children.experiments import current as experiments
from rollouts.plan.conclude import Course, conclude
from rollouts.plan.observed import Observed
from rollouts.plan.reasons import canary_reasons
from rollouts.plan.replicas import resolve_bounds
from rollouts.plan.routed import by_router
from rollouts.plan.scaling import replica_set_actions
from rollouts.plan.scene import Scene, set_scene
from rollouts.plan.shift import Shift, by_pods
from rollouts.plan.state import State
from rollouts.ports import Check, Gate, Here, Kit, Open, Shut


def plan_canary(here: Observed, canary: CanaryStrategy, kit: Kit, now: datetime) -> Plan:
    """Plan one pass of a valid Rollout with the canary strategy."""
    bounds = resolve_bounds(here.rollout.spec.replicas_or_default, canary.max_surge, canary.max_unavailable)
    scene = set_scene(here, bind_steps(canary.steps or (), kit), bounds, now)
    current = look(scene, canary_demands(scene, canary, scene.state))
    scene = replace(scene, state=current.decided(now))
    experiment = experiments.look(scene)
    scene = replace(scene, state=experiment.decided(now))
    shift = _shift(scene, canary, experiment, kit, now)
    scene = replace(scene, state=shift.state)
    scene, calling = _call(scene, now)
    check = current.check(STEP) or experiment.check()
    unwatched = current.stuck(BACKGROUND)
    after, gate, cause = _held(scene, unwatched, calling) or _advance(scene, shift, check, calling, now)
    after = named(scene, current, after, canary_demands(scene, canary, after))
    after = experiments.named(scene, experiment, after)
    runs, tries = run_actions(scene, current, after), experiments.experiment_actions(scene, experiment, after)
    course = Course(
        actions=(*replica_set_actions(scene, shift.scaling), *shift.actions, *runs, *tries),
        scaling=shift.scaling,
        state=after,
        gate=gate,
        may_promote=partial(_may_promote, scene, shift, unwatched),
        reasons=partial(
            canary_reasons,
            scene,
            gate,
            shift.scaling,
            (
                *current.told(),
                *experiment.told(),
                *ended(runs),
                *experiments.ended(tries),
                *shift.because,
            ),
        ),
        is_fast_rollback=scene.is_rollback,
        cause=current.failure or experiment.failure or cause,
        calling=calling,
        asks=shift.asks,
        told=shift.told,
        is_tidy=shift.is_tidy,
    )
    return conclude(scene, course, kit, now)


def _call(scene: Scene, now: datetime) -> tuple[Scene, Calling]:
    """See which step plugins are to be called, and what those say that were."""
    here = scene.here
    written = here.status.canary.step_plugin_statuses if here.status.canary else ()
    may_run = not (scene.begins or scene.is_halted)
    calling = plan_calls(scene.steps, scene.state, written, here.returned, here.calling, now, may_run=may_run)
    return replace(scene, state=replace(scene.state, calls=calling.entries)), calling


def _gate(step: BoundStep, facts: Here, now: datetime) -> Gate:
    return step.plugin.gate(step.spec, facts, now)


def _shift(
    scene: Scene, canary: CanaryStrategy, experiment: experiments.CurrentExperiment, kit: Kit, now: datetime
) -> Shift:
    if canary.traffic_routing is None:
        return by_pods(scene, canary)
    return by_router(scene, canary, kit, now, experiment.destinations)


def _held(scene: Scene, unwatched: str, calling: Calling) -> tuple[State, Gate, str] | None:
    """Hold the update where it is while the analysis that is to watch over it can't be made."""
    is_going_on = scene.current is not None and not (scene.begins or scene.is_halted or calling.failure)
    return (scene.state, Shut(unwatched), "") if unwatched and is_going_on else None


def _advance(
    scene: Scene, shift: Shift, check: Check | None, calling: Calling, now: datetime
) -> tuple[State, Gate | None, str]:
    """Let the current step decide: go on to the next one, begin its pause, wait, or give the update up; and say why.

    At most one step completes per pass; acting on the next one is the next pass's work. If that one is a pause, it
    begins with this write.
    """
    at, step = scene.state, scene.current
    if scene.begins or scene.is_halted or at.promote_full:
        return at, None, ""
    if step is None:
        return _without_stale_pause(at), None, ""
    if calling.failure:
        cause = f"step {(at.index or 0) + 1} ({step.title}) failed: {calling.failure}"
        return state.aborted(at, now), None, cause
    facts = Here(
        unmet=shift.scaling.unmet,
        paused_since=at.paused_since,
        resumed=at.resumed,
        unrouted=shift.unrouted,
        unmanaged=shift.unmanaged,
        answer=calling.answer,
        check=check,
    )
    gate = _gate(step, facts, now)
    if isinstance(gate, Open):
        return *_completed(scene, gate, now), ""
    if gate.pauses and at.paused_since is None:
        return state.paused(at, now), gate, ""
    return _without_stale_pause(at), gate, ""


def _completed(scene: Scene, gate: Gate, now: datetime) -> tuple[State, Gate]:
    """Go on to the next step, and begin its pause if it is one."""
    at = state.step_completed(scene.state)
    next_step = scene.steps[at.index] if at.index is not None and at.index < len(scene.steps) else None
    if next_step is not None and not at.pauses:
        facts = Here("the step has just begun", at.paused_since, at.resumed)
        next_gate = _gate(next_step, facts, now)
        if isinstance(next_gate, Shut) and next_gate.pauses:
            return state.paused(at, now), next_gate
    return at, gate


def _without_stale_pause(at: State) -> State:
    """Forget that we have paused, if nothing is left of it: somebody has moved on from the step."""
    is_clean = not at.controller_pause and at.paused_index is None
    return at if at.pauses or is_clean else replace(at, controller_pause=False, paused_index=None)


def _may_promote(scene: Scene, shift: Shift, unwatched: str, at: State) -> bool:
    """Whether the canary becomes stable: all steps done, complete, and watched; at once if there is no stable."""
    if scene.revisions.canary is None or scene.begins or at.abort or at.is_promoted:
        return False
    if not at.stable_hash:
        return True
    steps_done = at.index is None or at.index >= len(scene.steps)
    return steps_done and not scene.is_halted and not unwatched and shift.is_complete
