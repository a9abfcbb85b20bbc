"""Does the controller need each of its rights, no other, and does it say so when one is missing?"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from e2e import arguments, controller
from e2e.conftest import CRDS
from e2e.controller import Controller
from e2e.kubectl import Kubectl
from e2e.plane import ControlPlane
from e2e.stories.story import BETTER, GOOD, Json, Story
from e2e.waiting import eventually
from tests.traffic.test_rights import needed
from tests.wire.objects import deployment, rollout, service, template

Right = tuple[str, str, str]
# Granted for moments that this run doesn't have.
RARELY_USED: dict[Right, str] = {
    ("argoproj.io", "rollouts/finalizers", "update"): "where OwnerReferencesPermissionEnforcement is on",
    ("argoproj.io", "rollouts", "list"): "where an API server can't stream lists",
    ("apps", "replicasets", "list"): "where an API server can't stream lists",
    ("", "services", "list"): "where an API server can't stream lists",
    ("apps", "replicasets", "get"): "when a name is taken, or a watch is late with what was written",
    ("", "services", "get"): "when a watch is late with what was written",
    ("apps", "deployments", "list"): "where an API server can't stream lists",
    ("", "podtemplates", "list"): "where an API server can't stream lists",
    ("apps", "deployments", "get"): "when a watch is late with what was written",
    ("argoproj.io", "analysisruns", "list"): "where an API server can't stream lists",
    ("argoproj.io", "experiments", "list"): "where an API server can't stream lists",
    ("argoproj.io", "analysistemplates", "list"): "where an API server can't stream lists",
    ("argoproj.io", "clusteranalysistemplates", "list"): "where an API server can't stream lists",
    ("argoproj.io", "analysisruns", "get"): "when a name is taken, or a watch is late with what was written",
    ("argoproj.io", "experiments", "get"): "when a name is taken, or a watch is late with what was written",
    ("argoproj.io", "analysisruns/finalizers", "update"): "where OwnerReferencesPermissionEnforcement is on",
    ("argoproj.io", "experiments/finalizers", "update"): "where OwnerReferencesPermissionEnforcement is on",
    **{("argoproj.io", "experiments", verb): "for experiments" for verb in ("create", "patch", "delete")},
    **{("", "services", verb): "for Services of experiments" for verb in ("create", "delete")},
    ("external.metrics.k8s.io", "*", "list"): "where an external metrics server is installed",
    **{("batch", "jobs", verb): "for metrics that are Jobs" for verb in ("get", "list", "watch", "create", "delete")},
    ("", "events", "list"): "for the health of pods",
    **{("", "secrets", verb): "for routers whose objects may be in another cluster" for verb in ("list", "watch")},
}


@pytest_asyncio.fixture
async def audited(tmp_path: Path) -> AsyncIterator[ControlPlane]:
    """A control plane that writes down what the controller's ServiceAccount asks for."""
    policy = arguments.AUDIT_OF_ACCOUNTS.format(namespace=controller.NAMESPACE)
    async with ControlPlane(tmp_path / "plane", crds=CRDS, audit=True, audit_policy=policy) as plane:
        yield plane


