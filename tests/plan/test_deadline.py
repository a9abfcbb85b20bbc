"""When does an update run out of time, and what then?"""

import pytest

from rollouts.plan import Refusal
from rollouts.plan.hashing import template_digest
from tests.plan.decided import Decided, Row, decided, given, planned
from tests.plan.given import (
    MOVING_CONDITIONS,
    PAUSED_CONDITIONS,
    TWO,
    Raw,
    aborted,
    condition,
    paused,
    replica_set,
    rollout,
    stable,
    stamp,
    template,
    updating,
)

LIMITED: Raw = {"progressDeadlineSeconds": 60}
ABORTING: Raw = {**LIMITED, "progressDeadlineAbort": True}
CRASHING = (replica_set("app:1", 5), replica_set("app:2", 1, 0, revision=2))
WAITING: Raw = {"total": 6, "availableReplicas": 5, "readyReplicas": 5}
BROKEN = condition("InvalidSpec", "True", "InvalidSpec", since=91)
UNDONE = condition("Progressing", "True", "ReplicaSetNotAvailable", since=90)
REFUSED = (*MOVING_CONDITIONS[:2], condition("Progressing", "False", "ReplicaSetCreateError", since=90))
STUCK = "RolloutAborted: Rollout aborted update to revision 2: "
LATE = (*MOVING_CONDITIONS[:2], condition("Progressing", "False", "ProgressDeadlineExceeded", since=160))
QUOTA = Refusal("create", "ReplicaSet", f"web-{TWO}", "Forbidden", "exceeded quota", template_digest(template("app:2")))

BEHIND: Raw = {"index": 2, "updated": 1}
UNSEEN = replica_set("app:2", 2, 1, revision=2, replicas=1)
UNSEEN["metadata"]["generation"] = 2

