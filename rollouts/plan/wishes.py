"""What do the canary's steps ask for at this point? A fold over the steps up to the current one."""

from collections.abc import Sequence
from dataclasses import replace

from rollouts.plan.bound import BoundStep
from rollouts.plan.state import State
from rollouts.ports import Wishes

MAX_WEIGHT = 100


def wishes_at(
    steps: Sequence[BoundStep],
    state: State,
    *,
    has_stable: bool,
    max_weight: int = MAX_WEIGHT,
    keeps_scale: bool = False,
    skips_steps: bool = False,
) -> Wishes:
    """Return what is wished for now: everything for a promoted template, nothing for an aborted one.

    With `keeps_scale` an aborted canary keeps the size that its steps gave it. Managed routes stay until the update
    ends, unless it goes on without steps: with `skips_steps` nobody has asked for them.
    """
    if not state.stable_hash or state.is_promoted or not has_stable:
        return Wishes(weight=max_weight)
    if state.abort:
        scale = _fold(steps, state).scale if keeps_scale else None
        return Wishes(weight=0, scale=scale)
    if state.promote_full or skips_steps or state.index is None:
        return Wishes(weight=max_weight)
    wishes = _fold(steps, state)
    return replace(wishes, weight=max_weight, scale=None) if state.index >= len(steps) else wishes


def weights_before(steps: Sequence[BoundStep], state: State) -> tuple[int, ...]:
    """Return the weights that the steps before the current one have wished for."""
    found: list[int] = []
    wishes = Wishes()
    for step in steps[: state.index or 0]:
        wishes = step.plugin.hold(wishes, step.spec)
        found.append(wishes.weight)
    return tuple(dict.fromkeys(found))


def _fold(steps: Sequence[BoundStep], state: State) -> Wishes:
    wishes = Wishes()
    for step in steps[: (state.index or 0) + 1]:
        wishes = step.plugin.hold(wishes, step.spec)
    return wishes
