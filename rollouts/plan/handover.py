"""When does the Deployment that a Rollout takes over give up its pods?

`spec.workloadRef.scaleDown` says how. It is done once: begun with the Rollout's first revision, over when the
Deployment has no pods left. How many it had at the beginning is kept in an annotation of the Rollout, written before
anything is scaled: it bounds how far the Deployment may be scaled up again, and tells at the end that its size is none
of our business any more. So a person who goes back can scale it up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rollouts.api import keys
from rollouts.api.counts import parse_count
from rollouts.plan.actions import ScaleWorkload
from rollouts.plan.missing import pods
from rollouts.plan.observed import Observed
from rollouts.plan.scene import Scene
from rollouts.plan.workload import DEPLOYMENT, NEVER, ON_SUCCESS

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Handover:
    """What the handover needs in this pass; `annotations` are for the Rollout."""

    actions: tuple[ScaleWorkload, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Giver:
    """The Deployment that gives up its pods. `available` counts none that is to go anyway."""

    name: str
    size: int
    available: int
    is_settled: bool
    raw: Raw

    @classmethod
    def of(cls, raw: Raw) -> "_Giver":
        metadata, status = raw["metadata"], raw.get("status") or {}
        size = raw["spec"].get("replicas", 1)
        is_observed = status.get("observedGeneration", 0) >= metadata.get("generation", 0)
        return cls(
            name=f"Deployment {metadata['name']}",
            size=size,
            available=min(size, status.get("availableReplicas", 0)),
            is_settled=is_observed and status.get("replicas", 0) == size,
            raw=raw,
        )


def initial_replicas(here: Observed) -> int:
    """Return the size of a Rollout whose spec doesn't tell: that of the Deployment that it takes over, or 1."""
    return (_Giver.of(here.workload).size or 1) if here.workload is not None and _mode(here) != NEVER else 1


def _mode(here: Observed) -> str:
    reference = here.rollout.spec.workload_ref
    if reference is None or reference.kind != DEPLOYMENT or here.workload is None:
        return NEVER
    return reference.scale_down or NEVER


def plan_handover(scene: Scene, sizes: Mapping[str, int]) -> Handover:
    """Scale the Deployment down as far as our pods stand in for its own, and up again should they fail.

    `sizes` are what the same pass gives to our ReplicaSets, by name: pods that go with it stand in for nothing.
    """
    here = scene.here
    if _mode(here) == NEVER or here.workload is None:
        return Handover()
    giver, written = _Giver.of(here.workload), here.annotations.get(keys.WORKLOAD_REPLICAS)
    if written is None:
        if scene.revisions.next_revision > 1:
            return Handover()
        return Handover(annotations={keys.WORKLOAD_REPLICAS: str(giver.size)})
    first = parse_count(written)
    if not first:
        return _left_alone(giver, written)
    if _is_taken_over(scene) and not giver.size:
        return Handover(annotations={keys.WORKLOAD_REPLICAS: "0"})
    return Handover() if scene.is_halted else _scaled(scene, sizes, giver, first)


def _left_alone(giver: _Giver, written: str) -> Handover:
    if written != "0":
        return Handover(because=(f"{giver.name} is not scaled: {keys.WORKLOAD_REPLICAS} is no number: {written}",))
    if giver.size:
        left = "it has been scaled down once, and what an autoscaler or a person makes of it now is left alone"
        return Handover(because=(f"{giver.name} has {pods(giver.size)} again: {left}",))
    return Handover()


def _is_taken_over(scene: Scene) -> bool:
    """Whether all pods that the Rollout asks for are there, of a template that is stable."""
    canary, replicas = scene.revisions.canary, scene.bounds.replicas
    if canary is None or not canary.is_observed or not scene.state.is_promoted:
        return False
    return canary.size == replicas and canary.available >= replicas > 0


def _scaled(scene: Scene, sizes: Mapping[str, int], giver: _Giver, first: int) -> Handover:
    """Return the Deployment's next size.

    Both together keep what was there at the beginning, until the Rollout has all the pods that it asks for. Of the
    Deployment's pods any may be the one that goes, so one that isn't available counts as if it stayed.
    """
    if _is_taken_over(scene):
        return _to(scene, giver, 0, "all pods of the Rollout are available")
    if _mode(scene.here) == ON_SUCCESS:
        return Handover(because=(f"{giver.name} keeps its pods until all pods of the Rollout are available",))
    if giver.size > first:
        why = f"it had {first} at first: an autoscaler or a person scales it"
        return Handover(
            because=(f"{giver.name} keeps its {pods(giver.size)} until the Rollout has all of its own, {why}",)
        )
    ours = sum(min(each.size, sizes.get(each.name, each.size), each.available) for each in scene.revisions.all)
    floor = max(scene.bounds.replicas, first)
    needed = min(first, max(0, floor - ours))
    if needed > giver.size:
        return _to(scene, giver, needed, f"the Rollout has only {pods(ours)} available")
    if not giver.is_settled or not all(each.is_observed for each in scene.revisions.all):
        return Handover(because=(f"{giver.name} is not scaled down before the counts of pods have settled",))
    spare = ours + giver.available - floor
    return _to(scene, giver, max(needed, giver.size - max(0, spare)), f"the Rollout has {pods(ours)} available")


def _to(scene: Scene, giver: _Giver, size: int, why: str) -> Handover:
    if size == giver.size:
        return Handover(because=(f"{giver.name} keeps {pods(size)} while {why}",))
    metadata = giver.raw["metadata"]
    refusals = (each for each in scene.here.refusals if each.verb == "scale")
    refused = (f"the API server refuses to scale {giver.name}: {each.message}" for each in refusals)
    by_counts = 0 < size < giver.size
    version = metadata["resourceVersion"] if by_counts or not giver.size else ""  # a Scale leaves a size of 0 out
    action = ScaleWorkload(metadata["name"], metadata["uid"], giver.size, size, version)
    return Handover(
        actions=(action,), because=(f"{giver.name} goes from {giver.size} to {pods(size)}: {why}", *refused)
    )
