"""What does an analysis on a laptop leave on a cluster? Nothing; and without one it says so."""

from pathlib import Path

import orjson
import pytest

from rollouts.cli.analyzing_objects import ClusterObjects
from rollouts.cli.session import Where
from rollouts.ports.objects import CreateObject, Home, ObjectKind, ReadObject
from rollouts.ports.provider import MeasurementError
from tests.kube.scripted_server import Server, answer, write_kubeconfig
from tests.serving import serving

JOBS = ObjectKind("batch", "v1", "jobs", "Job")
SHOP = Home("shop")
BODY = {"kind": "Job", "metadata": {"name": "a", "labels": {"app": "x"}, "ownerReferences": [{"kind": "AnalysisRun"}]}}


async def test_what_was_created_has_no_owner_and_is_deleted_in_the_end(tmp_path: Path) -> None:
    server = Server().then(answer(BODY), answer(BODY), answer({"kind": "Status"}))
    async with serving(server.handle) as url:
        where = Where(kubeconfig=str(write_kubeconfig(tmp_path / "config", url)))
        async with ClusterObjects(where) as objects:
            await objects(CreateObject(JOBS, BODY), SHOP)
            await objects(ReadObject(JOBS, "a"), SHOP)
    assert [each.method for each in server.requests] == ["POST", "GET", "DELETE"]
    assert orjson.loads(server.bodies[0])["metadata"] == {"name": "a", "namespace": "shop", "labels": {"app": "x"}}
    assert server.requests[-1].path == "/apis/batch/v1/namespaces/shop/jobs/a"


async def test_nothing_is_connected_to_before_an_object_is_asked_for(tmp_path: Path) -> None:
    async with ClusterObjects(Where(kubeconfig=str(tmp_path / "none"))) as objects:
        with pytest.raises(MeasurementError, match="name one by --kubeconfig and --context"):
            await objects(ReadObject(JOBS, "a"), SHOP)
