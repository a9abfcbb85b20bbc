"""What is the next step from a Deployment to a Rollout? Decided from what is there, so that a run can be run again."""

from collections.abc import Callable
from typing import Any

from rollouts.migrate.bounds import RECREATE, strategy_type
from rollouts.migrate.forward import to_rollout
from rollouts.migrate.holding import holds, releases
from rollouts.migrate.objects import (
    DEPLOYMENT,
    ROLLOUT,
    Raw,
    count,
    is_leaving,
    is_seen,
    name_of,
    part,
    size_of,
    title,
)
from rollouts.migrate.scalers import retargeted, retargeting, scalers_of
from rollouts.migrate.steps import (
    Create,
    Decision,
    Delete,
    Done,
    Patch,
    Seen,
    Step,
    Stuck,
    Until,
    Wait,
    spec_patch,
)
from rollouts.migrate.wish import ScaleDown, Wish
from rollouts.plan.equality import templates_equal

Question = Callable[[Seen, Wish], Step | Stuck | None]


def decide(seen: Seen, wish: Wish) -> Decision:
    """Return what to do next. Nothing is taken away before what replaces it is available."""
    for question in _QUESTIONS[wish.workload_ref]:
        answer = question(seen, wish)
        if answer is not None:
            return answer
    name = name_of(seen.rollout)
    stays = f"; Deployment {name} stays, at 0 pods" if seen.deployment is not None else ""
    return Done(f"Rollout {name} has taken over{stays}")


def _may_begin(seen: Seen, wish: Wish) -> Step | Stuck | None:
    """Only a Deployment at rest is migrated, and only where two sets of pods may run."""
    if seen.deployment is None:
        if seen.rollout is not None and wish.workload_ref is None:
            return None  # it has happened already
        return Stuck("there is no such Deployment", "`kubectl get deployments` shows those that are there")
    if seen.rollout is not None:
        return _is_the_same(seen.deployment, seen.rollout, wish)
    return _is_at_rest(seen.deployment)


def _is_at_rest(deployment: Raw) -> Step | Stuck | None:
    name = name_of(deployment)
    if strategy_type(deployment) == RECREATE:
        return Stuck(
            "its strategy Recreate says that two sets of its pods must not run at once, which is what happens here",
            "if they may, set spec.strategy.type to RollingUpdate first",
        )
    if part(deployment, "spec").get("paused"):
        return Stuck(
            "it is paused, and a paused Rollout creates no pods", f"`kubectl rollout resume deployment/{name}`"
        )
    owners: Any = part(deployment, "metadata").get("ownerReferences") or ()
    for owner in owners:
        if owner.get("controller"):
            return Stuck(
                f"{owner.get('kind')} {owner.get('name')} makes it, and would make it again", "change that one instead"
            )
    status = part(deployment, "status")
    size = size_of(deployment)
    settled = (count(status, "updatedReplicas"), count(status, "availableReplicas"), count(status, "replicas"))
    if status and (not is_seen(deployment) or settled != (size, size, size)):
        because = f"{settled[1]} of {size} pods are available, {settled[0]} are up to date"
        return Wait("Wait until the Deployment is at rest", Until.DEPLOYMENT_SETTLED, deployment, because)
    return None


def _is_the_same(deployment: Raw, rollout: Raw, wish: Wish) -> Step | Stuck | None:
    name = name_of(rollout)
    if is_leaving(rollout):
        return Wait("Wait until the Rollout is gone", Until.ROLLOUT_GONE, rollout, "it is being deleted")
    reference = part(rollout, "spec", "workloadRef")
    if wish.workload_ref is not None:
        if (reference.get("kind"), reference.get("name")) == (DEPLOYMENT, name_of(deployment)):
            return None
        return _another(name, "it doesn't refer to this Deployment")
    if reference:
        return _another(name, "it refers to its workload: go on with --workload-ref")
    if not templates_equal(part(deployment, "spec", "template"), part(rollout, "spec", "template")):
        return _another(name, "its pod template is another one")
    return None


def _another(name: str, difference: str) -> Stuck:
    return Stuck(f"a Rollout {name} exists already: {difference}", f"delete or rename it, if nobody needs it: {name}")


def _hold(seen: Seen, _: Wish) -> Step | None:
    """Let no autoscaler take the two sets of pods for too many."""
    if seen.deployment is None or not size_of(seen.deployment):
        return None
    return next(holds(seen), None)


