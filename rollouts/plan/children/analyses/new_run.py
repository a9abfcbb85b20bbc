"""How does an analysis run look that a Rollout makes? Its spec comes from templates, with every value filled in."""

from collections.abc import Mapping
from typing import Any

from rollouts.api import keys
from rollouts.api.names import API_VERSION
from rollouts.plan.actions import ANALYSIS_RUN, CreateChild
from rollouts.plan.analysis.arguments import LATEST, STABLE, rollout_arguments
from rollouts.plan.analysis.guard import guarded
from rollouts.plan.analysis.spec import run_spec
from rollouts.plan.analysis.templates import flatten
from rollouts.plan.children.analyses.slots import BACKGROUND, Demand, as_raw
from rollouts.plan.ownership import instance_label, owner_reference
from rollouts.plan.problem import Problem
from rollouts.plan.scene import Scene

Raw = Mapping[str, Any]


class NoRunError(Exception):
    """A run can't be made as things are; the message says why."""


def spec_for(scene: Scene, demand: Demand) -> dict[str, Any]:
    """Return the spec of the run that is asked for. Raises NoRunError."""
    here, raw = scene.here, as_raw(demand.analysis)
    rollout = {**here.raw, "spec": here.spec}
    hashes = {LATEST: scene.revisions.pod_hash, STABLE: scene.state.stable_hash}
    incoming = tuple(rollout_arguments(demand.analysis.args, rollout, hashes))
    spec, problems = run_spec(
        flatten(raw["templates"], here.templates.get),
        [each for each in incoming if not isinstance(each, Problem)],
        rollout,
        dry_run=raw.get("dryRun", ()),
        retention=raw.get("measurementRetention", ()),
    )
    for problem in (*(each for each in incoming if isinstance(each, Problem)), *problems):
        raise NoRunError(str(problem))
    if demand.analysis.pod_health:
        is_endless = demand.slot == BACKGROUND
        spec["metrics"] = guarded(spec.get("metrics", ()), hashes[LATEST], hashes[STABLE], is_endless=is_endless)
    return spec


def new_run(scene: Scene, demand: Demand, name: str) -> CreateChild:
    """Return the action that makes a run. Raises NoRunError."""
    here, metadata = scene.here, demand.analysis.analysis_run_metadata
    index = {} if demand.index is None else {keys.STEP_INDEX: str(demand.index)}
    ours = {keys.POD_TEMPLATE_HASH: scene.revisions.pod_hash, keys.ROLLOUT_TYPE: demand.slot, **index}
    body = {
        "apiVersion": API_VERSION,
        "kind": ANALYSIS_RUN,
        "metadata": {
            "name": name,
            "namespace": here.namespace,
            "labels": {**_labels(metadata), **_selected(here.spec), **instance_label(here.raw), **ours},
            "annotations": {**_annotations(metadata), keys.REVISION: str(scene.revisions.next_revision)},
            "ownerReferences": [owner_reference(here.raw)],
        },
        "spec": spec_for(scene, demand),
    }
    return CreateChild(ANALYSIS_RUN, name, body)


def _labels(metadata: Any) -> Mapping[str, str]:
    return (metadata.labels if metadata is not None else None) or {}


def _annotations(metadata: Any) -> Mapping[str, str]:
    return (metadata.annotations if metadata is not None else None) or {}


def _selected(spec: Raw) -> Mapping[str, str]:
    """Return the labels that the Rollout selects its pods by: its runs are found by the same ones."""
    labels: Mapping[str, str] = (spec.get("selector") or {}).get("matchLabels") or {}
    return labels
