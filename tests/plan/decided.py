"""What has been decided? A whole Plan in few words, to compare it with what a row expects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rollouts.plan import Observed, Plan, Refusal, observe_rollout, plan_rollout
from rollouts.plan.analysis.templates import TemplateKey
from rollouts.plan.observed import Pod
from rollouts.ports import Kit, Objects
from rollouts.registry import load_kit
from rollouts.sim.transcript import describe
from tests.plan.given import after

Raw = Mapping[str, Any]

BOUNDED = "maxSurge (1) and maxUnavailable (0) hold it back: at most 6 pods in all, at least 5 available"


@dataclass(frozen=True)
class Decided:
    """A whole plan: actions in words, how the status changes, whether it may wait, when to look again, and why.

    Conditions are shown as `status reason`, with the message only where a row cares: that is told apart in
    test_conditions. `wakes` counts seconds from the start.
    """

    does: Sequence[str] = ()
    status: Mapping[str, Any] = field(default_factory=dict)
    waits: bool = False
    wakes: float | None = None
    because: Sequence[str] = ()


def given(
    rollout: Raw,
    *replica_sets: Raw,
    services: Mapping[str, Raw | None] | None = None,
    refusals: Sequence[Refusal] = (),
    pods: Sequence[Pod] | None = None,
    objects: Objects | None = None,
    runs: Sequence[Raw] = (),
    experiments: Sequence[Raw] = (),
    templates: Mapping[TemplateKey, Raw | None] | None = None,
) -> Observed:
    """Return what is observed."""
    return observe_rollout(
        rollout,
        replica_sets,
        services,
        pods,
        refusals,
        objects=objects,
        runs=runs,
        experiments=experiments,
        templates=templates,
    )


def planned(here: Observed, now: float | datetime = 100, kit: Kit | None = None) -> Plan:
    """Return the plan, so many seconds after the start; `kit` has other plugins than those that are installed."""
    return plan_rollout(here, now if isinstance(now, datetime) else after(now), kit or load_kit())


def decided(here: Observed, now: float = 100, kit: Kit | None = None) -> Decided:
    """Plan, and tell the plan in few words."""
    plan = planned(here, now, kit)
    return Decided(
        does=tuple(describe(action) for action in plan.actions),
        status={} if plan.status is None else _changes(here.raw.get("status") or {}, plan.status),
        waits=plan.status_can_wait,
        wakes=None if plan.wake_at is None else (plan.wake_at - after(0)).total_seconds(),
        because=tuple(plan.because),
    )


def conditions_in(status: Raw) -> dict[str, str]:
    """Return the conditions in few words."""
    return {each["type"]: f"{each['status']} {each['reason']}" for each in status.get("conditions") or ()}


def _changes(old: Raw, new: Raw) -> dict[str, Any]:
    """Return what is other in `new`, None for what is gone; conditions are compared one by one."""
    before, now = conditions_in(old), conditions_in(new)
    changed = {
        key: new.get(key) for key in sorted({*old, *new}) if key != "conditions" and old.get(key) != new.get(key)
    }
    turned = {key: now.get(key) for key in sorted({*before, *now}) if before.get(key) != now.get(key)}
    return {**changed, **({"conditions": turned} if turned else {})}


@dataclass(frozen=True)
class Row:
    """One row of a table: a sentence, what is observed, what is decided about it so many seconds after the start."""

    says: str
    here: Observed
    decided: Decided
    now: float = 100

    def __str__(self) -> str:
        return self.says
