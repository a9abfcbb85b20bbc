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
        (
            {"abort": True, "canary": {"weights": {"canary": {"weight": 20}, "verified": True}}},
            "the update was aborted: the traffic goes back to the stable pods",
            "retry rollout",
        ),
        (
            {"abort": True, "canary": {"weights": {"canary": {"weight": 0}, "verified": False}}},
            "the update was aborted: the traffic goes back to the stable pods, which isn't verified yet",
            "retry rollout",
        ),
        ({"spec": {"paused": True}}, "spec.paused is true: somebody has to promote", "promote"),
        ({"observedGeneration": "1"}, "the controller has not seen the latest change yet", ""),
        (
            {"message": "InvalidSpec: spec.replicas: -1"},
            "nothing is done until the spec, or what it names, is corrected",
            "",
        ),
        (
            {"pauseConditions": [{"reason": "InconclusiveAnalysisRun", "startTime": "2024-05-01T11:58:00Z"}]},
            "an analysis run was inconclusive: somebody has to decide",
            "promote",
        ),
        (
            {
                "pauseConditions": [{"reason": "InconclusiveAnalysisRun", "startTime": "2024-05-01T11:58:00Z"}],
                "canary": {
                    "currentStepAnalysisRunStatus": {"name": "web-new-2-1", "status": "Inconclusive"},
                    "currentBackgroundAnalysisRunStatus": {"name": "web-new-2", "status": "Running"},
                },
            },
            "analysis run web-new-2-1 was inconclusive: somebody has to decide",
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


BLUE_GREEN_PAUSE = [{"reason": "BlueGreenPause", "startTime": "2024-05-01T11:59:00Z"}]


@pytest.mark.parametrize(
    ("fields", "reason", "seconds_left"),
    [
        ({"autoPromotionSeconds": 90}, "the preview waits for autoPromotionSeconds to pass", 30),
        (
            {"autoPromotionEnabled": False},
            "the preview is ready, and autoPromotionEnabled is false: somebody has to promote",
            None,
        ),
        # The seconds mean nothing where nobody but a person promotes.
        (
            {"autoPromotionEnabled": False, "autoPromotionSeconds": 90},
            "the preview is ready, and autoPromotionEnabled is false: somebody has to promote",
            None,
        ),
    ],
)
def test_a_preview_waits_for_a_person_or_for_its_time(
    given: Given, now: datetime, fields: Json, reason: str, seconds_left: int | None
) -> None:
    strategy = {"blueGreen": {"activeService": "web", **fields}}
    found = waiting(given(spec={"strategy": strategy}, message="BlueGreenPause", pauseConditions=BLUE_GREEN_PAUSE))
    assert found is not None
    until = None if seconds_left is None else now + timedelta(seconds=seconds_left)
    assert (found.reason, found.until, found.way_out) == (reason, until, "promote")


@pytest.mark.parametrize(
    ("active", "reason"),
    [
        ("old", "the update was aborted: the stable pods serve everything"),
        ("new", "the update was aborted: the active Service goes back to the stable pods"),
    ],
)
def test_an_abort_after_the_switch_says_that_the_service_goes_back(given: Given, active: str, reason: str) -> None:
    strategy = {"blueGreen": {"activeService": "web"}}
    found = waiting(given(spec={"strategy": strategy}, abort=True, blueGreen={"activeSelector": active}))
    assert found is not None
    assert found.reason == reason
