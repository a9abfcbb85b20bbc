"""Experiments in the loop: their pods, their runs, their end; whatever the API server says meanwhile."""

from typing import Any

import pytest

from rollouts.kube.errors import Conflict, Forbidden, ServerTimeout
from tests.controller.harness import Harness, running
from tests.controller.test_children import METRIC
from tests.controller.world import Object, error, rollout

EXPERIMENT, RUN = "Experiment", "AnalysisRun"


def side(name: str, **fields: Any) -> Object:
    labels = {"app": name}
    container = {"name": "app", "image": "app:1", "ports": [{"containerPort": 80}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {"name": name, "selector": {"matchLabels": labels}, "template": template, **fields}


def experiment(*sides: Object, **spec: Any) -> Object:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": EXPERIMENT,
        "metadata": {"name": "ab", "namespace": "default"},
        "spec": {"templates": list(sides) or [side("baseline", service={}), side("canary")], **spec},
    }


def template(name: str = "errors") -> Object:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": name},
        "spec": {"metrics": [METRIC]},
    }


MEASURED = {"analyses": [{"name": "errors", "templateName": "errors"}]}


def status(here: Harness) -> dict[str, Any]:
    found: dict[str, Any] = here.world.get_now(EXPERIMENT, "ab").get("status") or {}
    return found


def phase(here: Harness) -> str:
    return str(status(here).get("phase"))


def sizes(here: Harness) -> list[int]:
    return [here.world.get_now("ReplicaSet", f"ab-{name}")["spec"]["replicas"] for name in ("baseline", "canary")]


def is_there(here: Harness, kind: str, name: str) -> bool:
    return (kind, "default", name) in here.world.objects


@pytest.mark.looptime
async def test_an_experiment_runs_for_its_duration_and_leaves_nothing_behind() -> None:
    async with running() as here:
        here.world.put(template())
        here.world.put(experiment(duration="1m", scaleDownDelaySeconds=5, **MEASURED))
        await here.until(lambda: phase(here) == "Running" and is_there(here, RUN, "ab-errors"))
        assert is_there(here, "Service", "ab-baseline")
        here.world.change(RUN, "ab-errors", {"status": {"phase": "Running"}})
        await here.until(lambda: phase(here) == "Successful", 90)
        await here.until(lambda: here.world.get_now(RUN, "ab-errors")["spec"].get("terminate"))
        assert sizes(here) == [1, 1]
        await here.until(lambda: sizes(here) == [0, 0] and not is_there(here, "Service", "ab-baseline"))
        assert "ExperimentSuccessful" in here.reasons()
        writes = len(here.world.requests)
        await here.until(lambda: here.loop.queue.depth == 0)
        assert len(here.world.requests) == writes


@pytest.mark.looptime
async def test_a_run_that_fails_fails_it() -> None:
    async with running() as here:
        here.world.put(template())
        here.world.put(experiment(**MEASURED))
        await here.until(lambda: is_there(here, RUN, "ab-errors"))
        here.world.change(RUN, "ab-errors", {"status": {"phase": "Failed", "message": "too many"}})
        await here.until(lambda: phase(here) == "Failed")
        assert status(here)["message"] == "Analysis 'errors' Failed: too many"
        told = "ab Warning ExperimentFailed Experiment: Running -> Failed: Analysis 'errors' Failed: too many"
        assert told in here.events


@pytest.mark.looptime
async def test_it_waits_for_a_template_and_hears_of_it() -> None:
    async with running() as here:
        here.world.put(experiment(**MEASURED))
        await here.until(lambda: "does not exist" in status(here).get("message", ""))
        assert not is_there(here, "ReplicaSet", "ab-canary")
        here.world.put(template())
        await here.until(lambda: phase(here) == "Running")
        assert here.reasons().count("InvalidSpec") == 1


@pytest.mark.looptime
async def test_names_that_are_taken() -> None:
    async with running() as here:
        other = {"apiVersion": "v1", "kind": "Other", "name": "other", "uid": "uid-other", "controller": True}
        here.world.put(template())
        for kind, name in (("ReplicaSet", "ab-canary"), (RUN, "ab-errors")):
            metadata = {"name": name, "ownerReferences": [other]}
            spec = {"replicas": 1, "selector": {"matchLabels": {"x": "y"}}, "template": {}}
            here.world.put({"apiVersion": "x/v1", "kind": kind, "metadata": metadata, "spec": spec})
        here.world.put(experiment(**MEASURED))
        await here.until(lambda: is_there(here, RUN, "ab-errors.1"))
        assert is_there(here, "ReplicaSet", "ab-canary-1")
        assert status(here)["templateStatuses"][1]["collisionCount"] == 1


