import asyncio
import contextlib
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson
import pytest
from aiohttp import web

from rollouts.kube.client import Api
from rollouts.kube.connection import connect
from rollouts.kube.errors import (
    ApiError,
    Conflict,
    Gone,
    Invalid,
    NotFound,
    ServerError,
    TooManyRequests,
    Unreachable,
)
from rollouts.kube.patches import PatchType
from rollouts.kube.resources import NAMESPACES, PODS, REPLICA_SETS, ROLLOUTS, SERVICES
from tests.kube.scripted_server import Server, answer, bookmark, event, refuse, replica_set, stream, write_kubeconfig


async def drop(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def never(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    return web.Response()


async def test_get_reads_one_object(server: Server, api: Api) -> None:
    server.then(answer(replica_set("a", 7)))

    assert await api.get(REPLICA_SETS, "shop", "a") == replica_set("a", 7)
    assert server.requests[0].path == "/apis/apps/v1/namespaces/shop/replicasets/a"


async def test_paths_of_core_cluster_scoped_and_subresources() -> None:
    assert PODS.path("shop", "a", "eviction") == "/api/v1/namespaces/shop/pods/a/eviction"
    assert NAMESPACES.path(None, "shop") == "/api/v1/namespaces/shop"
    assert ROLLOUTS.path() == "/apis/argoproj.io/v1alpha1/rollouts"
    with pytest.raises(ValueError, match="needs a namespace"):
        PODS.path(None, "a")


async def test_list_follows_pages_and_completes_items(server: Server, api: Api) -> None:
    bare: dict[str, Any] = {"metadata": {"name": "b"}}
    server.then(
        answer({"items": [replica_set("a", 1)], "metadata": {"continue": "more", "resourceVersion": "9"}}),
        answer({"items": [bare], "metadata": {"resourceVersion": "9"}}),
    )

    listing = await api.list(REPLICA_SETS, "shop", label_selector="app in (a,b)", limit=1)

    assert [(i["metadata"]["name"], i["kind"], i["apiVersion"]) for i in listing.items] == [
        ("a", "ReplicaSet", "apps/v1"),
        ("b", "ReplicaSet", "apps/v1"),
    ]
    assert listing.resource_version == "9"
    assert dict(server.requests[1].query) == {"labelSelector": "app in (a,b)", "limit": "1", "continue": "more"}


async def test_a_list_whose_token_expires_starts_again_unpaged(server: Server, api: Api) -> None:
    server.then(
        answer({"items": [replica_set("a", 1)], "metadata": {"continue": "more", "resourceVersion": "9"}}),
        refuse(410, "Expired"),
        answer({"items": [replica_set("b", 2)], "metadata": {"resourceVersion": "12"}}),
    )

    listing = await api.list(REPLICA_SETS)

    assert [item["metadata"]["name"] for item in listing.items] == ["b"]
    assert "limit" not in server.requests[2].query


async def test_writes_carry_manager_dry_run_and_frozen_bodies(server: Server, api: Api) -> None:
    server.otherwise = answer({})

    await api.create(SERVICES, "shop", MappingProxyType({"spec": MappingProxyType({"ports": (80,)})}), dry_run=True)
    await api.replace(SERVICES, "shop", "a", {"x": 1}, subresource="status")

    assert [request.method for request in server.requests] == ["POST", "PUT"]
    assert dict(server.requests[0].query) == {"fieldManager": "rollouts-controller", "dryRun": "All"}
    assert orjson.loads(server.bodies[0]) == {"spec": {"ports": [80]}}
    assert server.requests[0].content_type == "application/json"
    assert server.requests[1].path.endswith("/services/a/status")


@pytest.mark.parametrize("patch_type", list(PatchType))
async def test_each_patch_type_goes_out_with_its_content_type(server: Server, api: Api, patch_type: PatchType) -> None:
    server.then(answer({}))

    await api.patch(ROLLOUTS, "shop", "a", {"spec": {}}, patch_type=patch_type, field_manager="me", force=True)

    assert server.requests[0].headers.getall("Content-Type") == [patch_type.value]
    assert dict(server.requests[0].query) == {"fieldManager": "me", "force": "true"}


async def test_a_failed_test_of_a_json_patch_is_a_conflict(server: Server, api: Api) -> None:
    refused = refuse(422, "Invalid", "the server rejected our request due to an error in our request", details={})
    server.then(refused, refused)

    with pytest.raises(Conflict):
        await api.patch(PODS, "shop", "a", [{"op": "test", "path": "/x", "value": 1}], patch_type=PatchType.JSON)
    with pytest.raises(Invalid):
        await api.patch(PODS, "shop", "a", [{"op": "remove", "path": "/x"}], patch_type=PatchType.JSON)


async def test_delete_sends_propagation_and_preconditions(server: Server, api: Api) -> None:
    server.then(answer({"kind": "Status", "status": "Success"}))

    await api.delete(REPLICA_SETS, "shop", "a", propagation="Foreground", uid="u", resource_version="7")

    assert orjson.loads(server.bodies[0]) == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "propagationPolicy": "Foreground",
        "preconditions": {"uid": "u", "resourceVersion": "7"},
    }


async def test_an_eviction_that_a_budget_forbids_is_not_repeated(server: Server, api: Api) -> None:
    details = {"causes": [{"reason": "DisruptionBudget", "message": "The disruption budget x needs 2"}]}
    server.then(refuse(429, "TooManyRequests", "Cannot evict pod", details=details))

    with pytest.raises(TooManyRequests) as caught:
        await api.evict(PODS, "shop", "a", uid="u")

    assert caught.value.causes[0]["reason"] == "DisruptionBudget"
    assert orjson.loads(server.bodies[0])["deleteOptions"] == {"preconditions": {"uid": "u"}}
    assert len(server.requests) == 1


async def test_429_with_retry_after_is_repeated_even_for_a_write(server: Server, api: Api) -> None:
    busy = refuse(429, "TooManyRequests", headers={"Retry-After": "0.01"})
    server.then(busy, refuse(503, headers={"Retry-After": "0.01"}), answer({"ok": True}))

    assert await api.create(PODS, "shop", {}) == {"ok": True}
    assert server.bodies == [b"{}"] * 3


async def test_repeats_end(server: Server, api: Api) -> None:
    server.otherwise = refuse(429, headers={"Retry-After": "0.001"})

    with pytest.raises(TooManyRequests) as caught:
        await api.get(PODS, "shop", "a")

    assert caught.value.retry_after == 0.001
    assert len(server.requests) == 5


async def test_a_read_is_repeated_when_the_connection_breaks(server: Server, api: Api) -> None:
    server.then(drop, drop, answer({"ok": True}))

    assert await api.get(PODS, "shop", "a") == {"ok": True}


@pytest.mark.parametrize("broken", [drop, never])
async def test_a_write_without_an_answer_is_never_repeated(server: Server, api: Api, broken: Any) -> None:
    api = Api(api.connection, timeout=0.2)
    server.then(broken, answer({}))

    with pytest.raises(Unreachable) as caught:
        await api.patch(PODS, "shop", "a", {})

    assert server.url in str(caught.value)
    assert "context 'test'" in str(caught.value)
    assert len(server.requests) == 1


async def test_an_absent_server_is_named_with_its_context(tmp_path: Path) -> None:
    config = write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1")
    async with await connect(kubeconfig=str(config)) as connection:
        with pytest.raises(Unreachable, match=r"127.0.0.1:1 \(kubeconfig .*config, context 'test'\).*is the cluster"):
            await Api(connection).create(PODS, "shop", {})


async def test_a_status_without_a_reason_is_typed_by_its_code(server: Server, api: Api) -> None:
    server.then(refuse(409), refuse(404, message=""), refuse(418))

    with pytest.raises(Conflict):
        await api.create(PODS, "shop", {})
    with pytest.raises(NotFound, match="without a message"):
        await api.get(PODS, "shop", "a")
    with pytest.raises(ApiError, match="Unknown: no"):
        await api.get(PODS, "shop", "a")


async def test_a_proxys_page_is_a_server_error_with_an_excerpt(server: Server, api: Api) -> None:
    async def page(_: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>\n  bad   gateway", status=502)

    server.then(page)

    with pytest.raises(ServerError, match="HTTP 502: <html> bad gateway") as caught:
        await api.get(PODS, "shop", "a")

    assert caught.value.status == 502


async def test_an_answer_that_is_no_json_is_not_an_api_server(server: Server, api: Api) -> None:
    async def page(_: web.Request) -> web.StreamResponse:
        return web.Response(text="welcome")

    server.otherwise = page

    with pytest.raises(Unreachable, match="is this an API server"):
        await api.fetch("/version")


async def test_every_request_is_counted(server: Server, api: Api) -> None:
    seen: list[tuple[str, str, str, int]] = []
    counted = Api(api.connection, on_request=lambda *call: seen.append(call[:4]))
    server.then(answer({}), refuse(404), drop)

    await counted.patch(ROLLOUTS, "shop", "a", {}, subresource="status")
    with pytest.raises(NotFound):
        await counted.get(PODS, "shop", "a")
    with pytest.raises(Unreachable):
        await counted.create(PODS, "shop", {})

    assert seen == [
        ("patch", "Rollout", "status", 200),
        ("get", "Pod", "", 404),
        ("create", "Pod", "", 0),
    ]


async def collect(api: Api, **options: Any) -> list[str]:
    async with contextlib.aclosing(api.watch(REPLICA_SETS, "shop", **options)) as events:
        return [f"{item['type']} {item['object']['metadata'].get('name', '')}".strip() async for item in events]


async def test_watch_events_may_arrive_in_any_pieces(server: Server, api: Api) -> None:
    text = event("ADDED", replica_set("a", 1)) + event("MODIFIED", replica_set("a", 2)) + bookmark(3)
    server.then(stream(text), stream(*(text[i : i + 7] for i in range(0, len(text), 7))))

    assert await collect(api, resource_version="1") == ["ADDED a", "MODIFIED a", "BOOKMARK"]
    assert await collect(api) == ["ADDED a", "MODIFIED a", "BOOKMARK"]
    assert dict(server.requests[0].query) == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": "1",
        "timeoutSeconds": "280",
    }


@pytest.mark.parametrize("end", ["clean", "cut"])
async def test_a_stream_cut_in_the_middle_of_a_line_is_unreachable(server: Server, api: Api, end: str) -> None:
    server.then(stream(event("ADDED", replica_set("a", 1)), b'{"type": "MODI', end=end))

    with pytest.raises(Unreachable):
        await collect(api)


async def test_a_silent_watch_ends(server: Server, api: Api) -> None:
    server.then(stream(event("ADDED", replica_set("a", 1)), end="silent"))

    with pytest.raises(Unreachable, match=r"no answer within 0.1 s"):
        await collect(api, silence=0.1)


async def test_an_expired_watch_is_gone_in_either_form(server: Server, api: Api) -> None:
    status = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version: 1 (9)"}
    server.then(stream(event("ERROR", status)), refuse(410, "Gone"))

    for _ in range(2):
        with pytest.raises(Gone):
            await collect(api, resource_version="1")
