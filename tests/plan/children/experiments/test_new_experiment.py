"""What does an experiment look like that a canary's step makes?"""

from typing import Any

from rollouts.api import keys
from rollouts.plan.experiment.experiment import plan_experiment
from rollouts.plan.experiment.observed import observe_experiment
from tests.plan.children.experiments.given import NAME, SETS, at, at_step, canary, here, made, step
from tests.plan.given import ONE, TWO, after, replica_set, stamp

BASELINE = {
    "name": "baseline",
    "specRef": "stable",
    "replicas": 2,
    "weight": 5,
    "metadata": {"labels": {"role": "baseline"}, "annotations": {"note": "as it was"}},
}
CANARY = {
    "name": "canary",
    "specRef": "canary",
    "service": {"name": "try"},
    "selector": {"matchLabels": {"app": "web"}},
}
ARGS: list[dict[str, Any]] = [
    {"name": "latest", "valueFrom": {"podTemplateHashValue": "Latest"}},
    {"name": "stable", "valueFrom": {"podTemplateHashValue": "Stable"}},
    {"name": "name", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    {"name": "own", "value": "{{templates.canary.podTemplateHash}}"},
]
ANALYSIS = {"name": "errors", "templateName": "errors", "requiredForCompletion": True, "args": ARGS}


def test_the_whole_object() -> None:
    tried = step(
        BASELINE,
        CANARY,
        analyses=[ANALYSIS],
        dryRun=[{"metricName": "error-rate"}],
        analysisRunMetadata={"labels": {"team": "a"}},
        scaleDownDelaySeconds=5,
    )
    raw = at(at_step(), canary(tried=tried, progressDeadlineSeconds=300, minReadySeconds=3))
    raw["metadata"]["labels"] = {"team": "a", keys.INSTANCE_ID: "blue"}
    body = made(here(raw, sets=SETS))
    pods = SETS[0]["spec"]["template"]
    assert body == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Experiment",
        "metadata": {
            "name": NAME,
            "namespace": "default",
            "labels": {"team": "a", keys.INSTANCE_ID: "blue", keys.POD_TEMPLATE_HASH: TWO, keys.STEP_INDEX: "1"},
            "annotations": {keys.REVISION: "2"},
            "ownerReferences": [
                {
                    "apiVersion": "argoproj.io/v1alpha1",
                    "kind": "Rollout",
                    "name": "web",
                    "uid": raw["metadata"]["uid"],
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "spec": {
            "templates": [
                {
                    "name": "baseline",
                    "replicas": 2,
                    "selector": {"matchLabels": {"app": "web", keys.POD_TEMPLATE_HASH: ONE, "role": "baseline"}},
                    "template": {
                        **pods,
                        "metadata": {
                            "labels": {"app": "web", keys.POD_TEMPLATE_HASH: ONE, "role": "baseline"},
                            "annotations": {"note": "as it was"},
                        },
                    },
                    "service": {},
                },
                {
                    "name": "canary",
                    "selector": {"matchLabels": {"app": "web"}},
                    "template": SETS[1]["spec"]["template"],
                    "service": {"name": "try"},
                },
            ],
            "analyses": [
                {
                    "name": "errors",
                    "templateName": "errors",
                    "requiredForCompletion": True,
                    "args": [
                        {"name": "latest", "value": TWO},
                        {"name": "stable", "value": ONE},
                        {"name": "name", "value": "web"},
                        {"name": "own", "value": "{{templates.canary.podTemplateHash}}"},
                    ],
                }
            ],
            "progressDeadlineSeconds": 300,
            "duration": "1m",
            "dryRun": [{"metricName": "error-rate"}],
            "analysisRunMetadata": {"labels": {"team": "a"}},
            "scaleDownDelaySeconds": 5,
        },
    }


def test_it_can_be_carried_out_with_pods_of_its_own() -> None:
    body = made(here(at(at_step()), sets=SETS))
    whole = {**body, "metadata": {**body["metadata"], "uid": "uid-x", "creationTimestamp": stamp(90)}}
    plan = plan_experiment(observe_experiment(whole), after(100))
    assert plan.problem is None
    hashes = [each.pod_hash for each in plan.actions if type(each).__name__ == "CreateReplicaSet"]  # type: ignore[union-attr]
    assert len({*hashes, ONE, TWO}) == 4


def test_without_the_replica_set_it_has_to_wait() -> None:
    observed = here(at(at_step()), sets=(replica_set("app:2", 1, revision=2),))
    assert made(observed) == {"trouble": 'template "baseline" is that of stable, whose ReplicaSet is gone'}
