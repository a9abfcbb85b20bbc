"""When does a blue-green rollout have an analysis before and after its promotion, and what comes of how it ends?"""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from rollouts.plan.observed import Observed, Raw
from tests.plan.children.analyses.given import RETRY, TEMPLATES, WHY, analysis, failed, record, run
from tests.plan.decided import Decided, Row, decided, given
from tests.plan.given import (
    ABORTED_CONDITIONS,
    ONE,
    PAUSED_CONDITIONS,
    TWO,
    blue_green,
    given_up,
    pointing,
    previewing,
    replica_set,
    stamp,
    switched,
)

PRE, POST = f"web-{TWO}-2-pre", f"web-{TWO}-2-post"
BOTH = (replica_set("app:1", 5), replica_set("app:2", 5, revision=2))
COMING = (replica_set("app:1", 5), replica_set("app:2", 5, 3, revision=2))
IN_PREVIEW = {"activeSelector": ONE, "previewSelector": TWO}
ACTIVE = {"activeSelector": TWO, "previewSelector": TWO}
BEFORE = blue_green("app:2", strategy={"prePromotionAnalysis": analysis()})
AFTER = blue_green("app:2", strategy={"postPromotionAnalysis": analysis()})
TIMED = blue_green("app:2", strategy={"prePromotionAnalysis": analysis(), "autoPromotionSeconds": 60})
HELD = "a measurement was inconclusive: nothing is scaled until somebody promotes or aborts"
SWITCH = f"switch Service active from '{ONE}' to '{TWO}'"
BACK = f"switch Service active from '{TWO}' to '{ONE}'"
GIVEN_UP = "the update is aborted: clients stay with stable"
ENDED = {"rolloutStartedAt": stamp(80), "finishedAt": stamp(100)}
PROMOTED: Mapping[str, Any] = {
    "message": None,
    "phase": "Healthy",
    "stableRS": TWO,
    "conditions": {
        "Completed": "True RolloutCompleted",
        "Healthy": "True RolloutHealthy",
        "Progressing": "True NewReplicaSetAvailable",
    },
}
PAUSED_BY_RUN: Mapping[str, Any] = {
    "pauseConditions": [{"reason": "InconclusiveAnalysisRun", "startTime": stamp(95)}],
    "controllerPause": True,
    "phase": "Paused",
    "message": "InconclusiveAnalysisRun",
    "conditions": PAUSED_CONDITIONS,
    "duration": {"rolloutStartedAt": stamp(80), "manualPauseStartedAt": stamp(95)},
}


def here(rollout: Raw, *runs: Mapping[str, Any], sets: Sequence[Raw] = BOTH, active: str = ONE) -> Observed:
    return given(rollout, *sets, services=pointing(active, TWO), runs=runs, templates=TEMPLATES)


def before(raw: Raw = BEFORE, *, pre: Raw | None = None, **changes: Any) -> Raw:
    """Return the Rollout with the next version in preview; `pre` is what the status says of its analysis run."""
    part = {**IN_PREVIEW, **({"prePromotionAnalysisRunStatus": pre} if pre else {})}
    return previewing(dict(raw), **{"blueGreen": part, **changes})


def after(*, post: Raw | None = None, **changes: Any) -> Raw:
    """Return the Rollout with the next version active, and not stable yet."""
    part = {**ACTIVE, **({"postPromotionAnalysisRunStatus": post} if post else {})}
    told = {"message": "waiting for analysis to complete", "HPAReplicas": 5, **changes}
    return previewing(AFTER, **{"blueGreen": part, **told})


def pre_run(phase: str = "Running", message: str = "") -> Raw:
    return run(PRE, phase, message, slot="PrePromotion")


def post_run(phase: str = "Running", message: str = "") -> Raw:
    return run(POST, phase, message, slot="PostPromotion")


def in_status(part: Raw, **runs: Raw) -> dict[str, Any]:
    return {**part, **{f"{slot}PromotionAnalysisRunStatus": each for slot, each in runs.items()}}


