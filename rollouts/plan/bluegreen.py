"""What is next for a blue-green rollout: one version behind the active Service, the next one beside it in preview?

The order: which ReplicaSets are whose, how large is each, is the pause before the switch over, may the active Service
be switched, has it been. The switch is an action like any other: the version is promoted by the pass that sees the
Service select it. Nothing that the active Service selects is ever scaled down, so a lost switch loses no request.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from rollouts.api.bluegreen import BlueGreenStrategy
from rollouts.api.timestamps import format_time
from rollouts.plan import state
from rollouts.plan.actions import Plan, SwitchService
from rollouts.plan.analysis.assess import SUCCESSFUL
from rollouts.plan.bluegreen_reasons import blue_green_reasons
from rollouts.plan.bluegreen_sizes import blue_green_scaling, preview_size, unmet_preview
from rollouts.plan.children.analyses.current import Current, ended, look, named, run_actions
from rollouts.plan.children.analyses.slots import POST_PROMOTION, PRE_PROMOTION, Demand, demand
from rollouts.plan.conclude import Course, conclude
from rollouts.plan.delays import deadline_on
from rollouts.plan.observed import Observed, ReplicaSet
from rollouts.plan.preview_mirror import Mirror, find_mirror
from rollouts.plan.replicas import resolve_bounds
from rollouts.plan.scaling import replica_set_actions
from rollouts.plan.scene import Scene, set_scene
from rollouts.plan.services import Selection, active_switch, preview_switch
from rollouts.plan.state import State
from rollouts.ports import Gate, Kit, Open, Shut


@dataclass(frozen=True, slots=True)
class _Pass:
    """What one pass works on. `returns_until` is the deadline of a version that comes back before it has gone."""

    scene: Scene
    blue_green: BlueGreenStrategy
    selection: Selection
    returns_until: datetime | None
    now: datetime

    @property
    def fast_track(self) -> str:
        """Why this update needs neither preview nor pause nor analyses; empty when it does."""
        at, revisions = self.scene.state, self.scene.revisions
        if at.promote_full:
            return "full promotion was requested: no pause is needed"
        if self.scene.is_rollback:
            return "back to a revision within spec.rollbackWindow: no pause is needed"
        if self.returns_until is not None:
            return "back to a version that is still up: no pause is needed"
        if revisions.stable is None:
            return "the stable ReplicaSet is gone: no pause is needed"
        return ""

    @property
    def has_switched(self) -> bool:
        """Whether the active Service selects the current version already."""
        return self.selection.active == self.scene.state.pod_hash

    @property
    def shortcut(self) -> str:
        """Why this update needs neither preview nor pause any more; empty when it does."""
        return self.fast_track or ("the active Service selects it already" if self.has_switched else "")


def plan_blue_green(here: Observed, blue_green: BlueGreenStrategy, kit: Kit, now: datetime) -> Plan:
    """Plan one pass of a valid Rollout with the blue-green strategy."""
    bounds = resolve_bounds(here.rollout.spec.replicas_or_default, 0, blue_green.max_unavailable)
    scene = set_scene(here, (), bounds, now)
    selection = Selection.of(here) or Selection("", None)
    this = _Pass(scene, blue_green, selection, _returns_until(scene, now), now)
    least = preview_size(scene, blue_green, this.shortcut)
    mirror = find_mirror(here, blue_green, selection, kit)
    missing = unmet_preview(scene.revisions, least, or_more=True)
    unset = mirror.lacks if _is_to_mirror(this) else ""
    demands = tuple(_demands(this, missing or unset))
    current = look(scene, demands, keeps=(PRE_PROMOTION, POST_PROMOTION))
    this = replace(this, scene=replace(scene, state=current.decided(now)))
    scene = this.scene
    after, gate = _advance(this, missing, unset, current)
    after = named(scene, current, after, demands)
    wanted = least if after.check_point == scene.state.check_point else _without_shrinking(scene, least)
    scaling = blue_green_scaling(scene, blue_green, selection, wanted, this.returns_until, now)
    goal = None if scene.is_halted or scene.begins else _active_goal(this, gate, wanted)
    takes_copies = not after.abort and _may_mirror(this, mirror, missing) and goal is not scene.revisions.canary
    copies = mirror.tidying(wanted=takes_copies)
    held = mirror.held if _moves(this, goal) and not after.abort else ""
    switches = () if held else (*_preview_switch(this), *_active_switch(this, goal))
    actions = [
        *replica_set_actions(scene, scaling),
        *switches,
        *copies.actions,
        *(runs := run_actions(scene, current, after)),
    ]
    why = (*([held] if held else _waiting(this, goal, switches)), *copies.because, *current.told(), *ended(runs))
    course = Course(
        actions=tuple(actions),
        scaling=scaling,
        state=after,
        gate=gate,
        may_promote=partial(_may_promote, this, gate),
        reasons=partial(blue_green_reasons, scene, gate, scaling, why),
        is_fast_rollback=scene.is_rollback or this.returns_until is not None,
        cause=current.failure,
        is_tidy=copies.is_done,
    )
    return conclude(scene, course, kit, now)


def _is_to_mirror(this: _Pass) -> bool:
    """Whether the preview is to get copies of requests before anybody judges it.

    An active Service that isn't ours yet selects every version: the preview gets requests themselves.
    """
    at = this.scene.state
    is_update = bool(at.stable_hash and this.selection.active) and not at.abort and not at.is_promoted
    return this.blue_green.traffic_routing is not None and is_update and not this.shortcut


def _may_mirror(this: _Pass, mirror: Mirror, missing: str) -> bool:
    """Whether the preview may get copies now: once it has its pods, and as long as one of them is left."""
    current = this.scene.revisions.canary
    if current is None or not _is_to_mirror(this) or this.selection.preview != this.scene.state.pod_hash:
        return False
    return not missing or (mirror.is_set and current.available > 0)


def _moves(this: _Pass, goal: ReplicaSet | None) -> bool:
    """Whether an update moves a Service: the one that gets requests, or the one that gets copies of them."""
    at = this.scene.state
    is_next = goal is not None and goal is this.scene.revisions.canary
    return bool(at.stable_hash) and (is_next or this.selection.preview != at.pod_hash)


def _returns_until(scene: Scene, now: datetime) -> datetime | None:
    """Return the deadline of a version that has been stable before, and comes back within its scale-down delay.

    It keeps the deadline until it is promoted: nothing else tells a later pass that this is a fast way back. One that
    was given up carries a deadline, too; trying it again is no way back.
    """
    current, stable, at = scene.revisions.canary, scene.revisions.stable, scene.state
    is_update = not at.is_promoted and not at.abort and scene.before.aborted_at is None
    if current is None or stable is None or not is_update or current.age >= stable.age:
        return None
    end = deadline_on(current, now)
    return end if end is not None and end > now and current.size > 0 else None


def _demands(this: _Pass, missing: str) -> Iterator[Demand]:
    """Yield which analyses are asked for: before the promotion while the preview is shown, after it once switched.

    Neither begins before all pods are there that it looks at, and before the Service selects them; once begun it goes
    on. `missing` says what the preview lacks.
    """
    scene, blue_green, selection = this.scene, this.blue_green, this.selection
    at, pre, post = scene.state, blue_green.pre_promotion_analysis, blue_green.post_promotion_analysis
    if at.abort or at.is_promoted or not at.stable_hash or this.fast_track:
        return
    is_complete = not unmet_preview(scene.revisions, scene.bounds.replicas)
    is_shown = not missing and selection.preview in {None, at.pod_hash}
    if pre is not None and not this.has_switched and (PRE_PROMOTION in at.runs or is_shown):
        yield demand(scene, PRE_PROMOTION, pre)
    if post is not None and this.has_switched and (POST_PROMOTION in at.runs or is_complete):
        yield demand(scene, POST_PROMOTION, post)


def _analysed(this: _Pass, current: Current, missing: str) -> Gate | None:
    """Let the analysis decide that stands before the switch, or before the promotion; None where there is none."""
    slot, analysis = (
        (POST_PROMOTION, this.blue_green.post_promotion_analysis)
        if this.has_switched
        else (PRE_PROMOTION, this.blue_green.pre_promotion_analysis)
    )
    if analysis is None or this.fast_track:
        return None
    check = current.check(slot)
    if check is None:
        waits = missing or f"Service {this.blue_green.preview_service} doesn't select the preview yet"
        return Shut("its analysis run begins", patient=True) if slot in current.demands else Shut(waits)
    return None if check.phase == SUCCESSFUL else Shut(check.because, patient=not check.is_stuck)


def _advance(this: _Pass, missing: str, unset: str, current: Current) -> tuple[State, Gate | None]:
    """Let the pause before the switch begin or end; Open means that the active Service may be switched.

    Analyses come first: the one before the switch even before the pause, the one after it before the promotion.
    `missing` says which pods the preview lacks, `unset` that it doesn't get its copies of requests yet.
    """
    scene, at = this.scene, this.scene.state
    if scene.is_halted or scene.begins or at.is_promoted or at.abort or not at.stable_hash:
        return at, None
    if (gate := _analysed(this, current, missing or unset)) is not None:
        return at, gate
    if why := this.shortcut:
        return state.past_preview(at) if at.pauses else at, Open(why)
    if why := _word_given(at):
        return state.past_preview(at), Open(why)
    return _previewed(this, missing, unset)


def _previewed(this: _Pass, missing: str, unset: str) -> tuple[State, Gate]:
    """Begin the pause once the preview is there with what it is to get, and end it when its time is over.

    Without a pause nobody looks at the copies any more: they aren't waited for, and may be gone already.
    """
    at = this.scene.state
    since = at.previewed_since
    if since is None and missing:
        return at, Shut(missing)
    gate = _pause(this.blue_green, since, this.now)
    if isinstance(gate, Open):
        is_to_grow = this.blue_green.preview_replica_count is not None
        return state.past_preview(at) if since is not None or is_to_grow else at, gate
    if since is None and unset:
        return at, Shut(unset)
    return at if since is not None else state.previewed(at, this.now), gate


def _without_shrinking(scene: Scene, size: int) -> int:
    """Return a preview's size in the pass that ends its pause: pods beyond previewReplicaCount are needed at once."""
    current = scene.revisions.canary
    return size if current is None else max(size, min(current.size, scene.bounds.replicas))


