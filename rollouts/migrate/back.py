"""What is the next step from a Rollout back to a Deployment? Decided from what is there, as on the way there."""

from collections.abc import Callable
from typing import Any

from rollouts.api import keys
from rollouts.migrate.backward import is_in_update, misreferred, stable_template, strategy_of, to_deployment
from rollouts.migrate.bounds import BOUNDS
from rollouts.migrate.holding import holds, releases
from rollouts.migrate.objects import (
    DEPLOYMENT,
    ROLLOUT,
    Json,
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
    is_held,
    spec_patch,
)
from rollouts.plan.equality import templates_equal

Question = Callable[[Seen], Step | Stuck | None]
_SERVICE_FIELDS = ("canaryService", "stableService", "activeService", "previewService", "pingPong", "trafficRouting")


def decide(seen: Seen) -> Decision:
    """Return what to do next. The Rollout keeps its pods until the Deployment's serve in their place."""
    for question in _QUESTIONS:
        answer = question(seen)
        if answer is not None:
            return answer
    return Done(f"Deployment {name_of(seen.deployment)} has taken over")


def _may_begin(seen: Seen) -> Step | Stuck | None:
    rollout = seen.rollout
    if rollout is None:
        if seen.deployment is not None:
            return None  # it has happened already
        return Stuck("there is no such Rollout", "`rollouts list rollouts` shows those that are there")
    if wrong := misreferred(rollout):
        return Stuck(wrong, "make a Deployment of it by hand")
    if is_leaving(rollout):
        return Wait("Wait until the Rollout is gone", Until.ROLLOUT_GONE, rollout, "it is being deleted")
    if seen.deployment is None and part(rollout, "spec").get("paused"):
        return Stuck("it is paused, and a paused Deployment creates no pods", f"`rollouts promote {name_of(rollout)}`")
    return _update_may_be_given_up(seen, rollout)


def _update_may_be_given_up(seen: Seen, rollout: Raw) -> Stuck | None:
    if not is_in_update(rollout):
        return None
    name = name_of(rollout)
    way_out = f"`rollouts promote {name} --full`, or `rollouts undo {name}`; run this again once it is healthy"
    if part(rollout, "spec", "workloadRef"):
        return Stuck("an update is under way, and the Deployment holds the template that isn't stable yet", way_out)
    if _names_services(rollout):
        return Stuck("an update is under way, and its Services tell the two versions apart", way_out)
    if stable_template(rollout, seen.replica_sets) is None:
        return Stuck("an update is under way, and the stable ReplicaSet isn't there", way_out)
    return None


def _names_services(rollout: Raw) -> bool:
    _, strategy = strategy_of(rollout)
    return any(strategy.get(field) for field in _SERVICE_FIELDS)


def _stop_scaling_down(seen: Seen) -> Step | None:
    """Stop a controller that scales the Deployment down: it would do so again."""
    reference = part(seen.rollout, "spec", "workloadRef")
    if seen.rollout is None or reference.get("scaleDown", "never") == "never":
        return None
    result = spec_patch("", seen.rollout, workloadRef={**reference, "scaleDown": "never"}).result
    body = {"spec": {"workloadRef": {"scaleDown": "never"}}}
    return Patch("Have the controller leave the Deployment's size alone", seen.rollout, body, result)


def _hold(seen: Seen) -> Step | None:
    """Let no autoscaler take the two sets of pods for too many."""
    return None if seen.rollout is None else next(holds(seen), None)


def _release(seen: Seen) -> Step | None:
    """Let it count again: the Rollout went last, after its pods."""
    return next(releases(seen), None)


def _create(seen: Seen) -> Step | Stuck | None:
    rollout = seen.rollout
    if rollout is None:
        return None
    if part(rollout, "spec", "workloadRef"):
        if seen.deployment is not None:
            return None
        return Stuck(
            "the Deployment that it refers to isn't there", "create it again, at 0 pods, or correct workloadRef"
        )
    template = stable_template(rollout, seen.replica_sets)
    if seen.deployment is None:
        deployment, _ = to_deployment(rollout, template)
        if part(rollout, "status"):
            deployment["spec"]["replicas"] = size_of(rollout)
        return Create("Create the Deployment beside the Rollout, at the size that it has", deployment)
    return _mend(seen.deployment, template or {})


def _mend(deployment: Raw, template: Raw) -> Step | Stuck | None:
    """Give a Deployment that was kept at 0 pods the stable template."""
    if is_leaving(deployment):
        return Wait("Wait until the Deployment is at rest", Until.DEPLOYMENT_SETTLED, deployment, "it is being deleted")
    if templates_equal(template, part(deployment, "spec", "template")):
        return None
    if size_of(deployment):
        return Stuck(
            f"a Deployment {name_of(deployment)} exists already, with pods of another template",
            "scale it to 0 or delete it, if nobody needs it",
        )
    body = [{"op": "replace", "path": "/spec/template", "value": template}]
    result = spec_patch("", deployment, template=template).result
    return Patch("Give the Deployment the stable pod template", deployment, body, result)


