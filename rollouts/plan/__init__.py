"""The heart: given what is, what should be done next, and why?

`plan_rollout` is a pure function of what was observed and of `now`. The controller, the simulator, `explain` and the
tests all run it.
"""

from rollouts.plan.actions import Action, Plan
from rollouts.plan.observed import Observed, Refusal, ReplicaSet, observe_replica_set, observe_rollout
from rollouts.plan.rollout import plan_rollout

__all__ = [
    "Action",
    "Observed",
    "Plan",
    "Refusal",
    "ReplicaSet",
    "observe_replica_set",
    "observe_rollout",
    "plan_rollout",
]
