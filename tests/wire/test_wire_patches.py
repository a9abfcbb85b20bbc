"""What do the four kinds of patch do, and when are they refused?"""

import pytest

from tests.wire.objects import IMAGE, config, gadget, pod, replica_set
from tests.wire.server import APPLY, JSON_PATCH, STRATEGIC, Client, Json

REJECTED = "the server rejected our request due to an error in our request"


async def test_a_merge_patch_adds_changes_and_removes(api: Client) -> None:
    await api.made("configmaps", config(keep="1", change="1", drop="1"))
    patch = {"data": {"change": "2", "drop": None, "add": "3"}, "metadata": {"labels": {"a": "b"}}}
    patched = (await api.patch("configmaps", "one", patch)).object
    assert patched["data"] == {"keep": "1", "change": "2", "add": "3"}
    assert patched["metadata"]["labels"] == {"a": "b"}


async def test_a_merge_patch_replaces_lists(api: Client) -> None:
    await api.made("replicasets", replica_set(replicas=0))
    containers = [{"name": "other", "image": IMAGE}]
    patch = {"spec": {"template": {"spec": {"containers": containers}}}}
    patched = (await api.patch("replicasets", "web", patch)).object
    assert [each["name"] for each in patched["spec"]["template"]["spec"]["containers"]] == ["other"]


async def test_a_patch_of_a_version_is_refused_when_it_is_stale(api: Client) -> None:
    made = await api.made("configmaps", config())
    stale = made["metadata"]["resourceVersion"]
    fresh = (await api.patch("configmaps", "one", {"data": {"a": "1"}})).object["metadata"]["resourceVersion"]
    answer = await api.patch("configmaps", "one", {"metadata": {"resourceVersion": stale}, "data": {"a": "2"}})
    answer.refused(409, "Conflict")
    answer = await api.patch("configmaps", "one", {"metadata": {"resourceVersion": fresh}, "data": {"a": "2"}})
    assert answer.object["data"] == {"a": "2"}


async def test_a_stale_patch_is_refused_although_it_would_change_nothing(api: Client) -> None:
    made = await api.made("configmaps", config())
    await api.patch("configmaps", "one", {"data": {"a": "1"}})
    patch = {"metadata": {"resourceVersion": made["metadata"]["resourceVersion"]}}
    (await api.patch("configmaps", "one", patch)).refused(409, "Conflict")


async def test_a_patch_cannot_change_the_uid(api: Client) -> None:
    await api.made("configmaps", config())
    patch = {"metadata": {"uid": "00000000-0000-0000-0000-000000000000"}, "data": {"a": "1"}}
    answer = await api.patch("configmaps", "one", patch)
    answer.refused(422, "Invalid")
    assert set(answer.causes) == {("metadata.uid", "FieldValueInvalid")}


@pytest.mark.parametrize("resource", ["configmaps", "gadgets", "replicasets"])
async def test_a_patch_that_changes_nothing_writes_nothing(gadgets: Client, resource: str) -> None:
    made = {"configmaps": config("web", a="1"), "gadgets": gadget("web"), "replicasets": replica_set(replicas=0)}
    await gadgets.made(resource, made[resource])
    if resource == "replicasets":
        await gadgets.until(resource, "web", lambda obj: obj["status"].get("observedGeneration") == 1)
    before = await gadgets.read(resource, "web")
    again = {"metadata": {"labels": None}}
    after = (await gadgets.patch(resource, "web", again)).object
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


