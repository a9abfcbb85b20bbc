"""How does an experiment look that a canary's step makes? Its pods are the canary's and stable's, as they are."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from rollouts.api import keys
from rollouts.api.experiment import RolloutExperimentAnalysis, RolloutExperimentTemplate
from rollouts.api.names import API_VERSION
from rollouts.plan.actions import EXPERIMENT, CreateChild
from rollouts.plan.analysis.arguments import LATEST, STABLE, ArgumentError, field_of, rollout_arguments
from rollouts.plan.analysis.templates import flatten
from rollouts.plan.children.experiments.demand import Demand
from rollouts.plan.observed import ReplicaSet
from rollouts.plan.ownership import owner_reference
from rollouts.plan.problem import Problem
from rollouts.plan.scene import Scene

Raw = Mapping[str, Any]

FROM_CANARY, FROM_STABLE = "canary", "stable"


class NoExperimentError(Exception):
    """An experiment can't be made as things are; the message says why."""


def new_experiment(scene: Scene, demand: Demand, name: str) -> CreateChild:
    """Return the action that makes an experiment. Raises NoExperimentError."""
    here = scene.here
    labels = here.raw["metadata"].get("labels") or {}
    ours = {keys.POD_TEMPLATE_HASH: scene.revisions.pod_hash, keys.STEP_INDEX: str(demand.index)}
    body = {
        "apiVersion": API_VERSION,
        "kind": EXPERIMENT,
        "metadata": {
            "name": name,
            "namespace": here.namespace,
            "labels": {**labels, **ours},
            "annotations": {keys.REVISION: str(scene.revisions.next_revision)},
            "ownerReferences": [owner_reference(here.raw)],
        },
        "spec": spec_for(scene, demand),
    }
    return CreateChild(EXPERIMENT, name, body)


def spec_for(scene: Scene, demand: Demand) -> dict[str, Any]:
    """Return the spec of the experiment that is asked for. Raises NoExperimentError."""
    experiment = demand.experiment
    raw = experiment.model_dump(mode="json", by_alias=True, exclude_none=True)
    kept = ("duration", "dryRun", "analysisRunMetadata", "scaleDownDelaySeconds")
    whole = {
        "templates": [_template(scene, each) for each in experiment.templates],
        "analyses": [_analysis(scene, each) for each in experiment.analyses],
        "progressDeadlineSeconds": scene.here.rollout.spec.progress_deadline_seconds_or_default,
        **{key: raw[key] for key in kept if key in raw},
    }
    return {key: value for key, value in whole.items() if value not in (None, [])}


def _template(scene: Scene, template: RolloutExperimentTemplate) -> dict[str, Any]:
    source = _source(scene, template)
    pods, selector = deepcopy(dict(source.template)), deepcopy(dict(source.raw["spec"]["selector"]))
    metadata = pods["metadata"] = dict(pods.get("metadata") or {})
    if template.selector is not None:
        selector = deepcopy(template.selector)
    if template.metadata is not None and template.metadata.labels:
        metadata["labels"] = {**(metadata.get("labels") or {}), **template.metadata.labels}
        selector["matchLabels"] = {**(selector.get("matchLabels") or {}), **template.metadata.labels}
    if template.metadata is not None and template.metadata.annotations:
        metadata["annotations"] = {**(metadata.get("annotations") or {}), **template.metadata.annotations}
    whole = {
        "name": template.name,
        "replicas": template.replicas,
        "minReadySeconds": source.raw["spec"].get("minReadySeconds"),
        "selector": selector,
        "template": pods,
        "service": _service(template),
    }
    return {key: value for key, value in whole.items() if value is not None}


def _source(scene: Scene, template: RolloutExperimentTemplate) -> ReplicaSet:
    revisions = scene.revisions
    found = revisions.stable if template.spec_ref == FROM_STABLE else revisions.canary
    if found is None:
        raise NoExperimentError(f'template "{template.name}" is that of {template.spec_ref}, whose ReplicaSet is gone')
    return found


def _service(template: RolloutExperimentTemplate) -> dict[str, Any] | None:
    """Return the Service that is asked for, also by a weight: traffic comes to pods through one."""
    if template.service is None and template.weight is None:
        return None
    name = template.service.name if template.service is not None else None
    return {"name": name} if name else {}


def _analysis(scene: Scene, analysis: RolloutExperimentAnalysis) -> dict[str, Any]:
    whole = {
        "name": analysis.name,
        "templateName": analysis.template_name,
        "clusterScope": analysis.cluster_scope,
        "args": list(_arguments(scene, analysis)),
        "requiredForCompletion": analysis.required_for_completion,
    }
    return {key: value for key, value in whole.items() if value not in (None, [])}


def _arguments(scene: Scene, analysis: RolloutExperimentAnalysis) -> Iterator[Raw]:
    """Yield the arguments with their values; fields of the Rollout are known here only, not to the experiment."""
    rollout = {**scene.here.raw, "spec": scene.here.spec}
    hashes = {LATEST: scene.revisions.pod_hash, STABLE: scene.state.stable_hash}
    given: set[str] = set()
    for each in rollout_arguments(analysis.args, rollout, hashes):
        if isinstance(each, Problem):
            raise NoExperimentError(f'analysis "{analysis.name}": {each}')
        if each.get("value") is not None:
            given.add(each["name"])
            yield each
    reference = {"templateName": analysis.template_name, "clusterScope": analysis.cluster_scope}
    for declared in flatten([reference], scene.here.templates.get).args:
        path = ((declared.get("valueFrom") or {}).get("fieldRef") or {}).get("fieldPath")
        if declared["name"] in given or declared.get("value") is not None or path is None:
            continue
        try:
            yield {"name": declared["name"], "value": field_of(rollout, path)}
        except ArgumentError as error:
            raise NoExperimentError(f'analysis "{analysis.name}": argument "{declared["name"]}": {error}') from None