@pytest.mark.looptime
async def test_a_service_of_somebody_else_is_told_and_left_alone() -> None:
    async with running() as here:
        here.world.put({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "ab-baseline"}, "spec": {}})
        here.world.put(experiment())
        await here.until(lambda: phase(here) == "Error")
        assert "Service ab-baseline was there before" in status(here)["message"]
        assert is_there(here, "Service", "ab-baseline")


@pytest.mark.looptime
async def test_what_the_server_refuses_for_good_is_an_error() -> None:
    async with running() as here:
        refused = error(Forbidden, 403, "Forbidden", "the quota is exceeded")
        here.world.fail["create", "ReplicaSet"] = [refused for _ in range(9)]
        here.world.put(experiment(side("canary")))
        await here.until(lambda: phase(here) == "Error")
        told = "Template 'canary' Error: ReplicaSet ab-canary can't be created: the quota is exceeded"
        assert status(here)["message"] == told
        asked = here.world.requests.count("create ReplicaSet ab-canary")
        assert asked < 4


@pytest.mark.looptime
async def test_trouble_and_conflicts_pass() -> None:
    async with running() as here:
        here.world.fail["create", "ReplicaSet"] = [error(ServerTimeout, 504, "Timeout")]
        here.world.fail["create", "Service"] = [error(ServerTimeout, 504, "Timeout")]
        here.world.fail["patch", EXPERIMENT] = [error(Conflict, 409, "Conflict"), error(ServerTimeout, 504, "Timeout")]
        here.world.put(experiment(duration="10s"))
        await here.until(lambda: phase(here) == "Successful", 200)


@pytest.mark.looptime
async def test_runs_that_cannot_be_read_are_told() -> None:
    async with running() as here:
        here.world.known.problems[RUN] = "analysisruns is forbidden"
        here.world.put(template())
        here.world.put(experiment(**MEASURED))
        await here.until(lambda: "analysisruns is forbidden" in status(here).get("message", ""))
        assert not is_there(here, "ReplicaSet", "ab-canary")


@pytest.mark.looptime
async def test_what_cannot_be_read_keeps_nobody_from_ending_it() -> None:
    async with running() as here:
        here.world.put(template())
        here.world.put(experiment(scaleDownDelaySeconds=1, **MEASURED))
        await here.until(lambda: phase(here) == "Running")
        here.world.known.problems["AnalysisTemplate"] = "analysistemplates is forbidden"
        here.world.change(EXPERIMENT, "ab", {"spec": {"terminate": True}})
        await here.until(lambda: phase(here) == "Successful")
        await here.until(lambda: here.world.get_now("ReplicaSet", "ab-canary")["spec"]["replicas"] == 0)


@pytest.mark.looptime
async def test_one_that_is_deleted_is_left_to_the_garbage_collector() -> None:
    async with running() as here:
        here.world.put(experiment())
        await here.until(lambda: phase(here) == "Running")
        here.world.remove(EXPERIMENT, "ab")
        writes = len(here.world.requests)
        await here.until(lambda: here.loop.queue.depth == 0)
        assert len(here.world.requests) == writes
        assert is_there(here, "ReplicaSet", "ab-canary")


@pytest.mark.looptime
async def test_a_canary_s_step_makes_one_and_its_rollout_is_told_of_the_analyses() -> None:
    sides = [{"name": "old", "specRef": "stable"}, {"name": "new", "specRef": "canary"}]
    step = {"experiment": {"templates": sides, "duration": "1h", **MEASURED}}
    async with running() as here:
        here.world.put(template())
        here.world.put(rollout(steps=[step]))
        await here.until(lambda: here.status().get("phase") == "Healthy")
        template_patch = {"spec": {"template": {"metadata": {"labels": {"version": "2"}}}}}
        here.world.change("Rollout", "web", template_patch)
        await here.until(lambda: here.status().get("canary", {}).get("currentExperiment"))
        name = here.status()["canary"]["currentExperiment"]
        await here.until(lambda: is_there(here, RUN, f"{name}-errors"))
        here.world.change(RUN, f"{name}-errors", {"status": {"phase": "Failed", "message": "too many"}})
        await here.until(lambda: here.status().get("abort"))
        assert f"web Warning AnalysisRunFailed Experiment {name}: Analysis 'errors': Pending -> Failed" in here.events
        assert "Analysis 'errors' Failed: too many" in here.status()["message"]
        await here.until(lambda: "currentExperiment" not in here.status().get("canary", {}))
