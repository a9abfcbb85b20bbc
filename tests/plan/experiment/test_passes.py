"""What is decided about an experiment in one pass, when the world isn't as it was left?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from rollouts.plan.actions import CreateChild
from rollouts.plan.analysis.templates import TemplateKey
from rollouts.plan.experiment.experiment import plan_experiment
from rollouts.plan.experiment.members import service_ports
from rollouts.plan.experiment.observed import ObservedExperiment
from rollouts.plan.observed import Refusal
from rollouts.sim.transcript import describe
from tests.plan.experiment.given import TEMPLATES, analysis, experiment, observed, replica_set, run, service, side
from tests.plan.given import after, stamp

CANARY = side("canary")
WEB = side("canary", ports=[{"containerPort": 80, "name": "http"}], service={"name": "web"})


def running(*, at: float = 5, **status: Any) -> dict[str, Any]:
    """Return the status of an experiment with a canary that runs."""
    canary = {"name": "canary", "status": "Running", "lastTransitionTime": stamp(at)}
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 2)
    return {"phase": "Running", "availableAt": stamp(at), "templateStatuses": [{**canary, **counts}], **status}


def ended(phase: str = "Successful") -> dict[str, Any]:
    """Return the status of one that is over."""
    status = running()
    return {**status, "phase": phase, "templateStatuses": [{**status["templateStatuses"][0], "status": "Successful"}]}


def refused(kind: str, subject: str, reason: str = "Forbidden", message: str = "the quota is exceeded") -> Refusal:
    return Refusal("create", kind, subject, reason, message)


@dataclass(frozen=True)
class Row:
    """What is observed, what is done, and how the phase and the message turn out."""

    says: str
    here: ObservedExperiment
    does: Sequence[str] = ()
    phase: str = "Running"
    message: str | None = None
    because: str = ""
    templates: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.says


RAW = experiment(CANARY, status=running())
UP = replica_set(RAW, "canary", available=2)
WITH_WEB = experiment(WEB, status=running())
UP_WEB = replica_set(WITH_WEB, "canary", available=2)
OVER = experiment(CANARY, status=ended())
INVALID = 'The Experiment "ab" is invalid: '
MEASURED = experiment(CANARY, analyses=[analysis()], status=running())


def known_run(phase: str) -> dict[str, Any]:
    """Return an experiment whose status tells of a run."""
    told = {"name": "errors", "analysisRun": "ab-errors", "phase": phase}
    return {**MEASURED, "status": running(analysisRuns=[told])}


ROWS = (
    Row(
        "pods that somebody has scaled are brought back",
        observed(RAW, replica_set(RAW, "canary", available=2, size=3)),
        does=["update ReplicaSet ab-canary: 3 to 2 pods"],
        templates={"status": "Progressing"},
    ),
    Row(
        "a ReplicaSet that somebody has deleted is created again",
        observed(RAW),
        does=["create ReplicaSet ab-canary with 2 pods"],
        templates={"status": "Progressing", "replicas": 0},
    ),
    Row(
        "one that is still being deleted has to go first",
        observed(RAW, replica_set(RAW, "canary", available=2, deletionTimestamp=stamp(50))),
        because='template "canary": waits until an earlier ReplicaSet ab-canary has been deleted',
        templates={"status": "Progressing"},
    ),
    Row(
        "a ReplicaSet of the same name that is another's doesn't count, and gets ours another name",
        observed(RAW, refusals=[refused("ReplicaSet", "ab-canary", "AlreadyExists")]),
        does=["create ReplicaSet ab-canary-1 with 2 pods"],
        templates={"collisionCount": 1},
    ),
    Row(
        "one that is found under such a name is ours, even if the status doesn't tell",
        observed(RAW, {**UP, "metadata": {**UP["metadata"], "name": "ab-canary-1"}}),
        templates={"status": "Running"},
    ),
    Row(
        "a creation that is refused for good is an error",
        observed(experiment(CANARY, status={"phase": "Pending"}), refusals=[refused("ReplicaSet", "ab-canary")]),
        phase="Error",
        message="Template 'canary' Error: ReplicaSet ab-canary can't be created: the quota is exceeded",
        templates={"status": "Error"},
    ),
    Row(
        "pods of a template that is no longer in the spec get a deadline",
        observed(RAW, UP, replica_set(experiment(CANARY, side("gone")), "gone", available=2)),
        does=[f"update ReplicaSet ab-gone: scale-down-deadline={stamp(130)}"],
    ),
    Row(
        "a Service that somebody has deleted is created again",
        observed(WITH_WEB, UP_WEB),
        does=["create Service web"],
        because='template "canary": waits for Service web',
        templates={"status": "Progressing"},
    ),
    Row(
        "a Service that was there before us is nothing to be taken over",
        observed(WITH_WEB, UP_WEB, services=[service("web", owner="")]),
        phase="Error",
        message="Template 'canary' Error: Service web was there before, and belongs to nobody: give the template "
        "another service.name, or delete that Service",
        templates={"status": "Error"},
    ),
    Row(
        "a Service is there, and told of",
        observed(WITH_WEB, UP_WEB, services=[service("web")]),
        templates={"status": "Running", "serviceName": "web"},
    ),
    Row(
        "a Service that is refused is an error",
        observed(WITH_WEB, UP_WEB, refusals=[refused("Service", "web")]),
        does=[],
        phase="Error",
        message="Template 'canary' Error: Service web can't be created: the quota is exceeded",
    ),
    Row(
        "an analysis begins once that its pods are available has been written",
        observed(MEASURED, UP),
        does=["create AnalysisRun ab-errors"],
    ),
    Row(
        "a run that was created in a pass whose end nobody saw is found again",
        observed(MEASURED, UP, runs=[run("ab-errors", "Running")]),
    ),
    Row(
        "so is one that another controller has begun, by what the status tells",
        observed(known_run("Running"), UP, runs=[run("ab-errors", "Successful", since=0)]),
    ),
    Row(
        "one of a course before a retry is none of this one",
        observed(MEASURED, UP, runs=[run("ab-errors", "Failed", since=0)]),
        does=["create AnalysisRun ab-errors.1"],
    ),
    Row(
        "a run of another owner has that name: ours gets a number",
        observed(MEASURED, UP, runs=[run("ab-errors", owner="somebody")]),
        does=["create AnalysisRun ab-errors.1"],
    ),
    Row(
        "a run that somebody has deleted before its end is made again",
        observed(
            known_run("Running"),
            UP,
        ),
        does=["create AnalysisRun ab-errors"],
    ),
    Row(
        "one that has been deleted after its end keeps its verdict",
        observed(
            known_run("Successful"),
            UP,
        ),
    ),
    Row(
        "a run that is refused is an error",
        observed(MEASURED, UP, refusals=[refused("AnalysisRun", "ab-errors")]),
        phase="Error",
        message="Analysis 'errors' Error: the quota is exceeded",
    ),
    Row(
        "a template that has gone while the pods came up is an error",
        observed(experiment(CANARY, analyses=[analysis(template="missing")], status=running()), UP),
        phase="Error",
        message="Analysis 'errors' Error: spec.analyses[0].templateName: AnalysisTemplate \"missing\" does not exist",
    ),
    Row(
        "one that is missing at the beginning is waited for",
        observed(experiment(CANARY, analyses=[analysis(template="missing")])),
        phase="Pending",
        message=f'{INVALID}spec.analyses[0].templateName: AnalysisTemplate "missing" does not exist',
    ),
    Row(
        "so is an argument",
        observed(experiment(CANARY, analyses=[analysis(template="by-hash")])),
        phase="Pending",
        message='The Experiment "ab" is invalid: spec.analyses[0].args[0]: args.hash was not resolved: give it a value',
    ),
    Row(
        "whatever is wrong with it, people can end it",
        observed(experiment(CANARY, duration="soon", terminate=True, status=running()), UP),
        phase="Successful",
        message="Experiment terminated",
    ),
    Row(
        "what isn't an experiment at all is told",
        observed(experiment({"name": "canary"})),
        phase="Pending",
        message="The Experiment \"ab\" is invalid: spec.templates[0].template: Invalid value: {'name': 'canary'}: "
        "Field required",
    ),
    Row(
        "after the end pods stay until the deadline on them",
        observed(OVER, replica_set(OVER, "canary", available=2, annotations={"scale-down-deadline": stamp(110)})),
        phase="Successful",
        because=f"ReplicaSet ab-canary keeps its pods until {stamp(110)} (scaleDownDelaySeconds)",
    ),
    Row(
        "and go then",
        observed(OVER, replica_set(OVER, "canary", available=2, annotations={"scale-down-deadline": stamp(100)})),
        does=["update ReplicaSet ab-canary: 2 to 0 pods"],
        phase="Successful",
    ),
    Row(
        "a deadline that nobody can read is over",
        observed(OVER, replica_set(OVER, "canary", available=2, annotations={"scale-down-deadline": "soon"})),
        does=["update ReplicaSet ab-canary: 2 to 0 pods"],
        phase="Successful",
    ),
    Row(
        "a Service goes once its pods have gone",
        observed(OVER, replica_set(OVER, "canary", size=0), services=[service("web"), service("mine", owner="")]),
        does=["delete Service web"],
        phase="Successful",
    ),
    Row(
        "a run that still goes on after the end is terminated",
        observed(OVER, replica_set(OVER, "canary", size=0), runs=[run("ab-errors", "Running"), run("ab-b", "Failed")]),
        does=["terminate AnalysisRun ab-errors"],
        phase="Successful",
    ),
    Row(
        "whatever the spec has become, the pods of an experiment that is over go",
        observed(experiment({"name": "?"}, status=ended()), replica_set(OVER, "canary", available=2)),
        does=[f"update ReplicaSet ab-canary: scale-down-deadline={stamp(130)}"],
        phase="Successful",
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_pass(row: Row) -> None:
    plan = plan_experiment(row.here, after(100))
    assert [describe(action) for action in plan.actions] == list(row.does)
    status = plan.status if plan.status is not None else row.here.raw["status"]
    assert (status["phase"], status.get("message")) == (row.phase, row.message)
    assert not row.because or any(each.startswith(row.because) for each in plan.because), plan.because
    assert plan.because
    template: dict[str, Any] = next(iter(status.get("templateStatuses") or ()), {})
    assert {key: template.get(key) for key in row.templates} == row.templates
    assert plan.wake_at is None or plan.wake_at > after(100)
    assert plan == plan_experiment(row.here, after(100))


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_status_that_was_written_is_not_written_again(row: Row) -> None:
    first = plan_experiment(row.here, after(100))
    if first.status is None or first.status["phase"] != row.here.raw.get("status", {}).get("phase"):
        return  # the next pass has another matter
    here = row.here
    again = observed(
        {**here.raw, "status": first.status},
        *(dict(each.raw) for each in here.replica_sets),
        services=[dict(each) for each in here.services],
        runs=[dict(each) for each in here.runs],
        refusals=here.refusals,
    )
    assert plan_experiment(again, after(101)).status is None


def test_one_that_is_being_deleted_is_left_alone() -> None:
    raw = experiment(CANARY)
    raw["metadata"]["deletionTimestamp"] = stamp(9)
    assert plan_experiment(observed(raw), after(100)).is_settled


def test_a_mended_spec_goes_on() -> None:
    broken = experiment(CANARY, duration="soon")
    invalid = plan_experiment(observed(broken), after(0))
    assert invalid.status is not None
    assert [each.reason for each in invalid.events] == ["InvalidSpec"]
    assert not plan_experiment(observed({**broken, "status": invalid.status}), after(50)).events
    mended = plan_experiment(observed(experiment(CANARY, duration="1m", status=invalid.status)), after(100))
    assert mended.status is not None
    assert "message" not in mended.status
    assert [each["type"] for each in mended.status["conditions"]] == ["Progressing"]
    assert [describe(action) for action in mended.actions] == ["create ReplicaSet ab-canary with 2 pods"]


def test_the_run_of_an_analysis() -> None:
    args = [
        {"name": "hash", "value": "{{templates.canary.podTemplateHash}} {{ templates.canary.replicaset.name }}"},
        {"name": "from", "value": "{{experiment.availableAt}}"},
        {"name": "to", "value": "{{experiment.finishedAt}}"},
        {"name": "unknown", "value": "is dropped"},
    ]
    raw = experiment(
        CANARY,
        analyses=[analysis(args=args, requiredForCompletion=True)],
        duration="1m",
        dryRun=[{"metricName": "errors"}, {"metricName": "of another run"}],
        measurementRetention=[{"metricName": ".*", "limit": 3}],
        analysisRunMetadata={"labels": {"team": "a"}, "annotations": {"note": "b"}},
        status=running(),
    )
    raw["metadata"]["labels"] = {"argo-rollouts.argoproj.io/controller-instance-id": "blue"}
    declared = [{"name": "hash"}, {"name": "from"}, {"name": "to"}, {"name": "limit", "value": "5"}]
    metrics = (TEMPLATES[TemplateKey("errors")] or {})["metrics"]
    template: dict[TemplateKey, Any] = {TemplateKey("errors"): {"metrics": metrics, "args": declared}}
    pods = replica_set(raw, "canary", available=2)
    (action,) = plan_experiment(observed(raw, pods, templates=template), after(10)).actions
    assert isinstance(action, CreateChild)
    pod_hash = pods["spec"]["selector"]["matchLabels"]["rollouts-pod-template-hash"]
    assert action.body["metadata"] == {
        "name": "ab-errors",
        "namespace": "default",
        "labels": {"team": "a", "argo-rollouts.argoproj.io/controller-instance-id": "blue"},
        "annotations": {"note": "b", "experiment.argoproj.io/available-at": stamp(5)},
        "ownerReferences": [
            {
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "Experiment",
                "name": "ab",
                "uid": "uid-experiment",
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }
    assert action.body["spec"] == {
        "metrics": metrics,
        "args": [
            {"name": "hash", "value": f"{pod_hash} ab-canary"},
            {"name": "from", "value": stamp(5)},
            {"name": "to", "value": stamp(65)},
            {"name": "limit", "value": "5"},
        ],
        "dryRun": [{"metricName": "errors"}],
        "measurementRetention": [{"metricName": ".*", "limit": 3}],
    }


def test_equal_templates_side_by_side_have_pods_of_their_own() -> None:
    raw = experiment(side("a"), {**side("a"), "name": "b"})
    hashes = {replica_set(raw, name)["metadata"]["labels"]["rollouts-pod-template-hash"] for name in ("a", "b")}
    assert len(hashes) == 2


def test_the_ports_of_a_service() -> None:
    ports: list[dict[str, Any]] = [
        {"containerPort": 80, "name": "http"},
        {"containerPort": 80},
        {"containerPort": 81, "name": "http"},
        {"containerPort": 53, "protocol": "UDP"},
        {"name": "nowhere"},
    ]
    found = [
        (each["name"], each["protocol"], each["port"]) for each in service_ports(side("a", ports=ports)["template"])
    ]
    assert found == [("http", "TCP", 80), ("tcp-81", "TCP", 81), ("udp-53", "UDP", 53)]
    assert list(service_ports({"spec": {"containers": "rubbish"}})) == []
