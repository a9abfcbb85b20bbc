"""Which steps are done, which one is in progress? And which weight do they ask for."""

from dataclasses import dataclass
from typing import Any, Literal

from rollouts.view import fields
from rollouts.view.fields import Raw

State = Literal["done", "current", "ahead"]

_FULL = 100
_MANAGED_ROUTES = ("setHeaderRoute", "setMirrorRoute")


@dataclass(frozen=True, slots=True)
class StepRow:
    """One canary step; `index` counts from 0."""

    index: int
    title: str
    state: State


def step_title(step: Any) -> str:
    """Return a step in a few words, as events name it: `setWeight: 20`, `pause: 10s`, `setCanaryScale{weight: 25}`.

    Reads the raw step, so that a step of an unknown kind has a title too.
    """
    if not isinstance(step, dict) or not step:
        return "(no action)"
    return " + ".join(_action_title(key, value) for key, value in step.items())


def _action_title(key: str, value: Any) -> str:
    if not isinstance(value, dict):
        return f"{key}: {value}"
    if isinstance(value.get("name"), str):
        return f"{key}: {value['name']}{_of_route(value) if key in _MANAGED_ROUTES else ''}"
    plain = {name: each for name, each in value.items() if isinstance(each, str | int | float)}
    if set(plain) == {"duration"}:
        text = str(plain["duration"])
        return f"{key}: {text}s" if text.isdigit() else f"{key}: {text}"
    if not plain:
        return key
    words = ", ".join(
        f"{name}: {str(each).lower() if isinstance(each, bool) else each}" for name, each in plain.items()
    )
    return f"{key}{{{words}}}"


def _of_route(value: Raw) -> str:
    """Say that a managed route is removed, or which share of the requests it means."""
    if not value.get("match"):
        return ", removed"
    return f", {value['percentage']} %" if "percentage" in value else ""


def steps_of(rollout: Raw) -> list[Any]:
    """Return the raw steps."""
    return list(fields.items(rollout, "spec", "strategy", "canary", "steps"))


def step_index(rollout: Raw) -> int | None:
    """Return the index of the step in progress, the number of steps when all are done, None without steps."""
    steps = steps_of(rollout)
    index = fields.part(rollout, "status").get("currentStepIndex")
    if not steps:
        return None
    return max(0, min(index, len(steps))) if isinstance(index, int) else 0


def step_rows(rollout: Raw) -> tuple[StepRow, ...]:
    """Return all steps with their state; an aborted update has no current step."""
    index = step_index(rollout) or 0
    is_moving = not fields.is_aborted(rollout) and bool(fields.part(rollout, "status"))

    def state(position: int) -> State:
        if position < index:
            return "done"
        return "current" if position == index and is_moving else "ahead"

    return tuple(
        StepRow(position, step_title(step), state(position)) for position, step in enumerate(steps_of(rollout))
    )


def whole_weight(rollout: Raw) -> int:
    """Return what weights are parts of."""
    routing = fields.part(rollout, "spec", "strategy", "canary", "trafficRouting")
    return fields.count(routing, "maxTrafficWeight", _FULL)


def set_weight(rollout: Raw) -> int | None:
    """Return the weight that the steps so far ask for; None for another strategy than canary."""
    if not fields.is_canary(rollout):
        return None
    steps, index = steps_of(rollout), step_index(rollout)
    if index is None or index >= len(steps):
        return whole_weight(rollout)
    if fields.is_aborted(rollout):
        return 0
    weights = [step["setWeight"] for step in steps[: index + 1] if isinstance(step, dict) and "setWeight" in step]
    return int(weights[-1]) if weights and isinstance(weights[-1], int) else 0


def actual_weight(rollout: Raw, canary_available: int, available: int) -> int | None:
    """Return the canary's share: all once it is stable, else what a router is known to do, or that of the pods."""
    if not fields.is_canary(rollout):
        return None
    if fields.is_promoted(rollout):
        return whole_weight(rollout)
    routed = fields.part(rollout, "status", "canary", "weights", "canary").get("weight")
    if isinstance(routed, int):
        return routed
    return canary_available * whole_weight(rollout) // available if available else 0
