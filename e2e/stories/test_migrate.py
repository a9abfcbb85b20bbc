"""Does a Deployment become a Rollout, and a Rollout a Deployment, without a moment of fewer pods than before?

The Deployment is run by the real controller manager, the autoscaler is a real one that has no metrics.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from e2e.kubectl import Kubectl
from e2e.metrics_api import MetricsApi
from e2e.sampler import Sampler
from e2e.stories.story import BETTER, GOOD, Json, Story
from e2e.waiting import eventually
from tests.wire.objects import budget, deployment, service

Sample = Callable[..., Sampler]
RUN = ("migrate", "deployment", "web", "--run", "--timeout=120s")
SIZE = 4
HELD = "rollout.argoproj.io/scale-down-held"
MANAGED_BY = "argo-rollouts.argoproj.io/managed-by-rollouts"


def autoscaler(name: str = "web", at_least: int = SIZE) -> Json:
    """An HPA: without metrics it does nothing but keep its bounds."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    resource = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}
    spec = {
        "minReplicas": at_least,
        "maxReplicas": 10,
        "scaleTargetRef": target,
        "metrics": [{"type": "Resource", "resource": resource}],
    }
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name}, "spec": spec}


def commands_of(report: str) -> list[str]:
    """The commands that a report tells people to type."""
    return [line for line in report.splitlines() if line.startswith("     kubectl ")]


async def deployed(story: Story, *others: Json, replicas: int = SIZE) -> None:
    """A Deployment with all of its pods, and what else there is."""
    await story.kubectl.apply([deployment("web", replicas, GOOD), *others])
    await story.kubectl("rollout", "status", "deployment/web", "--timeout=120s")


async def target_of(kubectl: Kubectl) -> str:
    target = (await kubectl.json("get", "hpa", "web"))["spec"]["scaleTargetRef"]
    return f"{target['apiVersion']} {target['kind']}"


async def read_deployment(story: Story) -> Json:
    return await story.read("/apis/apps/v1", "deployments", "web")


async def empties(story: Story, labels: str) -> None:
    """Wait until the pods of the other kind have gone."""

    async def look() -> bool:
        listed = await story.read("/api/v1", "pods", labelSelector=labels)
        assert not listed["items"], [each["metadata"]["name"] for each in listed["items"]]
        return True

    await eventually(look, what=f"no {labels}")


async def test_there_and_back_with_an_autoscaler(story: Story, sample: Sample) -> None:
    around = (autoscaler(), service("web", selector={"app": "web"}), budget("web", {"app": "web"}, minAvailable=3))
    await deployed(story, *around)
    async with sample("app=web") as pods:
        told = await story.cli(*RUN, "--steps=25,pause,75")
        assert "PodDisruptionBudget web counts the pods of both" in told
        assert "done: Rollout web has taken over" in told
        await story.reaches("Healthy", availableReplicas=SIZE)
        assert await target_of(story.kubectl) == "argoproj.io/v1alpha1 Rollout"
        await empties(story, "app=web,pod-template-hash")
        assert not await read_deployment(story)
        assert "done" in await story.cli(*RUN)  # again: there is nothing left to do

        told = await story.cli(*RUN, "--reverse")
        assert "done: Deployment web has taken over" in told
        assert "spec.strategy.canary.steps (3 of them)" in told
        assert not await story.rollout()
        assert await target_of(story.kubectl) == "apps/v1 Deployment"
        await empties(story, "app=web,rollouts-pod-template-hash")
        assert "done" in await story.cli(*RUN, "--reverse")
    assert not pods.dips(SIZE), pods.report(SIZE)
    assert pods.maximum_total() <= 2 * SIZE
    found = (await read_deployment(story))["spec"]
    assert (found["replicas"], found["selector"]) == (SIZE, {"matchLabels": {"app": "web"}})


