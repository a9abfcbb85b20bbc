"""What does a list say, whole, in pages and selected?"""

import pytest

from tests.wire.objects import config, gadget, replica_set
from tests.wire.server import Client

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"


async def fill(api: Client) -> None:
    await api.made("configmaps", config("a", {"app": "web", "tier": "front"}))
    await api.made("configmaps", config("b", {"app": "web", "tier": "back"}))
    await api.made("configmaps", config("c", {"app": "db"}))
    await api.made("configmaps", config("d"))


OURS = "metadata.name!=kube-root-ca.crt"  # a cluster puts one into every namespace


async def test_a_list_knows_its_kind_and_version(api: Client) -> None:
    made = await api.made("configmaps", config())
    listed = (await api.get("configmaps", fieldSelector=OURS)).object
    assert (listed["kind"], listed["apiVersion"]) == ("ConfigMapList", "v1")
    assert int(listed["metadata"]["resourceVersion"]) >= int(made["metadata"]["resourceVersion"])
    assert [item["metadata"]["uid"] for item in listed["items"]] == [made["metadata"]["uid"]]
    assert "kind" not in listed["items"][0]


async def test_custom_objects_in_lists_carry_their_kind(gadgets: Client) -> None:
    await gadgets.made("gadgets", gadget())
    listed = (await gadgets.get("gadgets")).object
    assert listed["kind"] == "GadgetList"
    assert [(item["kind"], item["apiVersion"]) for item in listed["items"]] == [("Gadget", "wire.test/v1")]


async def test_an_empty_list_has_items(api: Client) -> None:
    assert (await api.get("replicasets")).object["items"] == []


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("app=web", "ab"),
        ("app==web,tier=back", "b"),
        ("app!=web", "cd"),
        ("app in (web,db)", "abc"),
        ("tier notin (front)", "bcd"),
        ("tier", "ab"),
        ("!tier", "cd"),
        ("app,app notin (db)", "ab"),
        ("app=nothing", ""),
    ],
)
async def test_label_selectors_select(api: Client, selector: str, names: str) -> None:
    await fill(api)
    found = await api.names("configmaps", labelSelector=selector, fieldSelector=OURS)
    assert "".join(found) == names


@pytest.mark.parametrize("selector", ["app in web", "a=b=c", "(", "app=not allowed"])
async def test_broken_label_selectors_are_bad_requests(api: Client, selector: str) -> None:
    (await api.get("configmaps", labelSelector=selector)).refused(400, "BadRequest")


async def test_field_selectors_know_names(api: Client) -> None:
    await fill(api)
    assert await api.names("configmaps", fieldSelector="metadata.name=b") == ["b"]
    assert await api.names("configmaps", fieldSelector=f"metadata.name!=b,{OURS}") == ["a", "c", "d"]


async def test_field_selectors_know_pods_phases(api: Client) -> None:
    await api.made("replicasets", replica_set(replicas=2))
    await api.until("replicasets", "web", lambda obj: obj["status"].get("readyReplicas") == 2)
    assert len(await api.names("pods", fieldSelector="status.phase=Running")) == 2
    assert await api.names("pods", fieldSelector="status.phase=Failed") == []


async def test_unknown_field_selectors_are_bad_requests(api: Client) -> None:
    message = (await api.get("configmaps", fieldSelector="data.a=b")).refused(400, "BadRequest")
    assert message == '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"'


async def test_pages_show_one_moment(api: Client) -> None:
    await fill(api)
    first = (await api.get("configmaps", limit=2, fieldSelector=OURS, labelSelector="!x")).object
    token = first["metadata"]["continue"]
    await api.made("configmaps", config("bb"))
    await api.delete("configmaps", "d")
    second = (
        await api.send(
            "GET", api.path("configmaps"), fieldSelector=OURS, labelSelector="!x", limit=9, **{"continue": token}
        )
    ).object
    names = [item["metadata"]["name"] for page in (first, second) for item in page["items"]]
    assert names == ["a", "b", "c", "d"]
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert not second["metadata"].get("continue")


