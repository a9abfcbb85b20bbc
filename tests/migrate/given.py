"""How do tests write down what a migration sees?"""

from typing import Any

from rollouts.migrate.steps import Create, Decision, Delete, Done, Patch, Seen, Stuck, Wait
from tests.wire.objects import deployment, rollout, service

Json = dict[str, Any]
HASH = "rollouts-pod-template-hash"
MANAGED_BY = "argo-rollouts.argoproj.io/managed-by-rollouts"
STABLE = "5d8c"
HELD = "rollout.argoproj.io/scale-down-held"


def live_deployment(replicas: int = 3, available: int | None = None, pods: int | None = None, **spec: Any) -> Json:
    """A Deployment whose controller has seen it."""
    made = deployment("web", replicas, **spec)
    made["metadata"].update(generation=2, uid="d")
    pods = replicas if pods is None else pods
    available = pods if available is None else available
    counts = {"replicas": pods, "updatedReplicas": pods, "availableReplicas": available}
    return {**made, "status": {"observedGeneration": 2, **counts}}


def live_rollout(replicas: int = 3, phase: str = "Healthy", available: int | None = None, **spec: Any) -> Json:
    """A Rollout whose controller has seen it."""
    made = rollout("web", replicas, **spec)
    made["metadata"].update(generation=2, uid="r")
    status = {"observedGeneration": "2", "phase": phase, "stableRS": STABLE, "currentPodHash": STABLE}
    return {**made, "status": {**status, "availableReplicas": replicas if available is None else available}}


def referring(rollout: Json, scale_down: str = "never") -> Json:
    """A Rollout that refers to the Deployment."""
    spec = {key: value for key, value in rollout["spec"].items() if key not in ("template", "selector")}
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "scaleDown": scale_down}
    return {**rollout, "spec": {**spec, "workloadRef": reference}}


def held(scaler: Json, behavior: str = "null") -> Json:
    """An autoscaler that may not scale down for the time."""
    spec = {**scaler["spec"], "behavior": {"scaleDown": {"selectPolicy": "Disabled"}}}
    return {**scaler, "metadata": {**scaler["metadata"], "annotations": {HELD: behavior}}, "spec": spec}


def hpa(kind: str = "Deployment", **metadata: Any) -> Json:
    """An autoscaler of the one or the other."""
    version = "apps/v1" if kind == "Deployment" else "argoproj.io/v1alpha1"
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", **metadata},
        "spec": {"scaleTargetRef": {"apiVersion": version, "kind": kind, "name": "web"}, "maxReplicas": 9},
    }


def held_service(name: str = "web") -> Json:
    """A Service that a Rollout has switched."""
    made = service(name, selector={"app": "web", HASH: STABLE})
    made["metadata"]["annotations"] = {MANAGED_BY: "web"}
    return made


def replica_set(hash_: str, image: str, **annotations: str) -> Json:
    """One of the Rollout's ReplicaSets, as far as it matters here."""
    template = deployment("web", image=image)["spec"]["template"]
    template["metadata"]["labels"][HASH] = hash_
    metadata = {"name": f"web-{hash_}", "labels": {"app": "web", HASH: hash_}, "annotations": annotations}
    return {"kind": "ReplicaSet", "metadata": metadata, "spec": {"template": template}}


def told(decision: Decision) -> str:
    """What a decision comes down to, in a line."""
    match decision:
        case Create(obj=obj):
            return f"create {obj['kind']} {obj['spec'].get('replicas')}"
        case Patch(target=target, body=body):
            return f"patch {target['kind']} {_flat(body)}"
        case Delete(target=target):
            return f"delete {target['kind']}"
        case Wait(until=until, because=because):
            return f"wait {until}: {because}"
        case Stuck(why=why):
            return f"stuck: {why}"
        case Done(said=said):
            return f"done: {said}"


def _flat(body: Any) -> str:
    if isinstance(body, list):
        return " ".join(f"{each['op']} {each['path']}" for each in body)
    (field, value), *_ = body["spec"].items()
    if field == "behavior":
        return f"scaleDown {value['scaleDown']['selectPolicy']}"
    return f"{field}={value.get('kind', value) if isinstance(value, dict) else value}"


def capacity(seen: Seen) -> int:
    """How many available pods there are, whoever runs them."""
    return sum(
        min(each["spec"].get("replicas", 1), (each.get("status") or {}).get("availableReplicas", 0))
        for each in (seen.deployment, seen.rollout)
        if each is not None
    )
