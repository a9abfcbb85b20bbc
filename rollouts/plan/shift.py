"""How does traffic get from stable to the canary? What either way, by pods or by a router, decides for one pass."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rollouts.api.canary import CanaryStrategy
from rollouts.plan.actions import Action
from rollouts.plan.missing import enough
from rollouts.plan.replicas import target_sizes
from rollouts.plan.scaling import Scaling, scale
from rollouts.plan.scene import Scene
from rollouts.plan.services import canary_service_switches, hash_behind
from rollouts.plan.state import State
from rollouts.plan.wishes import wishes_at
from rollouts.ports import Question


@dataclass(frozen=True, slots=True)
class Shift:
    """What is decided about sizes and traffic.

    `state` is the memory with the route that is in force. `unrouted` says what keeps the traffic from the weight that
    is wished for, `unmanaged` what keeps managed routes from being as wished for. `asks` and `told` are what is asked
    outside of the cluster, and what the status tells of the answers. `is_complete` tells that the canary has all it
    needs to become stable once the steps are done, `is_tidy` that routers' objects have nothing left over of what the
    spec has stopped to name.
    """

    scaling: Scaling
    actions: tuple[Action, ...]
    state: State
    is_complete: bool
    unrouted: str = ""
    unmanaged: str = ""
    because: tuple[str, ...] = ()
    asks: tuple[Question, ...] = ()
    told: Mapping[str, Any] = field(default_factory=dict)
    is_tidy: bool = False


def by_pods(scene: Scene, canary: CanaryStrategy) -> Shift:
    """Shift traffic by the numbers of pods: Services spread requests over all of them."""
    here, revisions, bounds, state = scene.here, scene.revisions, scene.bounds, scene.state
    wishes = wishes_at(scene.steps, state, has_stable=revisions.has_distinct_stable)
    target = target_sizes(bounds, wishes.weight, has_stable=revisions.has_distinct_stable)
    threshold = canary.replica_progress_threshold
    serving = hash_behind(here, canary.stable_service)
    return Shift(
        scaling=scale(revisions, bounds, target, threshold, halted=scene.is_halted, serving=serving),
        actions=tuple(canary_service_switches(here, canary, revisions, state)),
        state=state.without_route(),
        is_complete=revisions.canary is not None and revisions.canary.available >= enough(threshold, bounds.replicas),
    )