def _word_given(at: State) -> str:
    """Say why the pause is over for good; empty while it isn't."""
    if at.check_point:
        return "the preview is promoted: the active Service is switched once all pods are available"
    return "somebody has promoted the preview" if at.controller_pause and not at.pauses else ""


def _pause(blue_green: BlueGreenStrategy, since: datetime | None, now: datetime) -> Gate:
    """Say whether the pause is over; `since` is when it began, None if it would begin now."""
    if not blue_green.is_promoted_automatically:
        return Shut("autoPromotionEnabled is false: promote to switch the active Service", pauses=True, patient=True)
    seconds = blue_green.auto_promotion_seconds or 0
    if seconds <= 0:
        return Open("the preview is available: the active Service is switched once all pods are")
    end = (since or now) + timedelta(seconds=seconds)
    if now >= end:
        return Open("autoPromotionSeconds are over: the active Service is switched once all pods are available")
    return Shut(f"autoPromotionSeconds: the preview is promoted at {format_time(end)}", end, pauses=True, patient=True)


def _preview_switch(this: _Pass) -> tuple[SwitchService, ...]:
    current = this.scene.revisions.canary
    if this.scene.is_halted or current is None:
        return ()
    return tuple(preview_switch(this.scene.here, this.blue_green, current))


def _active_switch(this: _Pass, goal: ReplicaSet | None) -> tuple[SwitchService, ...]:
    """Return the switch to `goal`, unless that has fewer pods available than the Service reaches now.

    Only an abort is content with one: whoever gives a version up wants its clients back on stable.
    """
    if goal is None:
        return ()
    replicas = this.scene.bounds.replicas
    enough = min(replicas, 1 if this.scene.state.abort else max(1, _reachable(this)))
    return tuple(active_switch(this.scene.here, this.blue_green.active_service, goal, enough))


