"""What does a run look like that a Rollout makes, which ones are kept, and what is told of them?"""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from rollouts.api import keys
from rollouts.plan import Plan, plan_rollout
from rollouts.plan.actions import CreateChild, DeleteChild
from rollouts.plan.analysis.templates import TemplateKey
from rollouts.plan.narrate import narrate
from rollouts.plan.observed import Observed, Raw
from rollouts.registry import load_kit
from tests.plan.children.analyses.given import (
    ANALYSED,
    BACKGROUND_RUN,
    METRIC,
    PROVIDER,
    SETS,
    STEP_RUN,
    WHY,
    analysis,
    at,
    at_step,
    background_run,
    canary,
    here,
    in_background,
    run,
)
from tests.plan.decided import decided, given, planned
from tests.plan.given import ONE, THREE, TWO, after, replica_set, stable

KIT = load_kit()


def made(analysis_: Raw, templates: Mapping[TemplateKey, Raw | None], **metadata: Any) -> Raw:
    """Return the run that is made for a step."""
    raw = at(at_step(), raw=canary(steps=(ANALYSED[0], {"analysis": analysis_}, ANALYSED[2])))
    raw["metadata"] = {**raw["metadata"], **metadata}
    plan = planned(given(raw, *SETS, templates=templates))
    (action,) = (each for each in plan.actions if isinstance(each, CreateChild))
    assert (action.kind, action.name) == ("AnalysisRun", STEP_RUN)
    return action.body


def test_a_run_knows_its_rollout_its_version_and_its_step() -> None:
    metadata = {"labels": {"team": "blue", "app": "theirs", "rollout-type": "Mine"}, "annotations": {"link": "there"}}
    body = made(
        analysis(analysisRunMetadata=metadata),
        {TemplateKey("errors"): {"metrics": [METRIC]}},
        labels={keys.INSTANCE_ID: "two", "other": "label"},
    )
    assert (body["apiVersion"], body["kind"]) == ("argoproj.io/v1alpha1", "AnalysisRun")
    assert body["metadata"] == {
        "name": STEP_RUN,
        "namespace": "default",
        "labels": {
            "app": "web",
            "team": "blue",
            "rollouts-pod-template-hash": TWO,
            "rollout-type": "Step",
            "step-index": "1",
            "argo-rollouts.argoproj.io/controller-instance-id": "two",
        },
        "annotations": {"link": "there", "rollout.argoproj.io/revision": "2"},
        "ownerReferences": [
            {
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "Rollout",
                "name": "web",
                "uid": "uid-web",
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }


def test_its_spec_is_that_of_all_templates_with_every_value_filled_in() -> None:
    templates = {
        TemplateKey("errors"): {
            "metrics": [METRIC],
            "args": [{"name": "canary"}, {"name": "stable"}, {"name": "team", "value": "none"}, {"name": "key"}],
            "dryRun": [{"metricName": "cpu"}],
        },
        TemplateKey("everywhere", is_cluster=True): {
            "metrics": [{"name": "cpu", "provider": PROVIDER}],
            "args": [{"name": "key", "valueFrom": {"secretKeyRef": {"name": "token", "key": "value"}}}],
        },
    }
    args: Sequence[Raw] = (
        {"name": "canary", "valueFrom": {"podTemplateHashValue": "Latest"}},
        {"name": "stable", "valueFrom": {"podTemplateHashValue": "Stable"}},
        {"name": "team", "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['team']"}}},
        {"name": "unknown", "value": "dropped"},
    )
    body = made(
        {
            "templates": [{"templateName": "errors"}, {"templateName": "everywhere", "clusterScope": True}],
            "args": args,
            "measurementRetention": [{"metricName": "cpu", "limit": 3}],
        },
        templates,
        annotations={"team": "blue"},
    )
    assert body["spec"] == {
        "metrics": [METRIC, {"name": "cpu", "provider": PROVIDER}],
        "args": [
            {"name": "canary", "value": TWO},
            {"name": "stable", "value": ONE},
            {"name": "team", "value": "blue"},
            {"name": "key", "valueFrom": {"secretKeyRef": {"name": "token", "key": "value"}}},
        ],
        "dryRun": [{"metricName": "cpu"}],
        "measurementRetention": [{"metricName": "cpu", "limit": 3}],
    }


def test_a_field_that_is_not_there_when_the_run_is_made_is_told() -> None:
    args = [{"name": "weight", "valueFrom": {"fieldRef": {"fieldPath": "status.canary.weights.canary.weight"}}}]
    raw = at(at_step(), raw=canary(steps=(ANALYSED[0], {"analysis": analysis(args=args)}, ANALYSED[2])))
    templates = {TemplateKey("errors"): {"metrics": [METRIC], "args": [{"name": "weight"}]}}
    told = decided(given(raw, *SETS, templates=templates))
    assert told.does == ()
    (why,) = told.because
    assert f"analysis run {STEP_RUN} can't be made yet: args[0].valueFrom.fieldRef.fieldPath: " in why
    assert why.endswith('argument "weight": status.canary.weights.canary.weight is not there')
    assert told.wakes == 691, "this is no patient wait: the deadline runs"


