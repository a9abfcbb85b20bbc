"""Which phase and message sum a status up, and which of several questions comes first?"""

from typing import Any

import pytest

from rollouts.plan.phase import phase_of
from tests.plan.decided import decided, given, planned
from tests.plan.given import ONE, TWO, condition, paused, replica_set, stable, stamp

DONE = {"replicas": 5, "updatedReplicas": 5, "availableReplicas": 5, "stableRS": ONE, "currentPodHash": ONE}
ABORT = condition("Progressing", "False", "RolloutAborted", "given up")
LATE = condition("Progressing", "False", "ProgressDeadlineExceeded", "late")
INVALID = condition("InvalidSpec", "True", "InvalidSpec", "wrong")
PAUSE = {"reason": "CanaryPauseStep", "startTime": stamp(0)}
SPEC = {"replicas": 5}

# (spec, status, phase, message), each row one question later than the one before.
PHASES: tuple[tuple[dict[str, Any], dict[str, Any], str, str], ...] = (
    ({"paused": True}, {"conditions": [INVALID, ABORT]}, "Degraded", "InvalidSpec: wrong"),
    ({"paused": True}, {"conditions": [ABORT, INVALID]}, "Degraded", "RolloutAborted: given up"),
    ({"paused": True}, {"conditions": [LATE]}, "Degraded", "ProgressDeadlineExceeded: late"),
    ({"paused": True}, {"pauseConditions": [PAUSE]}, "Paused", "manually paused"),
    ({"restartAt": stamp(9)}, {"pauseConditions": [PAUSE]}, "Paused", "CanaryPauseStep"),
    ({"restartAt": stamp(9)}, {"updatedReplicas": 0}, "Progressing", "rollout is restarting"),
    (
        {"restartAt": stamp(9)},
        {"restartedAt": stamp(9), "updatedReplicas": 4, "availableReplicas": 0},
        "Progressing",
        "more replicas need to be updated",
    ),
    ({}, {"availableReplicas": 4, "replicas": 6}, "Progressing", "updated replicas are still becoming available"),
    ({}, {"replicas": 6, "stableRS": TWO}, "Progressing", "old replicas are pending termination"),
    ({}, {"stableRS": TWO}, "Progressing", "waiting for all steps to complete"),
    ({}, {}, "Healthy", ""),
)


@pytest.mark.parametrize(("spec", "status", "phase", "message"), PHASES)
def test_the_first_question_that_applies_decides(
    spec: dict[str, Any], status: dict[str, Any], phase: str, message: str
) -> None:
    assert phase_of({**SPEC, **spec}, {**DONE, **status}) == (phase, message)


RUBBISH = {
    "currentStepIndex": "three",
    "pauseConditions": "none",
    "conditions": 1,
    "controllerPause": "yes",
    "abortedAt": "yesterday",
    "duration": [],
    "canary": "0",
    "collisionCount": {},
    "replicas": "5",
}


@pytest.mark.parametrize("field", RUBBISH)
def test_rubbish_in_the_status_is_named_and_replaced_and_stops_nothing(field: str) -> None:
    raw = stable()
    raw["status"][field] = RUBBISH[field]
    plan = planned(given(raw, replica_set("app:1", 5)))
    assert plan.actions == ()
    assert plan.because == (f"status part ignored: status.{field}: {RUBBISH[field]!r}",)


def test_what_others_keep_in_the_status_stays_there() -> None:
    plan = decided(
        given(
            paused(alb={"ingress": "web"}, pauseConditions=None),
            replica_set("app:1", 3),
            replica_set("app:2", 2, revision=2),
        )
    )
    assert "alb" not in plan.status


def test_a_status_that_is_no_object_is_written_anew() -> None:
    raw = {**stable(), "status": "Healthy"}
    assert given(raw, replica_set("app:1", 5)).sound_status == {}
