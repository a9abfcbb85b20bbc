"""What does a pass build on? The ReplicaSets sorted out, requests carried out, changes noticed."""

from dataclasses import dataclass, replace
from datetime import datetime

from rollouts.plan import state
from rollouts.plan.bound import BoundStep
from rollouts.plan.observed import Observed
from rollouts.plan.replicas import Bounds
from rollouts.plan.revisions import Revisions, sort_out
from rollouts.plan.rollback import is_within_window
from rollouts.plan.state import State


@dataclass(frozen=True, slots=True)
class Scene:
    """What the rest of the plan builds on: the sorted ReplicaSets and the state after requests and changes.

    `begins` tells that the template or the steps have changed, so that the update begins anew in this pass;
    `has_new_template` that it was the template; `is_rollback` that this update goes back within spec.rollbackWindow.
    """

    here: Observed
    revisions: Revisions
    steps: tuple[BoundStep, ...]
    before: State
    state: State
    bounds: Bounds
    begins: bool
    has_new_template: bool
    is_rollback: bool = False

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


def set_scene(here: Observed, steps: tuple[BoundStep, ...], bounds: Bounds, now: datetime) -> Scene:
    """Put together what the rest of the plan builds on; blue-green has no steps."""
    spec = here.rollout.spec
    before = State.of(here.status, len(steps))
    if any(part.startswith("status.pauseConditions") for part in here.rubbish):
        # A pause that can't be read has not been cleared: it begins again.
        before = replace(before, controller_pause=False)
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
    after = state.settle_requests(after, now, len(steps))
    is_rollback = is_within_window(here, revisions)
    return Scene(
        here=here,
        revisions=revisions,
        steps=steps,
        before=before,
        state=state.without_steps(after, len(steps)) if is_rollback else after,
        bounds=bounds,
        begins=begins,
        has_new_template=is_new_template or not before.pod_hash,
        is_rollback=is_rollback,
    )
