"""When does a canary have which analysis run, and what comes of how it ends?"""

from collections.abc import Mapping
from typing import Any

import pytest

from rollouts.plan import Refusal
from tests.plan.children.analyses.given import (
    ANALYSED,
    BACK,
    HELD,
    RETRY,
    SETS,
    SMALLER,
    STEP_RUN,
    WATCHED,
    WHY,
    at,
    at_step,
    canary,
    failed,
    here,
    measured,
    run,
)
from tests.plan.decided import BOUNDED, Decided, Row, decided
from tests.plan.given import (
    ONE,
    PAUSED_CONDITIONS,
    TWO,
    aborted,
    replica_set,
    rollout,
    stamp,
)

ALL_NEW = (replica_set("app:1", 0), replica_set("app:2", 5, revision=2))
STEP = "step 2 of 3 (analysis)"
WATCHING = canary(**WATCHED)
LATE = canary(analysis={**WATCHED["analysis"], "startingStep": 1})
INCONCLUSIVE: Mapping[str, Any] = {
    "pauseConditions": [{"reason": "InconclusiveAnalysisRun", "startTime": stamp(95)}],
    "controllerPause": True,
    "phase": "Paused",
    "message": "InconclusiveAnalysisRun",
    "conditions": PAUSED_CONDITIONS,
    "duration": {"rolloutStartedAt": stamp(80), "manualPauseStartedAt": stamp(95)},
}
STUCK = at_step(status="Inconclusive", message="no idea")
UNSURE = run(STEP_RUN, "Inconclusive", "no idea")


def refused(reason: str, message: str, verb: str = "create") -> Refusal:
    return Refusal(verb, "AnalysisRun", STEP_RUN, reason, message)


