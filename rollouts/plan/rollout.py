"""What should be done next about one Rollout, and why?"""

from datetime import datetime

from rollouts.plan.actions import Plan
from rollouts.plan.canary import plan_canary
from rollouts.plan.invalid import plan_invalid
from rollouts.plan.observed import Observed
from rollouts.plan.validate import invalid_message, problems
from rollouts.ports import Kit


def plan_rollout(here: Observed, now: datetime, kit: Kit) -> Plan:
    """Return the plan for one pass: a pure function, deterministic, and empty once everything is as it should be.

    A Rollout that is being deleted gets an empty plan: the garbage collector takes what it owns.
    """
    if "deletionTimestamp" in here.raw["metadata"]:
        return Plan(because=("the Rollout is being deleted",))
    problem = next(problems(here.rollout, here.raw, kit, here.services), None)
    if problem is not None:
        return plan_invalid(here.raw, invalid_message(here.name, problem), now)
    strategy = here.rollout.spec.strategy
    if strategy is None or strategy.canary is None:
        raise AssertionError("validation lets nothing but a canary through")
    return plan_canary(here, strategy.canary, kit, now)
