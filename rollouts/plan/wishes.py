"""What do the canary's steps ask for at this point? A fold over the steps up to the current one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rollouts.api.canary import CanaryStep
from rollouts.plan.state import State
from rollouts.ports import Kit, Wishes
from rollouts.ports.step import AnyStep

MAX_WEIGHT = 100


@dataclass(frozen=True, slots=True)
class BoundStep:
    """A step of a spec together with the plugin that knows what it means."""

    plugin: AnyStep
    spec: Any

    @property
    def title(self) -> str:
        return self.plugin.title(self.spec)


def bind_steps(steps: Sequence[CanaryStep], kit: Kit) -> tuple[BoundStep, ...]:
    """Bind each step of a valid spec to its plugin."""
    return tuple(BoundStep(kit.steps[key], spec) for step in steps for key, spec in step.actions[:1])


def wishes_at(
    steps: Sequence[BoundStep],
    state: State,
    *,
    has_stable: bool,
    max_weight: int = MAX_WEIGHT,
    keeps_scale: bool = False,
) -> Wishes:
    """Return what is wished for now: everything for a promoted template, nothing for an aborted one.

    With `keeps_scale` an aborted canary keeps the size that its steps gave it.
    """
    if not state.stable_hash or state.is_promoted or not has_stable:
        return Wishes(weight=max_weight)
    if state.abort:
        scale = _fold(steps, state).scale if keeps_scale else None
        return Wishes(weight=0, scale=scale)
    if state.promote_full or state.index is None or state.index >= len(steps):
        return Wishes(weight=max_weight)
    return _fold(steps, state)


def _fold(steps: Sequence[BoundStep], state: State) -> Wishes:
    wishes = Wishes()
    for step in steps[: (state.index or 0) + 1]:
        wishes = step.plugin.hold(wishes, step.spec)
    return wishes