ROWS = (
    Row(
        "the step before is complete: the analysis' run is written down, not made yet",
        here(at(index=0)),
        Decided(
            status={"canary": at_step(), "currentStepIndex": 1},
            because=("step 1 of 3 (setWeight: 20) is complete",),
        ),
    ),
    Row(
        "a run that the status names is made",
        here(at(at_step())),
        Decided(
            does=(f"create AnalysisRun {STEP_RUN}",),
            because=(f"{STEP}: analysis run {STEP_RUN} is being made",),
        ),
    ),
    Row(
        "its run is there, and has not begun: nothing to write",
        here(at(at_step()), run(STEP_RUN)),
        Decided(because=(f"{STEP}: analysis run {STEP_RUN} has not measured anything yet",)),
    ),
    Row(
        "its run measures: its phase is written, and people read how far it is",
        here(at(at_step()), run(STEP_RUN, "Running", results=[measured(2)])),
        Decided(
            status={"canary": at_step(status="Running")},
            because=(
                f'{STEP}: analysis run {STEP_RUN}: metric "error-rate" 2 of 5 measurements, last 0.01 (Successful)',
            ),
        ),
    ),
    Row(
        "each further measurement needs no write, and no deadline runs meanwhile",
        here(at(at_step(status="Running")), run(STEP_RUN, "Running", results=[measured(3)])),
        Decided(
            because=(
                f'{STEP}: analysis run {STEP_RUN}: metric "error-rate" 3 of 5 measurements, last 0.01 (Successful)',
            )
        ),
        now=10_000,
    ),
    Row(
        "a successful run completes the step, and the status forgets it",
        here(at(at_step(status="Running")), run(STEP_RUN, "Successful")),
        Decided(status={"canary": None, "currentStepIndex": 2}, because=(f"{STEP} is complete",)),
    ),
    Row(
        "a failed run aborts the update, with what it says",
        here(at(at_step(status="Running")), run(STEP_RUN, "Failed", WHY)),
        Decided(
            does=BACK,
            status=failed(
                f"Step-based analysis phase error/failed: {WHY}",
                status={"canary": at_step(status="Failed", message=WHY), "currentStepIndex": 0},
            ),
            because=(
                f"aborted: Step-based analysis phase error/failed: {WHY}",
                f"the update is aborted: everything goes back to stable; {RETRY}",
                *SMALLER,
            ),
        ),
    ),
    Row(
        "so does one in error that says nothing",
        here(at(at_step(status="Running")), run(STEP_RUN, "Error")),
        Decided(
            does=BACK,
            status=failed(
                "Step-based analysis phase error/failed",
                status={"canary": at_step(status="Error"), "currentStepIndex": 0},
            ),
            because=(
                "aborted: Step-based analysis phase error/failed",
                f"the update is aborted: everything goes back to stable; {RETRY}",
                *SMALLER,
            ),
        ),
    ),
    Row(
        "a run that can't decide pauses the update",
        here(at(at_step(status="Running")), UNSURE),
        Decided(
            status={
                "canary": {"pausedStepIndex": 1, **STUCK},
                "controllerPause": True,
                "duration": {"rolloutStartedAt": stamp(80), "manualPauseStartedAt": stamp(100)},
                "message": "InconclusiveAnalysisRun",
                "pauseConditions": [{"reason": "InconclusiveAnalysisRun", "startTime": stamp(100)}],
                "phase": "Paused",
                "conditions": {"Paused": "True RolloutPaused", "Progressing": "Unknown RolloutPaused"},
            },
            because=(HELD, f"analysis run {STEP_RUN} is Inconclusive: no idea"),
        ),
    ),
    Row(
        "nothing moves until somebody decides instead",
        here(at({"pausedStepIndex": 1, **STUCK}, **INCONCLUSIVE), UNSURE),
        Decided(
            because=(
                HELD,
                f"analysis run {STEP_RUN} is Inconclusive: no idea",
            )
        ),
    ),
    Row(
        "resumed, it gets another run",
        here(at({"pausedStepIndex": 1, **STUCK}, **{**INCONCLUSIVE, "pauseConditions": None}), UNSURE),
        Decided(
            status={
                "canary": at_step(f"{STEP_RUN}.1"),
                "controllerPause": None,
                "duration": {"rolloutStartedAt": stamp(80), "totalManualPauseDurationSeconds": 5},
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "True ReplicaSetUpdated"},
            },
            because=(
                f"{STEP}: analysis run {STEP_RUN} is Inconclusive: no idea; somebody has resumed it, so another run"  # noqa: ISC004 - one sentence
                " follows",
            ),
        ),
    ),
    Row(
        "promoted, which goes on to the next step, it needs none",
        here(
            at(
                {"pausedStepIndex": 1, **STUCK},
                index=2,
                **{**INCONCLUSIVE, "pauseConditions": None, "controllerPause": None},
            ),
            UNSURE,
        ),
        Decided(
            does=(f"update ReplicaSet web-{TWO} (revision 2): 1 to 2 pods",),
            status={
                "canary": None,
                "duration": {"rolloutStartedAt": stamp(80), "totalManualPauseDurationSeconds": 5},
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "True ReplicaSetUpdated"},
            },
            because=("step 3 of 3 (setWeight: 60): the canary is being scaled from 1 to 3 pods",),
        ),
    ),
    Row(
        "pauseConditions and controllerPause cleared: that resumes nothing, it pauses anew",
        here(
            at(
                {"pausedStepIndex": 1, **STUCK},
                **{**INCONCLUSIVE, "pauseConditions": None, "controllerPause": None},
            ),
            UNSURE,
        ),
        Decided(
            status={
                "controllerPause": True,
                "pauseConditions": [{"reason": "InconclusiveAnalysisRun", "startTime": stamp(100)}],
            },
            because=(HELD, f"analysis run {STEP_RUN} is Inconclusive: no idea"),
        ),
    ),
    Row(
        "somebody has gone on to the next step: the run is ended",
        here(at(at_step(status="Running"), index=2), run(STEP_RUN, "Running")),
        Decided(
            does=(f"update ReplicaSet web-{TWO} (revision 2): 1 to 2 pods", f"terminate AnalysisRun {STEP_RUN}"),
            status={"canary": None},
            because=(
                "step 3 of 3 (setWeight: 60): the canary is being scaled from 1 to 3 pods",
                f"analysis run {STEP_RUN} is told to end: nothing waits for it any more",
            ),
        ),
    ),
    Row(
        "a run that has been told to end isn't told again",
        here(at(index=2), run(STEP_RUN, "Running", terminate=True), run(f"{STEP_RUN}.1", "Failed")),
        Decided(
            does=(f"update ReplicaSet web-{TWO} (revision 2): 1 to 2 pods",),
            wakes=691,
            because=("step 3 of 3 (setWeight: 60): the canary is being scaled from 1 to 3 pods",),
        ),
    ),
    Row(
        "the run of another step than the current one doesn't count",
        here(at(at_step(), raw=canary(steps=(*ANALYSED[1:2], *ANALYSED[1:2])), index=0), run(STEP_RUN, "Successful")),
        Decided(
            status={"canary": at_step(f"web-{TWO}-2-0")},
            because=(
                "step 1 of 2 (analysis): its analysis run begins",
                "the canary is being scaled from 1 to 0 pods",
                BOUNDED,
            ),
            does=(f"update ReplicaSet web-{ONE} (revision 1): 4 to 5 pods",),
        ),
    ),
    Row(
        "a retry measures anew, though the run of the first attempt is still there",
        here(at(raw=canary(), abort=None, abortedAt=stamp(95)), run(STEP_RUN, "Failed", WHY), sets=SETS),
        Decided(
            status={
                "abortedAt": None,
                "canary": at_step(f"{STEP_RUN}.1"),
                "duration": {"rolloutStartedAt": stamp(100)},
                "conditions": {"Progressing": "Unknown RolloutRetry"},
            },
            because=("step 1 of 3 (setWeight: 20) is complete",),
        ),
    ),
    Row(
        "the name belongs to somebody else: the next one is taken",
        here(at(at_step()), refusals=[refused("AlreadyExists", "it exists")]),
        Decided(
            status={"canary": at_step(f"{STEP_RUN}.1")},
            because=(f"{STEP}: analysis run {STEP_RUN} can't be made yet: the API server refuses it: it exists",),
        ),
    ),
    Row(
        "a run that the API server refuses isn't waited for patiently: the deadline runs",
        here(at(at_step()), refusals=[refused("Forbidden", "quota exceeded")]),
        Decided(
            wakes=691,
            because=(f"{STEP}: analysis run {STEP_RUN} can't be made yet: the API server refuses it: quota exceeded",),
        ),
    ),
    Row(
        "somebody has deleted the run while it measured: it is made again",
        here(at(at_step(status="Running"))),
        Decided(
            does=(f"create AnalysisRun {STEP_RUN}",),
            because=(f"{STEP}: analysis run {STEP_RUN} is being made again: somebody has deleted it",),
        ),
    ),
    Row(
        "somebody has deleted it after its end: its verdict counts",
        here(at(at_step(status="Successful"))),
        Decided(status={"canary": None, "currentStepIndex": 2}, because=(f"{STEP} is complete",)),
    ),
    Row(
        "the status has lost its run: one that is just the same goes on",
        here(at(), run(STEP_RUN, "Running")),
        Decided(status={"canary": at_step()}, because=(f"{STEP}: its analysis run begins",)),
    ),
    Row(
        "one that measures something else is ended, and another one made",
        here(at(), run(STEP_RUN, "Running", spec={"metrics": []})),
        Decided(
            does=(f"terminate AnalysisRun {STEP_RUN}",),
            status={"canary": at_step(f"{STEP_RUN}.1")},
            because=(
                f"{STEP}: its analysis run begins",
                f"analysis run {STEP_RUN} is told to end: nothing waits for it any more",
            ),
        ),
    ),
    Row(
        "while spec.paused is true no analysis begins",
        here(
            at(
                raw=rollout("app:2", steps=ANALYSED, paused=True),
                conditions=PAUSED_CONDITIONS,
                phase="Paused",
                message="manually paused",
                duration=INCONCLUSIVE["duration"],
            )
        ),
        Decided(because=("spec.paused is true: no step completes and nothing is scaled",)),
    ),
    Row(
        "an abort ends what measures",
        here(
            aborted(canary(), index=0, canary=at_step(status="Running")),
            run(STEP_RUN, "Running"),
            sets=(replica_set("app:1", 5), replica_set("app:2", 0, revision=2)),
        ),
        Decided(
            does=(f"terminate AnalysisRun {STEP_RUN}",),
            status={"canary": None},
            because=(
                f"the update is aborted: everything goes back to stable; {RETRY}",
                f"analysis run {STEP_RUN} is told to end: nothing waits for it any more",
            ),
        ),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_runs_of_a_canary(row: Row) -> None:
    assert decided(row.here, row.now) == row.decided
