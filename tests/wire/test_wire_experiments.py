"""Do experiments run on this server: by hand with an analysis, ended by hand, and as a canary's step?"""

from tests.wire.objects import rollout
from tests.wire.server import DEADLINE, Client, Json
from tests.wire.test_wire_controller import change_image, reaches

HASH = "rollouts-pod-template-hash"
GROUP = "argoproj.io/v1alpha1"
JOB: Json = {
    "backoffLimit": 0,
    "template": {
        "spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "smoke", "image": "example.test/smoke:1", "command": ["sh", "-c", "exit 0"]}],
        }
    },
}
SMOKE: Json = {
    "apiVersion": GROUP,
    "kind": "AnalysisTemplate",
    "metadata": {"name": "smoke"},
    "spec": {"metrics": [{"name": "smoke", "provider": {"job": {"spec": JOB}}}]},
}
REQUIRED: Json = {"name": "smoke", "templateName": "smoke", "requiredForCompletion": True}


def experiment(**spec: object) -> Json:
    """Return an experiment of two templates, one of which has a Service."""
    sides: list[Json] = []
    for name in ("a", "b"):
        container = {"name": "web", "image": f"example.test/web:{name}", "ports": [{"containerPort": 80}]}
        template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
        sides.append({"name": name, "selector": {"matchLabels": {"app": name}}, "template": template})
    sides[0]["service"] = {}
    whole = {"templates": sides, "scaleDownDelaySeconds": 0, **spec}
    return {"apiVersion": GROUP, "kind": "Experiment", "metadata": {"name": "ab"}, "spec": whole}


async def comes_to(api: Client, phase: str, name: str = "ab") -> Json:
    """Wait for the phase of an experiment; return its status."""
    found = await api.until(
        "experiments", name, lambda obj: (obj.get("status") or {}).get("phase") == phase, within=2 * DEADLINE
    )
    status: Json = found["status"]
    return status


async def test_an_experiment_is_measured_and_leaves_nothing_behind(controlled: Client) -> None:
    await controlled.made("analysistemplates", SMOKE)
    await controlled.made("experiments", experiment(analyses=[REQUIRED]))
    status = await comes_to(controlled, "Successful")
    assert status["message"] == "Required AnalysisRuns completed"
    assert [each["analysisRun"] for each in status["analysisRuns"]] == ["ab-smoke"]
    hashes = {each["podTemplateHash"] for each in status["templateStatuses"]}
    sets = (await controlled.get("replicasets")).object["items"]
    assert {each["metadata"]["labels"][HASH] for each in sets} == hashes
    await controlled.until_names("services", lambda names: "ab-a" not in names)
    await controlled.until("replicasets", "ab-a", lambda obj: obj["spec"]["replicas"] == 0)


async def test_one_that_is_terminated_and_deleted(controlled: Client) -> None:
    await controlled.made("experiments", experiment())
    await comes_to(controlled, "Running")
    assert (await controlled.get("services", "ab-a")).object["spec"]["ports"][0]["port"] == 80
    await controlled.patch("experiments", "ab", {"spec": {"terminate": True}})
    await comes_to(controlled, "Successful")
    await controlled.delete("experiments", "ab", {"propagationPolicy": "Background"})
    await controlled.until_names("replicasets", lambda names: not names)


async def test_a_canary_s_step(controlled: Client) -> None:
    await controlled.made("analysistemplates", SMOKE)
    sides = [{"name": "old", "specRef": "stable"}, {"name": "new", "specRef": "canary"}]
    tried = {"templates": sides, "analyses": [REQUIRED], "scaleDownDelaySeconds": 0}
    await controlled.made("rollouts", rollout(replicas=2, steps=[{"setWeight": 50}, {"experiment": tried}]))
    await reaches(controlled, "Healthy")
    await change_image(controlled)
    await reaches(controlled, "Healthy", currentStepIndex=2)
    (made,) = (await controlled.get("experiments")).object["items"]
    assert made["status"]["phase"] == "Successful"
    assert {each["podTemplateHash"] for each in made["status"]["templateStatuses"]}.isdisjoint(
        {made["metadata"]["labels"][HASH]}
    )
