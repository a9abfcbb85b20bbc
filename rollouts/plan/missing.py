"""What still keeps the ReplicaSets from the sizes that they should have, in words that people read?"""

from rollouts.api.canary import ReplicaProgressThreshold
from rollouts.plan.observed import ReplicaSet
from rollouts.plan.replicas import Sizes
from rollouts.plan.revisions import Revisions


def pods(count: int) -> str:
    """Return a number of pods in words."""
    return f"{count} pod" if count == 1 else f"{count} pods"


def enough(threshold: ReplicaProgressThreshold | None, wanted: int) -> int:
    """Return how many of `wanted` pods must be available to go on: all, or what replicaProgressThreshold says."""
    if threshold is None:
        return wanted
    if threshold.type == "Percent":
        return -(-wanted * threshold.value // 100)
    return min(threshold.value, wanted)


def unmet(revisions: Revisions, target: Sizes, threshold: ReplicaProgressThreshold | None = None) -> str:
    """Say what keeps the ReplicaSets from their target, or nothing."""
    old = sum(each.available for each in revisions.others)
    return (
        canary_unmet(revisions, target.canary, threshold)
        or stable_unmet(revisions, target.stable)
        or (f"older revisions still have {pods(old)} available" if old else "")
    )


def canary_unmet(revisions: Revisions, target: int, threshold: ReplicaProgressThreshold | None) -> str:
    """Say what the canary's ReplicaSet lacks; once it is stable, it is called so."""
    canary = revisions.canary
    if canary is None:
        return "the canary's ReplicaSet does not exist yet"
    name = "the canary" if revisions.has_distinct_stable or revisions.stable is None else "stable"
    if threshold is not None and revisions.has_distinct_stable:
        return _below(threshold, name, canary, target)
    if canary.size != target:
        return f"{name} is being scaled from {canary.size} to {pods(target)}"
    if canary.available != target:
        return f"{name} has {canary.available} of {target} pods available"
    return ""


def _below(threshold: ReplicaProgressThreshold, name: str, canary: ReplicaSet, target: int) -> str:
    needed = enough(threshold, target)
    if canary.available >= needed:
        return ""
    return f"{name} has {canary.available} of {target} pods available: {needed} are enough (replicaProgressThreshold)"


def stable_unmet(revisions: Revisions, target: int) -> str:
    """Say what keeps the stable ReplicaSet from its size; its pods need not be available."""
    stable = revisions.stable if revisions.has_distinct_stable else None
    if stable is not None and (stable.size, stable.replicas) != (target, target):
        return f"stable has {pods(stable.replicas)} on its way to {target}"
    return ""