def _waiting(this: _Pass, goal: ReplicaSet | None, switches: tuple[SwitchService, ...]) -> tuple[str, ...]:
    """Say what each Service waits for that is neither where it should be, nor gets there now."""
    current = None if this.scene.is_halted else this.scene.revisions.canary
    places = (
        (this.blue_green.active_service, this.selection.active, goal, "enough"),
        (this.blue_green.preview_service, this.selection.preview, current, "all"),
    )
    moving = {each.name for each in switches}
    return tuple(
        f"Service {name} {f'still selects {selected}' if selected else 'is not ours yet'}: "
        f"it is switched once {count} pods of {wanted.pod_hash} are available"
        for name, selected, wanted, count in places
        if name and name not in moving and wanted is not None and selected != wanted.pod_hash
    )


def _active_goal(this: _Pass, gate: Gate | None, wanted: int) -> ReplicaSet | None:
    """Return what the active Service should select; None while it may stay where it is.

    That is the stable version until the next one may take over, and whatever has been selected by hand: a Service that
    was created anew selects every version, the one in preview, too. `wanted` is the size that the next one gets in this
    pass: a whole preview that is about to shrink may not take over.
    """
    scene = this.scene
    at, current, stable = scene.state, scene.revisions.canary, scene.revisions.stable
    if at.abort:
        return current if stable is None else stable  # a version that is given up is better than none at all
    if at.is_promoted or not at.stable_hash:
        return current
    if this.selection.active == at.pod_hash:
        return None
    if isinstance(gate, Open) and current is not None and _is_saturated(scene, current, wanted):
        return current
    return stable


def _is_saturated(scene: Scene, current: ReplicaSet, wanted: int) -> bool:
    """Whether a version could serve everybody, and stays as large."""
    replicas = scene.bounds.replicas
    return current.is_observed and current.size == wanted == replicas <= current.available


def _reachable(this: _Pass) -> int:
    """Return how many available pods the active Service selects now."""
    active = this.selection.active
    return sum(each.available for each in this.scene.revisions.all if active in {"", each.pod_hash})


def _may_promote(this: _Pass, gate: Gate | None, at: State) -> bool:
    """Whether the current version becomes stable: the active Service selects it, and the analysis after that agrees.

    At once if there is no stable one.
    """
    scene = this.scene
    if scene.revisions.canary is None or scene.begins or at.abort or at.is_promoted:
        return False
    needs_word = this.blue_green.post_promotion_analysis is not None and not this.fast_track
    return not at.stable_hash or (this.selection.active == at.pod_hash and (not needs_word or isinstance(gate, Open)))