def _as_large(seen: Seen) -> Step | None:
    deployment, rollout = seen.deployment, seen.rollout
    if deployment is None or rollout is None or scalers_of(seen.scalers, DEPLOYMENT, deployment):
        return None
    size = size_of(rollout)
    if size_of(deployment) >= size:
        return None
    return spec_patch(f"Scale the Deployment to the Rollout's size, {size}", deployment, replicas=size)


def _available(seen: Seen) -> Step | Stuck | None:
    """Only available pods replace pods."""
    deployment = seen.deployment
    if seen.rollout is None or deployment is None:
        return None
    status, size = part(deployment, "status"), size_of(deployment)
    available = min(count(status, "availableReplicas"), count(status, "updatedReplicas"))
    if is_seen(deployment) and available >= size:
        return None
    name = name_of(deployment)
    conditions: Any = status.get("conditions") or ()
    if is_seen(deployment) and any(each.get("reason") == "ProgressDeadlineExceeded" for each in conditions):
        return Stuck(
            "the Deployment's pods don't become available",
            f"`kubectl describe deployment {name}`, mend it and run this again; or scale it to 0: the Rollout's pods"
            " are there",
        )
    because = f"{available} of {size} pods are available"
    return Wait("Wait until the Deployment is available", Until.DEPLOYMENT_AVAILABLE, deployment, because)


def _retarget(seen: Seen) -> Step | None:
    """Point autoscalers back only now: they rest while their target has no pods."""
    workload = seen.rollout or seen.deployment
    if workload is None:
        return None
    name = name_of(seen.deployment)
    for scaler in scalers_of(seen.scalers, ROLLOUT, workload):
        text = f"Point {title(scaler)} at the Deployment"
        return Patch(text, scaler, retargeting(scaler, DEPLOYMENT, name), retargeted(scaler, DEPLOYMENT, name))
    return None


def _let_go(seen: Seen) -> Step | None:
    """As long as the strategy names Services, the controller points them at its own pods only."""
    rollout = seen.rollout
    if rollout is None:
        return None
    if _names_services(rollout):
        return _plain_canary(rollout)
    if any(is_held(each, rollout) for each in seen.services) and not is_seen(rollout):
        because = "the controller hasn't seen yet that the Services are no longer its own"
        return Wait("Wait until the controller lets go of the Services", Until.ROLLOUT_SEEN, rollout, because)
    return None


def _plain_canary(rollout: Raw) -> Patch:
    name, strategy = strategy_of(rollout)
    if name == "canary":
        left: Json = {field: strategy[field] for field in BOUNDS if field in strategy}
        body: Json = {"canary": {field: None for field in strategy if field not in BOUNDS}}
    else:
        left, body = {}, {"blueGreen": None, "canary": {}}
    result = spec_patch("", rollout, strategy={"canary": left}).result
    return Patch("Have the Rollout let go of its Services", rollout, {"spec": {"strategy": body}}, result)


def _free(seen: Seen) -> Step | None:
    """Free Services: one that selects the Rollout's revision sends requests nowhere once that is gone."""
    owner = seen.rollout or seen.deployment
    for service in seen.services:
        if is_held(service, owner):
            return _freed(service)
    return None


def _freed(service: Raw) -> Patch:
    metadata, spec = part(service, "metadata"), part(service, "spec")
    annotations = {key: value for key, value in part(metadata, "annotations").items() if key != keys.MANAGED_BY}
    selector = {key: value for key, value in part(spec, "selector").items() if key != keys.POD_TEMPLATE_HASH}
    body = {
        "metadata": {"annotations": {keys.MANAGED_BY: None}},
        "spec": {"selector": {keys.POD_TEMPLATE_HASH: None}},
    }
    result = {**service, "metadata": {**metadata, "annotations": annotations}, "spec": {**spec, "selector": selector}}
    return Patch(f"Have {title(service)} select the pods of both", service, body, result)


def _served(seen: Seen) -> Step | None:
    for service in seen.services:
        if seen.rollout is not None and name_of(service) in seen.unserved:
            because = f"{title(service)} doesn't send requests to the Deployment's pods yet"
            return Wait("Wait until the Services reach the Deployment's pods", Until.SERVED, service, because)
    return None


def _delete(seen: Seen) -> Step | None:
    return None if seen.rollout is None else Delete("Delete the Rollout: its pods are replaced", seen.rollout)


_QUESTIONS: tuple[Question, ...] = (
    _may_begin,
    _stop_scaling_down,
    _hold,
    _create,
    _as_large,
    _available,
    _retarget,
    _let_go,
    _free,
    _served,
    _delete,
    _release,
)
