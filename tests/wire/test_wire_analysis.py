"""Do metrics about objects measure on this server: Jobs that the cluster runs, and the pods of a canary?"""

from typing import Any

from tests.wire.objects import rollout
from tests.wire.server import DEADLINE, Client, Json
from tests.wire.test_wire_controller import reaches

CRASH = "example.test/web:crash"
UID = "analysisrun.argoproj.io/uid"


def job_run(name: str, command: list[str], *, image: str = "example.test/smoke:1", **metric: Any) -> Json:
    """Return a run made by hand, whose Job runs a command."""
    container = {"name": "smoke", "image": image, "command": command}
    job = {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": {"name": name},
        "spec": {"metrics": [{"name": "smoke", "provider": {"job": {"spec": job}}, **metric}]},
    }


async def run_reaches(api: Client, name: str, phase: str) -> tuple[Json, Json]:
    """Wait for the phase of a run; return the run and its newest measurement."""
    run = await api.until(
        "analysisruns", name, lambda obj: (obj.get("status") or {}).get("phase") == phase, within=2 * DEADLINE
    )
    return run, run["status"]["metricResults"][0]["measurements"][-1]


async def test_a_job_that_completes_is_a_success(controlled: Client) -> None:
    await controlled.made("analysisruns", job_run("good", ["sh", "-c", "exit 0"], count=2, interval="1s"))
    run, measurement = await run_reaches(controlled, "good", "Successful")
    uid = run["metadata"]["uid"]
    assert measurement["metadata"] == {"job-name": f"{uid}.smoke.2", "job-namespace": controlled.namespace}
    for number in (1, 2):
        job = (await controlled.get("jobs", f"{uid}.smoke.{number}")).object
        assert job["metadata"]["labels"][UID] == uid
        assert [each["uid"] for each in job["metadata"]["ownerReferences"]] == [uid]


async def test_a_job_that_fails_says_how(controlled: Client) -> None:
    await controlled.made("analysisruns", job_run("bad", ["sh", "-c", "exit 3"]))
    _, measurement = await run_reaches(controlled, "bad", "Failed")
    assert measurement["phase"] == "Failed"
    assert "BackoffLimitExceeded" in measurement["message"]
    assert 'container "smoke" of pod' in measurement["message"]
    assert "ended with exit code 3" in measurement["message"]


async def test_a_job_whose_image_cannot_be_had_decides_nothing(controlled: Client) -> None:
    await controlled.made("analysisruns", job_run("unknown", ["true"], image="example.test/smoke:never-pull"))
    _, measurement = await run_reaches(controlled, "unknown", "Inconclusive")
    assert "can't have the image example.test/smoke:never-pull (ImagePullBackOff" in measurement["message"]


async def test_a_job_that_is_refused_is_an_error_with_the_server_s_reason(controlled: Client) -> None:
    await controlled.made("analysisruns", job_run("refused", ["true"], consecutiveErrorLimit=0, image=""))
    _, measurement = await run_reaches(controlled, "refused", "Error")
    assert "can't create jobs.batch" in measurement["message"]
    assert "image" in measurement["message"]


async def test_a_run_that_is_ended_deletes_its_job(controlled: Client) -> None:
    await controlled.made("analysisruns", job_run("long", ["sleep", "3600"]))
    await controlled.until_names("jobs", lambda names: len(names) == 1)
    await run_reaches(controlled, "long", "Running")
    await controlled.patch("analysisruns", "long", {"spec": {"terminate": True}})
    await controlled.until_names("jobs", lambda names: not names)
    run, measurement = await run_reaches(controlled, "long", "Successful")
    assert run["status"]["message"] == "Run Terminated"
    assert measurement["phase"] == "Inconclusive"


async def test_pods_that_crash_abort_an_update_by_one_line(controlled: Client) -> None:
    canary = {"analysis": {"podHealth": True}, "steps": [{"setWeight": 50}, {"pause": {}}]}
    await controlled.made("rollouts", rollout(replicas=2, strategy={"canary": canary}))
    stable = (await reaches(controlled, "Healthy", availableReplicas=2))["stableRS"]
    patch = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": CRASH}]
    assert (await controlled.patch("rollouts", "web", patch, "application/json-patch+json")).code == 200
    status = await reaches(controlled, "Degraded", abort=True)
    assert 'Background analysis phase error/failed: Metric "pod-health" assessed Failed' in status["message"]
    assert "canary pod web-" in status["message"]
    assert "(tolerated: 1 more)" in status["message"] or "can't run (CrashLoopBackOff)" in status["message"]
    await controlled.until("rollouts", "web", lambda obj: obj["status"].get("availableReplicas") == 2)
    assert (await controlled.get("rollouts", "web")).object["status"]["stableRS"] == stable
