"""What is decided for a canary with a router, in few words? Builders and a comparison for the routed tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rollouts.api import keys
from rollouts.api.timestamps import parse_time
from rollouts.plan import Observed, plan_rollout
from rollouts.plan.actions import CreateReplicaSet, DeleteReplicaSet, PatchObject, SwitchService, UpdateReplicaSet
from tests.plan.decided import given
from tests.plan.given import ONE, THREE, TWO, Raw, after, replica_set
from tests.plan.test_services import ours
from tests.routing import KIT, split, told, written_down

NAMES = {ONE: "V1", TWO: "V2", THREE: "V3"}


@dataclass(frozen=True)
class Does:
    """What a pass does to sizes (by version), deadlines (seconds from the start), Services and the route's shares."""

    sizes: Mapping[str, int] = field(default_factory=dict)
    deadlines: Mapping[str, float | None] = field(default_factory=dict)
    services: Mapping[str, str] = field(default_factory=dict)
    shares: Mapping[str, int] | None = None


def does(here: Observed, now: float = 100) -> Does:
    """Plan, and tell the actions in few words."""
    plan = plan_rollout(here, after(now), KIT)
    assert plan.problem is None, plan.problem
    sizes: dict[str, int] = {}
    deadlines: dict[str, float | None] = {}
    services: dict[str, str] = {}
    shares: dict[str, int] | None = None
    for action in plan.actions:
        match action:
            case CreateReplicaSet():
                sizes[NAMES[action.pod_hash]] = action.size
            case UpdateReplicaSet():
                name = NAMES[action.name.removeprefix("web-")]
                if action.size is not None:
                    sizes[name] = action.size
                if keys.SCALE_DOWN_DEADLINE in action.annotations:
                    deadlines[name] = _seconds(action.annotations[keys.SCALE_DOWN_DEADLINE])
            case SwitchService():
                services[action.name] = NAMES[action.pod_hash]
            case PatchObject():
                shares = {each["to"]: each["weight"] for each in action.body["spec"]["shares"]}
            case DeleteReplicaSet():
                raise AssertionError("no table is about history")
    return Does(sizes, deadlines, services, shares)


def _seconds(deadline: str | None) -> float | None:

    return None if deadline is None else (parse_time(deadline) - after(0)).total_seconds()


def seen(
    rollout: Raw,
    *replica_sets: Raw,
    weight: int = 0,
    objects: Mapping[Any, Any] | None = None,
    s: str = ONE,
    c: str = TWO,
) -> Observed:
    """Return what is observed of a Rollout with the Services s and c, and a router that gives the canary a weight."""
    shares = {"c": weight, "s": 100 - weight}
    return given(
        written_down(rollout),
        *replica_sets,
        services={"s": ours("s", s), "c": ours("c", c)},
        objects=split(shares) if objects is None else objects,
    )


def pods(*versions: Sequence[Any], desired: int = 10, **annotations: Mapping[str, str]) -> list[Raw]:
    """Return ReplicaSets: (version, size) or (version, size, available)."""
    return [
        replica_set(
            f"app:{version}",
            *counts,
            revision=version,
            desired=desired,
            created=version,
            annotations=annotations.get(f"V{version}"),
        )
        for version, *counts in versions
    ]


__all__ = ["Does", "does", "pods", "seen", "told"]