BEFORE_ROWS = (
    Row(
        "the preview isn't complete yet: no analysis begins",
        here(before(availableReplicas=8, readyReplicas=8, message=None), sets=COMING),
        Decided(
            status={
                "HPAReplicas": 5,
                "availableReplicas": 5,
                "message": "active service cutover pending",
                "readyReplicas": 5,
            },
            waits=True,
            wakes=691,
            because=("the preview has 3 of 5 pods available",),
        ),
    ),
    Row(
        "all of its pods are there: its run is written down",
        here(before()),
        Decided(
            status={"blueGreen": in_status(IN_PREVIEW, pre=record(PRE))},
            because=("its analysis run begins",),
        ),
    ),
    Row(
        "and made",
        here(before(pre=record(PRE))),
        Decided(does=(f"create AnalysisRun {PRE}",), because=(f"analysis run {PRE} is being made",)),
    ),
    Row(
        "no switch, and no deadline, while it measures",
        here(before(pre=record(PRE, "Running")), pre_run()),
        Decided(because=(f"analysis run {PRE} has not measured anything yet",)),
        now=10_000,
    ),
    Row(
        "once begun it goes on, though a pod has failed",
        here(before(pre=record(PRE, "Running")), pre_run(), sets=COMING),
        Decided(
            because=(
                f"analysis run {PRE} has not measured anything yet",
                "the preview has 3 of 5 pods available",
            )
        ),
    ),
    Row(
        "successful, it lets the active Service be switched",
        here(before(pre=record(PRE, "Running")), pre_run("Successful")),
        Decided(
            does=(SWITCH,),
            status={"blueGreen": in_status(IN_PREVIEW, pre=record(PRE, "Successful"))},
            because=(
                "the preview is available: the active Service is switched once all pods are",
                f"analysis run {PRE} is Successful",
            ),
        ),
    ),
    Row(
        "the pause comes after it",
        here(before(TIMED, pre=record(PRE, "Successful")), pre_run("Successful")),
        Decided(
            status={
                "controllerPause": True,
                "message": "BlueGreenPause",
                "pauseConditions": [{"reason": "BlueGreenPause", "startTime": stamp(100)}],
                "phase": "Paused",
                "conditions": {"Paused": "True RolloutPaused", "Progressing": "Unknown RolloutPaused"},
            },
            wakes=160,
            because=(
                "autoPromotionSeconds: the preview is promoted at 2026-01-01T00:02:40Z",
                f"analysis run {PRE} is Successful",
            ),
        ),
    ),
    Row(
        "failed, it aborts the update: the active Service has never moved",
        here(before(pre=record(PRE, "Running")), pre_run("Failed", WHY)),
        Decided(
            does=(f"update ReplicaSet web-{TWO} (revision 2): scale-down-deadline={stamp(130)}",),
            status=failed(
                f"Blue/green pre-promotion analysis phase error/failed: {WHY}",
                status={"blueGreen": in_status(IN_PREVIEW, pre=record(PRE, "Failed", WHY))},
            ),
            wakes=130,
            because=(
                f"aborted: Blue/green pre-promotion analysis phase error/failed: {WHY}",
                f"{GIVEN_UP}; {RETRY}",
                f"web-{TWO} keeps its pods until {stamp(130)}",
            ),
        ),
    ),
    Row(
        "it can't decide: the update pauses",
        here(before(pre=record(PRE, "Running")), pre_run("Inconclusive")),
        Decided(
            status={
                "blueGreen": in_status(IN_PREVIEW, pre=record(PRE, "Inconclusive")),
                "controllerPause": True,
                "duration": {"rolloutStartedAt": stamp(80), "manualPauseStartedAt": stamp(100)},
                "message": "InconclusiveAnalysisRun",
                "pauseConditions": [{"reason": "InconclusiveAnalysisRun", "startTime": stamp(100)}],
                "phase": "Paused",
                "conditions": {"Paused": "True RolloutPaused", "Progressing": "Unknown RolloutPaused"},
            },
            because=(HELD, f"analysis run {PRE} is Inconclusive"),
        ),
    ),
    Row(
        "resumed, that promotes nothing: another run is made",
        here(
            before(pre=record(PRE, "Inconclusive"), **{**PAUSED_BY_RUN, "pauseConditions": None}),
            pre_run("Inconclusive"),
        ),
        Decided(
            status={
                "blueGreen": in_status(IN_PREVIEW, pre=record(f"{PRE}.1")),
                "controllerPause": None,
                "duration": {"rolloutStartedAt": stamp(80), "totalManualPauseDurationSeconds": 5},
                "message": "active service cutover pending",
                "phase": "Progressing",
                "conditions": {"Paused": "False RolloutPaused", "Progressing": "True ReplicaSetUpdated"},
            },
            because=(f"analysis run {PRE} is Inconclusive; somebody has resumed it, so another run follows",),
        ),
    ),
    Row(
        "full promotion needs none, and ends the one that measures; what it was stays in the status",
        here(before(pre=record(PRE, "Running"), promoteFull=True), pre_run()),
        Decided(
            does=(SWITCH, f"terminate AnalysisRun {PRE}"),
            wakes=691,
            because=(
                "full promotion was requested: no pause is needed",
                f"analysis run {PRE} is told to end: nothing waits for it any more",
            ),
        ),
    ),
    Row(
        "a retry measures anew",
        here(
            given_up(
                BEFORE,
                abort=None,
                blueGreen=in_status(IN_PREVIEW, pre=record(PRE, "Failed")),
                conditions=ABORTED_CONDITIONS,
            ),
            pre_run("Failed"),
        ),
        Decided(
            status={
                "abortedAt": None,
                "blueGreen": in_status(IN_PREVIEW, pre=record(f"{PRE}.1")),
                "duration": {"rolloutStartedAt": stamp(100)},
                "message": "active service cutover pending",
                "phase": "Progressing",
                "conditions": {"Progressing": "Unknown RolloutRetry"},
            },
            because=("its analysis run begins",),
        ),
    ),
)

