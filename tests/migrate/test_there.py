"""What is the next step from a Deployment to a Rollout? A sentence per row."""

import dataclasses
from typing import Any

import pytest

from rollouts.migrate.steps import Seen
from rollouts.migrate.there import decide
from rollouts.migrate.wish import ScaleDown, Wish
from tests.migrate.given import held, hpa, live_deployment, live_rollout, referring, told
from tests.wire.objects import rollout

OWNER = {"kind": "Shop", "name": "main", "controller": True}
LEAVING = {"deletionTimestamp": "2024-05-01T12:00:00Z"}
PROGRESSIVELY = Wish(workload_ref=ScaleDown.PROGRESSIVELY)
RELEASE = "remove /metadata/annotations/rollout.argoproj.io~1scale-down-held"
NEVER = Wish(workload_ref=ScaleDown.NEVER)


def changed(obj: Any, **metadata: Any) -> Any:
    return {**obj, "metadata": {**obj["metadata"], **metadata}}


ROWS = {
    "there is nothing at all": (Seen(), "stuck: there is no such Deployment"),
    "a Deployment at rest gets a Rollout of its size": (
        Seen(deployment=live_deployment(5)),
        "create Rollout 5",
    ),
    "its autoscaler may grow it while two sets of pods share the load, but not shrink it": (
        Seen(deployment=live_deployment(), scalers=(hpa(),)),
        "patch HorizontalPodAutoscaler scaleDown Disabled",
    ),
    "the autoscaler is let go when one set is left": (
        Seen(deployment=live_deployment(0), rollout=live_rollout(), scalers=(held(hpa("Rollout")),)),
        f"patch HorizontalPodAutoscaler {RELEASE} remove /spec/behavior",
    ),
    "which takes the time that pods take to end": (
        Seen(deployment=live_deployment(0, pods=2), rollout=live_rollout(), scalers=(held(hpa("Rollout")),)),
        "wait empty: 2 pods of the Deployment are left",
    ),
    "it has its behavior of before": (
        Seen(rollout=live_rollout(), scalers=(held(hpa("Rollout"), '{"scaleDown":{"policies":[]}}'),)),
        f"patch HorizontalPodAutoscaler {RELEASE} replace /spec/behavior",
    ),
    "or as much of it as can be read": (
        Seen(rollout=live_rollout(), scalers=(held(hpa("Rollout"), "{"),)),
        f"patch HorizontalPodAutoscaler {RELEASE} replace /spec/behavior",
    ),
    "one in the middle of an update is waited for": (
        Seen(deployment=live_deployment(3, available=2)),
        "wait settled: 2 of 3 pods are available, 3 are up to date",
    ),
    "one that is just being scaled is waited for": (
        Seen(deployment=live_deployment(3, pods=2)),
        "wait settled: 2 of 3 pods are available, 2 are up to date",
    ),
    "one that is paused isn't migrated": (
        Seen(deployment=live_deployment(paused=True)),
        "stuck: it is paused, and a paused Rollout creates no pods",
    ),
    "one that must not run twice isn't migrated": (
        Seen(deployment=live_deployment(strategy={"type": "Recreate"})),
        "stuck: its strategy Recreate says that two sets of its pods must not run at once, which is what happens here",
    ),
    "one that something else makes isn't migrated": (
        Seen(deployment=changed(live_deployment(), ownerReferences=[OWNER])),
        "stuck: Shop main makes it, and would make it again",
    ),
    "a Rollout of other pods is in the way": (
        Seen(deployment=live_deployment(), rollout=live_rollout(image="another")),
        "stuck: a Rollout web exists already: its pod template is another one",
    ),
    "a Rollout that refers to the Deployment isn't what was asked for": (
        Seen(deployment=live_deployment(), rollout=referring(live_rollout())),
        "stuck: a Rollout web exists already: it refers to its workload: go on with --workload-ref",
    ),
    "a Rollout on its way out is waited for": (
        Seen(deployment=live_deployment(), rollout=changed(live_rollout(), **LEAVING)),
        "wait gone: it is being deleted",
    ),
    "the autoscaler has scaled the Deployment up meanwhile": (
        Seen(deployment=live_deployment(5), rollout=live_rollout(3), scalers=(held(hpa()),)),
        "patch Rollout replicas=5",
    ),
    "no controller": (
        Seen(deployment=live_deployment(), rollout=rollout("web", 3)),
        "wait healthy: no controller has looked at it yet",
    ),
    "pods that aren't available replace none": (
        Seen(deployment=live_deployment(), rollout=live_rollout(phase="Progressing", available=2)),
        "wait healthy: 2 of 3 pods are available",
    ),
    "a healthy phase of before the last scaling doesn't count": (
        Seen(deployment=live_deployment(), rollout=changed(live_rollout(), generation=3)),
        "wait healthy: 3 of 3 pods are available",
    ),
    "a Rollout that is degraded takes nothing": (
        Seen(deployment=live_deployment(), rollout={**live_rollout(phase="Degraded", available=0)}),
        "stuck: the Rollout is degraded: None",
    ),
    "the autoscaler follows before the pods go": (
        Seen(deployment=live_deployment(), rollout=live_rollout(), scalers=(held(hpa()),)),
        "patch HorizontalPodAutoscaler scaleTargetRef=Rollout",
    ),
    "an autoscaler that KEDA makes stays KEDA's": (
        Seen(deployment=live_deployment(), rollout=live_rollout(), scalers=(hpa(ownerReferences=[OWNER]),)),
        "patch Deployment replicas=0",
    ),
    "the pods are replaced": (
        Seen(deployment=live_deployment(), rollout=live_rollout(), scalers=(held(hpa("Rollout")),)),
        "patch Deployment replicas=0",
    ),
    "the autoscaler has made the Rollout smaller, as is its right": (
        Seen(deployment=live_deployment(5), rollout=live_rollout(4), scalers=(held(hpa("Rollout")),)),
        "patch Deployment replicas=0",
    ),
    "an empty Deployment goes, even while the Rollout is updated already": (
        Seen(deployment=live_deployment(0), rollout=live_rollout(phase="Progressing")),
        "delete Deployment",
    ),
    "a Deployment on its way out is waited for": (
        Seen(deployment=changed(live_deployment(0), **LEAVING), rollout=live_rollout()),
        "wait deleted: it is being deleted",
    ),
    "it has happened already": (
        Seen(rollout=live_rollout(phase="Paused")),
        "done: Rollout web has taken over",
    ),
    "only an autoscaler was forgotten": (
        Seen(rollout=live_rollout(), scalers=(held(hpa()),)),
        "patch HorizontalPodAutoscaler scaleTargetRef=Rollout",
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_embedding(row: str) -> None:
    seen, expected = ROWS[row]
    assert told(decide(seen, Wish())) == expected


def test_a_deployment_is_kept_on_request() -> None:
    seen = Seen(deployment=live_deployment(0), rollout=live_rollout())
    assert told(decide(seen, Wish(keeps_deployment=True))) == (
        "done: Rollout web has taken over; Deployment web stays, at 0 pods"
    )


REFERRING = {
    "the autoscaler leaves before the controller takes pods": (
        PROGRESSIVELY,
        Seen(deployment=live_deployment(), scalers=(held(hpa()),)),
        "patch HorizontalPodAutoscaler scaleTargetRef=Rollout",
    ),
    "then the Rollout comes": (
        PROGRESSIVELY,
        Seen(deployment=live_deployment(), scalers=(held(hpa("Rollout")),)),
        "create Rollout 3",
    ),
    "the controller takes one pod for another": (
        PROGRESSIVELY,
        Seen(
            deployment=live_deployment(1),
            rollout=referring(live_rollout(phase="Progressing", available=2), "progressively"),
        ),
        "wait healthy: 2 of 3 pods are available",
    ),
    "the last pods of the Deployment are waited for": (
        PROGRESSIVELY,
        Seen(deployment=live_deployment(0, pods=1), rollout=referring(live_rollout(), "progressively")),
        "wait empty: 1 pods of the Deployment are left",
    ),
    "the Deployment stays": (
        PROGRESSIVELY,
        Seen(deployment=live_deployment(0), rollout=referring(live_rollout(), "progressively")),
        "done: Rollout web has taken over; Deployment web stays, at 0 pods",
    ),
    "where the controller takes none, we do": (
        NEVER,
        Seen(deployment=live_deployment(), rollout=referring(live_rollout())),
        "patch Deployment replicas=0",
    ),
    "and the Deployment stays as well": (
        NEVER,
        Seen(deployment=live_deployment(0), rollout=referring(live_rollout())),
        "done: Rollout web has taken over; Deployment web stays, at 0 pods",
    ),
    "a Rollout that embeds its template isn't what was asked for": (
        NEVER,
        Seen(deployment=live_deployment(), rollout=live_rollout()),
        "stuck: a Rollout web exists already: it doesn't refer to this Deployment",
    ),
    "without a Deployment there is nothing to refer to": (
        NEVER,
        Seen(rollout=referring(live_rollout())),
        "stuck: there is no such Deployment",
    ),
}


@pytest.mark.parametrize("row", REFERRING)
def test_referring(row: str) -> None:
    wish, seen, expected = REFERRING[row]
    assert told(decide(seen, wish)) == expected


def test_a_decision_reads_nothing_but_what_it_sees() -> None:
    seen = Seen(deployment=live_deployment(), scalers=(held(hpa()),))
    before = dataclasses.replace(seen)
    assert decide(seen, Wish()) == decide(seen, Wish())
    assert seen == before