async def test_pages_tell_how_much_is_left(api: Client) -> None:
    for name in "abc":
        await api.made("leases", {"metadata": {"name": name}, "spec": {}})
    first = (await api.get("leases", limit=1)).object["metadata"]
    assert first["remainingItemCount"] == 2


async def test_a_broken_page_token_is_refused(api: Client) -> None:
    (await api.send("GET", api.path("configmaps"), limit=1, **{"continue": "rubbish"})).refused(400, "BadRequest")


async def test_a_list_over_all_namespaces(api: Client) -> None:
    await api.made("configmaps", config("unusual-name"))
    path = api.path("configmaps", namespace="")
    listed = (await api.send("GET", path, fieldSelector="metadata.name=unusual-name")).object
    assert api.namespace in {item["metadata"]["namespace"] for item in listed["items"]}


async def test_any_version_may_be_served_from_memory(api: Client) -> None:
    await api.made("configmaps", config())
    assert (await api.get("configmaps", resourceVersion="0")).code == 200


async def test_a_list_not_older_than_a_write_has_it(api: Client) -> None:
    version = (await api.made("configmaps", config()))["metadata"]["resourceVersion"]
    query = {"resourceVersion": version, "resourceVersionMatch": "NotOlderThan"}
    assert "one" in await api.names("configmaps", **query)


async def test_a_list_of_an_exact_version(api: Client) -> None:
    version = (await api.made("configmaps", config()))["metadata"]["resourceVersion"]
    await api.delete("configmaps", "one")
    query = {"resourceVersion": version, "resourceVersionMatch": "Exact"}
    assert "one" in await api.names("configmaps", **query)


async def test_a_version_from_the_future_is_not_waited_for(api: Client) -> None:
    answer = await api.get("configmaps", resourceVersion="999999999999")
    message = answer.refused(504, "Timeout")
    assert message.startswith("Timeout: Too large resource version: 999999999999, current: ")
    assert answer.body["details"]["causes"] == [
        {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    ]


async def test_metadata_alone(api: Client) -> None:
    await api.made("configmaps", config(a="b"))
    listed = (await api.send("GET", api.path("configmaps"), accept=PARTIAL)).object
    assert listed["kind"] == "PartialObjectMetadataList"
    assert all("data" not in item for item in listed["items"])


async def test_a_table_has_the_columns_of_the_definition(gadgets: Client) -> None:
    await gadgets.made("gadgets", gadget(size=3))
    table = (await gadgets.send("GET", gadgets.path("gadgets"), accept=TABLE)).object
    assert table["kind"] == "Table"
    columns = [(column["name"], column["priority"]) for column in table["columnDefinitions"]]
    assert columns == [("Name", 0), ("Size", 0), ("Mode", 1), ("Age", 0)]
    (row,) = table["rows"]
    assert row["cells"][:3] == ["one", 3, "fast"]
    assert row["object"]["kind"] == "PartialObjectMetadata"
    assert row["object"]["metadata"]["name"] == "one"


async def test_a_table_of_one_object(api: Client) -> None:
    await api.made("replicasets", replica_set(replicas=0))
    table = (await api.send("GET", api.path("replicasets", "web"), accept=TABLE)).object
    assert [column["name"] for column in table["columnDefinitions"] if not column["priority"]] == [
        "Name",
        "Desired",
        "Current",
        "Ready",
        "Age",
    ]
    assert table["rows"][0]["cells"][:2] == ["web", 0]


async def test_a_rollouts_table(api: Client) -> None:
    table = (await api.send("GET", api.path("rollouts"), accept=TABLE)).object
    shown = [column["name"] for column in table["columnDefinitions"] if not column["priority"]]
    assert shown[0] == "Name"
    assert {"Desired", "Current", "Up-to-date", "Available", "Age"} <= set(shown)


async def test_a_collection_is_deleted_by_selector(api: Client) -> None:
    await fill(api)
    answer = await api.send("DELETE", api.path("configmaps"), labelSelector="app=web")
    assert answer.code == 200
    assert await api.names("configmaps", fieldSelector=OURS) == ["c", "d"]
