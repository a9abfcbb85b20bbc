"""What does a Rollout remember between two passes, and how do requests and changes move that memory on?

Everything here is kept in `status` because the API defines it as state. The functions are pure: each takes a State and
returns the next one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from rollouts.api import keys
from rollouts.api.status import (
    PauseCondition,
    RolloutAnalysisRunStatus,
    RolloutStatus,
    StepPluginStatus,
    TrafficWeights,
)
from rollouts.api.timestamps import whole_second

CANARY_PAUSE = "CanaryPauseStep"
BLUE_GREEN_PAUSE = "BlueGreenPause"
PING, PONG = "ping", "pong"
INCONCLUSIVE_RUN, INCONCLUSIVE_EXPERIMENT = "InconclusiveAnalysisRun", "InconclusiveExperiment"
INCONCLUSIVE_PAUSES = frozenset({INCONCLUSIVE_RUN, INCONCLUSIVE_EXPERIMENT})
# A canary's runs are forgotten once they have done their work; those of blue-green stay for people to see.
_CANARY_SLOTS = frozenset({keys.ROLLOUT_TYPE_STEP, keys.ROLLOUT_TYPE_BACKGROUND})


@dataclass(frozen=True, slots=True)
class State:
    """The part of `status` that is memory. `index` is None for a canary without steps.

    `check_point` tells that a blue-green update is past its pause: the preview may grow, and become active.
    `weights` is the last route that the routers' objects were seen to have, None without a router. `ping_pong` tells
    which Service of a pair is the stable one; empty without a pair. `calls` tells how far the step plugins are.
    `runs` are the current analysis runs by slot, which is what their label says; `experiment` is the name of the
    current step's experiment.
    """

    pod_hash: str = ""
    stable_hash: str = ""
    step_hash: str = ""
    index: int | None = None
    pauses: tuple[PauseCondition, ...] = ()
    controller_pause: bool = False
    paused_index: int | None = None
    abort: bool = False
    aborted_at: datetime | None = None
    promote_full: bool = False
    restarted_at: datetime | None = None
    collision_count: int | None = None
    check_point: bool = False
    weights: TrafficWeights | None = None
    ping_pong: str = ""
    calls: tuple[StepPluginStatus, ...] = ()
    runs: Mapping[str, RolloutAnalysisRunStatus] = field(default_factory=dict)
    experiment: str = ""

    @classmethod
    def of(cls, status: RolloutStatus, step_count: int) -> "State":
        """Read the memory; an index that somebody wrote out of range means the nearest end."""
        index = status.current_step_index
        if step_count == 0:
            index = None
        elif index is not None:
            index = min(max(index, 0), step_count)
        canary, blue_green = status.canary, status.blue_green
        return cls(
            pod_hash=status.current_pod_hash or "",
            stable_hash=status.stable_rs or "",
            step_hash=status.current_step_hash or "",
            index=index,
            pauses=tuple(status.pause_conditions or ()),
            controller_pause=bool(status.controller_pause),
            paused_index=canary.paused_step_index if canary else None,
            abort=bool(status.abort),
            aborted_at=status.aborted_at,
            promote_full=bool(status.promote_full),
            restarted_at=status.restarted_at,
            collision_count=status.collision_count,
            check_point=bool(blue_green.scale_up_preview_check_point) if blue_green else False,
            weights=canary.weights if canary else None,
            ping_pong=(canary.stable_ping_pong if canary else "") or "",
            calls=tuple(canary.step_plugin_statuses or ()) if canary else (),
            runs=_runs_in(status),
            experiment=(canary.current_experiment if canary else "") or "",
        )

    def without_route(self) -> "State":
        """Forget the router: there is none."""
        return replace(self, weights=None, ping_pong="") if self.weights or self.ping_pong else self

    def with_ping_pong(self, stable_service: str) -> "State":
        """Remember which Service of a pair is the stable one; empty for no pair."""
        return replace(self, ping_pong=stable_service) if self.ping_pong != stable_service else self

    @property
    def is_promoted(self) -> bool:
        """Whether the current template is the stable one."""
        return bool(self.stable_hash) and self.stable_hash == self.pod_hash

    @property
    def is_inconclusive(self) -> bool:
        """Whether an analysis or an experiment could not decide: scaling stands still, too."""
        return any(pause.reason in INCONCLUSIVE_PAUSES for pause in self.pauses)

    @property
    def was_resumed(self) -> bool:
        """Whether somebody has cleared the pauses that we had set, wherever the update is by now."""
        return self.controller_pause and not self.pauses

    @property
    def resumed(self) -> bool:
        """Whether somebody has cleared the pause that we had set, at the step that we had set it for.

        Somebody who clears a pause *and* moves the index skips steps: the step arrived at is still to be done.
        """
        is_same_step = self.paused_index is None or self.paused_index == self.index
        return self.was_resumed and is_same_step

    @property
    def paused_since(self) -> datetime | None:
        """When the pause of the current canary step began. One that began at another step is not this step's."""
        if self.paused_index is not None and self.paused_index != self.index:
            return None
        return next((pause.start_time for pause in self.pauses if pause.reason == CANARY_PAUSE), None)

    @property
    def previewed_since(self) -> datetime | None:
        """When the pause of a blue-green update began."""
        return next((pause.start_time for pause in self.pauses if pause.reason == BLUE_GREEN_PAUSE), None)


