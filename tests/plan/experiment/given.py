"""Which experiments do the tests begin with? Builders of raw objects, as an API server delivers them."""

from collections.abc import Mapping, Sequence
from typing import Any

from rollouts.plan.analysis.templates import TemplateKey
from rollouts.plan.experiment.members import members, new_replica_set
from rollouts.plan.experiment.observed import ObservedExperiment, observe_experiment
from rollouts.plan.observed import Refusal
from tests.plan.analysis.given import metric
from tests.plan.given import stamp

Raw = dict[str, Any]

TEMPLATES: Mapping[TemplateKey, Raw | None] = {
    TemplateKey("errors"): {"metrics": [metric()]},
    TemplateKey("latency"): {"metrics": [metric("latency")]},
    TemplateKey("by-hash"): {"metrics": [metric()], "args": [{"name": "hash"}]},
    TemplateKey("missing"): None,
}


def side(name: str, replicas: int | None = 2, *, ports: Sequence[Raw] = (), **fields: Any) -> Raw:
    """Return a template of two pods that are labelled with its name."""
    container: Raw = {"name": "app", "image": f"app:{name}"}
    if ports:
        container["ports"] = list(ports)
    whole = {
        "name": name,
        "replicas": replicas,
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
        **fields,
    }
    return {key: value for key, value in whole.items() if value is not None}


def analysis(name: str = "errors", template: str = "errors", **fields: Any) -> Raw:
    """Return an analysis of the experiment's spec."""
    return {"name": name, "templateName": template, **fields}


def experiment(*templates: Raw, status: Mapping[str, Any] | None = None, **spec: Any) -> Raw:
    """Return an Experiment, by default with a baseline and a canary."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Experiment",
        "metadata": {
            "name": "ab",
            "namespace": "default",
            "uid": "uid-experiment",
            "resourceVersion": "7",
            "creationTimestamp": stamp(0),
        },
        "spec": {"templates": list(templates) or [side("baseline"), side("canary")], **spec},
        **({} if status is None else {"status": dict(status)}),
    }


def replica_set(
    raw: Raw,
    name: str,
    *,
    available: int = 0,
    size: int | None = None,
    annotations: Mapping[str, str] | None = None,
    **metadata: Any,
) -> Raw:
    """Return the ReplicaSet of a template as the API server has it once it was created."""
    here = observe_experiment({**raw, "status": {}})
    assert here.spec is not None
    member = next(each for each in members(here, here.spec) if each.name == name)
    body: Raw = dict(new_replica_set(here, member).body)
    meta = {
        **body["metadata"],
        "uid": f"uid-{name}",
        "generation": 1,
        "creationTimestamp": stamp(0),
        "resourceVersion": "9",
        **metadata,
    }
    meta["annotations"] = {**meta["annotations"], **(annotations or {})}
    wanted = body["spec"]["replicas"] if size is None else size
    counts = {"replicas": max(wanted, available), "readyReplicas": available, "availableReplicas": available}
    return {
        **body,
        "metadata": meta,
        "spec": {**body["spec"], "replicas": wanted},
        "status": {**counts, "observedGeneration": 1},
    }


def run(name: str, phase: str = "", *, since: float = 5, message: str = "", owner: str = "uid-experiment") -> Raw:
    """Return an AnalysisRun of the experiment, by default of the course that began after 5 seconds."""
    references = [{"kind": "Experiment", "name": "ab", "uid": owner, "controller": True}]
    status = {key: value for key, value in (("phase", phase), ("message", message)) if value}
    annotations = {"experiment.argoproj.io/available-at": stamp(since)}
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}", "ownerReferences": references}
    return {
        "kind": "AnalysisRun",
        "metadata": {**metadata, "annotations": annotations},
        "spec": {"metrics": []},
        **({"status": status} if status else {}),
    }


def service(name: str, selects: str = "", *, owner: str = "uid-experiment") -> Raw:
    """Return a Service, by default one of the experiment's."""
    references = [{"kind": "Experiment", "name": "ab", "uid": owner, "controller": True}] if owner else []
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}", "ownerReferences": references}
    return {"kind": "Service", "metadata": metadata, "spec": {"selector": {"rollouts-pod-template-hash": selects}}}


def observed(
    raw: Raw,
    *replica_sets: Raw,
    services: Sequence[Raw] = (),
    runs: Sequence[Raw] = (),
    refusals: Sequence[Refusal] = (),
    templates: Mapping[TemplateKey, Raw | None] = TEMPLATES,
) -> ObservedExperiment:
    """Return what is observed."""
    return observe_experiment(raw, replica_sets, services, runs, templates, refusals)
