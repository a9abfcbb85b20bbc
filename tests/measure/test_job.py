"""What does a Job tell? Shapes: batch/v1 Jobs and their pods, as kube-controller-manager and the kubelet write them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from rollouts.api.base import parse
from rollouts.api.providers import JobMetric
from rollouts.measure.job import JOBS, Job
from rollouts.measure.pods import PODS
from rollouts.ports import (
    Asked,
    CreateObject,
    DeleteObject,
    Home,
    ListObjects,
    MeasurementError,
    ObjectError,
    Outcome,
    Pending,
    ReadObject,
    Turn,
    Verdict,
)
from rollouts.ports.testing import ProviderConformance
from tests.measure.driving import NOW, Told, problems

UID = "0d2a7c1e-51b5-4f0c-9c1b-7f3d7b2d8a11"
NAME = f"{UID}.smoke.1"
CONTAINER = {"name": "test", "image": "smoke:1"}
POD_SPEC = {"restartPolicy": "Never", "containers": [CONTAINER]}
SPEC = {
    "metadata": {"labels": {"team": "shop"}, "annotations": {"note": "smoke"}},
    "spec": {"backoffLimit": 1, "template": {"metadata": {"labels": {"app": "smoke"}}, "spec": POD_SPEC}},
}
TURN = Turn("web-1", UID, "smoke", 1, NOW)
NOTED = {"job-name": NAME, "job-namespace": "shop"}
FIRST = timedelta(seconds=1)


def job(*, name: str = NAME, metric: str = "smoke", **status: Any) -> dict[str, Any]:
    annotations = {"analysisrun.argoproj.io/metric-name": metric}
    return {"kind": "Job", "metadata": {"name": name, "annotations": annotations}, "status": status}


def ended(kind: str, **more: str) -> dict[str, Any]:
    return job(conditions=[{"type": "FailureTarget", "status": "True"}, {"type": kind, "status": "True", **more}])


def pod(**container: Any) -> dict[str, Any]:
    return {"metadata": {"name": "smoke-x"}, "status": {"containerStatuses": [{"name": "test", **container}]}}


DIED = pod(image="smoke:1", state={"terminated": {"exitCode": 3, "reason": "Error", "message": "checkout\nis broken"}})
KILLED = pod(state={"running": {}}, lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}})
PULLING = pod(
    image="smoke:2", state={"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image smoke:2"}}
)


class TestConformance(ProviderConformance):
    provider = Job()
    specs = (parse(JobMetric, SPEC), parse(JobMetric, {"spec": SPEC["spec"]}))
    answers = (job(active=1), (PULLING,))


def told(answers: Sequence[Any], *, noted: Mapping[str, str] = NOTED, **asked: Any) -> Told:
    return Told(Job(), SPEC, answers, **{"metadata": noted, "turn": TURN, **asked})


def test_a_job_is_created_that_the_run_owns() -> None:
    begun = told([job()], noted={})
    assert begun.outcome == Pending(FIRST, NOTED, f"Job {NAME}: runs")
    (create,) = begun.asked_of
    assert create == CreateObject(
        JOBS,
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {
                "name": NAME,
                "labels": {"team": "shop", "analysisrun.argoproj.io/uid": UID},
                "annotations": {
                    "note": "smoke",
                    "analysisrun.argoproj.io/name": "web-1",
                    "analysisrun.argoproj.io/namespace": "shop",
                    "analysisrun.argoproj.io/metric-name": "smoke",
                },
                "ownerReferences": [
                    {
                        "apiVersion": "argoproj.io/v1alpha1",
                        "kind": "AnalysisRun",
                        "name": "web-1",
                        "uid": UID,
                        "controller": True,
                        "blockOwnerDeletion": True,
                    }
                ],
            },
            "spec": {
                "backoffLimit": 1,
                "template": {
                    "metadata": {"labels": {"app": "smoke", "analysisrun.argoproj.io/uid": UID}},
                    "spec": POD_SPEC,
                },
            },
        },
    )


def test_a_job_that_nobody_noted_is_taken_up() -> None:
    begun = told([ObjectError("there is one", "AlreadyExists"), ended("Complete")], noted={})
    assert begun.asked_of[1:] == [ReadObject(JOBS, NAME)]
    assert begun.outcome == Verdict("Successful", metadata=NOTED)


def test_a_job_that_is_refused_is_an_error_with_the_server_s_words() -> None:
    with pytest.raises(MeasurementError, match=r"spec\.backoffLimit: Invalid value"):
        told([ObjectError("spec.backoffLimit: Invalid value: -1", "Invalid")], noted={})


UNREACHABLE = ObjectError("no answer", "Unreachable")


def test_a_job_that_may_have_been_created_is_not_doubled() -> None:
    unsure = told([UNREACHABLE], noted={})
    assert unsure.outcome == Pending(FIRST, {}, "no answer")
    again = told([ObjectError("there is one", "AlreadyExists"), job()], noted={})
    assert again.outcome == Pending(FIRST, NOTED, f"Job {NAME}: runs")
    with pytest.raises(MeasurementError, match="no answer"):
        told([UNREACHABLE], noted={}, now=NOW + timedelta(minutes=2))


def test_a_server_that_does_not_answer_says_nothing_about_the_job() -> None:
    late = NOW + timedelta(minutes=2)
    assert told([UNREACHABLE], now=late).outcome == Pending(timedelta(seconds=240**0.5), NOTED, "no answer")
    with pytest.raises(MeasurementError, match="may not get jobs"):
        told([ObjectError("may not get jobs", "Forbidden")])


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ([ended("Complete")], Verdict("Successful", metadata=NOTED)),
        (
            [ended("Failed", reason="BackoffLimitExceeded", message="Job has reached the limit"), [DIED]],
            Verdict(
                "Failed",
                message=f"Job {NAME} failed: BackoffLimitExceeded: Job has reached the limit; "
                'container "test" of pod smoke-x ended with exit code 3: checkout is broken',
                metadata=NOTED,
            ),
        ),
        (
            [ended("Failed", reason="DeadlineExceeded"), [KILLED]],
            Verdict(
                "Failed",
                message=f"Job {NAME} failed: DeadlineExceeded; "
                'container "test" of pod smoke-x ended with exit code 137 (OOMKilled)',
                metadata=NOTED,
            ),
        ),
        (
            [ended("Failed"), ObjectError("may not list pods", "Forbidden")],
            Verdict("Failed", message=f"Job {NAME} failed", metadata=NOTED),
        ),
        (
            [job(active=1), [PULLING]],
            Verdict(
                "Inconclusive",
                message=f"Job {NAME}: pod smoke-x can't have the image smoke:2 "
                "(ImagePullBackOff: Back-off pulling image smoke:2)",
                metadata=NOTED,
            ),
        ),
        ([job(active=1), [pod(state={"running": {}})]], Pending(FIRST, NOTED, f"Job {NAME}: runs")),
        (
            [job(active=1), [pod(state={"waiting": {"reason": "ContainerCreating"}})]],
            Pending(FIRST, NOTED, f"Job {NAME}: pod smoke-x waits (ContainerCreating)"),
        ),
    ],
)
def test_its_end_decides(answers: Sequence[Any], outcome: Outcome) -> None:
    looked = told(answers)
    assert looked.asked_of[0] == ReadObject(JOBS, NAME)
    assert looked.outcome == outcome


@pytest.mark.parametrize(("elapsed", "again_after"), [(0, 1), (8, 4), (200, 20)])
def test_a_long_job_is_looked_at_less_and_less_often(elapsed: int, again_after: int) -> None:
    outcome = told([job()], now=NOW + timedelta(seconds=elapsed)).outcome
    assert isinstance(outcome, Pending)
    assert outcome.again_after == timedelta(seconds=again_after)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (None, "is gone, and nobody saw it end"),
        ({**job(), "metadata": {"name": NAME, "deletionTimestamp": "2026-03-01T12:00:00Z"}}, "is being deleted"),
    ],
)
def test_a_job_that_somebody_deletes_is_an_error(answer: Any, error: str) -> None:
    with pytest.raises(MeasurementError, match=error):
        told([answer])


def test_a_job_that_runs_elsewhere_has_no_owner() -> None:
    settings = {"ARGO_ROLLOUTS_ANALYSIS_JOB_NAMESPACE": "jobs", "ARGO_ROLLOUTS_ANALYSIS_JOB_KUBECONFIG": "/k"}
    assert Job().home("shop", settings) == Home("jobs", "/k")
    assert Job().home("shop", {}) == Home("shop")
    for number in (1, 2):
        some = dict(list(settings.items())[:number])
        begun = told([job()], noted={}, settings=some)
        (create,) = begun.asked_of
        assert isinstance(create, CreateObject)
        assert "ownerReferences" not in create.body["metadata"]
        assert begun.outcome is not None
        assert begun.outcome.metadata["job-namespace"] == "jobs"


@pytest.mark.parametrize(
    ("metric", "number", "name"),
    [
        ("smoke", 12, f"{UID}.smoke.12"),
        ("a-name-of-24-characters--", 1, f"{UID}.a-name-of-24-char-9dff61.1"),
        ("a-name-of-24-characters-b", 123, f"{UID}.a-name-of-24-ch-660eda.123"),
        ("Smoke Test", 1, f"{UID}.smoke-test-dc8f14.1"),
        ("%", 1, f"{UID}.bbf3f1.1"),
    ],
)
def test_names_fit_into_a_label_and_tell_metrics_apart(metric: str, number: int, name: str) -> None:
    begun = told([job()], noted={}, turn=Turn("web-1", UID, metric, number, NOW))
    (create,) = begun.asked_of
    assert isinstance(create, CreateObject)
    assert create.body["metadata"]["name"] == name
    assert len(name) <= 63


def test_jobs_beyond_the_retention_of_the_metric_are_deleted() -> None:
    turn = Turn("web-1", UID, "smoke", 5, NOW, keep=2)
    jobs = [
        *(job(name=f"{UID}.smoke.{number}") for number in (1, 3, 4, 5)),
        job(name=f"{UID}.other.1", metric="other"),
        job(name="somebody-s"),
    ]
    looked = told([ended("Complete"), jobs, None, None], turn=turn)
    assert looked.asked_of[1:] == [
        ListObjects(JOBS, f"analysisrun.argoproj.io/uid={UID}"),
        DeleteObject(JOBS, f"{UID}.smoke.1"),
        DeleteObject(JOBS, f"{UID}.smoke.3"),
    ]
    assert isinstance(looked.outcome, Verdict)
    refused = told([ended("Complete"), ObjectError("may not", "Forbidden")], turn=turn)
    assert refused.outcome == looked.outcome


def test_a_job_is_stopped_with_its_pods() -> None:
    spec = parse(JobMetric, SPEC)
    for noted in (NOTED, {}):
        (request,) = Job().terminate(spec, Asked(NOW, "shop", metadata=noted, turn=TURN))
        assert request == DeleteObject(JOBS, NAME, "Foreground")


@pytest.mark.parametrize(
    ("spec", "paths"),
    [
        ({}, {"spec.template"}),
        ({"template": {}}, {"spec.template.spec.restartPolicy", "spec.template.spec.containers"}),
        ({"template": {"spec": {**POD_SPEC, "restartPolicy": "Always"}}}, {"spec.template.spec.restartPolicy"}),
        ({"template": {"spec": {**POD_SPEC, "restartPolicy": "{{args.policy}}"}}}, set()),
        ({"template": {"spec": POD_SPEC}}, set()),
    ],
)
def test_problems_name_the_field(spec: dict[str, Any], paths: set[str]) -> None:
    assert set(problems(Job(), {"spec": spec})) == paths


def test_the_pods_of_a_job_are_found_by_its_name() -> None:
    assert told([job(active=1), []]).asked_of[1] == ListObjects(PODS, f"job-name={NAME}")
