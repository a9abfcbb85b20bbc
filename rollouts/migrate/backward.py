"""What does a Rollout look like as a Deployment?"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from rollouts.api import keys
from rollouts.api.names import API_VERSION
from rollouts.api.unknown import type_errors
from rollouts.migrate.bounds import BOUNDS, ROLLING_UPDATE, bounds_back
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
    without_server_fields,
)
from rollouts.migrate.pods import about_pods

_ALIKE = frozenset(
    {"replicas", "selector", "template", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds", "paused"}
)
_ELSEWHERE = frozenset({"strategy", "workloadRef"})
_STRATEGIES = ("canary", "blueGreen")


def is_in_update(rollout: Raw) -> bool:
    """Whether the stable pods aren't the current ones."""
    status = part(rollout, "status")
    stable = status.get("stableRS")
    return bool(stable) and stable != status.get("currentPodHash")


def misreferred(rollout: Raw) -> str:
    """Say what is wrong with a reference that leads to no Deployment; empty where nothing is."""
    kind = part(rollout, "spec", "workloadRef").get("kind", DEPLOYMENT)
    return "" if kind == DEPLOYMENT else f"spec.workloadRef.kind: it refers to a {kind}, which can't run pods by itself"


def stable_template(rollout: Raw, replica_sets: tuple[Raw, ...]) -> Raw | None:
    """Return the template that is known to work; None where an update is under way and its ReplicaSet isn't there."""
    if not is_in_update(rollout):
        return part(rollout, "spec", "template")
    stable = part(rollout, "status").get("stableRS")
    for each in replica_sets:
        if part(each, "metadata", "labels").get(keys.POD_TEMPLATE_HASH) == stable:
            added = str(part(each, "metadata", "annotations").get(keys.EPHEMERAL_METADATA) or "")
            return _as_written(part(each, "spec", "template"), added)
    return None


def _as_written(template: Raw, added: str) -> Json:
    """Return a ReplicaSet's template without what the controller has added: the hash, and metadata of its role."""
    try:
        roles = orjson.loads(added) if added else {}
    except orjson.JSONDecodeError:
        roles = {}
    metadata = dict(part(template, "metadata"))
    for field, ours in (("labels", {keys.POD_TEMPLATE_HASH}), ("annotations", set[str]())):
        extra = ours | part(roles, field).keys()
        if field in metadata:
            metadata[field] = {key: value for key, value in part(metadata, field).items() if key not in extra}
    return {**template, "metadata": metadata}


def strategy_of(rollout: Raw) -> tuple[str, Raw]:
    """Return the name and the fields of a Rollout's strategy."""
    strategy = part(rollout, "spec", "strategy")
    for name in _STRATEGIES:
        if isinstance(strategy.get(name), Mapping):
            return name, part(strategy, name)
    return "", {}


def to_deployment(rollout: Raw, template: Raw | None = None) -> tuple[Json, tuple[Note, ...]]:
    """Convert a Rollout that holds its template; `template` stands in for it where an update is under way."""
    if rollout.get("apiVersion") != API_VERSION:
        raise ConversionError(f"apiVersion: {rollout.get('apiVersion')!r}: write {API_VERSION}")
    if mismatches := type_errors(ROLLOUT, rollout):
        raise ConversionError("; ".join(map(str, mismatches)))
    if not name_of(rollout):
        raise ConversionError("metadata.name is missing: a Deployment needs the name of its Rollout")
    if not part(rollout, "spec", "template"):
        raise ConversionError("spec.template is missing: there are no pods to take over")
    name, strategy = strategy_of(rollout)
    written = _strategy(strategy)
    converted: Json = {}
    for key, value in part(rollout, "spec").items():
        if key == "strategy":
            converted.update({"strategy": written} if written else {})
        elif key in _ALIKE:
            converted[key] = template if key == "template" and template is not None else value
    cleaned = without_server_fields(rollout)
    deployment = {**cleaned, "apiVersion": DEPLOYMENT_API, "kind": DEPLOYMENT, "spec": converted}
    return deployment, (*_notes(rollout, name, strategy),)


def grown(rollout: Raw, deployment: Raw | None) -> Json:
    """Return the Deployment that a Rollout refers to, at the Rollout's size."""
    if wrong := misreferred(rollout):
        raise ConversionError(wrong)
    if deployment is None:
        raise ConversionError(
            "spec.workloadRef: the Deployment that it refers to isn't here: give its manifest as well"
        )
    cleaned = without_server_fields(deployment)
    spec = part(rollout, "spec")
    size = {"replicas": spec["replicas"]} if "replicas" in spec else {}
    return {**cleaned, "spec": {**part(cleaned, "spec"), **size}}


def _strategy(strategy: Raw) -> Json:
    bounds = bounds_back(strategy)
    return {"type": ROLLING_UPDATE, "rollingUpdate": bounds} if bounds else {}


def notes_of(rollout: Raw) -> tuple[Note, ...]:
    """Return what is lost of a Rollout that refers to its workload."""
    name, strategy = strategy_of(rollout)
    return tuple(_notes(rollout, name, strategy))


def _notes(rollout: Raw, name: str, strategy: Raw) -> Iterator[Note]:
    spec = part(rollout, "spec")
    if spec.get("workloadRef"):
        yield changed("the Deployment that the Rollout refers to runs the pods again")
    else:
        yield changed("the pod template and the selector move into the Deployment as they are")
    yield mind("for a while both run: there must be room (nodes, quotas) for twice the pods")
    yield from about_pods(part(spec, "template"), DEPLOYMENT)
    if is_in_update(rollout):
        yield mind(
            "an update is under way: the Deployment gets the template of the stable ReplicaSet, the update is given up"
        )
    if spec.get("paused"):
        yield mind("spec.paused stays true: a new Deployment that is paused creates no pods. Resume before you migrate")
    for key, value in strategy.items():
        if key not in BOUNDS:
            yield lost(f"spec.strategy.{name}.{key}{_shown(value)}: a Deployment does rolling updates only")
    for key in spec:
        if key not in _ALIKE | _ELSEWHERE:
            yield lost(f"spec.{key}: a Deployment has no such field")
    if part(strategy, "trafficRouting"):
        yield mind(
            "routes and weights that the Rollout has written stay as they are, all of it to the stable Service; remove"
            " them when the Rollout is gone"
        )


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return f" ({len(value)} of them)" if len(value) != 1 else " (1 of them)"
    if isinstance(value, bool):
        return f" {str(value).lower()}"
    return f" {value}" if isinstance(value, str | int) else ""
