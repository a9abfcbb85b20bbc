"""Is this update a way back to a recent revision, which needs no steps?

A ReplicaSet older than the stable one has been through the steps before. `spec.rollbackWindow` says how far back such
trust goes. Read anew in each pass: a window that is widened in mid-rollback counts from then on.
"""

from rollouts.plan.observed import Observed
from rollouts.plan.revisions import Revisions


def is_within_window(here: Observed, revisions: Revisions) -> bool:
    """Whether the canary's ReplicaSet is older than stable's, with fewer than `revisions` others made in between."""
    window, canary, stable = here.rollout.spec.rollback_window, revisions.canary, revisions.stable
    if window is None or canary is None or stable is None or canary.age >= stable.age:
        return False
    between = sum(canary.age < each.age < stable.age for each in revisions.all)
    return between < (window.revisions or 0)
