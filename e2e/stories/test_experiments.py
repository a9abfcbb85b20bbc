"""Do experiments run on a real control plane, by hand and as a canary's step, and survive the controller's death?"""

import json
from typing import Any

from e2e.controller import Controller
from e2e.stories.errors import Errors
from e2e.stories.story import BETTER, GOOD, HASH, Story
from e2e.waiting import eventually

Json = dict[str, Any]

API = "argoproj.io/v1alpha1"
GROUP = f"/apis/{API}"
NEVER = "example.test/web:never"


def analysis_template(errors: Errors) -> Json:
    metric = {
        "name": "errors",
        "interval": "1s",
        "count": 3,
        "successCondition": "result <= 2",
        "noData": "wait",
        "provider": {"web": {"url": f"http://{errors.host}/errors", "jsonPath": "{$.errors}"}},
    }
    metadata = {"name": "errors"}
    spec = {"metrics": [metric], "args": [{"name": "hash", "value": "none"}]}
    return {"apiVersion": API, "kind": "AnalysisTemplate", "metadata": metadata, "spec": spec}


def side(name: str, image: str = GOOD, *, replicas: int = 2, ports: bool = False, **fields: Any) -> Json:
    labels = {"app": name}
    container: Json = {"name": "web", "image": image}
    if ports:
        container["ports"] = [{"containerPort": 8080, "name": "http"}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {"name": name, "replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **fields}


def experiment(name: str = "ab", *sides: Json, **spec: Any) -> Json:
    templates = list(sides) or [side("baseline", ports=True, service={}), side("candidate", BETTER)]
    return {
        "apiVersion": API,
        "kind": "Experiment",
        "metadata": {"name": name},
        "spec": {"templates": templates, **spec},
    }


def measured(**fields: Any) -> Json:
    args = [{"name": "hash", "value": "{{templates.baseline.podTemplateHash}}"}]
    return {"name": "errors", "templateName": "errors", "args": args, **fields}


async def reaches(story: Story, phase: str, name: str = "ab") -> Json:
    """Wait for the phase of an experiment; return its status."""

    async def look() -> Json:
        found = await story.read(GROUP, "experiments", name)
        status: Json = found.get("status") or {}
        assert status.get("phase") == phase, status
        return status

    return await eventually(look, what=f"experiment {name}")


async def is_empty(story: Story, *apps: str) -> None:
    """Wait until nothing is left of an experiment's pods and Services."""

    async def look() -> bool:
        pods = [pod["metadata"]["name"] for app in apps for pod in await story.pods(app)]
        services = (await story.read("/api/v1", "services"))["items"]
        assert not pods, pods
        assert not [each for each in services if each["metadata"]["name"].startswith("ab-")], services
        return True

    await eventually(look, what="nothing left")


async def reasons(story: Story, kind: str, name: str) -> list[str]:
    fields = f"involvedObject.kind={kind},involvedObject.name={name}"
    listed = await story.read("/api/v1", "events", fieldSelector=fields)
    return [each["reason"] for each in listed["items"]]


async def test_two_versions_side_by_side_with_an_analysis(story: Story, errors: Errors) -> None:
    errors.count = None  # it doesn't end before we have looked at it
    await story.kubectl.apply(experiment(analyses=[measured(requiredForCompletion=True)], scaleDownDelaySeconds=1))

    async def waits() -> bool:
        message = (await story.read(GROUP, "experiments", "ab")).get("status", {}).get("message", "")
        assert message.endswith('spec.analyses[0].templateName: AnalysisTemplate "errors" does not exist'), message
        return True

    await eventually(waits)
    await story.kubectl.apply(analysis_template(errors))
    await reaches(story, "Running")
    service = await story.read("/api/v1", "services", "ab-baseline")
    (pod, _) = await story.pods("baseline")
    assert service["spec"]["selector"][HASH] == pod["metadata"]["labels"][HASH]
    assert [each["port"] for each in service["spec"]["ports"]] == [8080]
    errors.count = 0
    status = await reaches(story, "Successful")
    assert status["message"] == "Required AnalysisRuns completed"
    run = await story.read(GROUP, "analysisruns", "ab-errors")
    assert run["spec"]["args"] == [{"name": "hash", "value": pod["metadata"]["labels"][HASH]}]
    await is_empty(story, "baseline", "candidate")

    async def is_told() -> bool:
        return "ExperimentSuccessful" in await reasons(story, "Experiment", "ab")

    await eventually(is_told)


async def test_too_many_errors_fail_it(story: Story, errors: Errors) -> None:
    errors.count = 9
    await story.kubectl.apply([analysis_template(errors), experiment(duration="10m", analyses=[measured()])])
    status = await reaches(story, "Failed")
    assert status["message"].startswith("Analysis 'errors' Failed: Metric \"errors\" assessed Failed"), status
    explained = await story.cli("get", "experiment", "ab")
    assert "Failed" in explained, explained


async def test_pods_that_cannot_be_started_fail_it_after_its_deadline(story: Story) -> None:
    pods = side("candidate")
    pods["template"]["metadata"]["annotations"] = {"devcluster/unready": "true"}
    await story.kubectl.apply(experiment("ab", pods, progressDeadlineSeconds=4, scaleDownDelaySeconds=0))
    status = await reaches(story, "Failed")
    assert "ab-candidate has 0 of 2 pods available, 4 s after their last change" in status["message"]
    await is_empty(story, "candidate")


async def test_somebody_terminates_it(story: Story, errors: Errors) -> None:
    errors.count = None
    await story.kubectl.apply([analysis_template(errors), experiment(analyses=[measured()], scaleDownDelaySeconds=0)])
    await reaches(story, "Running")
    await story.cli("terminate", "experiment", "ab")
    status = await reaches(story, "Successful")
    assert status["message"] == "Experiment terminated"
    await is_empty(story, "baseline", "candidate")


async def test_the_controller_is_killed_in_the_middle(story: Story, errors: Errors, controller: Controller) -> None:
    required = measured(requiredForCompletion=True)
    errors.count = None
    await story.kubectl.apply(
        [analysis_template(errors), experiment(duration="1h", analyses=[required], scaleDownDelaySeconds=1)]
    )
    for _ in range(3):
        controller.kill()
        controller.start()
        await controller.ready()
    await reaches(story, "Running")
    errors.count = 0
    controller.kill()
    controller.start()
    await controller.ready()
    await reaches(story, "Successful")
    runs = (await story.read(GROUP, "analysisruns"))["items"]
    assert [each["metadata"]["name"] for each in runs] == ["ab-errors"]
    controller.kill()
    controller.start()
    await controller.ready()
    await is_empty(story, "baseline", "candidate")


TRIED: Json = {
    "experiment": {
        "templates": [
            {"name": "baseline", "specRef": "stable", "metadata": {"labels": {"role": "baseline"}}},
            {"name": "candidate", "specRef": "canary", "metadata": {"labels": {"role": "candidate"}}},
        ],
        "analyses": [
            {
                "name": "errors",
                "templateName": "errors",
                "requiredForCompletion": True,
                "args": [{"name": "hash", "valueFrom": {"podTemplateHashValue": "Latest"}}],
            }
        ],
        "scaleDownDelaySeconds": 0,
    }
}
STEPS: list[Json] = [{"setWeight": 20}, TRIED, {"setWeight": 60}]


async def test_a_step_that_is_successful_goes_on(story: Story, errors: Errors) -> None:
    await story.kubectl.apply(analysis_template(errors))
    await story.create(steps=STEPS)
    await story.set_image(BETTER)
    status = await story.reaches("Healthy", currentStepIndex=3)
    assert "currentExperiment" not in status.get("canary", {}), status
    (tried,) = (await story.read(GROUP, "experiments"))["items"]
    assert tried["metadata"]["name"].endswith("-2-1")
    assert tried["status"]["phase"] == "Successful"
    await story.tells("ExperimentCreated")
    await story.comes_to({BETTER: 5})  # the experiment's pods carry the label, too


async def test_a_step_that_fails_goes_back(story: Story, errors: Errors) -> None:
    errors.count = 9
    await story.kubectl.apply(analysis_template(errors))
    await story.create(steps=STEPS)
    await story.set_image(BETTER)
    status = await story.reaches("Degraded", abort=True)
    assert "Experiment analysis phase is error/failed: Analysis 'errors' Failed" in status["message"]
    await story.comes_to({GOOD: 5})
    errors.count = 0
    await story.cli("retry", "rollout", "web")
    await story.reaches("Healthy", currentStepIndex=3)
    await story.comes_to({BETTER: 5})


async def test_a_step_that_is_left_ends_its_experiment(story: Story) -> None:
    endless = {**TRIED["experiment"], "analyses": []}
    await story.create(steps=[{"setWeight": 20}, {"experiment": endless}, {"pause": {}}])
    await story.set_image(BETTER)
    await story.until(lambda status: "currentExperiment" in status.get("canary", {}))
    name = (await story.rollout())["status"]["canary"]["currentExperiment"]
    await reaches(story, "Running", name)
    await story.cli("abort", "web")
    await reaches(story, "Successful", name)
    await story.comes_to({GOOD: 5})
    spec = (await story.read(GROUP, "experiments", name))["spec"]
    assert spec["terminate"] is True, json.dumps(spec)
