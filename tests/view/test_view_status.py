from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from rollouts.view.status import Shown, shown_status, waiting

Json = dict[str, Any]
Given = Callable[..., Json]

OBSERVE = "waiting for rollout spec update to be observed"


def test_the_controllers_phase_is_shown(paused: Json) -> None:
    assert shown_status(paused) == Shown("Paused", "CanaryPauseStep")
    assert str(shown_status(paused)) == "Paused - CanaryPauseStep"


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"observedGeneration": "1"}, Shown("Progressing", OBSERVE)),
        ({"observedGeneration": None}, Shown("Progressing", OBSERVE)),
        ({"observedGeneration": "3"}, Shown("Paused", "CanaryPauseStep")),
        ({"observedGeneration": "7f9c"}, Shown("Paused", "CanaryPauseStep")),
        ({"pauseConditions": None}, Shown("Progressing", "waiting for rollout to unpause")),
        ({"phase": "Healthy", "message": None}, Shown("Healthy")),
        ({"phase": None}, Shown("Unknown", "the controller has not written a phase")),
    ],
)
def test_a_client_looks_at_three_facts_first(given: Given, changes: Json, shown: Shown) -> None:
    assert shown_status(given(**changes)) == shown


def test_a_workload_that_changed_is_waited_for(given: Given) -> None:
    rollout = given(spec={"workloadRef": {"kind": "Deployment", "name": "web"}}, workloadObservedGeneration="3")
    rollout["metadata"]["annotations"]["rollout.argoproj.io/workload-generation"] = "4"
    assert shown_status(rollout) == Shown("Progressing", f"{OBSERVE} for the reference workload")
    rollout["status"]["workloadObservedGeneration"] = "4"
    assert shown_status(rollout).phase == "Paused"


def test_a_timed_pause_tells_its_end(paused: Json, now: datetime) -> None:
    found = waiting(paused)
    assert found is not None
    assert found.reason == "the current step is a pause of 10m"
    assert found.until == now + timedelta(minutes=8)
    assert found.way_out == "promote"


@pytest.mark.parametrize(
    ("changes", "reason", "way_out"),
    [
        ({"currentStepIndex": 3}, "the current step is a pause without a duration: somebody has to promote", "promote"),
        ({"abort": True}, "the update was aborted: the stable pods serve everything", "retry rollout"),
        ({"spec": {"paused": True}}, "spec.paused is true: somebody has to promote", "promote"),
        ({"observedGeneration": "1"}, "the controller has not seen the latest change yet", ""),
        ({"message": "InvalidSpec: spec.replicas: -1"}, "the spec is invalid; nothing is done until it is changed", ""),
        (
            {"pauseConditions": [{"reason": "InconclusiveAnalysisRun", "startTime": "2024-05-01T11:58:00Z"}]},
            "an analysis run was inconclusive: somebody has to decide",
            "promote",
        ),
        ({"pauseConditions": [{"reason": "SomethingElse"}]}, "paused: SomethingElse", "promote"),
    ],
)
def test_every_wait_for_a_person_has_a_reason_and_a_way_out(
    given: Given, changes: Json, reason: str, way_out: str
) -> None:
    found = waiting(given(**changes))
    assert found is not None
    assert (found.reason, found.way_out) == (reason, way_out)


def test_a_rollout_at_work_waits_for_nobody(given: Given) -> None:
    moving = given(phase="Progressing", message="more", pauseConditions=None, controllerPause=None)
    assert waiting(moving) is None
