"""What is checked of a simulated rollout: that no pass leaves the bounds, and what it has come to."""

from collections.abc import Mapping
from typing import Any

from rollouts.plan.replicas import Bounds, resolve_bounds
from rollouts.sim.simulation import Pass, Simulation
from tests.properties.worlds import NAME

NEVER_THE_SAME = {"duration", "canary"}


def passes(simulation: Simulation) -> list[Pass]:
    return [moment for moment in simulation.run() if isinstance(moment, Pass)]


def bounds_seen(record: Pass) -> Bounds:
    """Return the bounds of the spec that a pass has seen: what it was asked to keep."""
    spec = record.here.rollout.spec
    assert spec.strategy is not None
    assert spec.strategy.canary is not None
    return resolve_bounds(spec.replicas or 0, spec.strategy.canary.max_surge, spec.strategy.canary.max_unavailable)


def kept(sizes: Mapping[str, int], available: Mapping[str, int]) -> int:
    """Return how many available pods are left when ReplicaSets have these sizes: pods that aren't ready go first."""
    return sum(min(size, available.get(name, 0)) for name, size in sizes.items())


def assert_within_bounds(record: Pass) -> None:
    """Check that what one pass did left neither bound, unless it had been left before."""
    bounds = bounds_seen(record)
    before, after = (kept(sizes, record.available) for sizes in (record.sizes_before, record.sizes_after))
    assert after >= min(before, bounds.floor), (
        f"{record.now}: {before} pods were available, {after} are kept, at least {bounds.floor} must be: "
        f"{record.sizes_before} -> {record.sizes_after}, available {record.available}"
    )
    total_before, total_after = sum(record.sizes_before.values()), sum(record.sizes_after.values())
    assert total_after <= max(total_before, bounds.ceiling), (
        f"{record.now}: {total_before} pods were asked for, {total_after} are, at most {bounds.ceiling} may be: "
        f"{record.sizes_before} -> {record.sizes_after}"
    )


def end_of(simulation: Simulation) -> dict[str, Any]:
    """Return what a rollout has come to, without times and versions."""
    world = simulation.world
    raw = world.rollouts[NAME]
    status = {key: value for key, value in raw["status"].items() if key not in NEVER_THE_SAME}
    status["conditions"] = sorted((each["type"], each["status"], each["reason"]) for each in status["conditions"])
    return {
        "status": status,
        "annotations": raw["metadata"]["annotations"],
        "replica sets": {
            name: (each["spec"], each["metadata"]["annotations"]) for name, each in world.replica_sets.items()
        },
    }
