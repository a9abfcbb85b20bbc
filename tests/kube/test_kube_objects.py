"""What do metric providers get to hear from an API server?"""

from pathlib import Path

import orjson
import pytest

from rollouts.kube.client import Api
from rollouts.kube.objects import Objects
from rollouts.ports.objects import (
    CreateObject,
    DeleteObject,
    Home,
    ListObjects,
    ObjectKind,
    ObjectRequest,
    ReadObject,
    ReadPath,
)
from rollouts.ports.provider import ObjectError
from tests.kube.scripted_server import Server, answer, refuse, write_kubeconfig
from tests.serving import Handler

PODS = ObjectKind("", "v1", "pods", "Pod")
JOBS = ObjectKind("batch", "v1", "jobs", "Job")
SHOP = Home("shop")
GONE = refuse(404, "NotFound", 'jobs.batch "a" not found', details={"name": "a", "kind": "jobs"})
NO_KIND = refuse(404, "NotFound", "the server could not find the requested resource")
METRIC = "/apis/external.metrics.k8s.io/v1beta1/namespaces/shop/queue"


async def test_an_object_is_read_or_is_not_there(server: Server, api: Api) -> None:
    server.then(answer({"kind": "Job"}), GONE)
    objects = Objects(api)
    assert await objects(ReadObject(JOBS, "a"), SHOP) == {"kind": "Job"}
    assert await objects(ReadObject(JOBS, "a"), SHOP) is None
    assert [each.path for each in server.requests] == ["/apis/batch/v1/namespaces/shop/jobs/a"] * 2


async def test_a_collection_is_read_by_its_selectors(server: Server, api: Api) -> None:
    server.then(answer({"items": [{"metadata": {"name": "web-1"}}]}))
    (pod,) = await Objects(api)(ListObjects(PODS, "app=web", "status.phase=Running"), SHOP) or ()
    assert pod == {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-1"}}
    query = server.requests[0].query
    assert (query["labelSelector"], query["fieldSelector"]) == ("app=web", "status.phase=Running")


async def test_an_object_is_created_at_home(server: Server, api: Api) -> None:
    server.then(answer({"kind": "Job"}, 201))
    await Objects(api)(CreateObject(JOBS, {"metadata": {"name": "a"}}), SHOP)
    assert server.requests[0].path == "/apis/batch/v1/namespaces/shop/jobs"
    assert orjson.loads(server.bodies[0]) == {"metadata": {"name": "a", "namespace": "shop"}}


async def test_deleting_what_is_gone_is_no_error(server: Server, api: Api) -> None:
    server.then(answer({"kind": "Status"}), GONE)
    for _ in range(2):
        assert await Objects(api)(DeleteObject(JOBS, "a", "Foreground"), SHOP) is None
    assert orjson.loads(server.bodies[0])["propagationPolicy"] == "Foreground"


async def test_a_path_is_read_with_its_query(server: Server, api: Api) -> None:
    server.then(answer({"kind": "ExternalMetricValueList"}))
    found = await Objects(api)(ReadPath(METRIC, {"labelSelector": "app=shop"}), SHOP)
    assert found == {"kind": "ExternalMetricValueList"}
    assert server.requests[0].path_qs == f"{METRIC}?labelSelector=app%3Dshop"


@pytest.mark.parametrize(
    ("request_", "refusal", "reason", "told"),
    [
        (
            ListObjects(PODS),
            refuse(403, "Forbidden", "pods is forbidden"),
            "Forbidden",
            "may not list pods in namespace shop: allow it by a Role, if that is what is missing (pods is forbidden)",
        ),
        (
            ReadObject(JOBS, "a"),
            NO_KIND,
            "NotFound",
            "can't get jobs.batch in namespace shop: the server could not find the requested resource",
        ),
        (
            CreateObject(JOBS, {"metadata": {"name": "a"}}),
            refuse(409, "AlreadyExists", "there is one"),
            "AlreadyExists",
            "can't create jobs.batch in namespace shop: there is one",
        ),
        (
            ReadPath(METRIC),
            NO_KIND,
            "NotFound",
            f"can't read {METRIC} in namespace shop: the server could not find the requested resource",
        ),
    ],
)
async def test_a_refusal_is_told(
    server: Server, api: Api, request_: ObjectRequest, refusal: Handler, reason: str, told: str
) -> None:
    server.then(refusal)
    with pytest.raises(ObjectError) as raised:
        await Objects(api)(request_, SHOP)
    assert (raised.value.reason, str(raised.value)) == (reason, told)


async def test_another_cluster_is_asked_by_its_kubeconfig(server: Server, api: Api, tmp_path: Path) -> None:
    server.then(answer({"kind": "Job"}), answer({"kind": "Job"}))
    objects = Objects(api)
    there = Home("jobs", str(write_kubeconfig(tmp_path / "elsewhere", server.url)))
    for _ in range(2):
        assert await objects(ReadObject(JOBS, "a"), there) == {"kind": "Job"}
    await objects.close()
    with pytest.raises(ObjectError, match=r"can't get jobs\.batch in namespace jobs: .*missing"):
        await objects(ReadObject(JOBS, "a"), Home("jobs", str(tmp_path / "missing")))
