"""Rollouts that refer to a Deployment, and that Deployment."""

from typing import Any

from rollouts.plan import Observed, observe_rollout
from tests.plan.given import Raw, rollout, stable, template

GENERATION, FIRST = "rollout.argoproj.io/workload-generation", "rollout.argoproj.io/workload-replicas"


def deployment(
    image: str = "app:1",
    size: int = 5,
    available: int | None = None,
    *,
    generation: int = 4,
    observed: int | None = None,
    replicas: int | None = None,
) -> Raw:
    """Return a Deployment whose pods are all available unless something else is said."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "old",
            "namespace": "default",
            "uid": "uid-old",
            "resourceVersion": "9",
            "generation": generation,
        },
        "spec": {"replicas": size, "selector": {"matchLabels": {"app": "web"}}, "template": template(image)},
        "status": {
            "replicas": size if replicas is None else replicas,
            "availableReplicas": size if available is None else available,
            "observedGeneration": generation if observed is None else observed,
        },
    }


def referring(scale_down: str | None = None, *, kind: str = "Deployment", **spec: Any) -> Raw:
    """Return a Rollout that refers to it, without template and selector of its own."""
    raw = rollout(**spec)
    del raw["spec"]["template"], raw["spec"]["selector"]
    reference = {"apiVersion": "v1" if kind == "PodTemplate" else "apps/v1", "kind": kind, "name": "old"}
    raw["spec"]["workloadRef"] = {**reference, **({"scaleDown": scale_down} if scale_down else {})}
    return raw


def given(raw: Raw, workload: Raw | None, *replica_sets: Raw) -> Observed:
    return observe_rollout(raw, replica_sets, {}, workload=workload)


def noted(raw: Raw, first: int | str | None = None, generation: int = 4) -> Raw:
    """Return a Rollout whose annotations and status are up to date."""
    notes = {**raw["metadata"]["annotations"], GENERATION: str(generation)}
    if first is not None:
        notes[FIRST] = str(first)
    status = {**raw["status"], "workloadObservedGeneration": str(generation)}
    return {**raw, "metadata": {**raw["metadata"], "annotations": notes}, "status": status}


def begun(scale_down: str, available: int, first: int | str | None = 5, **spec: Any) -> Raw:
    """Return a Rollout in its first revision, with so many of its five pods available."""
    counts = {"readyReplicas": available, "availableReplicas": available}
    is_whole = available == 5
    phase = {} if is_whole else {"phase": "Progressing", "message": "updated replicas are still becoming available"}
    return noted(stable(referring(scale_down, **spec), **counts, **phase), first)
