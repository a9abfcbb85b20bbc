"""When does a canary have which experiment, and what comes of how it ends?"""

from collections.abc import Mapping
from typing import Any

import pytest

from rollouts.plan import Refusal, plan_rollout
from rollouts.plan.narrate import narrate
from rollouts.registry import load_kit
from tests.plan.children.analyses.given import BACK, HELD, RETRY, SMALLER, failed
from tests.plan.children.experiments.given import NAME, at, at_step, canary, here, side, step, tried
from tests.plan.decided import Decided, Row, decided
from tests.plan.given import PAUSED_CONDITIONS, THREE, TWO, aborted, after, live, replica_set, stamp

STEP = "step 2 of 3 (experiment)"
BACK_AGAIN = (replica_set("app:1", 5), replica_set("app:2", 0, revision=2))
ALL_NEW = (replica_set("app:1", 0), replica_set("app:2", 5, revision=2))
WHY = "Analysis 'errors' Failed: too many"
CAUSE = "Experiment analysis phase is error/failed"
UNDECIDED: Mapping[str, Any] = {
    "pauseConditions": [{"reason": "InconclusiveExperiment", "startTime": stamp(95)}],
    "controllerPause": True,
    "phase": "Paused",
    "message": "InconclusiveExperiment",
    "conditions": PAUSED_CONDITIONS,
    "duration": {"rolloutStartedAt": stamp(80), "manualPauseStartedAt": stamp(95)},
}
UNSURE = tried(NAME, "Inconclusive", "no idea")
AGAIN = "somebody has resumed it, so another experiment follows"
GIVEN_UP = f"experiment {NAME} is told to end: nothing waits for it any more"

ROWS = (
    Row(
        "the step before is complete: the experiment is written down, not made yet",
        here(at(index=0)),
        Decided(
            status={"canary": at_step(), "currentStepIndex": 1},
            because=("step 1 of 3 (setWeight: 20) is complete",),
        ),
    ),
    Row(
        "an experiment that the status names is made",
        here(at(at_step())),
        Decided(
            does=(f"create Experiment {NAME}",),
            because=(f"{STEP}: experiment {NAME} is being made",),
        ),
    ),
    Row(
        "it waits for its pods, and no deadline runs meanwhile",
        here(at(at_step()), tried(NAME, "Pending", templates=[side("canary", 0, status="Progressing")])),
        Decided(
            because=(f'{STEP}: experiment {NAME} waits for its pods: template "canary" has 0 of 1 available',),
        ),
        now=10_000,
    ),
    Row(
        "it runs",
        here(at(at_step()), tried(NAME, "Running", runs=[{"name": "a", "analysisRun": "a", "phase": "Running"}])),
        Decided(
            because=(f'{STEP}: experiment {NAME} is running, until {stamp(150)}, analysis "a" Running',),
        ),
    ),
    Row(
        "a successful one completes the step, and the status forgets it",
        here(at(at_step()), tried(NAME, "Successful")),
        Decided(status={"canary": None, "currentStepIndex": 2}, because=(f"{STEP} is complete",)),
    ),
    Row(
        "a failed one aborts the update, with what it says",
        here(at(at_step()), tried(NAME, "Failed", WHY)),
        Decided(
            does=BACK,
            status=failed(f"{CAUSE}: {WHY}", status={"canary": None, "currentStepIndex": 0}),
            because=(
                f"aborted: {CAUSE}: {WHY}",
                f"the update is aborted: everything goes back to stable; {RETRY}",
                *SMALLER,
            ),
        ),
    ),
    Row(
        "so does one in error that says nothing",
        here(at(at_step()), tried(NAME, "Error")),
        Decided(
            does=BACK,
            status=failed(CAUSE, status={"canary": None, "currentStepIndex": 0}),
            because=(
                f"aborted: {CAUSE}",
                f"the update is aborted: everything goes back to stable; {RETRY}",
                *SMALLER,
            ),
        ),
    ),
    Row(
        "one that can't decide pauses the update",
        here(at(at_step()), UNSURE),
        Decided(
            status={
                "canary": {"pausedStepIndex": 1, **at_step()},
                "controllerPause": True,
                "duration": {"rolloutStartedAt": stamp(80), "manualPauseStartedAt": stamp(100)},
                "message": "InconclusiveExperiment",
                "pauseConditions": [{"reason": "InconclusiveExperiment", "startTime": stamp(100)}],
                "phase": "Paused",
                "conditions": {"Paused": "True RolloutPaused", "Progressing": "Unknown RolloutPaused"},
            },
            because=(HELD, f"experiment {NAME} is Inconclusive: no idea"),
        ),
    ),
    Row(
        "nothing moves until somebody decides instead",
        here(at({"pausedStepIndex": 1, **at_step()}, **UNDECIDED), UNSURE),
        Decided(because=(HELD, f"experiment {NAME} is Inconclusive: no idea")),
    ),
    Row(
        "resumed, it gets another one",
        here(at({"pausedStepIndex": 1, **at_step()}, **{**UNDECIDED, "pauseConditions": None}), UNSURE),
        Decided(
            status={
                "canary": at_step(f"{NAME}-1"),
                "controllerPause": None,
                "duration": {"rolloutStartedAt": stamp(80), "totalManualPauseDurationSeconds": 5},
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "True ReplicaSetUpdated"},
            },
            because=(
                f"{STEP}: experiment {NAME} is Inconclusive: no idea; {AGAIN}",
            ),
        ),
    ),
    Row(
        "an aborted update ends it",
        here(aborted(canary(), canary=at_step()), tried(NAME, "Running"), sets=BACK_AGAIN),
        Decided(
            does=(f"terminate Experiment {NAME}",),
            status={"canary": None},
            because=(f"the update is aborted: everything goes back to stable; {RETRY}", GIVEN_UP),
        ),
    ),
    Row(
        "so does somebody who skips the step",
        here(at(at_step(), index=2), tried(NAME, "Running")),
        Decided(
            does=(f"update ReplicaSet web-{TWO} (revision 2): 1 to 2 pods", f"terminate Experiment {NAME}"),
            status={"canary": None},
            because=("step 3 of 3 (setWeight: 60): the canary is being scaled from 1 to 3 pods", GIVEN_UP),
        ),
    ),
    Row(
        "and a full promotion",
        here(at(at_step(), promoteFull=True, index=1), tried(NAME, "Running"), sets=ALL_NEW),
        Decided(
            does=(f"terminate Experiment {NAME}",),
            because=(GIVEN_UP,),
        ),
    ),
    Row(
        "one that somebody has deleted is made again",
        here(at(at_step(f"{NAME}-1"))),
        Decided(
            does=(f"create Experiment {NAME}-1",),
            because=(f"{STEP}: experiment {NAME}-1 is being made",),
        ),
    ),
    Row(
        "one that the API server refuses is told, and the deadline runs",
        here(at(at_step()), refusals=[Refusal("create", "Experiment", NAME, "Forbidden", "no more of them")]),
        Decided(
            wakes=691,
            because=(f"{STEP}: experiment {NAME} can't be made: the API server refuses it: no more of them",),
        ),
    ),
    Row(
        "a name that is taken by another's gets a number",
        here(at(at_step()), refusals=[Refusal("create", "Experiment", NAME, "AlreadyExists", "it is there")]),
        Decided(
            status={"canary": at_step(f"{NAME}-1")},
            because=(f"{STEP}: experiment {NAME} can't be made: the API server refuses it: it is there",),
        ),
    ),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_is_decided(row: Row) -> None:
    found = decided(row.here, row.now)
    if row.says == "and a full promotion":
        assert [each for each in found.does if "Experiment" in each] == list(row.decided.does)
        assert GIVEN_UP in found.because
        return
    assert found == row.decided