ROWS = (
    Row(
        "a controller that was down for longer than the deadline asks for what was due: all of the time is given",
        given(
            updating(rollout("app:2", **ABORTING), **BEHIND),
            replica_set("app:1", 4),
            replica_set("app:2", 1, revision=2),
        ),
        Decided(
            does=("update ReplicaSet web-76d57f768c (revision 2): 1 to 2 pods",),
            status={},
            because=("step 3 of 5 (setWeight: 40): the canary is being scaled from 1 to 2 pods",),
        ),
        now=3600,
    ),
    Row(
        "what was asked for hasn't been seen by the ReplicaSet controller: it is late, and no reason to give up",
        given(updating(rollout("app:2", **ABORTING), **BEHIND), replica_set("app:1", 4), UNSEEN),
        Decided(
            status={
                "message": 'ProgressDeadlineExceeded: ReplicaSet "web-76d57f768c" has timed out progressing.',
                "phase": "Degraded",
                "conditions": {"Progressing": "False ProgressDeadlineExceeded"},
            },
            because=("step 3 of 5 (setWeight: 40): the canary has 1 of 2 pods available",),
        ),
        now=3600,
    ),
    Row(
        "a size that is refused again and again is no movement",
        given(
            updating(rollout("app:2", **LIMITED), **BEHIND),
            replica_set("app:1", 4),
            replica_set("app:2", 1, revision=2),
            refusals=[Refusal("update", "ReplicaSet", f"web-{TWO}", "Forbidden", "a webhook says no")],
        ),
        Decided(
            does=("update ReplicaSet web-76d57f768c (revision 2): 1 to 2 pods",),
            status={
                "message": 'ProgressDeadlineExceeded: ReplicaSet "web-76d57f768c" has timed out progressing.',
                "phase": "Degraded",
                "conditions": {"Progressing": "False ProgressDeadlineExceeded"},
            },
            because=(
                "step 3 of 5 (setWeight: 40): the canary is being scaled from 1 to 2 pods",
                "the API server refuses to change ReplicaSet web-76d57f768c: a webhook says no",
            ),
        ),
        now=3600,
    ),
    Row(
        "the clock runs since the last progress",
        given(updating(rollout("app:2", **LIMITED), **WAITING), *CRASHING),
        Decided(wakes=151.0, because=("step 1 of 5 (setWeight: 20): the canary has 0 of 1 pods available",)),
        now=149,
    ),
    Row(
        "a spec that was broken for longer than the deadline, and is whole again, gets all of its time",
        given(updating(rollout("app:2", **ABORTING), conditions=[*MOVING_CONDITIONS, BROKEN], **WAITING), *CRASHING),
        Decided(
            status={"conditions": {"InvalidSpec": None}},
            because=("step 1 of 5 (setWeight: 20): the canary has 0 of 1 pods available",),
        ),
        now=3600,
    ),
    Row(
        "at the deadline itself there is still time",
        given(updating(rollout("app:2", **LIMITED), **WAITING), *CRASHING),
        Decided(wakes=151.0, because=("step 1 of 5 (setWeight: 20): the canary has 0 of 1 pods available",)),
        now=150,
    ),
    Row(
        "after it the update is Degraded, and nothing else happens",
        given(updating(rollout("app:2", **LIMITED), **WAITING), *CRASHING),
        Decided(
            status={
                "message": 'ProgressDeadlineExceeded: ReplicaSet "web-76d57f768c" has timed out progressing.',
                "phase": "Degraded",
                "conditions": {"Progressing": "False ProgressDeadlineExceeded"},
            },
            because=("step 1 of 5 (setWeight: 20): the canary has 0 of 1 pods available",),
        ),
        now=151,
    ),
    Row(
        "once it is over, nothing more is written",
        given(
            updating(
                rollout("app:2", **LIMITED),
                **WAITING,
                conditions=LATE,
                phase="Degraded",
                message="ProgressDeadlineExceeded: ",
            ),
            *CRASHING,
        ),
        Decided(because=("step 1 of 5 (setWeight: 20): the canary has 0 of 1 pods available",)),
        now=500,
    ),
    Row(
        "a pod that gets ready makes up for it",
        given(
            updating(rollout("app:2", **LIMITED), **WAITING, conditions=LATE, phase="Degraded"),
            replica_set("app:1", 5),
            replica_set("app:2", 1, revision=2),
        ),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 1): 5 to 4 pods",),
            status={
                "availableReplicas": 6,
                "phase": "Progressing",
                "readyReplicas": 6,
                "conditions": {"Progressing": "True ReplicaSetUpdated"},
            },
            because=("step 1 of 5 (setWeight: 20): stable has 5 pods on its way to 4",),
        ),
        now=500,
    ),
    Row(
        "with progressDeadlineAbort the update is aborted",
        given(updating(rollout("app:2", **ABORTING), **WAITING), *CRASHING),
        Decided(
            status={
                "abort": True,
                "abortedAt": "2026-01-01T00:02:31Z",
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:20Z",
                    "finishedAt": "2026-01-01T00:02:31Z",
                    "completionStatus": "Aborted",
                },
                "message": STUCK + 'ReplicaSet "web-76d57f768c" has timed out progressing.',
                "phase": "Degraded",
                "conditions": {"Progressing": "False RolloutAborted"},
            },
            because=(
                'aborted: ReplicaSet "web-76d57f768c" has timed out progressing.',
                "the update is aborted: everything goes back to stable; retry, or change the template",
            ),
        ),
        now=151,
    ),
    Row(
        "progressDeadlineAbort set after the deadline: aborted, too",
        given(updating(rollout("app:2", **ABORTING), **WAITING, conditions=LATE), *CRASHING),
        Decided(
            status={
                "abort": True,
                "abortedAt": "2026-01-01T00:08:20Z",
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:20Z",
                    "finishedAt": "2026-01-01T00:08:20Z",
                    "completionStatus": "Aborted",
                },
                "message": STUCK + 'ReplicaSet "web-76d57f768c" has timed out progressing.',
                "phase": "Degraded",
                "conditions": {"Progressing": "False RolloutAborted"},
            },
            because=(
                'aborted: ReplicaSet "web-76d57f768c" has timed out progressing.',
                "the update is aborted: everything goes back to stable; retry, or change the template",
            ),
        ),
        now=500,
    ),
    Row(
        "progress in the very pass counts: no abort",
        given(updating(rollout("app:2", **ABORTING)), replica_set("app:1", 5), replica_set("app:2", 1, revision=2)),
        Decided(
            does=("update ReplicaSet web-78766d5789 (revision 1): 5 to 4 pods",),
            status={"HPAReplicas": 6, "availableReplicas": 6, "readyReplicas": 6, "replicas": 6},
            waits=True,
            because=("step 1 of 5 (setWeight: 20): stable has 5 pods on its way to 4",),
        ),
        now=500,
    ),
    Row(
        "in a pause no clock runs",
        given(paused(rollout("app:2", **ABORTING)), replica_set("app:1", 3), replica_set("app:2", 2, 1, revision=2)),
        Decided(
            status={"availableReplicas": 4, "readyReplicas": 4, "conditions": {"Available": "False AvailableReason"}},
            waits=True,
            because=(
                "step 4 of 5 (pause): the pause has no duration: promote to go on",
                "the canary has 1 of 2 pods available",
            ),
        ),
        now=5000,
    ),
    Row(
        "nor with spec.paused",
        given(updating(rollout("app:2", paused=True, **ABORTING), **WAITING), *CRASHING),
        Decided(
            status={
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:20Z",
                    "manualPauseStartedAt": "2026-01-01T01:23:20Z",
                },
                "message": "manually paused",
                "phase": "Paused",
                "conditions": {"Paused": "True RolloutPaused", "Progressing": "Unknown RolloutPaused"},
            },
            because=("spec.paused is true: no step completes and nothing is scaled",),
        ),
        now=5000,
    ),
    Row(
        "after a pause it begins anew: the time of the pause doesn't count",
        given(updating(rollout("app:2", **ABORTING), conditions=PAUSED_CONDITIONS, **WAITING), *CRASHING),
        Decided(
            status={"conditions": {"Paused": "False RolloutPaused", "Progressing": "Unknown RolloutResumed"}},
            because=("step 1 of 5 (setWeight: 20): the canary has 0 of 1 pods available",),
        ),
        now=5000,
    ),
    Row(
        "an aborted update has no deadline any more",
        given(aborted(rollout("app:2", **ABORTING)), replica_set("app:1", 5, 4), replica_set("app:2", 0, revision=2)),
        Decided(
            status={"availableReplicas": 4, "readyReplicas": 4, "conditions": {"Available": "False AvailableReason"}},
            waits=True,
            because=("the update is aborted: everything goes back to stable; retry, or change the template",),
        ),
        now=5000,
    ),
    Row(
        "a healthy Rollout whose pods fail isn't late: it has no deadline to miss",
        given(stable(rollout(**ABORTING)), replica_set("app:1", 5, 3)),
        Decided(
            status={
                "availableReplicas": 3,
                "message": "updated replicas are still becoming available",
                "phase": "Progressing",
                "readyReplicas": 3,
                "conditions": {
                    "Available": "False AvailableReason",
                    "Healthy": "False RolloutHealthy",
                    "Progressing": "True ReplicaSetNotAvailable",
                },
            },
            because=("stable has 3 of 5 pods available",),
        ),
        now=5000,
    ),
    Row(
        "a promoted Rollout that never gets its pods back is late, but there is nothing to abort",
        given(
            stable(rollout(**ABORTING), availableReplicas=3, readyReplicas=3, phase="Progressing", conditions=[UNDONE]),
            replica_set("app:1", 5, 3),
        ),
        Decided(
            status={
                "message": 'ProgressDeadlineExceeded: ReplicaSet "web-78766d5789" has timed out progressing.',
                "phase": "Degraded",
                "conditions": {
                    "Available": "False AvailableReason",
                    "Completed": "True RolloutCompleted",
                    "Progressing": "False ProgressDeadlineExceeded",
                },
            },
            because=("stable has 3 of 5 pods available",),
        ),
        now=500,
    ),
    Row(
        "a first deploy that never gets ready is late, but there is nothing to go back to",
        given(
            stable(
                rollout(**ABORTING),
                availableReplicas=0,
                readyReplicas=0,
                phase="Progressing",
                conditions=[condition("Progressing", "True", "NewReplicaSetCreated", since=90)],
            ),
            replica_set("app:1", 5, 0),
        ),
        Decided(
            status={
                "message": 'ProgressDeadlineExceeded: ReplicaSet "web-78766d5789" has timed out progressing.',
                "phase": "Degraded",
                "conditions": {
                    "Available": "False AvailableReason",
                    "Completed": "True RolloutCompleted",
                    "Progressing": "False ProgressDeadlineExceeded",
                },
            },
            because=("stable has 0 of 5 pods available",),
        ),
        now=500,
    ),
    Row(
        "a ReplicaSet that is refused is late as well",
        given(
            updating(rollout("app:2", **ABORTING), updated=0, conditions=REFUSED),
            replica_set("app:1", 5),
            refusals=[QUOTA],
        ),
        Decided(
            status={
                "abort": True,
                "abortedAt": "2026-01-01T00:02:31Z",
                "duration": {
                    "rolloutStartedAt": "2026-01-01T00:01:20Z",
                    "finishedAt": "2026-01-01T00:02:31Z",
                    "completionStatus": "Aborted",
                },
                "message": STUCK + 'Rollout "web" has timed out progressing.',
                "phase": "Degraded",
                "conditions": {"Progressing": "False RolloutAborted"},
            },
            because=(
                'aborted: Rollout "web" has timed out progressing.',
                "the API server refuses the ReplicaSet: exceeded quota",
                "the update is aborted: everything goes back to stable; retry, or change the template",
            ),
        ),
        now=151,
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_deadline(row: Row) -> None:
    assert decided(row.here, row.now) == row.decided


def test_the_clock_that_begins_anew_is_written_at_once() -> None:
    raw = updating(rollout("app:2", **ABORTING), **BEHIND)
    plan = planned(given(raw, replica_set("app:1", 4), replica_set("app:2", 1, revision=2)), 3600)
    assert plan.status is not None
    (progressing,) = (each for each in plan.status["conditions"] if each["type"] == "Progressing")
    assert (progressing["reason"], progressing["lastUpdateTime"]) == ("ReplicaSetUpdated", stamp(3600))
    assert not plan.status_can_wait