async def test_a_json_patch_tests_and_replaces(api: Client) -> None:
    made = await api.made("replicasets", replica_set(replicas=0))
    operations = [
        {"op": "test", "path": "/metadata/uid", "value": made["metadata"]["uid"]},
        {"op": "test", "path": "/spec/replicas", "value": 0},
        {"op": "replace", "path": "/spec/replicas", "value": 2},
        {"op": "add", "path": "/metadata/annotations", "value": {"example.com/a": "1"}},
    ]
    patched = (await api.patch("replicasets", "web", operations, JSON_PATCH)).object
    assert patched["spec"]["replicas"] == 2
    assert patched["metadata"]["generation"] == 2
    escaped = [{"op": "remove", "path": "/metadata/annotations/example.com~1a"}]
    patched = (await api.patch("replicasets", "web", escaped, JSON_PATCH)).object
    assert not patched["metadata"].get("annotations")


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/data/a", "value": "2"},
        {"op": "remove", "path": "/data/none"},
        {"op": "add", "path": "/none/deeper", "value": "1"},
    ],
)
async def test_a_json_patch_that_does_not_apply_is_invalid_without_causes(api: Client, operation: Json) -> None:
    await api.made("configmaps", config(a="1"))
    answer = await api.patch("configmaps", "one", [operation], JSON_PATCH)
    assert answer.refused(422, "Invalid") == REJECTED
    assert not answer.body.get("details", {}).get("causes")


async def test_a_json_patch_may_replace_a_key_that_is_not_there(api: Client) -> None:
    await api.made("configmaps", config(a="1"))
    operations = [{"op": "replace", "path": "/data/b", "value": "2"}]
    assert (await api.patch("configmaps", "one", operations, JSON_PATCH)).object["data"] == {"a": "1", "b": "2"}


async def test_a_json_patch_is_all_or_nothing(api: Client) -> None:
    await api.made("configmaps", config(a="1"))
    operations = [
        {"op": "replace", "path": "/data/a", "value": "2"},
        {"op": "test", "path": "/data/a", "value": "1"},
    ]
    (await api.patch("configmaps", "one", operations, JSON_PATCH)).refused(422, "Invalid")
    assert (await api.read("configmaps", "one"))["data"] == {"a": "1"}


async def test_a_json_patch_that_is_no_list_is_a_bad_request(api: Client) -> None:
    await api.made("configmaps", config())
    (await api.patch("configmaps", "one", {"op": "test"}, JSON_PATCH)).refused(400, "BadRequest")


async def test_a_patch_that_is_no_json_is_a_bad_request(api: Client) -> None:
    await api.made("configmaps", config())
    (await api.patch("configmaps", "one", b"{")).refused(400, "BadRequest")


async def test_a_strategic_patch_merges_containers_by_name(api: Client) -> None:
    await api.made("replicasets", replica_set(replicas=0))
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": IMAGE}]}}}}
    patched = (await api.patch("replicasets", "web", patch, STRATEGIC)).object
    assert {each["name"] for each in patched["spec"]["template"]["spec"]["containers"]} == {"web", "side"}
    gone = {"spec": {"template": {"spec": {"containers": [{"name": "side", "$patch": "delete"}]}}}}
    patched = (await api.patch("replicasets", "web", gone, STRATEGIC)).object
    assert [each["name"] for each in patched["spec"]["template"]["spec"]["containers"]] == ["web"]


async def test_a_strategic_patch_of_a_custom_object_is_no_supported_type(gadgets: Client) -> None:
    await gadgets.made("gadgets", gadget())
    answer = await gadgets.patch("gadgets", "one", {"spec": {"size": 2}}, STRATEGIC)
    message = answer.refused(415, "UnsupportedMediaType")
    assert "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml" in message


async def test_an_unknown_type_of_patch_is_refused(api: Client) -> None:
    await api.made("configmaps", config())
    (await api.patch("configmaps", "one", {}, "application/json")).refused(415, "UnsupportedMediaType")


async def test_a_patch_cannot_rename(api: Client) -> None:
    await api.made("configmaps", config())
    message = (await api.patch("configmaps", "one", {"metadata": {"name": "two"}})).refused(400, "BadRequest")
    assert message == "the name of the object (two) does not match the name on the URL (one)"


