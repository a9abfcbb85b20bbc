"""Which templates and analysis runs do the tests begin with?"""

from collections.abc import Mapping, Sequence
from typing import Any

from rollouts.api import keys
from rollouts.plan import Observed, Refusal
from rollouts.plan.analysis.templates import TemplateKey
from tests.plan.decided import BOUNDED, given
from tests.plan.given import ONE, TWO, Raw, replica_set, rollout, stamp, updating

ERRORS = "errors"
PROVIDER: Raw = {"prometheus": {"address": "http://prometheus:9090", "query": "errors()"}}
METRIC: Raw = {
    "name": "error-rate",
    "interval": "1m",
    "count": 5,
    "successCondition": "result < 0.05",
    "provider": PROVIDER,
}
ENDLESS: Raw = {**METRIC, "name": "endless", "count": 0}
TEMPLATES: Mapping[TemplateKey, Raw | None] = {
    TemplateKey(ERRORS): {"metrics": [METRIC]},
    TemplateKey("always"): {"metrics": [ENDLESS]},
    TemplateKey("everywhere", is_cluster=True): {"metrics": [{**METRIC, "name": "cpu"}]},
}


def analysis(name: str = ERRORS, **fields: Any) -> Raw:
    """Return what a Rollout says of an analysis."""
    return {"templates": [{"templateName": name}], **fields}


ANALYSED: Sequence[Raw] = ({"setWeight": 20}, {"analysis": analysis()}, {"setWeight": 60})
WATCHED: Raw = {"analysis": analysis("always")}


def canary(image: str = "app:2", *, steps: Sequence[Raw] = ANALYSED, **fields: Any) -> Raw:
    """Return a Rollout whose second step is an analysis."""
    return rollout(image, steps=steps, canary=fields)


def run(
    name: str,
    phase: str = "",
    message: str = "",
    *,
    slot: str = "Step",
    index: int | None = 1,
    pod_hash: str = TWO,
    created: float = 90,
    spec: Mapping[str, Any] | None = None,
    results: Sequence[Raw] = (),
    terminate: bool = False,
    **metadata: Any,
) -> Raw:
    """Return an analysis run that the Rollout has made, by default for its second step."""
    labels = {"app": "web", keys.POD_TEMPLATE_HASH: pod_hash, keys.ROLLOUT_TYPE: slot}
    if slot == "Step":
        labels[keys.STEP_INDEX] = str(index)
    status = {"phase": phase, "message": message, "metricResults": list(results)}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": f"uid-{name}",
            "creationTimestamp": stamp(created),
            "labels": labels,
            **metadata,
        },
        "spec": {"metrics": [METRIC], **(spec or {}), **({"terminate": True} if terminate else {})},
        "status": {key: value for key, value in status.items() if value},
    }


def record(name: str, status: str = "Pending", message: str | None = None) -> Raw:
    """Return what the status says of a run."""
    return {"name": name, "status": status, **({"message": message} if message else {})}


STEP_RUN = f"web-{TWO}-2-1"
BACKGROUND_RUN = f"web-{TWO}-2"


def at_step(name: str = STEP_RUN, status: str = "Pending", message: str | None = None) -> Raw:
    """Return the canary's part of a status that names a run of the current step."""
    return {"currentStepAnalysisRunStatus": record(name, status, message)}


def in_background(name: str = BACKGROUND_RUN, status: str = "Pending", message: str | None = None) -> Raw:
    """Return the canary's part of a status that names a run in the background."""
    return {"currentBackgroundAnalysisRunStatus": record(name, status, message)}


def background_run(name: str = BACKGROUND_RUN, phase: str = "Running", message: str = "", **fields: Any) -> Raw:
    """Return the analysis run in the background."""
    return run(name, phase, message, slot="Background", **fields)


def measured(count: int, value: str = "0.01", phase: str = "Successful") -> Raw:
    """Return what is known of the metric after so many measurements."""
    at = stamp(90)
    last = {"phase": phase, "value": value, "startedAt": at, "finishedAt": at}
    return {"name": "error-rate", "phase": "Running", "count": count, "successful": count, "measurements": [last]}


# At weight 20: one pod of five is updated.
SETS = (replica_set("app:1", 4), replica_set("app:2", 1, revision=2))
WHY = 'Metric "error-rate" assessed Failed due to failed (1) > failureLimit (0)'
RETRY = "retry, or change the template"
HELD = "a measurement was inconclusive: nothing is scaled until somebody promotes or aborts"
# What an abort does at once, and what is still to come.
BACK = (f"update ReplicaSet web-{ONE} (revision 1): 4 to 5 pods",)
SMALLER = ("the canary is being scaled from 1 to 0 pods", BOUNDED)


def here(
    rollout_: Raw, *runs: Mapping[str, Any], sets: Sequence[Raw] = SETS, refusals: Sequence[Refusal] = ()
) -> Observed:
    return given(rollout_, *sets, runs=runs, templates=TEMPLATES, refusals=refusals)


def at(part: Raw | None = None, raw: Raw | None = None, *, index: int = 1, **changes: Any) -> Raw:
    """Return the Rollout at its second step, the analysis; `part` is the canary's part of the status."""
    return updating(raw or canary(), index=index, canary=part, **changes)


def failed(what: str, *, status: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the status changes when an analysis aborts the update."""
    text = f"Rollout aborted update to revision 2: {what}"
    return {
        "abort": True,
        "abortedAt": stamp(100),
        "duration": {"rolloutStartedAt": stamp(80), "finishedAt": stamp(100), "completionStatus": "Aborted"},
        "message": f"RolloutAborted: {text}",
        "phase": "Degraded",
        "conditions": {"Progressing": "False RolloutAborted"},
        **status,
    }