def runs_of(phase: str, count: int) -> list[Raw]:
    return [run(f"web-{phase.lower()}-{number}", phase, created=number) for number in range(count)]


def deleted(here_: Observed) -> list[str]:
    return [each.name for each in planned(here_).actions if isinstance(each, DeleteChild)]


HISTORIES: tuple[tuple[str, Raw, list[str], list[Raw]], ...] = (
    ("five of each kind stay", {}, ["web-error-0"], [*runs_of("Failed", 3), *runs_of("Error", 3)]),
    ("successful ones count apart", {}, ["web-successful-0"], [*runs_of("Successful", 6), *runs_of("Failed", 5)]),
    (
        "limits of their own",
        {"successfulRunHistoryLimit": 1, "unsuccessfulRunHistoryLimit": 0},
        ["web-successful-0", "web-inconclusive-0"],
        [*runs_of("Successful", 2), *runs_of("Inconclusive", 1)],
    ),
    (
        "of those made within one second the revision tells which is older",
        {"successfulRunHistoryLimit": 1},
        ["web-z"],
        [
            run("web-z", "Successful", annotations={"rollout.argoproj.io/revision": "9"}),
            run("web-a", "Successful", annotations={"rollout.argoproj.io/revision": "10"}),
        ],
    ),
    ("runs without a hash go", {}, ["web-old"], [run("web-old", "Successful", pod_hash="")]),
    ("runs of a version whose ReplicaSet is gone go", {}, ["web-old"], [run("web-old", "Running", pod_hash=THREE)]),
    ("one that is being deleted isn't deleted again", {}, [], [run("web-old", pod_hash="", deletionTimestamp="now")]),
)


@pytest.mark.parametrize(("says", "limits", "gone", "runs"), HISTORIES, ids=[each[0] for each in HISTORIES])
def test_what_is_history(says: str, limits: Raw, gone: list[str], runs: list[Raw]) -> None:
    del says
    raw = stable(canary(), currentPodHash=TWO, stableRS=TWO)
    raw["spec"] = {**raw["spec"], "analysis": limits}
    sets = (replica_set("app:1", 0), replica_set("app:2", 5, revision=2))
    assert sorted(deleted(here(raw, *runs, sets=sets))) == sorted(gone)


def test_the_current_run_is_no_history() -> None:
    raw = at(in_background(status="Successful"), raw=canary(analysis=analysis("always")))
    raw["spec"] = {**raw["spec"], "analysis": {"successfulRunHistoryLimit": 0}}
    assert deleted(here(raw, background_run(BACKGROUND_RUN, "Successful"))) == []


def events(here_: Observed) -> list[tuple[str, str, str]]:
    plan: Plan = plan_rollout(here_, after(100), KIT)
    told = narrate(here_, plan, plan.actions, status_written=plan.status is not None, kit=KIT)
    return [(each.type, each.reason, each.message) for each in told]


def test_a_run_that_has_just_been_named_is_told_once_it_has_a_phase() -> None:
    assert events(here(at(at_step()))) == []
    assert events(here(at(at_step()), run(STEP_RUN, "Running"))) == [
        (
            "Normal",
            "AnalysisRunRunning",
            f"Step Analysis Run '{STEP_RUN}' Status New: 'Running' Previous: 'NoPreviousStatus'",
        )
    ]
    assert events(here(at(at_step(status="Running")), run(STEP_RUN, "Running"))) == []


def test_a_failure_is_a_warning_before_the_abort() -> None:
    raw = at(in_background(status="Running"), raw=canary(analysis=analysis("always")), index=2)
    told = events(here(raw, background_run(BACKGROUND_RUN, "Failed", WHY)))
    text = f"Rollout aborted update to revision 2: Background analysis phase error/failed: {WHY}"
    assert told == [
        ("Normal", "ScalingReplicaSet", f"Scaled up ReplicaSet web-{ONE} (revision 1) from 4 to 5"),
        (
            "Warning",
            "AnalysisRunFailed",
            f"Background Analysis Run '{BACKGROUND_RUN}' Status New: 'Failed' Previous: 'Running'",
        ),
        ("Warning", "RolloutAborted", text),
    ]


def test_a_success_is_told_with_the_step_that_it_completes() -> None:
    told = events(here(at(at_step(status="Running")), run(STEP_RUN, "Successful")))
    assert [each[1] for each in told] == ["AnalysisRunSuccessful", "RolloutStepCompleted"]
