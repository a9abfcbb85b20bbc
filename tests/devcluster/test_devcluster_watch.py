"""Watch streams: where they begin, what they leave out, how they end."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.devcluster.running import Http

MAPS = "/api/v1/namespaces/{}/configmaps"


def make(http: "Http", namespace: str, name: str, **labels: str) -> Any:
    return http.post(MAPS.format(namespace), {"metadata": {"name": name, "labels": labels}})[1]


def relabel(http: "Http", namespace: str, name: str, **labels: Any) -> Any:
    return http.patch(f"{MAPS.format(namespace)}/{name}", {"metadata": {"labels": labels}})[1]


@pytest.mark.parametrize("query", ["watch=true", "watch=True&resourceVersion=0", "watch=1"])
def test_without_a_version_everything_is_added_first(http: "Http", namespace: str, query: str) -> None:
    make(http, namespace, "one")
    with http.watch(f"{MAPS.format(namespace)}?{query}") as stream:
        assert stream.names(1) == [("ADDED", "one")]
        make(http, namespace, "two")
        assert stream.names(1) == [("ADDED", "two")]


def test_from_a_version_on_nothing_is_missed(http: "Http", namespace: str) -> None:
    one = make(http, namespace, "one")
    make(http, namespace, "two")
    relabel(http, namespace, "one", a="b")
    http.delete(MAPS.format(namespace) + "/one")
    with http.watch(
        f"{MAPS.format(namespace)}?watch=true&resourceVersion={one['metadata']['resourceVersion']}"
    ) as stream:
        assert stream.names(3) == [("ADDED", "two"), ("MODIFIED", "one"), ("DELETED", "one")]


def test_resource_versions_only_grow(http: "Http", namespace: str) -> None:
    with http.watch(f"{MAPS.format(namespace)}?watch=true") as stream:
        for name in ("a", "b", "c"):
            make(http, namespace, name)
        http.delete(MAPS.format(namespace) + "/a")
        events = [stream.next() for _ in range(4)]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events if event]
    assert versions == sorted(set(versions))


def test_an_object_that_leaves_the_selection_is_deleted_from_it(http: "Http", namespace: str) -> None:
    with http.watch(f"{MAPS.format(namespace)}?watch=true&labelSelector=in%3Dyes") as stream:
        make(http, namespace, "out")
        make(http, namespace, "one", **{"in": "yes"})
        assert stream.names(1) == [("ADDED", "one")]
        left = relabel(http, namespace, "one", **{"in": "no"})
        event = stream.next()
        assert event is not None
        assert (event["type"], event["object"]["metadata"]["labels"]) == ("DELETED", {"in": "yes"})
        assert event["object"]["metadata"]["resourceVersion"] == left["metadata"]["resourceVersion"]
        relabel(http, namespace, "one", **{"in": "yes"})
        assert stream.names(1) == [("ADDED", "one")]


def test_a_watch_list_ends_its_beginning_with_a_bookmark(http: "Http", namespace: str) -> None:
    make(http, namespace, "one")
    query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    with http.watch(f"{MAPS.format(namespace)}?{query}") as stream:
        assert stream.names(1) == [("ADDED", "one")]
        bookmark = stream.next()
    assert bookmark is not None
    assert bookmark["type"] == "BOOKMARK"
    assert bookmark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert int(bookmark["object"]["metadata"]["resourceVersion"]) > 0


@pytest.mark.parametrize(
    "query", ["watch=true&sendInitialEvents=true", "watch=true&resourceVersionMatch=NotOlderThan&resourceVersion=1"]
)
def test_wrong_combinations_are_invalid(http: "Http", namespace: str, query: str) -> None:
    code, status = http.get(f"{MAPS.format(namespace)}?{query}")
    assert (code, status["reason"]) == (422, "Invalid")


def test_a_watch_ends_at_its_timeout_with_a_bookmark(http: "Http", namespace: str) -> None:
    query = "watch=true&timeoutSeconds=1&allowWatchBookmarks=true"
    with http.watch(f"{MAPS.format(namespace)}?{query}") as stream:
        last = stream.next()
        assert last is not None
        assert last["type"] == "BOOKMARK"
        assert stream.next() is None


def test_a_compacted_version_is_gone_in_the_stream(http: "Http", namespace: str) -> None:
    one = make(http, namespace, "one")
    make(http, namespace, "two")
    http.post("/devcluster/compact", None)
    version = one["metadata"]["resourceVersion"]
    with http.watch(f"{MAPS.format(namespace)}?watch=true&resourceVersion={version}") as stream:
        event = stream.next()
        assert event is not None
        assert (stream.status, event["type"]) == (200, "ERROR")
        assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")
        assert stream.next() is None


def test_a_compacted_version_is_gone_by_status_code(http: "Http", namespace: str) -> None:
    one = make(http, namespace, "one")
    make(http, namespace, "two")
    http.post("/devcluster/compact?as=http", None)
    try:
        version = one["metadata"]["resourceVersion"]
        with http.watch(f"{MAPS.format(namespace)}?watch=true&resourceVersion={version}") as stream:
            assert (stream.status, stream.body()["reason"]) == (410, "Expired")
    finally:
        http.post("/devcluster/compact", None)


def test_dropped_watches_can_be_taken_up_again(http: "Http", namespace: str) -> None:
    with http.watch(f"{MAPS.format(namespace)}?watch=true") as stream:
        make(http, namespace, "one")
        event = stream.next()
        assert event is not None
        http.post("/devcluster/drop-watches", None)
        assert stream.next() is None
    make(http, namespace, "two")
    version = event["object"]["metadata"]["resourceVersion"]
    with http.watch(f"{MAPS.format(namespace)}?watch=true&resourceVersion={version}") as again:
        assert again.names(1) == [("ADDED", "two")]


def test_tables_and_metadata_can_be_watched(http: "Http", namespace: str) -> None:
    table = "application/json;as=Table;v=v1;g=meta.k8s.io"
    make(http, namespace, "one")
    _, listed = http.send("GET", MAPS.format(namespace), accept=table)
    assert listed["kind"] == "Table"
    assert [column["name"] for column in listed["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert listed["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    partial = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
    _, listed = http.send("GET", MAPS.format(namespace), accept=partial)
    assert [each["metadata"]["name"] for each in listed["items"]] == ["one"]
    assert "data" not in listed["items"][0]
