"""Does the harness itself do what the stories rely on?"""

import asyncio
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from e2e import arguments
from e2e.access import Access
from e2e.kubectl import Kubectl, KubectlError
from e2e.plane import ControlPlane
from e2e.program import Program, ProgramError
from e2e.sampler import Sampler
from e2e.stream import GoneError, follow, watch_once
from e2e.waiting import eventually


def deployment(name: str, replicas: int, image: str, **annotations: str) -> dict[str, Any]:
    labels = {"app": name}
    template = {
        "metadata": {"labels": labels, "annotations": annotations},
        "spec": {"containers": [{"name": "web", "image": image}]},
    }
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def job(name: str, command: str) -> dict[str, Any]:
    container = {"name": "run", "image": "example.test/task:1", "command": ["sh", "-c", command]}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    spec = {"backoffLimit": 0, "template": template}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}


def is_alive(pid: int) -> bool:
    """A zombie counts as dead: whoever adopted it has yet to look."""
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "Z (zombie)" not in status.read_text()


async def test_a_deployment_becomes_available_and_is_updated_with_its_availability_kept(
    kubectl: Kubectl, sample: Callable[..., Sampler]
) -> None:
    async with sample("app=web") as sampler:
        await kubectl.apply(deployment("web", 5, "example.test/web:1"))
        await kubectl.wait("deployment/web", "--for=condition=Available")
        since = sampler.now()
        await kubectl("set", "image", "deployment/web", "web=example.test/web:2")
        await kubectl("rollout", "status", "deployment/web", "--timeout=120s")
    assert sampler.minimum(since) >= 4  # maxUnavailable 25 % of 5, rounded down
    # Kubernetes counts surge by what ReplicaSets ask for: pods that are still to be deleted may come on top.
    assert 5 < sampler.maximum_total(since) <= 10
    assert sampler.dips(4, since) == []

    async def only_the_second_is_left() -> bool:
        images = await kubectl("get", "pods", "-o", "jsonpath={.items[*].spec.containers[0].image}")
        return set(images.split()) == {"example.test/web:2"}

    await eventually(only_the_second_is_left)


async def test_pods_get_nodes_addresses_and_endpoints(kubectl: Kubectl) -> None:
    await kubectl.apply(deployment("web", 3, "example.test/web:1"))
    await kubectl("expose", "deployment/web", "--port=80")
    await kubectl.wait("deployment/web", "--for=condition=Available")

    async def all_are_endpoints() -> bool:
        slices = await kubectl.json("get", "endpointslices", "-l", "kubernetes.io/service-name=web")
        addresses = {endpoint["addresses"][0] for item in slices["items"] for endpoint in item["endpoints"] or []}
        return len(addresses) == 3

    await eventually(all_are_endpoints)
    nodes = await kubectl("get", "pods", "-o", "jsonpath={.items[*].spec.nodeName}")
    assert len(nodes.split()) == 3


async def test_a_crashing_image_loops_and_is_never_ready(kubectl: Kubectl) -> None:
    await kubectl.apply(deployment("web", 1, "example.test/web:crash"))
    path = "{.items[0].status.containerStatuses[0].state.waiting.reason}"

    async def loops() -> bool:
        pods = await kubectl.json("get", "pods")
        statuses = [status for pod in pods["items"] for status in pod["status"].get("containerStatuses", [])]
        return any(status["restartCount"] > 0 and not status["ready"] for status in statuses)

    async def backs_off() -> bool:  # between two tries the container runs for a moment
        return await kubectl("get", "pods", "-o", f"jsonpath={path}") == "CrashLoopBackOff"

    await eventually(loops)
    await eventually(backs_off)
    await kubectl("delete", "deployment/web")


async def test_a_missing_image_is_never_pulled(kubectl: Kubectl) -> None:
    await kubectl("run", "web", "--image=example.test/web:missing")
    path = "{.status.containerStatuses[0].state.waiting.reason}"
    await kubectl.wait("pod/web", f"--for=jsonpath={path}=ImagePullBackOff")
    assert await kubectl("get", "pod/web", "-o", "jsonpath={.status.phase}") == "Pending"


async def test_readiness_waits_for_the_annotation(kubectl: Kubectl) -> None:
    await kubectl("run", "web", "--image=example.test/web:1", "--annotations=devcluster/ready-after=2s500ms")
    await kubectl.wait("pod/web", "--for=condition=Ready")
    status = (await kubectl.json("get", "pod/web"))["status"]
    (ready,) = [each["lastTransitionTime"] for each in status["conditions"] if each["type"] == "Ready"]
    took = datetime.fromisoformat(ready) - datetime.fromisoformat(
        status["containerStatuses"][0]["state"]["running"]["startedAt"]
    )
    assert took >= timedelta(seconds=2)


