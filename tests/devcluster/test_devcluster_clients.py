"""kubernetes-asyncio's typed client, and the command that starts a cluster."""

import asyncio
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes_asyncio import client, config, watch

from rollouts.devcluster import DevCluster
from tests.devcluster.running import DEADLINE, Http

WIDGETS = Path(__file__).with_name("widgets.yaml")


@pytest.fixture
async def api() -> AsyncIterator[Any]:
    async with DevCluster(pod_start=0.05) as cluster:
        cluster.apply(WIDGETS.read_text())
        configuration = client.Configuration()
        await config.load_kube_config(str(cluster.kubeconfig_path), client_configuration=configuration)
        async with client.ApiClient(configuration) as connected:
            yield connected


def pod(**metadata: Any) -> client.V1Pod:
    container = client.V1Container(name="web", image="nginx:1")
    return client.V1Pod(metadata=client.V1ObjectMeta(**metadata), spec=client.V1PodSpec(containers=[container]))


async def test_typed_objects(api: Any) -> None:
    core = client.CoreV1Api(api)
    made = await core.create_namespaced_pod("default", pod(generate_name="one-", labels={"app": "one"}))
    assert made.metadata.name.startswith("one-")
    listed = await core.list_namespaced_pod("default", label_selector="app=one")
    assert [each.metadata.uid for each in listed.items] == [made.metadata.uid]
    with pytest.raises(client.ApiException) as refused:
        await core.read_namespaced_pod("none", "default")
    assert refused.value.status == 404


async def test_a_pod_is_watched_until_it_is_ready(api: Any) -> None:
    core = client.CoreV1Api(api)
    await core.create_namespaced_pod("default", pod(name="one"))

    async def until_ready() -> str:
        async with watch.Watch() as stream:
            async for event in stream.stream(core.list_namespaced_pod, "default"):
                conditions = event["object"].status.conditions or []
                if any(each.type == "Ready" and each.status == "True" for each in conditions):
                    return str(event["object"].status.pod_ip)
        return ""

    assert await asyncio.wait_for(until_ready(), DEADLINE) == "10.244.0.2"


async def test_custom_objects(api: Any) -> None:
    custom = client.CustomObjectsApi(api)
    where = ("example.com", "v1", "default", "widgets")
    body = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "one"}, "spec": {}}
    await custom.create_namespaced_custom_object(*where, body)
    patch = [{"op": "replace", "path": "/spec/replicas", "value": 4}]
    await custom.patch_namespaced_custom_object(*where, "one", patch)
    found = await custom.get_namespaced_custom_object(*where, "one")
    assert found["spec"]["replicas"] == 4


def test_the_command_starts_prints_and_stops(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    command = [sys.executable, "-m", "rollouts.cli.main", "devcluster", "--kubeconfig", str(kubeconfig), "--crds"]
    with subprocess.Popen([*command, str(WIDGETS.parent)], stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        found = re.search(r"http://[0-9.:]+[0-9]", process.stdout.readline())
        assert found
        url = found[0]
        assert f"server: {url}" in kubeconfig.read_text()
        assert Http(url).get("/apis/example.com/v1/widgets")[1]["items"] == []
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == 0


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [("--pod-start", "fast", "is no duration"), ("--crds", "nowhere", "does not exist")],
)
def test_the_command_refuses_nonsense(argument: str, value: str, message: str) -> None:
    command = [sys.executable, "-m", "rollouts.cli.main", "devcluster", argument, value]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=DEADLINE)  # noqa: S603
    assert ran.returncode == 2
    assert message in " ".join(ran.stderr.replace("│", " ").split())
