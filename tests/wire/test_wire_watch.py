"""What does a watch tell, from where on, and how does it end?"""

from tests.wire.objects import config
from tests.wire.server import Client, Json

OURS = "metadata.name!=kube-root-ca.crt"
INITIAL = {
    "sendInitialEvents": "true",
    "resourceVersionMatch": "NotOlderThan",
    "allowWatchBookmarks": "true",
    "fieldSelector": OURS,
}


async def version(api: Client) -> str:
    listed = (await api.get("configmaps")).object
    found: str = listed["metadata"]["resourceVersion"]
    return found


async def test_a_watch_tells_every_change_since_a_version(api: Client) -> None:
    since = await version(api)
    await api.made("configmaps", config(a="1"))
    async with api.watch("configmaps", resourceVersion=since, fieldSelector=OURS) as events:
        assert events.code == 200
        added = await events.next()
        await api.patch("configmaps", "one", {"data": {"a": "2"}})
        modified = await events.next()
        await api.delete("configmaps", "one")
        deleted = await events.next()
    assert added is not None
    assert modified is not None
    assert deleted is not None
    assert [event["type"] for event in (added, modified, deleted)] == ["ADDED", "MODIFIED", "DELETED"]
    assert [event["object"]["data"]["a"] for event in (added, modified, deleted)] == ["1", "2", "2"]
    assert added["object"]["kind"] == "ConfigMap"
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in (added, modified, deleted)]
    assert versions == sorted(set(versions))


async def test_a_watch_from_a_version_leaves_out_what_was_before(api: Client) -> None:
    await api.made("configmaps", config("before"))
    async with api.watch("configmaps", resourceVersion=await version(api), fieldSelector=OURS) as events:
        await api.made("configmaps", config("after"))
        assert await events.told(1) == [("ADDED", "after")]


async def test_a_watch_without_a_version_begins_with_what_is_there(api: Client) -> None:
    await api.made("configmaps", config("before"))
    async with api.watch("configmaps", fieldSelector=OURS) as events:
        assert await events.told(1) == [("ADDED", "before")]
        await api.made("configmaps", config("after"))
        assert await events.told(1) == [("ADDED", "after")]


async def test_version_zero_begins_with_what_is_there(api: Client) -> None:
    await api.made("configmaps", config("before"))
    await version(api)  # a list that isn't from memory: memory has the object then
    async with api.watch("configmaps", resourceVersion="0", fieldSelector=OURS) as events:
        assert await events.told(1) == [("ADDED", "before")]


async def test_a_watch_with_initial_events_marks_their_end(api: Client) -> None:
    for name in ("a", "b"):
        await api.made("configmaps", config(name))
    async with api.watch("configmaps", **INITIAL) as events:
        assert sorted(await events.told(2)) == [("ADDED", "a"), ("ADDED", "b")]
        mark = await events.next()
        assert mark is not None
        assert mark["type"] == "BOOKMARK"
        assert mark["object"]["kind"] == "ConfigMap"
        assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
        assert mark["object"]["metadata"]["resourceVersion"].isdecimal()
        await api.made("configmaps", config("c"))
        assert await events.told(1) == [("ADDED", "c")]


async def test_a_marked_version_is_one_to_go_on_from(api: Client) -> None:
    async with api.watch("configmaps", **INITIAL) as events:
        mark = await events.next()
    assert mark is not None
    since = mark["object"]["metadata"]["resourceVersion"]
    await api.made("configmaps", config("later"))
    async with api.watch("configmaps", resourceVersion=since, fieldSelector=OURS) as events:
        assert await events.told(1) == [("ADDED", "later")]


async def test_initial_events_need_a_match(api: Client) -> None:
    async with api.watch("configmaps", sendInitialEvents="true") as events:
        assert events.code == 422


async def test_a_match_needs_initial_events(api: Client) -> None:
    async with api.watch("configmaps", resourceVersion="1", resourceVersionMatch="NotOlderThan") as events:
        assert events.code == 422


async def test_leaving_a_selection_looks_like_a_deletion(api: Client) -> None:
    since = await version(api)
    query = {"resourceVersion": since, "labelSelector": "app=web"}
    async with api.watch("configmaps", **query) as events:
        await api.made("configmaps", config("one"))
        await api.patch("configmaps", "one", {"metadata": {"labels": {"app": "web"}}})
        await api.patch("configmaps", "one", {"data": {"a": "1"}})
        await api.patch("configmaps", "one", {"metadata": {"labels": {"app": "db"}}})
        assert await events.told(3) == [("ADDED", "one"), ("MODIFIED", "one"), ("DELETED", "one")]


async def test_one_object_can_be_watched(api: Client) -> None:
    since = await version(api)
    async with api.watch("configmaps", resourceVersion=since, fieldSelector="metadata.name=two") as events:
        for name in ("one", "two"):
            await api.made("configmaps", config(name))
        assert await events.told(1) == [("ADDED", "two")]


async def test_a_watch_ends_in_time(api: Client) -> None:
    query = {"resourceVersion": await version(api), "timeoutSeconds": 1, "fieldSelector": OURS}
    async with api.watch("configmaps", **query) as events:
        assert await events.next() is None


async def test_a_bookmark_comes_before_the_end(api: Client) -> None:
    query = {"resourceVersion": await version(api), "timeoutSeconds": 4, "allowWatchBookmarks": "true"}
    other = await api.made("configmaps", config("unseen", {"app": "other"}))
    async with api.watch("configmaps", labelSelector="app=none", **query) as events:
        bookmark = await events.next()
    assert bookmark is not None
    assert bookmark["type"] == "BOOKMARK"
    assert set(bookmark["object"]) <= {"kind", "apiVersion", "metadata", "data"}
    assert int(bookmark["object"]["metadata"]["resourceVersion"]) >= int(other["metadata"]["resourceVersion"])


async def test_an_unwritten_change_is_not_told(api: Client) -> None:
    await api.made("configmaps", config(a="1"))
    async with api.watch("configmaps", resourceVersion=await version(api), fieldSelector=OURS) as events:
        await api.patch("configmaps", "one", {"data": {"a": "1"}})
        await api.made("configmaps", config("end"))
        assert await events.told(1) == [("ADDED", "end")]


async def gone(api: Client, since: str) -> Json:
    async with api.watch("configmaps", resourceVersion=since) as events:
        assert events.code == 200
        event = await events.next()
        assert event is not None
        assert event["type"] == "ERROR"
        assert await events.next() is None
        status: Json = event["object"]
        return status


async def test_a_version_that_is_forgotten_is_gone(api: Client) -> None:
    await api.server.forget()
    await api.made("configmaps", config())
    status = await gone(api, "1")
    assert (status["kind"], status["code"], status["reason"]) == ("Status", 410, "Expired")
    assert status["message"].startswith("too old resource version: 1 (")
