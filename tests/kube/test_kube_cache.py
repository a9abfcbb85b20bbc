import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from rollouts.kube.backoff import Backoff
from rollouts.kube.cache import Cache
from rollouts.kube.client import Api
from rollouts.kube.resources import REPLICA_SETS
from rollouts.kube.store import Store, key_of, version_of
from tests.kube.scripted_server import Server, answer, bookmark, event, eventually, refuse, replica_set, stream
from tests.serving import Handler


class Following:
    """A cache at work, and what it told."""

    def __init__(self, api: Api, **options: Any) -> None:
        self.told: list[str] = []
        self.cache = Cache(
            api,
            REPLICA_SETS,
            "shop",
            on_change=self.note,
            backoff=Backoff(first=0.001, longest=0.01),
            **options,
        )

    def note(self, old: dict[str, Any] | None, new: dict[str, Any] | None) -> None:
        def text(obj: dict[str, Any] | None) -> str:
            return f"{obj['metadata']['name']}@{obj['metadata']['resourceVersion']}" if obj else "-"

        self.told.append(f"{text(old)} > {text(new)}")


@contextlib.asynccontextmanager
async def following(api: Api, **options: Any) -> AsyncIterator[Following]:
    at_work = Following(api, **options)
    task = asyncio.create_task(at_work.cache.run())
    try:
        yield at_work
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def listing(version: int, *objects: dict[str, Any]) -> Handler:
    return answer({"items": list(objects), "metadata": {"resourceVersion": str(version)}})


def initial(version: int, *objects: dict[str, Any], then: bytes = b"", end: str = "silent") -> Handler:
    """A WatchList stream: what exists, the marked bookmark, and what comes then."""
    return stream(*(event("ADDED", obj) for obj in objects), bookmark(version, initial_end=True), then, end=end)


def asked(server: Server, index: int) -> str:
    """In short what a request asked for: `list`, `everything`, or the watched position."""
    query = server.requests[index].query
    if "watch" not in query:
        return "list"
    return "everything" if query.get("sendInitialEvents") else f"from {query['resourceVersion']}"


async def test_watch_list_fills_the_cache_and_goes_on(server: Server, api: Api) -> None:
    changes = event("MODIFIED", replica_set("a", 6)) + event("DELETED", replica_set("b", 7))
    server.then(initial(5, replica_set("a", 1), replica_set("b", 2), then=changes))

    async with following(api) as it:
        await it.cache.wait_synced(5)
        await eventually(lambda: len(it.told) == 4)

    assert it.told == ["- > a@1", "- > b@2", "a@1 > a@6", "b@2 > -"]
    assert asked(server, 0) == "everything"
    assert server.requests[0].query["resourceVersionMatch"] == "NotOlderThan"


