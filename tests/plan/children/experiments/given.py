"""Which experiments of a Rollout do the tests begin with?"""

from collections.abc import Mapping, Sequence
from typing import Any

from rollouts.api import keys
from rollouts.plan import Observed, Refusal
from rollouts.plan.bound import bind_steps
from rollouts.plan.children.experiments.current import look
from rollouts.plan.replicas import resolve_bounds
from rollouts.plan.scene import set_scene
from rollouts.registry import load_kit
from tests.plan.children.analyses.given import TEMPLATES
from tests.plan.decided import given
from tests.plan.given import TWO, Raw, after, replica_set, rollout, stamp, updating

SIDES: Sequence[Raw] = ({"name": "baseline", "specRef": "stable"}, {"name": "canary", "specRef": "canary"})
SETS = (replica_set("app:1", 4), replica_set("app:2", 1, revision=2))
NAME = f"web-{TWO}-2-1"


def step(*templates: Raw, **fields: Any) -> Raw:
    """Return a step with an experiment of a minute, by default of stable beside the canary."""
    return {"experiment": {"templates": list(templates or SIDES), "duration": "1m", **fields}}


def canary(image: str = "app:2", *, tried: Raw | None = None, **fields: Any) -> Raw:
    """Return a Rollout whose second step is an experiment."""
    steps = fields.pop("steps", ({"setWeight": 20}, tried or step(), {"setWeight": 60}))
    return rollout(image, steps=steps, **fields)


def at(part: Raw | None = None, raw: Raw | None = None, *, index: int = 1, **changes: Any) -> Raw:
    """Return the Rollout at its second step, the experiment; `part` is the canary's part of the status."""
    return updating(raw or canary(), index=index, canary=part, **changes)


def at_step(name: str = NAME) -> Raw:
    """Return the canary's part of a status that names the experiment of the current step."""
    return {"currentExperiment": name}


def tried(
    name: str = NAME,
    phase: str = "",
    message: str = "",
    *,
    index: int = 1,
    pod_hash: str = TWO,
    created: float = 90,
    spec: Mapping[str, Any] | None = None,
    templates: Sequence[Raw] = (),
    runs: Sequence[Raw] = (),
    terminate: bool = False,
) -> Raw:
    """Return an experiment that the Rollout has made, by default for its second step."""
    labels = {keys.POD_TEMPLATE_HASH: pod_hash, keys.STEP_INDEX: str(index)}
    status = {
        "phase": phase,
        "message": message,
        "templateStatuses": list(templates),
        "analysisRuns": list(runs),
        **({"availableAt": stamp(90)} if phase == "Running" else {}),
    }
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}", "creationTimestamp": stamp(created)}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Experiment",
        "metadata": {**metadata, "labels": labels},
        "spec": {"duration": "1m", **(spec or {}), **({"terminate": True} if terminate else {})},
        "status": {key: value for key, value in status.items() if value},
    }


def side(name: str, available: int = 1, *, replicas: int = 1, status: str = "Running", service: str = "") -> Raw:
    """Return what an experiment's status says of a template."""
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas"), replicas)
    whole = {
        "name": name,
        "status": status,
        **counts,
        "availableReplicas": available,
        "podTemplateHash": f"hash-{name}",
        "serviceName": service,
    }
    return {key: value for key, value in whole.items() if value != ""}


def here(
    raw: Raw, *experiments: Mapping[str, Any], sets: Sequence[Raw] = SETS, refusals: Sequence[Refusal] = ()
) -> Observed:
    return given(raw, *sets, experiments=experiments, templates=TEMPLATES, refusals=refusals)


def made(observed: Observed) -> Raw:
    """Return the body of the experiment that is made, or what is in its way."""
    canary_spec = observed.rollout.spec.strategy.canary if observed.rollout.spec.strategy else None
    assert canary_spec is not None
    bounds = resolve_bounds(5, canary_spec.max_surge, canary_spec.max_unavailable)
    current = look(set_scene(observed, bind_steps(canary_spec.steps or (), load_kit()), bounds, after(100)))
    return {"trouble": current.trouble} if current.due is None else dict(current.due.body)