async def test_a_hasty_autoscaler_does_not_take_twice_the_pods_for_too_many(
    story: Story, sample: Sample, tmp_path: Path
) -> None:
    """While both run each pod has half of the load, and this one would scale down at once. People are slow."""
    target = {"type": "Utilization", "averageUtilization": 50}
    hasty = autoscaler(at_least=1)
    hasty["spec"]["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    hasty["spec"]["behavior"] = {"scaleDown": {"stabilizationWindowSeconds": 0}}
    pods = deployment("web", SIZE, GOOD)
    pods["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "100m"}}
    async with MetricsApi(story.api) as metrics:
        metrics.load[story.namespace] = SIZE * 50
        await story.kubectl.apply([pods, hasty])
        await story.kubectl("rollout", "status", "deployment/web", "--timeout=120s")

        async def is_counted() -> bool:
            return len(metrics.selectors) > 2

        await eventually(is_counted, what="the autoscaler counts")
        before = (await story.kubectl.json("get", "hpa", "web"))["spec"]["behavior"]
        async with sample("app=web") as sampler:
            for direction in ("there", "back"):
                words = ["--reverse"] if direction == "back" else []
                told = await story.cli("migrate", "deployment", "web", f"--output-dir={tmp_path / direction}", *words)
                for line in commands_of(told):
                    await story.shell(line)
                    metrics.selectors.clear()
                    await eventually(is_counted, what="the autoscaler counts again")
                found = await story.kubectl.json("get", "hpa", "web")
                assert found["spec"]["behavior"] == before
                assert HELD not in found["metadata"].get("annotations", {})
        assert not sampler.dips(SIZE), sampler.report(SIZE)
        metrics.load[story.namespace] = 2 * 50

        async def is_smaller() -> bool:
            return bool((await read_deployment(story))["spec"]["replicas"] == 2)

        await eventually(is_smaller, what="the autoscaler scales down again")


async def test_a_run_that_is_killed_goes_on(story: Story, sample: Sample) -> None:
    """Killed after each of its lines, there and back."""
    await deployed(story, autoscaler(), service("web", selector={"app": "web"}))
    async with sample("app=web") as pods:
        for direction in ([], ["--reverse"]):
            done, lines = False, 0
            while not done:
                lines += 1
                done = await story.killed_after(lines, *RUN, *direction)
            assert lines > 2
    assert not pods.dips(SIZE), pods.report(SIZE)
    assert await target_of(story.kubectl) == "apps/v1 Deployment"


async def test_the_size_that_counts_is_the_live_one(story: Story, tmp_path: Path) -> None:
    await deployed(story, replicas=2)
    await story.kubectl("scale", "deployment", "web", "--replicas=3")
    await story.kubectl("rollout", "status", "deployment/web", "--timeout=120s")
    await story.cli("migrate", "deployment", "web", f"--output-dir={tmp_path}")
    assert yaml.safe_load((tmp_path / "rollout-web.yaml").read_text())["spec"]["replicas"] == 3


async def test_the_commands_of_the_report_do_it_too(story: Story, sample: Sample, tmp_path: Path) -> None:
    """A person follows the report: each line is run by a shell, from manifests that name another size."""
    await deployed(story, autoscaler())
    manifests = tmp_path / "web.yaml"
    manifests.write_text(yaml.safe_dump_all([deployment("web", 1, GOOD), autoscaler()]))
    told = await story.cli("migrate", "deployment", "-f", str(manifests), f"--output-dir={tmp_path}/out")
    async with sample("app=web") as pods:
        for line in commands_of(told):
            await story.shell(line)
    await story.reaches("Healthy", availableReplicas=SIZE)
    assert await target_of(story.kubectl) == "argoproj.io/v1alpha1 Rollout"
    assert not await read_deployment(story)
    assert not pods.dips(SIZE), pods.report(SIZE)


async def test_pods_that_do_not_come_up_take_nothing_away(story: Story, sample: Sample) -> None:
    """The node has no room for a second set: the run gives up, and either way from there works."""
    await deployed(story, autoscaler())
    limit = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "room"}}
    await story.kubectl.apply({**limit, "spec": {"hard": {"pods": str(SIZE + 1)}}})
    async with sample("app=web") as pods:
        told = await story.cli(*RUN[:-1], "--timeout=2s", code=1)
        assert "to go on: `rollouts migrate deployment web" in told
        assert await target_of(story.kubectl) == "apps/v1 Deployment"
        await story.cli(*RUN, "--reverse")
        assert not await story.rollout()
        await story.kubectl("delete", "resourcequota", "room")
        await story.cli(*RUN)
    assert not pods.dips(SIZE), pods.report(SIZE)


