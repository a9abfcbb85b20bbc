"""To which pods do the Services point, and when do they change over?"""

import pytest

from rollouts.api import keys
from tests.plan.decided import BOUNDED, Decided, Row, decided, given
from tests.plan.given import (
    MOVING_CONDITIONS,
    ONE,
    TWO,
    Raw,
    condition,
    paused,
    replica_set,
    rollout,
    service,
    stable,
    updating,
)

BOTH: Raw = {"canary": {"stableService": "s", "canaryService": "c"}}
HALF = (replica_set("app:1", 3), replica_set("app:2", 2, revision=2))

KEPT = "stableService still selects web-78766d5789: its last pods stay until it has been switched"

# Promoted, while a pod of the previous stable is left.
PROMOTED = updating(
    rollout("app:2", **BOTH),
    stableRS=TWO,
    index=5,
    updated=5,
    total=6,
    message="old replicas are pending termination",
    conditions=[
        MOVING_CONDITIONS[0],
        condition("Completed", "True", "RolloutCompleted", "RolloutCompleted"),
        MOVING_CONDITIONS[2],
    ],
)


def to(stable_hash: str, canary_hash: str) -> dict[str, Raw | None]:
    """Return the two Services, ours already, and where they point."""
    return {"s": ours("s", stable_hash), "c": ours("c", canary_hash)}


def ours(name: str, pod_hash: str) -> Raw:
    """Return a Service that this Rollout manages already."""
    raw = fresh(name)
    raw["metadata"]["annotations"] = {keys.MANAGED_BY: "web"}
    raw["spec"]["selector"][keys.POD_TEMPLATE_HASH] = pod_hash
    return raw


def fresh(name: str) -> Raw:
    """Return a Service that no Rollout has touched."""
    raw = service(name, app="web")
    raw["metadata"] |= {"uid": f"uid-{name}", "resourceVersion": "5"}
    return raw