async def test_nothing_is_told_before_everything_has_come(server: Server, api: Api) -> None:
    rest = asyncio.Event()

    async def slowly(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(event("ADDED", replica_set("a", 1)) + event("DELETED", replica_set("a", 2)))
        await rest.wait()
        await response.write(event("ADDED", replica_set("b", 3)) + bookmark(5, initial_end=True))
        await asyncio.Event().wait()
        return response

    server.then(slowly)
    async with following(api) as it:
        await eventually(lambda: it.cache.age() < 1)
        assert (it.told, it.cache.synced.is_set()) == ([], False)
        rest.set()
        await it.cache.wait_synced(5)

    assert it.told == ["- > b@3"]


@pytest.mark.parametrize("refusal", [refuse(400), refuse(422, "Invalid"), refuse(405), refuse(501)])
async def test_a_server_without_watch_list_is_listed(server: Server, api: Api, refusal: Handler) -> None:
    server.then(
        refusal,
        listing(5, replica_set("a", 1)),
        stream(event("MODIFIED", replica_set("a", 6))),
        refuse(410),
        listing(9, replica_set("a", 9)),
        stream(end="silent"),
    )

    async with following(api) as it:
        await server.asked(6)

    assert [asked(server, i) for i in range(6)] == ["everything", "list", "from 5", "from 6", "list", "from 9"]
    assert it.told == ["- > a@1", "a@1 > a@6", "a@6 > a@9"]


async def test_a_server_that_ignores_the_wish_is_listed(server: Server, api: Api) -> None:
    server.then(stream(event("ADDED", replica_set("a", 1))), listing(5, replica_set("a", 1)), stream(end="silent"))

    async with following(api) as it:
        await server.asked(3)

    assert it.told == ["- > a@1"]


async def test_a_bookmark_moves_the_position(server: Server, api: Api) -> None:
    server.then(initial(5, replica_set("a", 1), then=bookmark(40), end="clean"), stream(end="silent"))

    async with following(api):
        await server.asked(2)

    assert asked(server, 1) == "from 40"


@pytest.mark.parametrize("end", ["clean", "cut"])
async def test_a_stream_cut_in_mid_line_is_resumed_where_it_was(server: Server, api: Api, end: str) -> None:
    server.then(
        initial(5, replica_set("a", 1), then=event("MODIFIED", replica_set("a", 6)) + b'{"type":"MOD', end=end),
        stream(event("MODIFIED", replica_set("a", 7)), end="silent"),
    )

    async with following(api) as it:
        await eventually(lambda: "a@6 > a@7" in it.told)

    assert asked(server, 1) == "from 6"


async def test_a_silent_watch_is_left_and_resumed(server: Server, api: Api) -> None:
    server.then(initial(5, replica_set("a", 1)), stream(end="silent"))

    async with following(api, watch_seconds=(0, 0), watch_grace=0.05):
        await server.asked(2)

    assert asked(server, 1) == "from 5"


async def test_410_in_the_stream_means_everything_again_with_differences_told(server: Server, api: Api) -> None:
    expired = event("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"})
    server.then(
        initial(5, replica_set("a", 1), replica_set("b", 2), replica_set("c", 3), then=expired),
        initial(50, replica_set("a", 1), replica_set("c", 44), replica_set("d", 45)),
    )

    async with following(api) as it:
        await eventually(lambda: it.cache.get("shop", "d") is not None)

    assert it.told[3:] == ["b@2 > -", "c@3 > c@44", "- > d@45"]
    assert [asked(server, i) for i in range(2)] == ["everything", "everything"]


async def test_410_as_http_status_means_everything_again(server: Server, api: Api) -> None:
    server.then(initial(5, replica_set("a", 1), end="clean"), refuse(410, "Expired"), initial(9))

    async with following(api) as it:
        await eventually(lambda: len(it.told) == 2)

    assert it.told == ["- > a@1", "a@1 > -"]


async def test_a_restored_server_that_is_behind_us_is_fetched_again(server: Server, api: Api) -> None:
    behind = refuse(504, "Timeout", details={"causes": [{"reason": "ResourceVersionTooLarge"}]})
    server.then(initial(500, replica_set("a", 400), end="clean"), behind, initial(9, replica_set("a", 8)))

    async with following(api) as it:
        await eventually(lambda: "a@400 > a@8" in it.told)


async def test_an_object_made_again_under_its_name_is_deleted_and_added(server: Server, api: Api) -> None:
    again = replica_set("a", 9, uid="another")
    server.then(initial(5, replica_set("a", 1), then=event("MODIFIED", again)))

    async with following(api) as it:
        await eventually(lambda: len(it.told) == 3)

    assert it.told == ["- > a@1", "a@1 > -", "- > a@9"]


async def test_a_missing_resource_is_named_and_picked_up_when_it_comes(server: Server, api: Api) -> None:
    server.otherwise = refuse(404, "NotFound")
    async with following(api) as it:
        await server.asked(3)
        assert it.cache.problem == "replicasets.apps is not installed on this API server"
        with pytest.raises(TimeoutError, match=r"not synced within 0\.01 s: replicasets\.apps is not installed"):
            await it.cache.wait_synced(0.01)
        server.otherwise = initial(5, replica_set("a", 1))
        await it.cache.wait_synced(5)

    assert it.cache.problem is None


async def test_a_failing_server_is_a_problem_until_it_answers(server: Server, api: Api) -> None:
    opened = asyncio.Event()
    server.then(initial(5, end="clean"))
    server.otherwise = refuse(500, message="etcd is away")
    async with following(api) as it:
        await eventually(lambda: it.cache.problem is not None)
        assert "etcd is away" in str(it.cache.problem)
        server.otherwise = stream(after=opened)
        await eventually(lambda: it.cache.problem is None)
        opened.set()