def _runs_in(status: RolloutStatus) -> dict[str, RolloutAnalysisRunStatus]:
    canary, blue_green = status.canary, status.blue_green
    runs = {
        keys.ROLLOUT_TYPE_STEP: canary.current_step_analysis_run_status if canary else None,
        keys.ROLLOUT_TYPE_BACKGROUND: canary.current_background_analysis_run_status if canary else None,
        keys.ROLLOUT_TYPE_PRE_PROMOTION: blue_green.pre_promotion_analysis_run_status if blue_green else None,
        keys.ROLLOUT_TYPE_POST_PROMOTION: blue_green.post_promotion_analysis_run_status if blue_green else None,
    }
    return {slot: record for slot, record in runs.items() if record is not None and record.name}


def heard(state: State) -> State:
    """Forget that somebody has resumed the update: from now on what follows has the word."""
    if state.pauses or not state.controller_pause:
        return state
    return replace(state, controller_pause=False, paused_index=None)


def reset(state: State, *, pod_hash: str, step_hash: str, step_count: int, restart_at: datetime | None) -> State:
    """Begin anew for another template or other steps.

    Back to the stable template there is nothing left to do: all steps count as done. All pods will be new, so a pending
    restart is done, too.
    """
    goes_back = bool(state.stable_hash) and pod_hash == state.stable_hash
    return replace(
        state,
        pod_hash=pod_hash,
        step_hash=step_hash,
        index=None if not step_count else step_count if goes_back else 0,
        pauses=(),
        controller_pause=False,
        paused_index=None,
        abort=False,
        aborted_at=None,
        promote_full=False,
        restarted_at=restart_at or state.restarted_at,
        check_point=False,
        calls=(),
        runs={},
        experiment="",
    )


def settle_requests(state: State, now: datetime, step_count: int) -> State:
    """Carry out what people ask for by patching the status: abort, retry, promoteFull.

    Of two requests the later one counts: an abort that has been seen before (`aborted_at`) gives way to promoteFull,
    any other abort wins over it. When nothing is being updated there is nothing to abort or promote.
    """
    has_request = state.abort or state.promote_full or state.aborted_at is not None
    if has_request and (state.is_promoted or not state.stable_hash):
        state = replace(state, abort=False, aborted_at=None, promote_full=False)
    if state.is_promoted:
        # An update that is over has neither a step nor a pause, whatever somebody writes there.
        return state if _is_over(state, step_count) else replace(_unpaused(state), index=step_count or None)
    if state.abort and state.promote_full:
        is_new = state.aborted_at is None
        state = replace(state, promote_full=False) if is_new else replace(state, abort=False)
    if state.abort:
        return aborted(state, now)
    if state.promote_full:
        return replace(_unpaused(state), aborted_at=None, index=step_count or None)
    if state.aborted_at is not None:
        return replace(state, aborted_at=None, index=0 if step_count else None, calls=(), runs={}, experiment="")
    return state


