"""Which Rollouts and ReplicaSets do the tests begin with? Builders of raw objects, as an API server delivers them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rollouts.api import keys
from rollouts.api.timestamps import format_time
from rollouts.plan.hashing import pod_hash, step_hash, template_digest

Raw = dict[str, Any]

START = datetime(2026, 1, 1, tzinfo=UTC)
STEPS: Sequence[Mapping[str, Any]] = (
    {"setWeight": 20},
    {"pause": {"duration": 5}},
    {"setWeight": 40},
    {"pause": {}},
    {"setWeight": 80},
)


def after(seconds: float) -> datetime:
    """Return the moment so many seconds after the start."""
    return START + timedelta(seconds=seconds)


def stamp(seconds: float) -> str:
    """Return the same moment as the API writes it."""
    return format_time(after(seconds))


def template(image: str = "app:1") -> Raw:
    """Return a pod template."""
    return {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "app", "image": image}]},
    }


def rollout(
    image: str = "app:1",
    *,
    replicas: int | None = 5,
    steps: Sequence[Mapping[str, Any]] | None = STEPS,
    name: str = "web",
    canary: Mapping[str, Any] | None = None,
    **spec: Any,
) -> Raw:
    """Return a Rollout of 5 pods that never has less than 5 of them and at most one more."""
    strategy: Raw = {"maxSurge": 1, "maxUnavailable": 0, **(canary or {})}
    if steps is not None:
        strategy["steps"] = list(steps)
    whole = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "web"}},
        "template": template(image),
        "strategy": {"canary": strategy},
        **spec,
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": name},
        "spec": {key: value for key, value in whole.items() if value is not None},
    }


def blue_green(
    image: str = "app:1", *, replicas: int | None = 5, strategy: Mapping[str, Any] | None = None, **spec: Any
) -> Raw:
    """Return a Rollout of 5 pods behind the Services `active` and `preview`."""
    services = {"activeService": "active", "previewService": "preview"}
    return rollout(image, replicas=replicas, **{"strategy": {"blueGreen": {**services, **(strategy or {})}}, **spec})


def service(name: str, **selector: str) -> Raw:
    """Return a Service that selects the Rollout's pods."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": selector or {"app": "web"}},
    }


def hash_of(image: str = "app:1") -> str:
    """Return the hash that names the ReplicaSet of an image."""
    return pod_hash(template_digest(template(image)), None)


def live(raw: Raw, *, generation: int = 1, revision: int | None = None, **status: Any) -> Raw:
    """Return a Rollout as an API server delivers it, with a status."""
    stamps = {"namespace": "default", "uid": "uid-web", "generation": generation, "resourceVersion": "7"}
    metadata = {**raw["metadata"], **stamps}
    if revision is not None:
        metadata["annotations"] = {keys.REVISION: str(revision), **metadata.get("annotations", {})}
    return {**raw, "metadata": metadata, "status": status}


def replica_set(
    image: str,
    size: int,
    available: int | None = None,
    *,
    revision: int = 1,
    desired: int = 5,
    ready: int | None = None,
    replicas: int | None = None,
    created: float = 0,
    owner: str | None = "uid-web",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str | None] | None = None,
    min_ready: int = 0,
) -> Raw:
    """Return the ReplicaSet of an image; all of its pods are available unless something else is said."""
    available = size if available is None else available
    hash_ = hash_of(image)
    notes: dict[str, str | None] = {
        keys.REVISION: str(revision),
        keys.DESIRED_REPLICAS: str(desired),
        keys.TEMPLATE_DIGEST: template_digest(template(image)),
        **(annotations or {}),
    }
    labels = {"app": "web", keys.POD_TEMPLATE_HASH: hash_} if labels is None else dict(labels)
    body = template(image)
    body["metadata"]["labels"] = labels
    metadata: Raw = {
        "name": f"web-{hash_}",
        "namespace": "default",
        "uid": f"uid-{image}",
        "resourceVersion": "3",
        "generation": 1,
        "creationTimestamp": stamp(created),
        "labels": labels,
        "annotations": {key: value for key, value in notes.items() if value is not None},
    }
    if owner is not None:
        kind = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web"}
        metadata["ownerReferences"] = [{**kind, "uid": owner, "controller": True}]
    spec: Raw = {"replicas": size, "selector": {"matchLabels": labels}, "template": body}
    if min_ready:
        spec["minReadySeconds"] = min_ready
    status = {
        "replicas": size if replicas is None else replicas,
        "readyReplicas": available if ready is None else ready,
        "availableReplicas": available,
        "observedGeneration": 1,
    }
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": spec, "status": status}