async def test_services_are_let_go_on_the_way_back(story: Story, sample: Sample) -> None:
    canary = {"canaryService": "web-canary", "stableService": "web-stable"}
    services = [service(name, selector={"app": "web"}) for name in canary.values()]
    await story.kubectl.apply(services)
    await story.create(replicas=SIZE, strategy={"canary": canary})

    async def is_held() -> bool:
        found = await story.read("/api/v1", "services", "web-stable")
        return "rollouts-pod-template-hash" in found["spec"]["selector"]

    await eventually(is_held, what="the Service is switched")
    async with sample("app=web") as pods:
        told = await story.cli(*RUN, "--reverse")
    assert not pods.dips(SIZE), pods.report(SIZE)
    assert "Have Service web-stable select the pods of both" in told
    for name in canary.values():
        found = await story.read("/api/v1", "services", name)
        assert found["spec"]["selector"] == {"app": "web"}
        assert MANAGED_BY not in found["metadata"].get("annotations", {})


async def test_blue_green_and_back(story: Story, sample: Sample) -> None:
    """The active Service leaves the Deployment's pods for the Rollout's, and takes them all on the way back."""
    await deployed(story, service("web", selector={"app": "web"}))
    async with sample("app=web") as pods:
        told = await story.cli(*RUN, "--strategy=bluegreen", "--active-service=web")
        assert "done: Rollout web has taken over" in told
        selector = (await story.read("/api/v1", "services", "web"))["spec"]["selector"]
        assert selector["rollouts-pod-template-hash"] == (await story.rollout())["status"]["stableRS"]
        assert "done: Deployment web has taken over" in await story.cli(*RUN, "--reverse")
    assert not pods.dips(SIZE), pods.report(SIZE)
    assert (await story.read("/api/v1", "services", "web"))["spec"]["selector"] == {"app": "web"}


async def test_an_update_under_way_is_given_up_for_the_stable_template(story: Story, sample: Sample) -> None:
    await story.create(replicas=SIZE)
    await story.set_image(BETTER)
    await story.reaches("Paused", currentStepIndex=1)
    async with sample("app=web") as pods:
        told = await story.cli(*RUN, "--reverse")
    assert "an update is under way" in told
    assert not pods.dips(SIZE), pods.report(SIZE)
    await empties(story, "app=web,rollouts-pod-template-hash")
    await story.comes_to({GOOD: SIZE})


@pytest.mark.parametrize("scale_down", ["never", "progressively"])
async def test_there_and_back_by_reference(story: Story, sample: Sample, scale_down: str) -> None:
    await deployed(story, autoscaler(), service("web", selector={"app": "web"}))
    async with sample("app=web") as pods:
        told = await story.cli(*RUN, "--workload-ref", f"--scale-down={scale_down}")
        assert "done: Rollout web has taken over; Deployment web stays, at 0 pods" in told
        assert await target_of(story.kubectl) == "argoproj.io/v1alpha1 Rollout"
        await empties(story, "app=web,pod-template-hash")
        assert (await read_deployment(story))["spec"]["replicas"] == 0
        assert "done" in await story.cli(*RUN, "--workload-ref", f"--scale-down={scale_down}")

        assert "done: Deployment web has taken over" in await story.cli(*RUN, "--reverse")
        assert not await story.rollout()
        assert await target_of(story.kubectl) == "apps/v1 Deployment"
    assert not pods.dips(SIZE), pods.report(SIZE)
    assert (await read_deployment(story))["spec"]["replicas"] == SIZE


async def test_what_is_in_the_way_is_said(story: Story) -> None:
    await deployed(story, replicas=1)
    assert "deployment 'nobody' not found" in await story.cli("migrate", "deployment", "nobody", code=1)
    await story.create(replicas=1, image=BETTER)
    told = await story.cli(*RUN, code=1)
    assert "a Rollout web exists already: its pod template is another one" in told
    patch = json.dumps({"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}})
    await story.kubectl("patch", "deployment", "web", "--type=merge", "-p", patch)
    await story.kubectl("delete", "rollout", "web")
    assert "Recreate" in await story.cli(*RUN, code=1)
