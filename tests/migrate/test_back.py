"""What is the next step from a Rollout back to a Deployment? A sentence per row."""

import json
from typing import Any

import pytest

from rollouts.migrate.back import decide
from rollouts.migrate.steps import Create, Patch, Seen
from tests.migrate.given import (
    HASH,
    STABLE,
    held,
    held_service,
    hpa,
    live_deployment,
    live_rollout,
    referring,
    replica_set,
    told,
)
from tests.wire.objects import IMAGE, deployment, service

CANARY = {"canary": {"stableService": "web", "canaryService": "web-canary", "steps": [], "maxSurge": 1}}
BLUE_GREEN = {"blueGreen": {"activeService": "web"}}


def in_update(**spec: Any) -> Any:
    made = live_rollout(**spec)
    return {**made, "status": {**made["status"], "currentPodHash": "77f9", "phase": "Paused"}}


def unavailable(**status: Any) -> Any:
    made = live_deployment()
    return {**made, "status": {**made["status"], "availableReplicas": 1, **status}}


RELEASE = "remove /metadata/annotations/rollout.argoproj.io~1scale-down-held"
FREE = service("web", selector={"app": "web"})
DEADLINE = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}

ROWS = {
    "there is nothing at all": (Seen(), "stuck: there is no such Rollout"),
    "a Deployment of the Rollout's size": (Seen(rollout=live_rollout(4)), "create Deployment 4"),
    "a paused Rollout isn't migrated": (
        Seen(rollout=live_rollout(paused=True)),
        "stuck: it is paused, and a paused Deployment creates no pods",
    ),
    "an update is given up for the stable template": (
        Seen(rollout=in_update(), replica_sets=(replica_set(STABLE, IMAGE),)),
        "create Deployment 3",
    ),
    "without the stable template nothing is given up": (
        Seen(rollout=in_update()),
        "stuck: an update is under way, and the stable ReplicaSet isn't there",
    ),
    "Services that tell versions apart can't be shared in mid-update": (
        Seen(rollout=in_update(strategy=BLUE_GREEN), replica_sets=(replica_set(STABLE, IMAGE),)),
        "stuck: an update is under way, and its Services tell the two versions apart",
    ),
    "a Deployment that was kept takes the template": (
        Seen(rollout=live_rollout(), deployment=live_deployment(0, image="before")),
        "patch Deployment replace /spec/template",
    ),
    "one with pods of its own is in the way": (
        Seen(rollout=live_rollout(), deployment=live_deployment(1, image="before")),
        "stuck: a Deployment web exists already, with pods of another template",
    ),
    "one that was kept grows": (
        Seen(rollout=live_rollout(), deployment=live_deployment(0)),
        "patch Deployment replicas=3",
    ),
    "the autoscaler has scaled the Rollout up meanwhile": (
        Seen(rollout=live_rollout(5), deployment=live_deployment(3), scalers=(held(hpa("Rollout")),)),
        "patch Deployment replicas=5",
    ),
    "pods that aren't available replace none": (
        Seen(rollout=live_rollout(), deployment=unavailable(), scalers=(held(hpa("Rollout")),)),
        "wait available: 1 of 3 pods are available",
    ),
    "pods that don't come up are told of": (
        Seen(rollout=live_rollout(), deployment=unavailable(conditions=[DEADLINE])),
        "stuck: the Deployment's pods don't become available",
    ),
    "no controller has seen the Deployment": (
        Seen(rollout=live_rollout(), deployment=deployment("web", 3)),
        "wait available: 0 of 3 pods are available",
    ),
    "the autoscaler follows once it has pods to count": (
        Seen(rollout=live_rollout(), deployment=live_deployment(), scalers=(held(hpa("Rollout")),)),
        "patch HorizontalPodAutoscaler scaleTargetRef=Deployment",
    ),
    "the autoscaler has made the Deployment smaller, as is its right": (
        Seen(rollout=live_rollout(5), deployment=live_deployment(4), scalers=(held(hpa()),)),
        "delete Rollout",
    ),
    "the controller must let go of its Services": (
        Seen(rollout=live_rollout(strategy=CANARY), deployment=live_deployment(), services=(held_service(),)),
        "patch Rollout strategy={'canary': {'stableService': None, 'canaryService': None, 'steps': None}}",
    ),
    "blue-green becomes plain for that": (
        Seen(rollout=live_rollout(strategy=BLUE_GREEN), deployment=live_deployment(), services=(held_service(),)),
        "patch Rollout strategy={'blueGreen': None, 'canary': {}}",
    ),
    "it lets go when it has seen that": (
        Seen(
            rollout={**live_rollout(), "metadata": {"name": "web", "generation": 3}},
            deployment=live_deployment(),
            services=(held_service(),),
        ),
        "wait seen: the controller hasn't seen yet that the Services are no longer its own",
    ),
    "a Service that is held is freed": (
        Seen(rollout=live_rollout(), deployment=live_deployment(), services=(held_service(),)),
        "patch Service selector={'rollouts-pod-template-hash': None}",
    ),
    "requests must reach the Deployment's pods before the others go": (
        Seen(rollout=live_rollout(), deployment=live_deployment(), services=(FREE,), unserved=frozenset({"web"})),
        "wait served: Service web doesn't send requests to the Deployment's pods yet",
    ),
    "the pods are replaced": (
        Seen(rollout=live_rollout(), deployment=live_deployment(), services=(FREE,)),
        "delete Rollout",
    ),
    "its autoscaler may not shrink it meanwhile": (
        Seen(rollout=live_rollout(), scalers=(hpa("Rollout"),)),
        "patch HorizontalPodAutoscaler scaleDown Disabled",
    ),
    "when the Rollout is gone, the autoscaler is let go": (
        Seen(deployment=live_deployment(), scalers=(held(hpa()),)),
        f"patch HorizontalPodAutoscaler {RELEASE} remove /spec/behavior",
    ),
    "it has happened already": (Seen(deployment=live_deployment()), "done: Deployment web has taken over"),
    "only a Service was forgotten": (
        Seen(deployment=live_deployment(), services=(held_service(),)),
        "patch Service selector={'rollouts-pod-template-hash': None}",
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_embedded(row: str) -> None:
    seen, expected = ROWS[row]
    assert told(decide(seen)) == expected


REFERRING = {
    "the controller may not take what is to grow": (
        Seen(rollout=referring(live_rollout(), "onsuccess"), deployment=live_deployment(0)),
        "patch Rollout workloadRef={'scaleDown': 'never'}",
    ),
    "the Deployment grows": (
        Seen(rollout=referring(live_rollout()), deployment=live_deployment(0)),
        "patch Deployment replicas=3",
    ),
    "and the Rollout goes": (
        Seen(rollout=referring(live_rollout()), deployment=live_deployment()),
        "delete Rollout",
    ),
    "in mid-update the Deployment holds the wrong template": (
        Seen(rollout=referring(in_update()), deployment=live_deployment(0)),
        "stuck: an update is under way, and the Deployment holds the template that isn't stable yet",
    ),
    "what it refers to is gone": (
        Seen(rollout=referring(live_rollout())),
        "stuck: the Deployment that it refers to isn't there",
    ),
}


@pytest.mark.parametrize("row", REFERRING)
def test_referring(row: str) -> None:
    seen, expected = REFERRING[row]
    assert told(decide(seen)) == expected


def test_the_stable_template_is_as_the_user_wrote_it() -> None:
    """Neither the hash nor the metadata of a role may get into a Deployment."""
    added = json.dumps({"labels": {"role": "stable"}, "annotations": {"seen": "yes"}})
    stable = replica_set(STABLE, IMAGE, **{"rollout.argoproj.io/ephemeral-metadata": added})
    stable["spec"]["template"]["metadata"]["labels"]["role"] = "stable"
    stable["spec"]["template"]["metadata"]["annotations"] = {"seen": "yes", "kept": "yes"}
    decision = decide(Seen(rollout=in_update(image="next"), replica_sets=(replica_set("77f9", "next"), stable)))
    assert isinstance(decision, Create)
    template = decision.obj["spec"]["template"]
    assert template["metadata"] == {"labels": {"app": "web"}, "annotations": {"kept": "yes"}}
    assert template["spec"]["containers"][0]["image"] == IMAGE


def test_a_service_keeps_what_is_its_own() -> None:
    decision = decide(Seen(rollout=live_rollout(), deployment=live_deployment(), services=(held_service(),)))
    assert isinstance(decision, Patch)
    assert decision.result["spec"]["selector"] == {"app": "web"}
    assert HASH not in str(decision.result)
