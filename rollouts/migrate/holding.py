"""How does an autoscaler count right while two sets of pods share one load? It may grow its target, but not shrink it.

Each pod has half of the load then, so that half of the pods would seem to be enough. What stood in spec.behavior before
is kept in an annotation: whoever goes on, or goes back, finds it there.
"""

import json
from collections.abc import Iterator
from typing import Any

from rollouts.api import keys
from rollouts.migrate.objects import DEPLOYMENT, ROLLOUT, Json, Raw, name_of, part, title
from rollouts.migrate.scalers import scalers_of
from rollouts.migrate.steps import Patch, Seen

_NAME = "HorizontalPodAutoscaler"
_NO_SCALE_DOWN = {"selectPolicy": "Disabled"}


def holds(seen: Seen) -> Iterator[Patch]:
    """Yield what keeps the workload's autoscalers from scaling down."""
    for scaler in _of(seen):
        if keys.SCALE_DOWN_HELD not in part(scaler, "metadata", "annotations"):
            yield _hold(scaler)


def releases(seen: Seen) -> Iterator[Patch]:
    """Yield what lets them again."""
    for scaler in _of(seen):
        if keys.SCALE_DOWN_HELD in part(scaler, "metadata", "annotations"):
            yield _release(scaler)


def can_be_held(scaler: Raw) -> bool:
    """Whether scaling down can be switched off by itself."""
    return scaler.get("kind") == _NAME


def _of(seen: Seen) -> Iterator[Raw]:
    for kind, workload in ((DEPLOYMENT, seen.deployment), (ROLLOUT, seen.rollout)):
        # One that names what isn't there yet, or any more, has been pointed at it by us.
        names = {name_of(each) for each in (workload, seen.deployment, seen.rollout) if each is not None}
        for name in sorted(names):
            named = {"metadata": {**part(seen.deployment or seen.rollout, "metadata"), "name": name}}
            yield from (each for each in scalers_of(seen.scalers, kind, named) if can_be_held(each))


def _hold(scaler: Raw) -> Patch:
    spec = part(scaler, "spec")
    before = json.dumps(spec.get("behavior"), separators=(",", ":"))
    added = {keys.SCALE_DOWN_HELD: before}
    behavior = part(spec, "behavior")
    held = {**behavior, "scaleDown": {**part(behavior, "scaleDown"), **_NO_SCALE_DOWN}}
    body = {"metadata": {"annotations": added}, "spec": {"behavior": {"scaleDown": _NO_SCALE_DOWN}}}
    annotations = {**part(scaler, "metadata", "annotations"), **added}
    text = f"Keep {title(scaler)} from scaling down while two sets of pods share the load"
    return Patch(text, scaler, body, _with(scaler, annotations, held))


def _release(scaler: Raw) -> Patch:
    annotations = dict(part(scaler, "metadata", "annotations"))
    behavior = _before(str(annotations.pop(keys.SCALE_DOWN_HELD)), part(scaler, "spec", "behavior"))
    path = f"/metadata/annotations/{keys.SCALE_DOWN_HELD.replace('/', '~1')}"
    restore: Json = {"op": "replace", "path": "/spec/behavior", "value": behavior}
    if behavior is None:
        restore = {"op": "remove", "path": "/spec/behavior"}
    text = f"Let {title(scaler)} scale down again"
    return Patch(text, scaler, [{"op": "remove", "path": path}, restore], _with(scaler, annotations, behavior))


def _before(text: str, now: Raw) -> Json | None:
    """Read what stood there; what somebody has made unreadable is taken for what is there, with scaling down."""
    try:
        behavior: Any = json.loads(text)
    except ValueError:
        behavior = False
    if behavior is None or isinstance(behavior, dict):
        return behavior
    return {**now, "scaleDown": {**part(now, "scaleDown"), "selectPolicy": "Max"}}


def _with(scaler: Raw, annotations: Raw, behavior: Raw | None) -> Json:
    spec = {key: value for key, value in part(scaler, "spec").items() if key != "behavior"}
    if behavior is not None:
        spec["behavior"] = behavior
    metadata = {key: value for key, value in part(scaler, "metadata").items() if key != "annotations"}
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {**scaler, "metadata": metadata, "spec": spec}