def without_steps(state: State, step_count: int) -> State:
    """Count all steps as done and no pause as needed, unless the update is given up, or has nowhere to come from."""
    if state.abort or not state.stable_hash or _is_over(state, step_count):
        return state
    return replace(_unpaused(state), index=step_count or None)


def _is_over(state: State, step_count: int) -> bool:
    is_unpaused = not state.pauses and not state.controller_pause and state.paused_index is None
    return is_unpaused and not state.check_point and state.index == (step_count or None)


def _unpaused(state: State) -> State:
    return replace(state, pauses=(), controller_pause=False, paused_index=None, check_point=False)


def aborted(state: State, now: datetime) -> State:
    """Give up the update: back to the first step, without pauses. `aborted_at` tells since when."""
    first = None if state.index is None else 0
    return replace(
        _unpaused(state), abort=True, promote_full=False, aborted_at=state.aborted_at or whole_second(now), index=first
    )


def paused(state: State, now: datetime) -> State:
    """Begin the pause of the current canary step."""
    others = (pause for pause in state.pauses if pause.reason != CANARY_PAUSE)
    pause = PauseCondition(reason=CANARY_PAUSE, start_time=whole_second(now))
    return replace(state, pauses=(*others, pause), controller_pause=True, paused_index=state.index)


def undecided(state: State, now: datetime, reason: str = INCONCLUSIVE_RUN) -> State:
    """Begin the pause of a run or an experiment that couldn't decide, beside the pause of a step that may be on."""
    if any(pause.reason == reason for pause in state.pauses):
        return state
    pause = PauseCondition(reason=reason, start_time=whole_second(now))
    index = state.index if state.paused_index is None else state.paused_index
    return replace(state, pauses=(*state.pauses, pause), controller_pause=True, paused_index=index)


def previewed(state: State, now: datetime) -> State:
    """Begin the pause of a blue-green update."""
    pause = PauseCondition(reason=BLUE_GREEN_PAUSE, start_time=whole_second(now))
    return replace(state, pauses=(pause,), controller_pause=True, paused_index=None)


def past_preview(state: State) -> State:
    """End the pause of a blue-green update, for good: the word of whoever promoted it must not get lost."""
    return replace(_unpaused(state), check_point=True)


def step_completed(state: State) -> State:
    """Go on to the next step; the pause of the finished one is over."""
    pauses = tuple(pause for pause in state.pauses if pause.reason != CANARY_PAUSE)
    index = None if state.index is None else state.index + 1
    runs = {slot: record for slot, record in state.runs.items() if slot != keys.ROLLOUT_TYPE_STEP}
    return replace(
        state, index=index, pauses=pauses, controller_pause=bool(pauses), paused_index=None, runs=runs, experiment=""
    )


def promoted(state: State, step_count: int) -> State:
    """Make the current template the stable one; of a pair of Services, the one that has its traffic."""
    return replace(
        _turned(_unpaused(state)),
        stable_hash=state.pod_hash,
        index=step_count or None,
        abort=False,
        aborted_at=None,
        promote_full=False,
        runs={slot: record for slot, record in state.runs.items() if slot not in _CANARY_SLOTS},
        experiment="",
    )


def _turned(state: State) -> State:
    if not state.ping_pong:
        return state
    weights = state.weights
    if weights is not None:
        weights = weights.model_copy(update={"canary": weights.stable, "stable": weights.canary})
    return replace(state, weights=weights, ping_pong=PONG if state.ping_pong == PING else PING)