def rules_of(role: Json) -> set[Right]:
    return {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def of_routers() -> set[Right]:
    """Return the rights for objects of traffic routers: routers' own tests say that each of them is needed."""
    return {(group, resource, verb) for (group, resource), verbs in needed().items() for verb in verbs}


def asked_for(log: Path) -> tuple[set[Right], set[Right]]:
    """Read what was asked for, and what of it was refused as forbidden."""
    asked, refused = set(), set()
    for event in map(json.loads, log.read_text().splitlines()):
        reference = event.get("objectRef")
        if reference is None or "resource" not in reference:
            continue
        what = "/".join(filter(None, (reference["resource"], reference.get("subresource"))))
        right = (reference.get("apiGroup", ""), what, event["verb"])
        asked.add(right)
        if event["responseStatus"]["code"] == 403:
            refused.add(right)
    return asked, refused


async def live_a_full_life(story: Story) -> None:
    """Do everything that a controller may be asked to do."""
    await story.kubectl.apply([service("stable", selector={"app": "web"}), service("canary", selector={"app": "web"})])
    steps = [{"setWeight": 50}, {"pause": {}}]
    canary = {
        "stableService": "stable",
        "canaryService": "canary",
        "steps": steps,
        "stableMetadata": {"labels": {"role": "stable"}},
    }
    await story.create(strategy={"canary": canary}, replicas=2, revisionHistoryLimit=0)
    await story.set_image(BETTER)
    await story.reaches("Paused")
    await story.patch_status({"abort": True})
    await story.reaches("Degraded")
    await story.patch_status({"abort": False})
    await story.reaches("Paused")
    await story.patch_status({"promoteFull": True})
    await story.reaches("Healthy")

    async def old_is_deleted() -> bool:
        return len(await story.replica_sets()) == 1

    await eventually(old_is_deleted)
    before = {pod["metadata"]["uid"] for pod in await story.pods()}

    async def all_are_new() -> bool:
        await story.cli("restart", "web")  # pods of the very second are spared: again, then
        after = {pod["metadata"]["uid"] for pod in await story.pods()}
        return len(after) == 2 and not before & after

    await eventually(all_are_new, every=1.0)
    await story.reaches("Healthy")
    await take_over_from_a_deployment(story)
    await measure(story)
    await story.kubectl("delete", "rollout", "web", "--cascade=orphan")
    await story.create(strategy={"canary": canary}, replicas=2, image=BETTER)
    sized = rollout("sized", None)
    await story.kubectl.apply(sized)
    await story.reaches("Healthy", "sized")
    for number in range(3):  # a rollout of the same name again and again: the events are counted up
        await story.set_image(GOOD if number % 2 else BETTER, "sized")
        await story.reaches("Healthy", "sized")


async def measure(story: Story) -> None:
    """Have a canary analyzed with a Secret, and a run by hand deleted once it is over."""
    data = {"token": base64.b64encode(b"a-token").decode()}
    await story.kubectl.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token"}, "data": data})
    headers = [{"key": "Authorization", "value": "{{args.token}}"}]
    metric = {"name": "errors", "provider": {"web": {"url": "http://127.0.0.1:1", "headers": headers}}}
    source = {"name": "token", "valueFrom": {"secretKeyRef": {"name": "token", "key": "token"}}}
    spec = {"args": [source], "metrics": [{**metric, "consecutiveErrorLimit": 0}]}
    group = "argoproj.io/v1alpha1"
    await story.kubectl.apply(
        [
            {"apiVersion": group, "kind": "AnalysisTemplate", "metadata": {"name": "errors"}, "spec": spec},
            {
                "apiVersion": group,
                "kind": "AnalysisRun",
                "metadata": {"name": "by-hand"},
                "spec": {**spec, "ttlStrategy": {"secondsAfterCompletion": 1}},
            },
        ]
    )
    analysis = {"templates": [{"templateName": "errors"}]}
    steps: list[Json] = [{"setWeight": 50}, {"analysis": analysis}]
    await story.create("analyzed", replicas=2, strategy={"canary": {"steps": steps}})
    await story.set_image(BETTER, "analyzed")
    await story.reaches("Degraded", "analyzed")

    async def is_gone() -> bool:
        return not await story.read("/apis/argoproj.io/v1alpha1", "analysisruns", "by-hand")

    await eventually(is_gone)


async def take_over_from_a_deployment(story: Story) -> None:
    """Have a Deployment's pods taken over, and a template of each other kind read."""
    await story.kubectl.apply(deployment("taken"))
    holder: Json = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "held"}}
    await story.kubectl.apply({**holder, "template": template({"app": "held"}, GOOD)})
    for kind, api_version, name in (("Deployment", "apps/v1", "taken"), ("PodTemplate", "v1", "held")):
        raw = rollout(name)
        del raw["spec"]["template"]
        reference = {"apiVersion": api_version, "kind": kind, "name": name, "scaleDown": "onsuccess"}
        await story.kubectl.apply({**raw, "spec": {**raw["spec"], "workloadRef": reference}})
        await story.reaches("Healthy", name)

    async def is_taken_over() -> bool:
        found = await story.kubectl.json("get", "deployment", "taken")
        return bool(found["spec"]["replicas"] == 0)

    await eventually(is_taken_over)