async def test_forbidden_is_told_and_tried_again(server: Server, api: Api) -> None:
    server.then(refuse(403, "Forbidden", "replicasets is forbidden"), initial(5))

    async with following(api) as it:
        await it.cache.wait_synced(5)


async def test_objects_are_trimmed_and_indexed(server: Server, api: Api) -> None:
    owned = replica_set(
        "a",
        1,
        managedFields=[{"manager": "x"}],
        annotations={"kubectl.kubernetes.io/last-applied-configuration": "{}", "kept": "yes"},
        ownerReferences=[{"uid": "owner-1"}, {"uid": "owner-2"}],
        labels={"app": "web"},
    )
    moved = replica_set("a", 6, ownerReferences=[{"uid": "owner-2"}], labels={"app": "db"})

    def trim(obj: dict[str, Any]) -> dict[str, Any]:
        return {**obj, "trimmed": True}

    server.then(initial(5, owned, end="clean"), stream(event("MODIFIED", moved), end="silent"))
    async with following(
        api, trim=trim, indexes={"app": lambda obj: (obj["metadata"].get("labels") or {}).values()}
    ) as it:
        await it.cache.wait_synced(5)
        cached = it.cache.items()[0]
        assert cached["metadata"]["annotations"] == {"kept": "yes"}
        assert "managedFields" not in cached["metadata"]
        assert cached["trimmed"]
        assert it.cache.by_index("owner", "owner-1") == it.cache.by_index("app", "web") == [cached]
        await eventually(lambda: version_of(it.cache.items()[0]) == "6")
        assert it.cache.by_index("owner", "owner-1") == it.cache.by_index("app", "web") == []
        assert it.cache.by_index("owner", "owner-2") == it.cache.by_index("app", "db") == it.cache.items()


def test_objects_are_found_by_what_they_say_now_whatever_else_has_changed() -> None:
    store = Store(indexes={"size": lambda obj: (str(obj["spec"]["replicas"]),), "name": lambda obj: (key_of(obj)[1],)})

    def put(version: int, replicas: int, **status: int) -> dict[str, Any]:
        metadata = {"namespace": "shop", "name": "a", "uid": "1", "resourceVersion": str(version)}
        obj = {"metadata": metadata, "spec": {"replicas": replicas}, "status": status}
        store.put(obj)
        return obj

    put(1, 2)
    latest = put(2, 2, readyReplicas=2)
    assert store.by_index("size", "2") == store.by_index("name", "a") == [latest]
    latest = put(3, 5, readyReplicas=2)
    assert (store.by_index("size", "2"), store.by_index("size", "5")) == ([], [latest])


async def test_a_listeners_bug_does_not_blind_the_cache(server: Server, api: Api) -> None:
    def fail(_: object, __: object) -> None:
        raise RuntimeError("a bug")

    server.then(initial(5, replica_set("a", 1), replica_set("b", 2)))
    cache = Cache(api, REPLICA_SETS, "shop", on_change=fail)
    task = asyncio.create_task(cache.run())
    await cache.wait_synced(5)
    task.cancel()
    await asyncio.wait([task])

    assert len(cache) == 2


async def test_selectors_are_sent_with_list_and_watch(server: Server, api: Api) -> None:
    server.then(refuse(422), listing(5), stream(end="silent"))

    async with following(api, label_selector="!controller-instance-id", field_selector="metadata.name=a"):
        await server.asked(3)

    for request in server.requests:
        assert request.query["labelSelector"] == "!controller-instance-id"
        assert request.query["fieldSelector"] == "metadata.name=a"


def test_backoff_grows_with_jitter_up_to_its_limit() -> None:
    backoff = Backoff(first=0.1, longest=1.0)

    delays = [backoff.next() for _ in range(2000)]
    backoff.reset()

    assert 0.05 <= delays[0] <= 0.1
    assert all(0.5 <= delay <= 1.0 for delay in delays[5:])
    assert backoff.next() <= 0.1
