"""Are Jobs that the real kube-controller-manager runs measured, and ended with their run?"""

from typing import Any

from e2e.stories.analyses import measured, result, run_reaches, runs, template
from e2e.stories.story import BETTER, Json, Story
from e2e.waiting import eventually
from tests.wire.objects import rollout


def job(name: str, *command: str, **fields: Any) -> Json:
    """Return a metric by a Job whose container runs a command."""
    container = {"name": "check", "image": "example.test/check:1", "command": list(command)}
    spec = {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}
    return {"name": name, "provider": {"job": {"spec": spec}}, **fields}


def run(name: str, *metrics: Json) -> Json:
    """Return an AnalysisRun that nobody but a person made."""
    return {**template(name, *metrics), "kind": "AnalysisRun"}


async def jobs(story: Story) -> list[Json]:
    return list((await story.read("/apis/batch/v1", "jobs"))["items"])


async def test_jobs_decide_about_an_update(story: Story) -> None:
    await story.kubectl.apply(
        [template("good", job("smoke", "true")), template("bad", job("smoke", "sh", "-c", "exit 3"))]
    )
    for name in ("good", "bad"):
        await story.kubectl.apply(rollout(name, 1, steps=[{"analysis": {"templates": [{"templateName": name}]}}]))
        await story.reaches("Healthy", name)
        await story.set_image(BETTER, name)
    await story.reaches("Healthy", "good")
    status = await story.reaches("Degraded", "bad", abort=True)
    assert 'Metric "smoke" assessed Failed' in status["message"]
    (failed,) = await runs(story, "bad")
    measurement = result(failed)["measurements"][-1]
    assert "exit code 3" in measurement["message"], measurement
    named = {each["metadata"]["name"]: each for each in await jobs(story)}
    assert measurement["metadata"]["job-name"] in named
    owner = named[measurement["metadata"]["job-name"]]["metadata"]["ownerReferences"][0]
    assert owner["uid"] == failed["metadata"]["uid"]


async def test_a_run_that_is_terminated_ends_its_job(story: Story) -> None:
    await story.kubectl.apply(run("endless", job("load", "sleep", "1000")))

    async def has_a_pod() -> bool:
        pods = (await story.read("/api/v1", "pods"))["items"]
        return bool(pods) and pods[0]["status"]["phase"] == "Running"

    await eventually(has_a_pod)
    await story.kubectl("patch", "analysisrun", "endless", "--type=merge", "-p", '{"spec":{"terminate":true}}')
    await run_reaches(story, "endless", "Successful", "Inconclusive")

    async def nothing_runs() -> bool:
        left = (await story.read("/api/v1", "pods"))["items"]
        return not [each for each in await jobs(story) if each.get("status", {}).get("active")] and not left

    await eventually(nothing_runs)


async def test_a_run_takes_its_jobs_along(story: Story) -> None:
    await story.kubectl.apply(run("again", job("smoke", "true", interval="1s", count=3)))
    await run_reaches(story, "again", "Successful")
    assert len(await jobs(story)) == 3
    await measured(story, 3, "again")
    await story.kubectl("delete", "analysisrun", "again")

    async def all_gone() -> bool:
        return not await jobs(story)

    await eventually(all_gone)
