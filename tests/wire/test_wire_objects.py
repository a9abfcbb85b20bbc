"""What does the server do with an object that is created, read and replaced?"""

import re

import pytest

from tests.wire.objects import config, gadget, replica_set, service
from tests.wire.server import Client


async def test_a_created_object_carries_what_the_server_adds(api: Client) -> None:
    answer = await api.create("configmaps", config(a="b"))
    assert answer.code == 201
    meta = answer.object["metadata"]
    assert (answer.object["kind"], answer.object["apiVersion"]) == ("ConfigMap", "v1")
    assert meta["namespace"] == api.namespace
    assert re.fullmatch(r"[0-9a-f-]{36}", meta["uid"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", meta["creationTimestamp"])
    assert meta["resourceVersion"].isdecimal()
    assert "generation" not in meta
    assert (await api.get("configmaps", "one")).object == answer.object


async def test_a_second_object_of_a_name_exists_already(api: Client) -> None:
    await api.made("configmaps", config())
    answer = await api.create("configmaps", config())
    assert answer.refused(409, "AlreadyExists") == 'configmaps "one" already exists'
    assert answer.body["details"] == {"name": "one", "kind": "configmaps"}


async def test_details_name_the_group(api: Client) -> None:
    await api.made("replicasets", replica_set(replicas=0))
    answer = await api.create("replicasets", replica_set(replicas=0))
    assert answer.refused(409, "AlreadyExists") == 'replicasets.apps "web" already exists'
    assert answer.body["details"] == {"name": "web", "group": "apps", "kind": "replicasets"}


async def test_what_is_not_there_is_not_found(api: Client) -> None:
    answer = await api.get("configmaps", "none")
    assert answer.refused(404, "NotFound") == 'configmaps "none" not found'
    assert answer.body["details"] == {"name": "none", "kind": "configmaps"}
    (await api.put("configmaps", config("none"))).refused(404, "NotFound")
    (await api.delete("configmaps", "none")).refused(404, "NotFound")
    (await api.patch("configmaps", "none", {})).refused(404, "NotFound")


async def test_a_namespace_that_is_not_there_takes_no_object(api: Client) -> None:
    answer = await api.send("POST", api.path("configmaps", namespace="nowhere"), config())
    assert answer.refused(404, "NotFound") == 'namespaces "nowhere" not found'


async def test_an_unknown_kind_is_not_found(api: Client) -> None:
    answer = await api.send("GET", "/api/v1/namespaces/default/flowers")
    assert answer.refused(404, "NotFound") == "the server could not find the requested resource"
    answer = await api.send("GET", "/apis/no.such.group/v1/flowers")
    assert answer.code == 404


async def test_a_generated_name_ends_in_five_letters(api: Client) -> None:
    obj = {**config(), "metadata": {"generateName": "made-"}}
    first, second = [await api.made("configmaps", obj) for _ in range(2)]
    assert re.fullmatch(r"made-[bcdfghjklmnpqrstvwxz2456789]{5}", first["metadata"]["name"])
    assert first["metadata"]["name"] != second["metadata"]["name"]
    assert first["metadata"]["generateName"] == "made-"


async def test_a_long_generated_name_is_cut(api: Client) -> None:
    made = await api.made("configmaps", {**config(), "metadata": {"generateName": "n" * 80 + "-"}})
    assert len(made["metadata"]["name"]) == 63
    assert made["metadata"]["generateName"] == "n" * 80 + "-"


async def test_a_name_is_needed(api: Client) -> None:
    answer = await api.create("configmaps", {**config(), "metadata": {}})
    assert answer.refused(422, "Invalid").endswith("metadata.name: Required value: name or generateName is required")


@pytest.mark.parametrize("name", ["Upper", "under_score", "-dash", "dot..dot", "n" * 254])
async def test_names_are_dns_subdomains(api: Client, name: str) -> None:
    answer = await api.create("configmaps", config(name))
    answer.refused(422, "Invalid")
    assert ("metadata.name", "FieldValueInvalid") in answer.causes


async def test_a_name_may_have_253_characters(api: Client) -> None:
    name = ".".join(["n" * 62] * 4) + "n"
    assert len(name) == 252
    assert (await api.create("configmaps", config(name + "n"))).code == 201


async def test_a_replica_sets_name_may_have_253_characters(api: Client) -> None:
    obj = replica_set(replicas=0)
    obj["metadata"] = {"name": "n" * 253}
    assert (await api.create("replicasets", obj)).code == 201


async def test_a_service_name_may_have_63(api: Client) -> None:
    assert (await api.create("services", service("s" * 63))).code == 201
    (await api.create("services", service("s" * 64))).refused(422, "Invalid")
    (await api.create("services", service("dotted.name"))).refused(422, "Invalid")


async def test_labels_have_rules(api: Client) -> None:
    answer = await api.create("configmaps", config(labels={"app": "not allowed"}))
    answer.refused(422, "Invalid")
    assert answer.causes == [("metadata.labels", "FieldValueInvalid")]
    (await api.create("configmaps", config(labels={"a/b/c": "x"}))).refused(422, "Invalid")
    (await api.create("configmaps", config(labels={"app": "v" * 64}))).refused(422, "Invalid")
    assert (await api.create("configmaps", config(labels={"example.com/app": "v" * 63}))).code == 201


async def test_an_object_of_another_kind_is_refused(api: Client) -> None:
    answer = await api.create("configmaps", {**config(), "kind": "Secret"})
    answer.refused(400, "BadRequest")


async def test_an_object_of_another_namespace_is_refused(api: Client) -> None:
    obj = config()
    obj["metadata"]["namespace"] = "default"
    message = (await api.create("configmaps", obj)).refused(400, "BadRequest")
    assert message == "the namespace of the provided object does not match the namespace sent on the request"


async def test_an_object_under_anothers_name_is_refused(api: Client) -> None:
    await api.made("configmaps", config())
    message = (await api.put("configmaps", config("two"), name="one")).refused(400, "BadRequest")
    assert message == "the name of the object (two) does not match the name on the URL (one)"


async def test_broken_json_is_a_bad_request(api: Client) -> None:
    (await api.send("POST", api.path("configmaps"), b"{")).refused(400, "BadRequest")


async def test_a_wrong_type_is_a_bad_request(api: Client) -> None:
    obj = replica_set()
    obj["spec"]["replicas"] = "three"
    message = (await api.create("replicasets", obj)).refused(400, "BadRequest")
    assert message.startswith('ReplicaSet in version "v1" cannot be handled as a ReplicaSet: ')


async def test_a_new_object_brings_no_resource_version(api: Client) -> None:
    obj = config()
    obj["metadata"]["resourceVersion"] = "7"
    answer = await api.create("configmaps", obj)
    assert answer.code == 500
    assert answer.body["message"] == "resourceVersion should not be set on objects to be created"


async def test_the_server_decides_about_identity(api: Client) -> None:
    forged = {"uid": "mine", "creationTimestamp": "2001-01-01T00:00:00Z", "generation": 9, "selfLink": "x"}
    obj = replica_set(replicas=0)
    obj["metadata"] |= forged
    made = (await api.create("replicasets", obj)).object["metadata"]
    assert made["uid"] != "mine"
    assert made["generation"] == 1
    assert not made["creationTimestamp"].startswith("2001")


async def test_replacing_with_a_stale_version_is_a_conflict(api: Client) -> None:
    made = await api.made("configmaps", config(a="1"))
    current = (await api.put("configmaps", {**made, "data": {"a": "2"}})).object
    assert int(current["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
    message = (await api.put("configmaps", {**made, "data": {"a": "3"}})).refused(409, "Conflict")
    assert message == (
        'Operation cannot be fulfilled on configmaps "one": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    assert (await api.read("configmaps", "one"))["data"] == {"a": "2"}


async def test_replacing_without_a_version_is_for_built_in_kinds(gadgets: Client) -> None:
    await gadgets.made("configmaps", config(a="1"))
    assert (await gadgets.put("configmaps", config(b="2"))).object["data"] == {"b": "2"}
    await gadgets.made("gadgets", gadget())
    answer = await gadgets.put("gadgets", gadget(size=2))
    answer.refused(422, "Invalid")
    assert answer.causes == [("metadata.resourceVersion", "FieldValueInvalid")]


async def test_replacing_another_incarnation_is_a_conflict(api: Client) -> None:
    made = await api.made("configmaps", config())
    made["metadata"] |= {"uid": "00000000-0000-0000-0000-000000000000"}
    del made["metadata"]["resourceVersion"]
    message = (await api.put("configmaps", made)).refused(409, "Conflict")
    assert "Precondition failed: UID in precondition: 00000000-0000-0000-0000-000000000000" in message


async def test_writing_the_same_again_writes_nothing(api: Client) -> None:
    made = await api.made("replicasets", replica_set(replicas=0))
    settled = await api.until("replicasets", "web", lambda obj: obj["status"].get("observedGeneration") == 1)
    again = (await api.put("replicasets", settled)).object
    assert again["metadata"]["resourceVersion"] == settled["metadata"]["resourceVersion"]
    assert again["metadata"]["generation"] == made["metadata"]["generation"] == 1


async def test_replacing_keeps_uid_and_birthday(api: Client) -> None:
    made = await api.made("configmaps", config())
    new = (await api.put("configmaps", config(a="b"))).object
    for name in ("uid", "creationTimestamp"):
        assert new["metadata"][name] == made["metadata"][name]


async def test_versions_grow_over_all_kinds(api: Client) -> None:
    first = await api.made("configmaps", config())
    second = await api.made("replicasets", replica_set(replicas=0))
    third = await api.made("configmaps", config("two"))
    versions = [int(obj["metadata"]["resourceVersion"]) for obj in (first, second, third)]
    assert versions == sorted(set(versions))


async def test_a_dry_run_changes_nothing(api: Client) -> None:
    answer = await api.create("configmaps", config("ghost"), dryRun="All")
    assert answer.code == 201
    assert answer.object["metadata"]["uid"]
    (await api.get("configmaps", "ghost")).refused(404, "NotFound")
    await api.made("configmaps", config(a="1"))
    patched = await api.patch("configmaps", "one", {"data": {"a": "2"}}, dryRun="All")
    assert patched.object["data"] == {"a": "2"}
    assert (await api.delete("configmaps", "one", dryRun="All")).code == 200
    assert (await api.read("configmaps", "one"))["data"] == {"a": "1"}


async def test_a_dry_run_finds_what_is_wrong(api: Client) -> None:
    bad = replica_set()
    bad["spec"]["template"]["metadata"]["labels"] = {"app": "another"}
    (await api.create("replicasets", bad, dryRun="All")).refused(422, "Invalid")


async def test_who_wrote_what_is_remembered(api: Client) -> None:
    made = (await api.create("configmaps", config(a="b"), fieldManager="tester")).object
    (entry,) = made["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"], entry["apiVersion"]) == ("tester", "Update", "v1")
    assert "f:a" in entry["fieldsV1"]["f:data"]


async def test_replica_sets_default_to_one_replica(api: Client) -> None:
    made = await api.made("replicasets", replica_set(replicas=None))
    assert made["spec"]["replicas"] == 1


async def test_pod_templates_are_filled_with_defaults(api: Client) -> None:
    made = await api.made("replicasets", replica_set(replicas=0))
    spec = made["spec"]["template"]["spec"]
    assert {name: spec[name] for name in spec if name not in {"containers", "securityContext"}} == {
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "schedulerName": "default-scheduler",
    }
    assert spec["containers"] == [
        {
            "name": "web",
            "image": "example.test/web:1",
            "imagePullPolicy": "IfNotPresent",
            "resources": {},
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
        }
    ]