ROWS = (
    Row(
        "where they should be: nothing is written",
        given(paused(rollout("app:2", **BOTH)), *HALF, services=to(ONE, TWO)),
        Decided(because=("step 4 of 5 (pause): the pause has no duration: promote to go on",)),
    ),
    Row(
        "fresh Services are taken over once all pods are available",
        given(stable(rollout(**BOTH)), replica_set("app:1", 5), services={"s": fresh("s"), "c": fresh("c")}),
        Decided(does=("switch Service s from '' to '78766d5789'", "switch Service c from '' to '78766d5789'")),
    ),
    Row(
        "one pod is missing: a fresh Service stays as it is, it serves somebody",
        given(stable(rollout(**BOTH)), replica_set("app:1", 5, 4), services={"s": fresh("s"), "c": fresh("c")}),
        Decided(
            status={
                "availableReplicas": 4,
                "message": "updated replicas are still becoming available",
                "phase": "Progressing",
                "readyReplicas": 4,
                "conditions": {
                    "Available": "False AvailableReason",
                    "Healthy": "False RolloutHealthy",
                    "Progressing": "True ReplicaSetNotAvailable",
                },
            },
            because=("stable has 4 of 5 pods available",),
        ),
    ),
    Row(
        "ours already: one available pod is enough",
        given(
            updating(rollout("app:2", **BOTH), index=4, updated=2),
            replica_set("app:1", 3),
            replica_set("app:2", 2, 1, revision=2),
            services=to(ONE, ONE),
        ),
        Decided(
            does=(
                "update ReplicaSet web-76d57f768c (revision 2): 2 to 3 pods",
                "switch Service c from '78766d5789' to '76d57f768c'",
            ),
            status={"availableReplicas": 4, "readyReplicas": 4, "conditions": {"Available": "False AvailableReason"}},
            waits=True,
            wakes=691.0,
            because=("step 5 of 5 (setWeight: 80): the canary is being scaled from 2 to 4 pods",),
        ),
    ),
    Row(
        "no available pod: the canary's Service stays at stable",
        given(
            updating(rollout("app:2", **BOTH), total=6),
            replica_set("app:1", 5),
            replica_set("app:2", 1, 0, revision=2),
            services=to(ONE, ONE),
        ),
        Decided(
            status={"availableReplicas": 5, "readyReplicas": 5},
            waits=True,
            wakes=691.0,
            because=("step 1 of 5 (setWeight: 20): the canary has 0 of 1 pods available",),
        ),
    ),
    Row(
        "aborted: the canary's Service goes back to stable at once",
        given(paused(rollout("app:2", **BOTH), abort=True), *HALF, services=to(ONE, TWO)),
        Decided(
            does=(
                "update ReplicaSet web-78766d5789 (revision 1): 3 to 4 pods",
                "switch Service c from '76d57f768c' to '78766d5789'",
            ),
            status={
                "abortedAt": "2026-01-01T00:01:40Z",
                "canary": None,
                "controllerPause": None,
                "currentStepIndex": 0,
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:20Z",
                    "finishedAt": "2026-01-01T00:01:40Z",
                    "totalManualPauseDurationSeconds": 5,
                    "completionStatus": "Aborted",
                },
                "message": "RolloutAborted: Rollout aborted update to revision 2",
                "pauseConditions": None,
                "phase": "Degraded",
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "False RolloutAborted"},
            },
            because=(
                "the update is aborted: everything goes back to stable; retry, or change the template",
                "the canary is being scaled from 2 to 0 pods",
                BOUNDED,
            ),
        ),
    ),
    Row(
        "promoted: stable's Service follows",
        given(
            updating(rollout("app:2", **BOTH), stableRS=TWO, index=5, updated=5),
            replica_set("app:1", 0),
            replica_set("app:2", 5, revision=2),
            services=to(ONE, TWO),
        ),
        Decided(
            does=("switch Service s from '78766d5789' to '76d57f768c'",),
            status={
                "message": None,
                "phase": "Healthy",
                "conditions": {
                    "Completed": "True RolloutCompleted",
                    "Healthy": "True RolloutHealthy",
                    "Progressing": "True NewReplicaSetAvailable",
                },
            },
            wakes=691.0,
        ),
    ),
    Row(
        "only a stable Service is named",
        given(paused(rollout("app:2", canary={"stableService": "s"})), *HALF, services={"s": ours("s", TWO)}),
        Decided(
            does=("switch Service s from '76d57f768c' to '78766d5789'",),
            because=("step 4 of 5 (pause): the pause has no duration: promote to go on",),
        ),
    ),
    Row(
        "spec.paused doesn't hold the Services",
        given(paused(rollout("app:2", paused=True, **BOTH), message="manually paused"), *HALF, services=to(ONE, ONE)),
        Decided(
            does=("switch Service c from '78766d5789' to '76d57f768c'",),
            because=("spec.paused is true: no step completes and nothing is scaled",),
        ),
    ),
    Row(
        "promoted: the last pod of the old stable stays, its Service still points there",
        given(
            updating(rollout("app:2", **BOTH), index=5, updated=5, total=6),
            replica_set("app:1", 1),
            replica_set("app:2", 5, revision=2),
            services=to(ONE, TWO),
        ),
        Decided(
            status={
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:20Z",
                    "finishedAt": "2026-01-01T00:01:40Z",
                    "completionStatus": "Promoted",
                },
                "message": "old replicas are pending termination",
                "stableRS": "76d57f768c",
                "conditions": {"Completed": "True RolloutCompleted"},
            },
            because=(
                "all steps are done and all pods are available: the canary becomes stable",
                "the previous stable ReplicaSet still has 1 pod",
                KEPT,
            ),
        ),
    ),
    Row(
        "then the Service is switched, and the last pod still stays",
        given(PROMOTED, replica_set("app:1", 1), replica_set("app:2", 5, revision=2), services=to(ONE, TWO)),
        Decided(
            does=("switch Service s from '78766d5789' to '76d57f768c'",),
            wakes=691.0,
            because=("older revisions still have 1 pod available", KEPT),
        ),
    ),
    Row(
        "only then does it go",
        given(PROMOTED, replica_set("app:1", 1), replica_set("app:2", 5, revision=2), services=to(TWO, TWO)),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 1): 1 to 0 pods",),
            wakes=691.0,
            because=("older revisions still have 1 pod available",),
        ),
    ),
    Row(
        "another's hash in the Service keeps nobody's pods",
        given(PROMOTED, replica_set("app:1", 1), replica_set("app:2", 5, revision=2), services=to("other", TWO)),
        Decided(
            does=(
                "update ReplicaSet web-78766d5789 (revision 1): 1 to 0 pods",
                "switch Service s from 'other' to '76d57f768c'",
            ),
            wakes=691.0,
            because=("older revisions still have 1 pod available",),
        ),
    ),
    Row(
        "a weight of 100 is reached although the Service keeps the last stable pod",
        given(
            updating(rollout("app:2", steps=[{"setWeight": 100}, {"pause": {}}], **BOTH), updated=5, total=6),
            replica_set("app:1", 1),
            replica_set("app:2", 5, revision=2),
            services=to(ONE, TWO),
        ),
        Decided(
            status={
                "canary": {"pausedStepIndex": 1},
                "controllerPause": True,
                "currentStepIndex": 1,
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:20Z",
                    "manualPauseStartedAt": "2026-01-01T00:01:40Z",
                },
                "message": "CanaryPauseStep",
                "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-01-01T00:01:40Z"}],
                "phase": "Paused",
                "conditions": {"Paused": "True RolloutPaused", "Progressing": "Unknown RolloutPaused"},
            },
            because=(
                "step 1 of 2 (setWeight: 100) is complete",
                "the pause has no duration: promote to go on",
                KEPT,
            ),
        ),
    ),
    Row(
        "maxSurge 0: the canary needs the room of the last stable pod, which goes before the Service is switched",
        given(
            updating(
                rollout("app:2", canary={**BOTH["canary"], "maxSurge": 0, "maxUnavailable": 1}), index=5, updated=4
            ),
            replica_set("app:1", 1),
            replica_set("app:2", 4, revision=2),
            services=to(ONE, TWO),
        ),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 1): 1 to 0 pods",),
            wakes=691.0,
            because=(
                "the canary is being scaled from 4 to 5 pods",
                "maxSurge (0) and maxUnavailable (1) hold it back: at most 5 pods in all, at least 4 available",
            ),
        ),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_services(row: Row) -> None:
    assert decided(row.here, row.now) == row.decided


def test_a_size_of_none_takes_the_last_pods_although_the_stable_service_selects_them() -> None:
    raw = stable(rollout("app:2", replicas=0, **BOTH), currentPodHash=TWO, stableRS=TWO, updatedReplicas=0)
    sets = replica_set("app:1", 1, desired=0), replica_set("app:2", 0, revision=2, desired=0)
    assert decided(given(raw, *sets, services=to(ONE, TWO))).does[:1] == (
        f"update ReplicaSet web-{ONE} (revision 1): 1 to 0 pods",
    )
