"""How does a whole experiment go? Its pods, its analyses, its end, and what is left of it."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.plan.experiment.course import Course, Ends
from tests.plan.experiment.given import analysis, experiment, side
from tests.plan.given import stamp

GOOD, BAD = Ends("Successful", 20), Ends("Failed", 20, "errors are up")
REQUIRED: dict[str, Any] = {"requiredForCompletion": True}
HASH = {"name": "hash", "value": "{{templates.canary.podTemplateHash}}"}


@dataclass(frozen=True)
class Story:
    """An experiment, how its runs end, and how and when it ends itself."""

    says: str
    spec: dict[str, Any]
    phase: str
    message: str | None = None
    at: float = 0
    runs: dict[str, Ends] = field(default_factory=dict)
    broken: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.says


STORIES = (
    Story("its duration counts from when all pods are available", {"duration": "1m"}, "Successful", at=65),
    Story(
        "a run that nobody requires may end before",
        {"duration": "1m", "analyses": [analysis()]},
        "Successful",
        at=65,
        runs={"ab-errors": GOOD},
    ),
    Story("one that still runs then is terminated", {"duration": "1m", "analyses": [analysis()]}, "Successful", at=65),
    Story(
        "a required run that is successful ends it early",
        {"duration": "1m", "analyses": [analysis(**REQUIRED)]},
        "Successful",
        "Required AnalysisRuns completed",
        at=25,
        runs={"ab-errors": GOOD},
    ),
    Story(
        "all required ones are waited for, beyond the duration, and no other",
        {"duration": "10s", "analyses": [analysis(**REQUIRED), analysis("slow", **REQUIRED), analysis("other")]},
        "Successful",
        "Required AnalysisRuns completed",
        at=45,
        runs={"ab-errors": GOOD, "ab-slow": Ends("Successful", 40)},
    ),
    Story(
        "a failed run fails it at once",
        {"duration": "1m", "analyses": [analysis(), analysis("slow", **REQUIRED)]},
        "Failed",
        "Analysis 'errors' Failed: errors are up",
        at=25,
        runs={"ab-errors": BAD},
    ),
    Story(
        "so does one that leaves it open",
        {"analyses": [analysis()]},
        "Inconclusive",
        "Analysis 'errors' Inconclusive",
        at=25,
        runs={"ab-errors": Ends("Inconclusive", 20)},
    ),
    Story(
        "of two the worst counts",
        {"analyses": [analysis(), analysis("b"), analysis("c")]},
        "Failed",
        "Analysis 'b' Failed: errors are up",
        at=25,
        runs={"ab-errors": Ends("Inconclusive", 20), "ab-b": BAD, "ab-c": Ends("Error", 20)},
    ),
    Story(
        "pods that don't come up fail it after the deadline",
        {"duration": "1m", "progressDeadlineSeconds": 30, "analyses": [analysis()]},
        "Failed",
        "Template 'canary' Failed: ReplicaSet ab-canary has 0 of 2 pods available, 30 s after their last change",
        at=30,
        broken=("canary",),
    ),
    Story(
        "an analysis whose argument names the pods of a template",
        {"analyses": [analysis("a", "by-hash", args=[HASH], **REQUIRED)]},
        "Successful",
        "Required AnalysisRuns completed",
        at=25,
        runs={"ab-a": GOOD},
    ),
    Story(
        "without pods there is nothing to wait for",
        {"duration": "1m", "templates": [side("idle", 0)]},
        "Successful",
        at=60,
    ),
)


@pytest.mark.parametrize("story", STORIES, ids=str)
def test_an_experiment_ends(story: Story) -> None:
    course = Course(_of(story), story.runs, story.broken)
    course.go()
    assert (course.status["phase"], course.status.get("message")) == (story.phase, story.message)
    ended = next(line for line in course.log if line.split()[1] == story.phase)
    assert float(ended.split()[0]) == story.at, course.log
    assert course.plan().is_settled
    assert course.plan().wake_at is None
    assert all(each["spec"]["replicas"] == 0 for each in course.sets.values())
    assert all(each["status"]["phase"] != "Running" for each in course.analysis_runs.values())
    assert course.status["conditions"][-1]["status"] == "False"


def _of(story: Story) -> dict[str, Any]:
    spec = dict(story.spec)
    return experiment(*spec.pop("templates", ()), **spec)


def test_a_whole_course() -> None:
    baseline = side("baseline", ports=[{"containerPort": 80}], service={})
    raw = experiment(baseline, side("canary"), duration="1m", analyses=[analysis()])
    course = Course(raw, {"ab-errors": GOOD}).go()
    assert course.log == [
        "0 create ReplicaSet ab-baseline with 2 pods",
        "0 create Service ab-baseline",
        "0 create ReplicaSet ab-canary with 2 pods",
        "0 Pending",
        "5 Running",
        "5 create AnalysisRun ab-errors",
        "65 Successful",
        "65 update ReplicaSet ab-baseline: scale-down-deadline=2026-01-01T00:01:35Z",
        "65 update ReplicaSet ab-canary: scale-down-deadline=2026-01-01T00:01:35Z",
        "95 update ReplicaSet ab-baseline: 2 to 0 pods",
        "95 update ReplicaSet ab-canary: 2 to 0 pods",
        "95 delete Service ab-baseline",
    ]
    assert course.events == [
        "Normal ScalingReplicaSet: Scaled up ReplicaSet ab-baseline from 0 to 2",
        "Normal ScalingReplicaSet: Scaled up ReplicaSet ab-canary from 0 to 2",
        "Normal TemplateProgressing: Template 'baseline': new -> Progressing",
        "Normal TemplateProgressing: Template 'canary': new -> Progressing",
        "Normal ExperimentPending: Experiment: new -> Pending",
        "Normal TemplateRunning: Template 'baseline': Progressing -> Running",
        "Normal TemplateRunning: Template 'canary': Progressing -> Running",
        "Normal ExperimentRunning: Experiment: Pending -> Running",
        "Normal AnalysisRunRunning: Analysis 'errors': new -> Running",
        "Normal AnalysisRunSuccessful: Analysis 'errors': Running -> Successful",
        "Normal TemplateSuccessful: Template 'baseline': Running -> Successful",
        "Normal TemplateSuccessful: Template 'canary': Running -> Successful",
        "Normal ExperimentSuccessful: Experiment: Running -> Successful",
        "Normal ScalingReplicaSet: Scaled down ReplicaSet ab-baseline from 2 to 0",
        "Normal ScalingReplicaSet: Scaled down ReplicaSet ab-canary from 2 to 0",
    ]


def test_the_whole_status_while_it_runs() -> None:
    raw = experiment(side("canary", 1), analyses=[analysis()])
    course = Course(raw).go(until=60)
    pods = course.sets["ab-canary"]["metadata"]["labels"]["rollouts-pod-template-hash"]
    assert course.status == {
        "phase": "Running",
        "availableAt": stamp(5),
        "templateStatuses": [
            {
                "name": "canary",
                "replicas": 1,
                "updatedReplicas": 1,
                "readyReplicas": 1,
                "availableReplicas": 1,
                "status": "Running",
                "lastTransitionTime": stamp(5),
                "podTemplateHash": pods,
            }
        ],
        "analysisRuns": [{"name": "errors", "analysisRun": "ab-errors", "phase": "Running"}],
        "conditions": [
            {
                "type": "Progressing",
                "status": "True",
                "reason": "NewReplicaSetAvailable",
                "message": "Experiment ab is running",
                "lastUpdateTime": stamp(5),
                "lastTransitionTime": stamp(0),
            }
        ],
    }
    assert course.plan().because == (
        "it has no duration and no required analysis: it runs until somebody terminates it",
    )


def test_somebody_terminates_it() -> None:
    course = Course(experiment(analyses=[analysis(**REQUIRED)], scaleDownDelaySeconds=0)).go(until=100)
    assert course.status["phase"] == "Running"
    course.edit(terminate=True).go()
    assert (course.status["phase"], course.status["message"]) == ("Successful", "Experiment terminated")
    assert course.log[-4:] == [
        "100 Successful Experiment terminated",
        "100 terminate AnalysisRun ab-errors",
        "100 update ReplicaSet ab-baseline: 2 to 0 pods",
        "100 update ReplicaSet ab-canary: 2 to 0 pods",
    ]
    assert "Normal AnalysisRunTerminating: Terminating AnalysisRun ab-errors" in course.events


def test_it_is_terminated_before_it_has_begun() -> None:
    course = Course(experiment(terminate=True)).go()
    assert not course.sets
    assert (course.status["phase"], course.status["message"]) == ("Successful", "Experiment terminated")


def test_a_retry_begins_again_with_runs_of_its_own() -> None:
    raw = experiment(duration="1m", analyses=[analysis()])
    course = Course(raw, {"ab-errors": BAD}).go(until=30)
    assert course.status["phase"] == "Failed"
    course.raw = {key: value for key, value in course.raw.items() if key != "status"}
    course.go()
    assert course.status["phase"] == "Successful"
    (second,) = course.status["analysisRuns"]
    assert second == {
        "name": "errors",
        "analysisRun": "ab-errors.1",
        "phase": "Successful",
        "message": "Run Terminated",
    }
    assert "30 update ReplicaSet ab-canary: without scale-down-deadline" in course.log


def test_pods_that_are_lost_while_it_runs_have_the_deadline_again() -> None:
    course = Course(experiment(side("canary"), progressDeadlineSeconds=30)).go(until=20)
    course.broken = ("canary",)
    course.sets["ab-canary"]["status"] = {"replicas": 2, "observedGeneration": 1}
    course.go(until=40)
    assert course.status["phase"] == "Running"
    assert course.status["templateStatuses"][0]["status"] == "Progressing"
    assert course.plan().because[-1].endswith(f"0 of 2 pods available; it fails at {stamp(50)} unless that changes")
    course.go()
    assert course.status["phase"] == "Failed"


LOSSES = ("create", "update", "delete", "terminate", "status")


@pytest.mark.parametrize("what", LOSSES)
def test_whatever_write_gets_lost_is_made_good(what: str) -> None:
    """Every second write of a kind doesn't arrive; the experiment ends as it would have."""
    counted = {"seen": 0}

    def lost(action: object) -> bool:
        kind = "status" if action is None else type(action).__name__.lower()
        if not kind.startswith(what):
            return False
        counted["seen"] += 1
        return counted["seen"] % 2 == 1

    baseline = side("baseline", ports=[{"containerPort": 80}], service={})
    raw = experiment(baseline, side("canary"), duration="1m", analyses=[analysis(), analysis("slow")])
    course = Course(raw, {"ab-errors": GOOD}, lost=lost).go()
    assert counted["seen"] > 1 or what in {"delete", "terminate"}
    assert course.status["phase"] == "Successful"
    assert not course.services
    assert all(each["spec"]["replicas"] == 0 for each in course.sets.values())
    assert sorted(course.analysis_runs) == ["ab-errors", "ab-slow"]
    assert course.plan().is_settled