def _release(seen: Seen, _: Wish) -> Step | None:
    """Let it count again when only one set is left."""
    step = next(releases(seen), None)
    pods = count(part(seen.deployment, "status"), "replicas")
    if step is not None and seen.deployment is not None and pods:
        because = f"{pods} pods of the Deployment are left"
        return Wait("Wait until the Deployment's pods are gone", Until.DEPLOYMENT_EMPTY, seen.deployment, because)
    return step


def _create(seen: Seen, wish: Wish) -> Step | None:
    if seen.rollout is not None or seen.deployment is None:
        return None
    rollout, _ = to_rollout(seen.deployment, wish)
    if part(seen.deployment, "status"):
        rollout["spec"]["replicas"] = size_of(seen.deployment)
    return Create("Create the Rollout beside the Deployment, at the size that it has", rollout)


def _as_large(seen: Seen, _: Wish) -> Step | None:
    """As long as its autoscaler still moves the Deployment, the Rollout follows."""
    deployment, rollout = seen.deployment, seen.rollout
    if deployment is None or rollout is None or scalers_of(seen.scalers, ROLLOUT, rollout):
        return None
    size = size_of(deployment)
    if size_of(rollout) >= size:
        return None
    return spec_patch(f"Raise the Rollout to the Deployment's size, {size}", rollout, replicas=size)


def _healthy(seen: Seen, _: Wish) -> Step | Stuck | None:
    """Only available pods replace pods."""
    deployment, rollout = seen.deployment, seen.rollout
    if rollout is None or deployment is None:
        return None
    if not size_of(deployment) and not count(part(deployment, "status"), "replicas"):
        return None  # it has handed over: whatever the Rollout does now is its own affair
    status, size = part(rollout, "status"), size_of(rollout)
    available = count(status, "availableReplicas")
    if is_seen(rollout) and status.get("phase") == "Healthy" and available >= size:
        return None
    if is_seen(rollout) and status.get("phase") == "Degraded":
        return Stuck(
            f"the Rollout is degraded: {status.get('message')}",
            f"`rollouts explain {name_of(rollout)}` tells more; nothing has changed for the Deployment's pods",
        )
    because = f"{available} of {size} pods are available" if status else "no controller has looked at it yet"
    return Wait("Wait until the Rollout is healthy", Until.ROLLOUT_HEALTHY, rollout, because)


def _retarget(seen: Seen, wish: Wish) -> Step | None:
    """Leave no autoscaler with the Deployment: it would scale it up again, or rest once it has no pods."""
    workload = seen.deployment or seen.rollout
    if workload is None:
        return None
    name = name_of(workload)
    for scaler in scalers_of(seen.scalers, DEPLOYMENT, workload):
        early = ", which is about to come" if wish.is_scaled_down_for_us and seen.rollout is None else ""
        text = f"Point {title(scaler)} at the Rollout{early}"
        return Patch(text, scaler, retargeting(scaler, ROLLOUT, name), retargeted(scaler, ROLLOUT, name))
    return None


def _scale_to_0(seen: Seen, _: Wish) -> Step | None:
    if seen.deployment is None or not size_of(seen.deployment):
        return None
    return spec_patch("Scale the Deployment to 0: its pods are replaced", seen.deployment, replicas=0)


def _empty(seen: Seen, _: Wish) -> Step | None:
    """Wait for the controller, which takes a pod for each one that it has made."""
    deployment = seen.deployment
    if deployment is None:
        return None
    pods = max(count(part(deployment, "status"), "replicas"), size_of(deployment))
    if not pods:
        return None
    text = "Wait until the controller has scaled the Deployment to 0"
    return Wait(text, Until.DEPLOYMENT_EMPTY, deployment, f"{pods} pods of the Deployment are left")


def _delete(seen: Seen, wish: Wish) -> Step | None:
    if seen.deployment is None or wish.keeps_deployment:
        return None
    if is_leaving(seen.deployment):
        text = "Wait until the Deployment is gone"
        return Wait(text, Until.DEPLOYMENT_GONE, seen.deployment, "it is being deleted")
    return Delete("Delete the Deployment", seen.deployment)


_BESIDE: tuple[Question, ...] = (_may_begin, _hold, _create, _as_large, _healthy, _retarget, _scale_to_0, _release)
# The controller scales the Deployment down by itself: no autoscaler may look after it any longer by then.
_IN_TURN: tuple[Question, ...] = (_may_begin, _hold, _retarget, _create, _healthy, _empty, _release)
_QUESTIONS: dict[ScaleDown | None, tuple[Question, ...]] = {
    None: (*_BESIDE, _delete),
    ScaleDown.NEVER: _BESIDE,
    ScaleDown.ON_SUCCESS: _IN_TURN,
    ScaleDown.PROGRESSIVELY: _IN_TURN,
}