AFTER_ROWS = (
    Row(
        "switched and complete: its run is written down, nothing is promoted yet",
        here(after(), active=TWO),
        Decided(
            status={"blueGreen": in_status(ACTIVE, post=record(POST))},
            because=("its analysis run begins",),
        ),
    ),
    Row(
        "the old version keeps its pods while it measures, and no delay begins",
        here(after(post=record(POST, "Running")), post_run(), active=TWO),
        Decided(because=(f"analysis run {POST} has not measured anything yet",)),
        now=10_000,
    ),
    Row(
        "successful, it makes the version the stable one",
        here(after(post=record(POST, "Running")), post_run("Successful"), active=TWO),
        Decided(
            status={
                "blueGreen": in_status(ACTIVE, post=record(POST, "Successful")),
                "duration": {**ENDED, "completionStatus": "Promoted"},
                **PROMOTED,
            },
            because=(
                "the active Service selects the new version: it becomes stable",
                f"analysis run {POST} is Successful",
            ),
        ),
    ),
    Row(
        "failed, it switches the active Service back",
        here(after(post=record(POST, "Running")), post_run("Failed", WHY), active=TWO),
        Decided(
            does=(BACK,),
            status=failed(
                f"Blue/green post-promotion analysis phase error/failed: {WHY}",
                status={"blueGreen": in_status(ACTIVE, post=record(POST, "Failed", WHY))},
            ),
            because=(
                f"aborted: Blue/green post-promotion analysis phase error/failed: {WHY}",
                f"the update is aborted: the active Service goes back to stable; {RETRY}",
            ),
        ),
    ),
    Row(
        "full promotion doesn't wait for it",
        here(after(post=record(POST, "Running"), promoteFull=True), post_run(), active=TWO),
        Decided(
            does=(f"terminate AnalysisRun {POST}",),
            status={"duration": {**ENDED, "completionStatus": "FastPromoted"}, "promoteFull": None, **PROMOTED},
            because=(
                "the active Service selects the new version: it becomes stable",
                f"analysis run {POST} is told to end: nothing waits for it any more",
            ),
        ),
    ),
    Row(
        "once promoted, what it was stays in the status",
        here(
            switched(AFTER, blueGreen=in_status(ACTIVE, post=record(POST, "Successful"))),
            post_run("Successful"),
            active=TWO,
        ),
        Decided(
            does=(f"update ReplicaSet web-{ONE} (revision 1): scale-down-deadline={stamp(130)}",),
            wakes=130,
            because=(f"web-{ONE} keeps its pods until {stamp(130)}",),
        ),
    ),
)


@pytest.mark.parametrize("row", BEFORE_ROWS, ids=str)
def test_the_analysis_before_the_promotion(row: Row) -> None:
    assert decided(row.here, row.now) == row.decided


@pytest.mark.parametrize("row", AFTER_ROWS, ids=str)
def test_the_analysis_after_it(row: Row) -> None:
    assert decided(row.here, row.now) == row.decided
