"""Does one object that is too deep to be read keep others from being read?"""

from typing import Any

import orjson
import pytest
from aiohttp import web

from rollouts.kube.client import Api
from rollouts.kube.depth import DEEPEST, shallow
from rollouts.kube.store import Store
from tests.kube.scripted_server import Server, bookmark, event, eventually, refuse, replica_set, stream
from tests.kube.test_kube_cache import following
from tests.serving import Handler

OPEN = {"maps": (b'{"a":', b"}"), "lists": (b"[", b"]"), "both": (b'[{"a":', b"}]")}
DEPTHS = (DEEPEST + 5, 240, 900, 1_000, 1_020, 5_000, 10_000)


def nested(kind: str, depth: int) -> bytes:
    before, behind = OPEN[kind]
    return before * depth + b"1" + behind * depth


def deep(written: bytes, kind: str, depth: int) -> bytes:
    return written.replace(b'"DEEP"', nested(kind, depth))


@pytest.mark.parametrize("kind", OPEN)
@pytest.mark.parametrize("depth", DEPTHS)
async def test_its_neighbours_are_watched(server: Server, api: Api, kind: str, depth: int) -> None:
    bad = deep(event("ADDED", {**replica_set("bad", 1), "spec": {"replicas": 1, "deep": "DEEP"}}), kind, depth)
    then = deep(event("MODIFIED", {**replica_set("bad", 6), "spec": {"replicas": 2, "deep": "DEEP"}}), kind, depth)
    later = event("MODIFIED", replica_set("good", 7))
    server.then(stream(bad, event("ADDED", replica_set("good", 2)), bookmark(5, initial_end=True), then, later))
    async with following(api) as at_work:
        await eventually(lambda: at_work.told == ["- > bad@1", "- > good@2", "bad@1 > bad@6", "good@2 > good@7"])
        seen = at_work.cache.get("shop", "bad")
        assert seen is not None
        assert seen["spec"]["replicas"] == 2
        assert seen == {**seen}


@pytest.mark.parametrize("kind", OPEN)
async def test_its_neighbours_are_listed(server: Server, api: Api, kind: str) -> None:
    items = [{**replica_set("bad", 1), "spec": {"deep": "DEEP"}}, replica_set("good", 2)]
    body = deep(orjson.dumps({"items": items, "metadata": {"resourceVersion": "5"}}), kind, 3_000)
    server.then(refuse(400, "BadRequest"), _says(body), stream())
    async with following(api) as at_work:
        await eventually(lambda: at_work.told == ["- > bad@1", "- > good@2"])


def _says(body: bytes) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        del request
        return web.Response(body=body, content_type="application/json")

    return handler


def test_what_is_not_too_deep_stays_as_it_is() -> None:
    body = b'{"a": "]}{[\\"", "b": [{"c": ["\\\\", {}]}, []]}'
    assert shallow(body) == body
    obj: dict[str, Any] = {"metadata": {"name": "a", "uid": "b"}, "spec": orjson.loads(nested("maps", DEEPEST - 5))}
    assert Store().slim(orjson.loads(orjson.dumps(obj))) == obj