async def test_jobs_complete_and_fail_as_told(kubectl: Kubectl) -> None:
    await kubectl.apply([job("good", "exit 0"), job("bad", "exit 3")])
    await kubectl.wait("job/good", "--for=condition=Complete")
    await kubectl.wait("job/bad", "--for=condition=Failed")
    pods = await kubectl.json("get", "pods", "-l", "job-name=bad")
    assert pods["items"][0]["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 3


async def test_deleting_an_owner_collects_what_it_owns(kubectl: Kubectl) -> None:
    await kubectl.apply(deployment("web", 3, "example.test/web:1"))
    await kubectl.wait("deployment/web", "--for=condition=Available")
    await kubectl("delete", "deployment/web")

    async def nothing_is_left() -> bool:
        return not (await kubectl.json("get", "replicasets,pods"))["items"]

    await eventually(nothing_is_left)


async def test_a_service_account_may_only_what_it_was_granted(plane: ControlPlane, kubectl: Kubectl) -> None:
    await kubectl("create", "serviceaccount", "reader")
    reader = Kubectl(await plane.kubeconfig_of(kubectl.namespace, "reader"), kubectl.namespace)
    with pytest.raises(KubectlError, match="Forbidden"):
        await reader("get", "pods")
    await kubectl("create", "role", "reader", "--verb=get,list", "--resource=pods")
    await kubectl("create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={kubectl.namespace}:reader")

    async def may_read() -> bool:
        await reader("get", "pods")
        return True

    await eventually(may_read)
    with pytest.raises(KubectlError, match="Forbidden"):
        await reader("delete", "pod", "any")


async def until_replaced(sampler: Sampler, since: float = 0.0) -> None:
    """Wait until one of four pods has been missed and is there again."""

    async def look() -> bool:
        return [dip.ended is not None for dip in sampler.dips(4, since)] == [True]

    await eventually(look, what="the pod is replaced")


async def test_pods_that_the_test_kills_are_not_blamed_on_the_controller(
    kubectl: Kubectl, sample: Callable[..., Sampler]
) -> None:
    await kubectl.apply(deployment("web", 4, "example.test/web:1"))
    await kubectl.wait("deployment/web", "--for=condition=Available")
    names = (await kubectl("get", "pods", "-o", "jsonpath={.items[*].metadata.name}")).split()
    async with sample("app=web") as sampler:
        sampler.will_take(names[:1])
        await kubectl("delete", "pod", names[0])
        await until_replaced(sampler)
        told = sampler.now()
        await kubectl("delete", "pod", names[1])
        await until_replaced(sampler, since=told)
    assert [dip.is_ours for dip in sampler.dips(4, until=told)] == [False]
    assert [dip.is_ours for dip in sampler.dips(4, since=told)] == [True]


async def test_the_api_server_restarts_and_a_watch_goes_on(plane: ControlPlane, kubectl: Kubectl) -> None:
    path = f"/api/v1/namespaces/{kubectl.namespace}/configmaps"
    kinds: list[str] = []
    names: set[str] = set()

    async def watch() -> None:
        async with plane.admin.session() as api:
            async for change in follow(api, path):
                kinds.append(change.kind)
                names.update(item["metadata"]["name"] for item in change.objects)

    watching = asyncio.create_task(watch())
    await kubectl("create", "configmap", "before")
    await plane.restart_apiserver()
    await kubectl("create", "configmap", "after")

    async def saw_both() -> bool:
        return {"before", "after"} <= names

    await eventually(saw_both)
    watching.cancel()
    await asyncio.wait([watching])


async def test_a_killed_api_server_comes_back_with_its_objects(plane: ControlPlane, kubectl: Kubectl) -> None:
    await kubectl("create", "configmap", "kept")
    await plane.kill_apiserver()
    with pytest.raises(KubectlError, match="refused"):
        await kubectl("get", "configmap", "kept")
    await plane.start_apiserver()
    await kubectl("get", "configmap", "kept")


async def test_a_watch_from_before_the_compaction_is_gone(plane: ControlPlane, kubectl: Kubectl) -> None:
    old = (await kubectl.json("create", "configmap", "old"))["metadata"]["resourceVersion"]
    await kubectl("delete", "configmap", "old")
    assert await plane.compact_etcd() > int(old)
    await plane.restart_apiserver()
    async with plane.admin.session() as api:
        events = watch_once(api, f"/api/v1/namespaces/{kubectl.namespace}/configmaps", old)
        with pytest.raises(GoneError):
            await anext(events)


async def test_a_plane_leaves_no_process_behind(tmp_path: Path) -> None:
    async with ControlPlane(tmp_path / "plane", workloads=False) as plane:
        pids = [program.pid for program in plane.programs if program.running]
        assert len(pids) == 3
    assert not any(is_alive(pid) for pid in pids)


async def test_a_program_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from e2e.program import Program\n"
        "child = Program('sleep', ['sleep', '600'], Path(sys.argv[1]) / 'log')\n"
        "child.start(); (Path(sys.argv[1]) / 'pid').write_text(f'{child.pid} '); time.sleep(600)\n"
    )
    line = [sys.executable, "-c", script, str(tmp_path)]
    parent = Program("parent", line, tmp_path / "parent.log", arguments.environment())
    parent.start()

    async def child_pid() -> str:
        parent.require_running()
        return (tmp_path / "pid").read_text() if (tmp_path / "pid").exists() else ""

    child = int(await eventually(child_pid))
    assert is_alive(child)
    parent.kill()

    async def child_is_gone() -> bool:
        return not is_alive(child)

    await eventually(child_is_gone)


async def test_a_program_that_ends_tells_its_last_words(tmp_path: Path) -> None:
    program = Program("talker", ["sh", "-c", "echo no such flag; exit 4"], tmp_path / "log")
    program.start()
    assert await program.wait(60) == 4
    with pytest.raises(ProgramError, match="no such flag"):
        program.require_running()


async def test_a_wrong_token_is_refused(plane: ControlPlane) -> None:
    async with Access(plane.server, plane.authority, "nobody").session() as api, api.get("/api") as answer:
        assert answer.status == 401
