"""What does a Deployment look like as a Rollout?"""

from collections.abc import Iterator
from typing import Any

from rollouts.api.names import API_VERSION
from rollouts.api.selectors import selector_matches
from rollouts.migrate.bounds import BOUNDS, RECREATE, bounds_of, strategy_type
from rollouts.migrate.notes import Note, changed, lost, mind
from rollouts.migrate.objects import (
    DEPLOYMENT,
    DEPLOYMENT_API,
    ROLLOUT,
    ConversionError,
    Json,
    Raw,
    name_of,
    part,
    size_of,
    without_server_fields,
)
from rollouts.migrate.pods import about_pods
from rollouts.migrate.wish import ScaleDown, StrategyName, Wish
from rollouts.plan.validate import MAX_NAME_LENGTH

_ALIKE = frozenset(
    {"replicas", "selector", "template", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds", "paused"}
)
_IN_THE_WORKLOAD = ("selector", "template")


def to_rollout(deployment: Raw, wish: Wish) -> tuple[Json, tuple[Note, ...]]:
    """Convert a Deployment; raises ConversionError where it is none, or can't be one."""
    _check(deployment)
    wish.check()
    spec = part(deployment, "spec")
    strategy = _strategy(deployment, wish)
    converted: Json = {}
    if wish.workload_ref is not None:
        reference = {"apiVersion": DEPLOYMENT_API, "kind": DEPLOYMENT, "name": name_of(deployment)}
        converted["workloadRef"] = {**reference, "scaleDown": wish.workload_ref.value}
    for key, value in spec.items():
        if key == "strategy":
            converted["strategy"] = strategy
        elif key in _ALIKE and not (wish.workload_ref and key in _IN_THE_WORKLOAD):
            converted[key] = value
    converted.setdefault("strategy", strategy)
    cleaned = without_server_fields(deployment)
    metadata = {
        key: value for key, value in cleaned["metadata"].items() if key not in ("ownerReferences", "finalizers")
    }
    rollout = {**cleaned, "apiVersion": API_VERSION, "kind": ROLLOUT, "metadata": metadata, "spec": converted}
    return rollout, tuple(_notes(deployment, wish))


def _check(deployment: Raw) -> None:
    if deployment.get("apiVersion") != DEPLOYMENT_API:
        raise ConversionError(
            f"apiVersion: {deployment.get('apiVersion')!r} is no longer served: write {DEPLOYMENT_API}"
        )
    name = name_of(deployment)
    if not name:
        raise ConversionError("metadata.name is missing: a Rollout needs the name of its Deployment")
    if len(name) > MAX_NAME_LENGTH:
        raise ConversionError(
            f"metadata.name has {len(name)} characters: a Rollout has at most {MAX_NAME_LENGTH}, for ReplicaSets are"
            " named after it"
        )
    template = part(deployment, "spec", "template")
    if not template:
        raise ConversionError("spec.template is missing: there are no pods to take over")
    selector = part(deployment, "spec", "selector")
    if not (selector.get("matchLabels") or selector.get("matchExpressions")):
        raise ConversionError("spec.selector is missing or empty: name the labels that the template's pods carry")
    labels = part(template, "metadata", "labels")
    try:
        is_match = selector_matches(selector, labels)
    except (ValueError, AttributeError, TypeError) as error:
        raise ConversionError(f"spec.selector: {error}") from error
    if not is_match:
        raise ConversionError(
            f"spec.template.metadata.labels: {dict(labels)} don't match spec.selector {dict(selector)}"
        )


def _strategy(deployment: Raw, wish: Wish) -> Json:
    bounds = bounds_of(deployment)
    if wish.strategy is StrategyName.CANARY:
        return {"canary": {**bounds, **({"steps": [dict(step) for step in wish.steps]} if wish.steps else {})}}
    blue_green: Json = {"activeService": wish.active_service}
    if wish.preview_service:
        blue_green["previewService"] = wish.preview_service
    if "maxUnavailable" in bounds and strategy_type(deployment) != RECREATE:
        blue_green["maxUnavailable"] = bounds["maxUnavailable"]
    return {"blueGreen": blue_green}


def _notes(deployment: Raw, wish: Wish) -> Iterator[Note]:
    yield from _about_pods(deployment, wish)
    yield from about_pods(part(deployment, "spec", "template"), ROLLOUT)
    yield from _about_strategy(deployment, wish)
    yield from _about_spec(deployment, wish)
    yield from _about_metadata(deployment)


def _about_pods(deployment: Raw, wish: Wish) -> Iterator[Note]:
    name, size = name_of(deployment), size_of(deployment)
    if wish.workload_ref is None:
        yield changed("the pod template and the selector move into the Rollout as they are")
    else:
        yield changed(
            f"the pod template stays in Deployment {name}; the Rollout refers to it, `set image` changes it there"
        )
        yield mind(
            f"Deployment {name} must stay, at 0 pods: take spec.replicas out of its manifest once it is there, or each"
            " `kubectl apply` starts its pods again"
        )
    if wish.workload_ref is ScaleDown.PROGRESSIVELY:
        yield mind(
            "the Deployment loses a pod for each one of the Rollout's that is ready: no room for twice the pods needed"
        )
    else:
        yield mind(
            f"for a while both run: there must be room (nodes, quotas) for {size} more {'pod' if size == 1 else 'pods'}"
        )


def _about_strategy(deployment: Raw, wish: Wish) -> Iterator[Note]:
    strategy = part(deployment, "spec", "strategy")
    if strategy_type(deployment) == RECREATE:
        yield lost(
            "strategy Recreate: a Rollout never waits until the last old pod is gone. maxSurge 0 with maxUnavailable"
            " 100% takes all old pods down first, but a new one may start while an old one still ends. Where two"
            " versions must never run at once (a lock, a ReadWriteOnce volume), stay with the Deployment"
        )
    bounds = bounds_of(deployment)
    if wish.strategy is StrategyName.BLUE_GREEN:
        yield changed(f"strategy blue-green: Service {wish.active_service} is switched to the new pods at once")
        yield mind(
            f"Service {wish.active_service} leaves the Deployment's pods as soon as the Rollout's first pods are there"
        )
        if "maxSurge" in bounds:
            yield lost(f"maxSurge {bounds['maxSurge']}: blue-green runs a whole new set of pods beside the old one")
        return
    steps = (
        f"{len(wish.steps)} steps" if wish.steps else "no steps, which is a rolling update as before: --steps adds some"
    )
    yield changed(f"strategy canary with {steps}")
    for field in BOUNDS:
        given = part(strategy, "rollingUpdate").get(field)
        if field not in bounds:
            yield changed(f"{field} is left out, as in the Deployment: 25% in both")
        elif isinstance(given, str) and given != bounds[field]:
            yield changed(f"{field} {given!r} is written as {bounds[field]!r}: a Rollout takes text for a percentage")


def _about_spec(deployment: Raw, wish: Wish) -> Iterator[Note]:
    spec = part(deployment, "spec")
    if "replicas" not in spec:
        yield mind(
            "the manifest has no spec.replicas: a Rollout begins with 1 pod until it is scaled (the steps see to it)"
        )
    if spec.get("paused"):
        yield mind(
            "spec.paused stays true: a Rollout that is paused creates no pods at all. Resume the Deployment before you"
            " migrate it"
        )
    known = {*_ALIKE, "strategy"}
    for key in spec:
        if key not in known:
            yield lost(f"spec.{key}: a Rollout has no such field")
    if wish.workload_ref is not None and "minReadySeconds" in spec:
        yield changed("minReadySeconds is the Rollout's own: only the template is taken from the Deployment")


def _about_metadata(deployment: Raw) -> Iterator[Note]:
    metadata = part(deployment, "metadata")
    owners: Any = metadata.get("ownerReferences") or ()
    for owner in owners:
        makes = ", which makes this Deployment: unless it can make a Rollout, it will bring it back"
        yield lost(f"owner {owner.get('kind')} {owner.get('name')}{makes if owner.get('controller') else ''}")
    for finalizer in metadata.get("finalizers") or ():
        yield lost(f"finalizer {finalizer}: whoever set it doesn't know Rollouts")
    annotations = part(metadata, "annotations")
    if release := annotations.get("meta.helm.sh/release-name"):
        yield mind(f"Helm release {release} owns this Deployment: change its chart too, or an upgrade brings it back")