def condition(kind: str, status: str, reason: str, message: str = "", since: float = 0) -> Raw:
    """Return a condition that was last updated so many seconds after the start."""
    times = {"lastUpdateTime": stamp(since), "lastTransitionTime": stamp(since)}
    return {"type": kind, "status": status, "reason": reason, "message": message, **times}


ONE, TWO, THREE = (hash_of(f"app:{number}") for number in (1, 2, 3))

STABLE_CONDITIONS = (
    condition("Available", "True", "AvailableReason", "Rollout has minimum availability"),
    condition("Healthy", "True", "RolloutHealthy", "Rollout is healthy"),
    condition("Completed", "True", "RolloutCompleted", "RolloutCompleted"),
    condition("Progressing", "True", "NewReplicaSetAvailable", since=2),
)
MOVING_CONDITIONS = (
    condition("Available", "True", "AvailableReason", "Rollout has minimum availability"),
    condition("Completed", "False", "RolloutCompleted", "RolloutCompleted"),
    condition("Progressing", "True", "ReplicaSetUpdated", since=90),
)
PAUSED_CONDITIONS = (
    *MOVING_CONDITIONS[:2],
    condition("Paused", "True", "RolloutPaused", "Rollout is paused", since=95),
    condition("Progressing", "Unknown", "RolloutPaused", "Rollout is paused", since=95),
)
ABORTED_CONDITIONS = (
    *MOVING_CONDITIONS[:2],
    condition("Progressing", "False", "RolloutAborted", "Rollout aborted update to revision 2", since=95),
)


def _written(raw: Raw, revision: int, status: Mapping[str, Any], changes: Mapping[str, Any]) -> Raw:
    """Return the Rollout with a status in which None stands for a field that isn't there."""
    steps = raw["spec"]["strategy"]["canary"].get("steps")
    whole = {
        "observedGeneration": "1",
        "currentStepHash": step_hash(steps),
        "selector": "app=web",
        "duration": {"rolloutStartedAt": stamp(80)},
        **status,
        **changes,
    }
    whole["HPAReplicas"] = whole["replicas"]
    whole["conditions"] = list(whole["conditions"])
    if not steps:
        whole["currentStepIndex"] = None
    return live(raw, revision=revision, **{key: value for key, value in whole.items() if value is not None})


def stable(raw: Raw | None = None, **changes: Any) -> Raw:
    """Return a Rollout that is healthy: five pods of app:1, and no update under way."""
    raw = raw or rollout()
    status = {
        "currentPodHash": ONE,
        "stableRS": ONE,
        "currentStepIndex": len(raw["spec"]["strategy"]["canary"].get("steps") or ()),
        **dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 5),
        "phase": "Healthy",
        "conditions": list(STABLE_CONDITIONS),
    }
    return _written(raw, 1, status, changes)


def updating(raw: Raw | None = None, *, index: int = 0, updated: int = 1, total: int = 5, **changes: Any) -> Raw:
    """Return a Rollout on its way from app:1 to app:2, at a step; all of its pods are available."""
    status = {
        "currentPodHash": TWO,
        "stableRS": ONE,
        "currentStepIndex": index,
        **dict.fromkeys(("replicas", "readyReplicas", "availableReplicas"), total),
        "updatedReplicas": updated,
        "phase": "Progressing",
        "message": "more replicas need to be updated",
        "conditions": list(MOVING_CONDITIONS),
    }
    return _written(raw or rollout("app:2"), 2, status, changes)


def paused(raw: Raw | None = None, *, index: int = 3, since: float = 95, **changes: Any) -> Raw:
    """Return the same in a pause, by default in the one without end: two pods of app:2 and three of app:1."""
    status = {
        "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": stamp(since)}],
        "controllerPause": True,
        "canary": {"pausedStepIndex": index},
        "phase": "Paused",
        "message": "CanaryPauseStep",
        "conditions": list(PAUSED_CONDITIONS),
        "duration": {"rolloutStartedAt": stamp(80), "manualPauseStartedAt": stamp(since)},
    }
    return updating(raw, index=index, updated=2, **{**status, **changes})


def aborted(raw: Raw | None = None, **changes: Any) -> Raw:
    """Return the same, given up: five pods of app:1, none of app:2."""
    status = {
        "abort": True,
        "abortedAt": stamp(95),
        "phase": "Degraded",
        "message": "RolloutAborted: Rollout aborted update to revision 2",
        "conditions": list(ABORTED_CONDITIONS),
        "duration": {"rolloutStartedAt": stamp(80), "finishedAt": stamp(95), "completionStatus": "Aborted"},
    }
    return updating(raw, updated=0, **{**status, **changes})


