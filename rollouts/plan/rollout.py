"""What should be done next about one Rollout, and why?"""

from datetime import datetime

from rollouts.plan.actions import PatchRollout, Plan
from rollouts.plan.bluegreen import plan_blue_green
from rollouts.plan.bound import StepError
from rollouts.plan.canary import plan_canary
from rollouts.plan.children.analyses.decided import needs_no_analysis
from rollouts.plan.handover import initial_replicas
from rollouts.plan.invalid import plan_invalid
from rollouts.plan.leaving import leave_first
from rollouts.plan.observed import Observed
from rollouts.plan.revisions import claims
from rollouts.plan.services import releases
from rollouts.plan.soundness import found_problems, other_problem
from rollouts.plan.validate import invalid_message
from rollouts.ports import Kit
from rollouts.ports.checked import PluginError


def plan_rollout(here: Observed, now: datetime, kit: Kit) -> Plan:
    """Return the plan for one pass: a pure function, deterministic, and empty once everything is as it should be.

    A Rollout that is being deleted gets an empty plan: the garbage collector takes what it owns. One whose plugins
    break the promises of their port can't be carried out.
    """
    try:
        return _plan(here, now, kit)
    except (PluginError, StepError) as error:
        return plan_invalid(here.raw, f'The Rollout "{here.name}" is invalid: {error}', now)


def _plan(here: Observed, now: datetime, kit: Kit) -> Plan:
    if "deletionTimestamp" in here.raw["metadata"]:
        return Plan(because=("the Rollout is being deleted",))
    problem, *others = found_problems(here, kit) or (None,)
    # A template without the shape of one can't be compared with others, so that is asked first.
    if problem is not None and not (other_problem(here, kit) is None and needs_no_analysis(here)):
        message = invalid_message(here.name, problem)
        return plan_invalid(here.raw, message, now, [str(each) for each in others])
    return _first(here, kit) or _plan_strategy(here, now, kit)


def _first(here: Observed, kit: Kit) -> Plan | None:
    """Return what must be done before the strategy may count on it; None where it is."""
    if claimed := claims(here):
        names = ", ".join(action.name for action in claimed)
        return Plan(actions=claimed, because=(f"ReplicaSets change hands first: {names}",))
    if here.rollout.spec.replicas is None:
        size = initial_replicas(here)
        return Plan(actions=(PatchRollout(replicas=size),), because=(f"spec.replicas is not set: it becomes {size}",))
    if (plan := leave_first(here, kit)) is not None:
        return plan
    if left := tuple(releases(here)):
        # Until then they select a ReplicaSet that the strategy doesn't know to be in use.
        names = ", ".join(action.name for action in left)
        return Plan(actions=left, because=(f"the spec no longer names these Services, they are let go first: {names}",))
    return None


def _plan_strategy(here: Observed, now: datetime, kit: Kit) -> Plan:
    strategy = here.rollout.spec.strategy
    if strategy is not None and strategy.canary is not None:
        return plan_canary(here, strategy.canary, kit, now)
    if strategy is not None and strategy.blue_green is not None:
        return plan_blue_green(here, strategy.blue_green, kit, now)
    raise AssertionError("validation lets nothing but one strategy through")