async def test_each_right_is_used_and_none_is_missing(audited: ControlPlane, tmp_path: Path) -> None:
    admin = Kubectl(audited.admin_kubeconfig, controller.NAMESPACE)
    await controller.install(admin)
    kubeconfig = await audited.kubeconfig_of(controller.NAMESPACE, controller.SERVICE_ACCOUNT)
    program = Controller("controller", kubeconfig, tmp_path)
    await admin("create", "namespace", "people")
    program.start()
    try:
        await program.ready()
        async with audited.admin.session() as api:
            await live_a_full_life(Story(api, Kubectl(audited.admin_kubeconfig, "people")))
    finally:
        await program.stop()
    granted = rules_of(await admin.json("get", "clusterrole", "rollouts-controller"))
    for role in ("rollouts-controller-leader-election", "rollouts-controller-plugins", "rollouts-controller-clusters"):
        granted |= rules_of(await admin.json("get", "role", role))
    assert audited.audit_log is not None
    await audited.restart_apiserver()  # it writes the log in batches
    asked, refused = await asyncio.to_thread(asked_for, audited.audit_log)
    assert refused == set()
    assert asked <= granted
    unused = granted - asked - of_routers()
    assert unused <= set(RARELY_USED), sorted(unused - set(RARELY_USED))


async def says(program: Controller, words: str) -> bool:
    """Tell whether something stands in a log."""
    program.require_running()
    return words in await asyncio.to_thread(program.log.read_text)


async def limited(plane: ControlPlane, story: Story, without: Right) -> Path:
    """Make a ServiceAccount with the controller's rights but one; return its kubeconfig."""
    await story.kubectl("create", "serviceaccount", "limited")
    rules = rules_of(await story.kubectl.json("get", "clusterrole", "rollouts-controller")) - {without}
    await grant(story, rules)
    subject = f"--serviceaccount={story.namespace}:limited"
    await story.kubectl("create", "rolebinding", "limited", "--role=limited", subject)
    return await plane.kubeconfig_of(story.namespace, "limited")


async def grant(story: Story, rights: set[Right]) -> None:
    rules = [{"apiGroups": [group], "resources": [what], "verbs": [verb]} for group, what, verb in sorted(rights)]
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "limited"}}
    await story.kubectl.apply({**role, "rules": rules})


@pytest.mark.usefixtures("controller_kubeconfig")  # that is: the installation
async def test_without_a_right_to_write_it_says_which_and_goes_on_once_it_has_it(
    plane: ControlPlane, watcher: Story, tmp_path: Path
) -> None:
    without = ("apps", "replicasets", "create")
    kubeconfig = await limited(plane, watcher, without)
    program = Controller("limited", kubeconfig, tmp_path, ["--namespace", watcher.namespace, "--no-leader-elect"])
    program.start()
    try:
        await program.ready()
        await watcher.kubectl.apply(rollout())

        async def is_told() -> bool:
            conditions = (await watcher.rollout()).get("status", {}).get("conditions") or []
            assert "cannot create resource" in json.dumps(conditions), conditions
            assert "ReplicaSetCreateError" in await watcher.events()
            return True

        await eventually(is_told)
        await eventually(lambda: says(program, "cannot create resource"))
        await grant(watcher, rules_of(await watcher.kubectl.json("get", "clusterrole", "rollouts-controller")))
        await watcher.reaches("Healthy")
    finally:
        await program.stop()


@pytest.mark.usefixtures("controller_kubeconfig")  # that is: the installation
async def test_without_a_right_to_watch_it_is_not_ready_until_it_has_it(
    plane: ControlPlane, watcher: Story, tmp_path: Path
) -> None:
    kubeconfig = await limited(plane, watcher, ("", "services", "watch"))
    program = Controller("limited", kubeconfig, tmp_path, ["--namespace", watcher.namespace, "--no-leader-elect"])
    program.start()
    try:
        await eventually(lambda: says(program, 'cannot watch resource "services"'))
        await asyncio.sleep(0.5)
        await grant(watcher, rules_of(await watcher.kubectl.json("get", "clusterrole", "rollouts-controller")))
        await program.ready()
        await watcher.create(replicas=1)
    finally:
        await program.stop()