def deleting(raw: Raw) -> Raw:
    """Return an object that is being deleted, and is still there because of a finalizer."""
    return {**raw, "metadata": {**raw["metadata"], "deletionTimestamp": stamp(90)}}


def green(raw: Raw | None = None, **changes: Any) -> Raw:
    """Return a blue-green Rollout that is healthy: five pods of app:1 behind both Services, and no update under way."""
    status = {
        "currentPodHash": ONE,
        "stableRS": ONE,
        **dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 5),
        "blueGreen": {"activeSelector": ONE, "previewSelector": ONE},
        "phase": "Healthy",
        "conditions": list(STABLE_CONDITIONS),
    }
    return _coloured(raw or blue_green(), 1, status, changes)


def previewing(raw: Raw | None = None, **changes: Any) -> Raw:
    """Return a blue-green Rollout with app:1 active and all five pods of app:2 available in preview."""
    status = {
        "currentPodHash": TWO,
        "stableRS": ONE,
        "replicas": 10,
        **dict.fromkeys(("updatedReplicas", "readyReplicas", "availableReplicas"), 5),
        "blueGreen": {"activeSelector": ONE, "previewSelector": TWO},
        "phase": "Progressing",
        "message": "active service cutover pending",
        "conditions": list(MOVING_CONDITIONS),
    }
    return _coloured(raw or blue_green("app:2"), 2, status, changes)


def switched(raw: Raw | None = None, *, revision: int = 2, **changes: Any) -> Raw:
    """Return a blue-green Rollout with five pods of app:2 behind both Services, and those of app:1 not gone yet."""
    status = {
        "currentPodHash": TWO,
        "stableRS": TWO,
        "replicas": 10,
        **dict.fromkeys(("updatedReplicas", "readyReplicas", "availableReplicas"), 5),
        "blueGreen": {"activeSelector": TWO, "previewSelector": TWO},
        "phase": "Healthy",
        "conditions": list(STABLE_CONDITIONS),
    }
    return _coloured(raw or blue_green("app:2"), revision, status, changes)


def waiting(raw: Raw | None = None, *, since: float = 95, **changes: Any) -> Raw:
    """Return the same in its pause."""
    status = {
        "pauseConditions": [{"reason": "BlueGreenPause", "startTime": stamp(since)}],
        "controllerPause": True,
        "phase": "Paused",
        "message": "BlueGreenPause",
        "conditions": list(PAUSED_CONDITIONS),
        "duration": {"rolloutStartedAt": stamp(80), "manualPauseStartedAt": stamp(since)},
    }
    raw = raw or blue_green("app:2", strategy={"autoPromotionEnabled": False})
    return previewing(raw, **{**status, **changes})


def given_up(raw: Raw | None = None, **changes: Any) -> Raw:
    """Return the same, given up."""
    status = {
        "abort": True,
        "abortedAt": stamp(95),
        "phase": "Degraded",
        "message": "RolloutAborted: Rollout aborted update to revision 2",
        "conditions": list(ABORTED_CONDITIONS),
        "duration": {"rolloutStartedAt": stamp(80), "finishedAt": stamp(95), "completionStatus": "Aborted"},
    }
    return previewing(raw, **{**status, **changes})


def _coloured(raw: Raw, revision: int, status: Mapping[str, Any], changes: Mapping[str, Any]) -> Raw:
    """Return the Rollout with a status in which None stands for a field that isn't there."""
    whole = {"observedGeneration": "1", "duration": {"rolloutStartedAt": stamp(80)}, **status, **changes}
    active = (whole["blueGreen"] or {}).get("activeSelector")
    whole.setdefault("HPAReplicas", whole["availableReplicas"])
    whole.setdefault("selector", f"app=web,{keys.POD_TEMPLATE_HASH}={active}" if active else "app=web")
    whole["conditions"] = list(whole["conditions"])
    return live(raw, revision=revision, **{key: value for key, value in whole.items() if value is not None})


def pointing(active: str | None = ONE, preview: str | None = TWO, *, managed: bool = True) -> dict[str, Raw | None]:
    """Return the Services of a blue-green Rollout and the hashes that they select."""
    return {"active": _pointing("active", active, managed=managed), "preview": _pointing("preview", preview)}


def _pointing(name: str, pod_hash: str | None, *, managed: bool = True) -> Raw:
    raw = service(name, app="web")
    raw["metadata"] |= {"uid": f"uid-{name}", "resourceVersion": "5"}
    if managed:
        raw["metadata"]["annotations"] = {keys.MANAGED_BY: "web"}
    if pod_hash is not None:
        raw["spec"]["selector"][keys.POD_TEMPLATE_HASH] = pod_hash
    return raw