def test_a_status_that_was_lost_is_no_reason_to_begin_anew() -> None:
    first = decided(here(at()))
    assert first.status["canary"] == at_step()
    going_on = tried(f"{NAME}-1", "Running", spec={**_spec_of(f"{NAME}-1"), "duration": "1m"})
    assert decided(here(at(), going_on)).status["canary"] == at_step(f"{NAME}-1")
    other = tried(f"{NAME}-1", "Running", spec={"duration": "2m"})
    assert decided(here(at(), other)).status["canary"] == at_step()


def _spec_of(name: str) -> dict[str, Any]:
    plan = plan_rollout(here(at(at_step(name))), after(100), load_kit())
    return dict(next(each for each in plan.actions if type(each).__name__ == "CreateChild").body["spec"])  # type: ignore[union-attr]


def test_retried_the_update_gets_another_experiment() -> None:
    raw = aborted(canary(steps=(step(),)), canary={}, abort=None)
    name = NAME.removesuffix("1") + "0"
    found = decided(here(raw, tried(name, "Running", index=0), sets=BACK_AGAIN))
    assert found.status["canary"] == at_step(f"{name}-1")
    assert decided(here(at(), tried(NAME, "Failed"))).status["canary"] == at_step(f"{NAME}-1")


def test_history() -> None:
    many = [tried(f"old-{number}", "Successful", created=number) for number in range(7)]
    bad = [tried(f"bad-{number}", "Failed", created=number) for number in range(6)]
    gone = tried("gone", "Running", pod_hash=THREE)
    does = decided(here(at(at_step()), tried(), *many, *bad, gone)).does
    assert sorted(does) == [f"delete Experiment {name}" for name in ("bad-0", "gone", "old-0", "old-1")]


def test_an_experiment_that_is_made_is_told() -> None:
    observed = here(at(at_step()))
    plan = plan_rollout(observed, after(100), load_kit())
    told = narrate(observed, plan, plan.actions, status_written=True, kit=load_kit())
    assert [f"{each.reason}: {each.message}" for each in told] == [f"ExperimentCreated: Created Experiment {NAME}"]


def test_the_steps_of_a_first_deploy_make_no_experiment() -> None:
    raw = live(canary("app:1"))
    assert not [each for each in decided(here(raw, sets=())).does if "Experiment" in each]