async def test_a_patch_that_leads_to_an_invalid_object_is_invalid(gadgets: Client) -> None:
    await gadgets.made("gadgets", gadget())
    answer = await gadgets.patch("gadgets", "one", {"spec": {"size": "much"}})
    answer.refused(422, "Invalid")
    assert answer.causes == [("spec.size", "FieldValueTypeInvalid")]


async def test_applying_creates_and_owns(api: Client) -> None:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"a": "1", "b": "1"}}
    answer = await api.patch("configmaps", "one", obj, APPLY, fieldManager="first")
    assert answer.code == 201
    less = {**obj, "data": {"a": "1"}}
    again = await api.patch("configmaps", "one", less, APPLY, fieldManager="first")
    assert again.object["data"] == {"a": "1"}


async def test_applying_what_another_owns_is_a_conflict(api: Client) -> None:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"a": "1"}}
    await api.patch("configmaps", "one", obj, APPLY, fieldManager="first")
    other = {**obj, "data": {"a": "2"}}
    answer = await api.patch("configmaps", "one", other, APPLY, fieldManager="second")
    answer.refused(409, "Conflict")
    assert answer.causes == [(".data.a", "FieldManagerConflict")]
    forced = await api.patch("configmaps", "one", other, APPLY, fieldManager="second", force="true")
    assert forced.object["data"] == {"a": "2"}


async def test_applying_the_same_again_writes_nothing(api: Client) -> None:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"a": "1"}}
    first = (await api.patch("configmaps", "one", obj, APPLY, fieldManager="first")).object
    second = (await api.patch("configmaps", "one", obj, APPLY, fieldManager="first")).object
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


async def test_the_labels_of_a_living_pod_can_be_patched(api: Client) -> None:
    made = await api.made("pods", pod("one", {"app": "one", "role": "canary"}))
    patch = {"metadata": {"uid": made["metadata"]["uid"], "labels": {"role": "stable"}, "annotations": {"a": "b"}}}
    patched = (await api.patch("pods", "one", patch)).object["metadata"]
    assert (patched["labels"], patched["annotations"]) == ({"app": "one", "role": "stable"}, {"a": "b"})
    patch = {"metadata": {"uid": made["metadata"]["uid"], "labels": {"role": None}, "annotations": {"a": None}}}
    patched = (await api.patch("pods", "one", patch)).object["metadata"]
    assert (patched["labels"], patched.get("annotations") or {}) == ({"app": "one"}, {})
    another = {"metadata": {"uid": "00000000-0000-0000-0000-000000000000", "labels": {"role": "stable"}}}
    (await api.patch("pods", "one", another)).refused(422, "Invalid")


async def test_a_replica_sets_template_can_be_changed_in_place(api: Client) -> None:
    made = await api.made("replicasets", replica_set(replicas=0))
    at = "/spec/template/metadata"
    operations = [
        {"op": "test", "path": "/metadata/uid", "value": made["metadata"]["uid"]},
        {"op": "add", "path": f"{at}/labels/role", "value": "stable"},
        {"op": "add", "path": f"{at}/annotations", "value": {"a": "b"}},
        {"op": "add", "path": "/spec/template/spec/affinity", "value": {"podAntiAffinity": {}}},
    ]
    patched = (await api.patch("replicasets", "web", operations, JSON_PATCH)).object
    template = patched["spec"]["template"]
    assert template["metadata"]["labels"] == {**made["spec"]["template"]["metadata"]["labels"], "role": "stable"}
    assert (template["metadata"]["annotations"], template["spec"]["affinity"]) == ({"a": "b"}, {"podAntiAffinity": {}})
    assert patched["metadata"]["generation"] == made["metadata"]["generation"] + 1
    operations = [
        {"op": "test", "path": "/spec/template/spec/affinity", "value": {"podAntiAffinity": {}}},
        {"op": "remove", "path": "/spec/template/spec/affinity"},
    ]
    patched = (await api.patch("replicasets", "web", operations, JSON_PATCH)).object
    assert "affinity" not in patched["spec"]["template"]["spec"]
