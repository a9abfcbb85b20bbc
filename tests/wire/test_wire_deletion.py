"""What goes when an object is deleted, what stays, and what holds it?"""

import pytest

from tests.wire.objects import config, gadget, owned_by, replica_set
from tests.wire.server import Client, Json


async def family(api: Client, *, blocking: bool = False) -> Json:
    """An owner and its child."""
    owner = await api.made("configmaps", config("owner"))
    await api.made("configmaps", owned_by(config("child"), owner, blocking=blocking))
    return owner


async def test_deleting_answers_with_a_success(api: Client) -> None:
    made = await api.made("configmaps", config())
    answer = await api.delete("configmaps", "one")
    assert answer.code == 200
    assert (answer.body["kind"], answer.body["status"]) == ("Status", "Success")
    assert answer.body["details"] == {"name": "one", "kind": "configmaps", "uid": made["metadata"]["uid"]}
    (await api.get("configmaps", "one")).refused(404, "NotFound")


async def test_in_the_background_the_owner_goes_first(api: Client) -> None:
    await family(api)
    await api.delete("configmaps", "owner", {"propagationPolicy": "Background"})
    (await api.get("configmaps", "owner")).refused(404, "NotFound")
    await api.gone("configmaps", "child")


async def test_in_the_foreground_the_owner_goes_last(api: Client) -> None:
    await family(api, blocking=True)
    held = {"metadata": {"finalizers": ["wire.test/held"]}}
    await api.patch("configmaps", "child", held)
    answer = await api.delete("configmaps", "owner", {"propagationPolicy": "Foreground"})
    assert answer.object["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert answer.object["metadata"]["deletionTimestamp"]
    await api.until("configmaps", "child", lambda obj: "deletionTimestamp" in obj["metadata"])
    assert (await api.get("configmaps", "owner")).code == 200
    await api.patch("configmaps", "child", {"metadata": {"finalizers": None}})
    await api.gone("configmaps", "child")
    await api.gone("configmaps", "owner")


async def test_orphans_stay_without_their_owner(api: Client) -> None:
    await family(api)
    await api.delete("configmaps", "owner", {"propagationPolicy": "Orphan"})
    await api.gone("configmaps", "owner")
    child = await api.until("configmaps", "child", lambda obj: not obj["metadata"].get("ownerReferences"))
    assert "deletionTimestamp" not in child["metadata"]


async def test_the_policy_may_come_in_the_query(api: Client) -> None:
    await family(api)
    await api.delete("configmaps", "owner", propagationPolicy="Orphan")
    await api.until("configmaps", "child", lambda obj: not obj["metadata"].get("ownerReferences"))


async def test_an_unknown_policy_is_invalid(api: Client) -> None:
    await api.made("configmaps", config())
    (await api.delete("configmaps", "one", {"propagationPolicy": "Sometimes"})).refused(422, "Invalid")


async def test_pods_go_with_their_replica_set(api: Client) -> None:
    await api.made("replicasets", replica_set(replicas=2))
    await api.until("replicasets", "web", lambda obj: obj["status"].get("readyReplicas") == 2)
    await api.delete("replicasets", "web", {"propagationPolicy": "Background"})
    await api.until_names("pods", lambda names: not names)


async def test_pods_may_outlive_their_replica_set(api: Client) -> None:
    await api.made("replicasets", replica_set(replicas=2))
    await api.until("replicasets", "web", lambda obj: obj["status"].get("readyReplicas") == 2)
    before = await api.names("pods")
    await api.delete("replicasets", "web", {"propagationPolicy": "Orphan"})
    await api.gone("replicasets", "web")
    assert await api.names("pods") == before
    await api.made("replicasets", replica_set(replicas=2))
    adopted = await api.until("replicasets", "web", lambda obj: obj["status"].get("readyReplicas") == 2)
    assert await api.names("pods") == before
    pod = await api.until("pods", before[0], lambda obj: obj["metadata"].get("ownerReferences"))
    assert pod["metadata"]["ownerReferences"][0]["uid"] == adopted["metadata"]["uid"]


async def test_whose_owner_is_gone_is_collected(api: Client) -> None:
    ghost = config("ghost")
    ghost["metadata"]["uid"] = "00000000-0000-0000-0000-000000000001"
    await api.made("configmaps", owned_by(config("child"), ghost))
    await api.gone("configmaps", "child")


async def test_an_owner_of_the_same_name_is_not_the_owner(api: Client) -> None:
    owner = await api.made("configmaps", config("owner"))
    owner["metadata"]["uid"] = "00000000-0000-0000-0000-000000000002"
    await api.made("configmaps", owned_by(config("child"), owner))
    await api.gone("configmaps", "child")


async def test_one_of_two_owners_is_enough(api: Client) -> None:
    owners = [await api.made("configmaps", config(name)) for name in ("first", "second")]
    await api.made("configmaps", owned_by(config("child"), *owners))
    await api.delete("configmaps", "first", {"propagationPolicy": "Background"})
    child = await api.until("configmaps", "child", lambda obj: len(obj["metadata"]["ownerReferences"]) == 1)
    assert child["metadata"]["ownerReferences"][0]["name"] == "second"


@pytest.mark.parametrize("name", ["uid", "resourceVersion"])
async def test_preconditions_hold_a_deletion_back(api: Client, name: str) -> None:
    made = await api.made("configmaps", config())
    answer = await api.delete("configmaps", "one", {"preconditions": {name: "1234"}})
    assert "1234" in answer.refused(409, "Conflict")
    assert (await api.delete("configmaps", "one", {"preconditions": {name: made["metadata"][name]}})).code == 200


async def test_a_finalizer_holds_an_object(gadgets: Client) -> None:
    await gadgets.made("gadgets", gadget())
    await gadgets.patch("gadgets", "one", {"metadata": {"finalizers": ["wire.test/held"]}})
    answer = await gadgets.delete("gadgets", "one")
    assert answer.object["kind"] == "Gadget"
    meta = answer.object["metadata"]
    assert meta["deletionTimestamp"]
    assert meta["deletionGracePeriodSeconds"] == 0
    assert meta["generation"] == 2
    assert (await gadgets.delete("gadgets", "one")).code == 200
    patched = await gadgets.patch("gadgets", "one", {"spec": {"size": 2}})
    assert patched.object["spec"]["size"] == 2
    assert (await gadgets.patch("gadgets", "one", {"metadata": {"finalizers": []}})).code == 200
    (await gadgets.get("gadgets", "one")).refused(404, "NotFound")


async def test_a_deleted_object_takes_no_new_finalizer(api: Client) -> None:
    obj = config()
    obj["metadata"]["finalizers"] = ["wire.test/held"]
    await api.made("configmaps", obj)
    await api.delete("configmaps", "one")
    more = {"metadata": {"finalizers": ["wire.test/held", "wire.test/more"]}}
    answer = await api.patch("configmaps", "one", more)
    answer.refused(422, "Invalid")
    assert set(answer.causes) == {("metadata.finalizers", "FieldValueForbidden")}
    await api.patch("configmaps", "one", {"metadata": {"finalizers": None}})


async def test_a_finalizer_needs_a_qualified_name(api: Client) -> None:
    obj = config()
    obj["metadata"]["finalizers"] = ["not qualified"]
    (await api.create("configmaps", obj)).refused(422, "Invalid")


async def test_a_pod_gets_its_grace(api: Client) -> None:
    await api.made("replicasets", replica_set())
    await api.until("replicasets", "web", lambda obj: obj["status"].get("readyReplicas") == 1)
    (name,) = await api.names("pods")
    answer = await api.delete("pods", name)
    assert answer.object["kind"] == "Pod"
    assert answer.object["metadata"]["deletionGracePeriodSeconds"] == 30
    await api.gone("pods", name)


async def test_a_pod_without_grace_is_gone_at_once(api: Client) -> None:
    await api.made("replicasets", replica_set())
    await api.until("replicasets", "web", lambda obj: obj["status"].get("readyReplicas") == 1)
    (name,) = await api.names("pods")
    await api.delete("pods", name, {"gracePeriodSeconds": 0})
    (await api.get("pods", name)).refused(404, "NotFound")


async def test_a_namespace_goes_with_all_it_holds(api: Client) -> None:
    name = f"{api.namespace}-x"
    await api.send("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    inside = Client(api.session, name, api.server)
    obj = config()
    obj["metadata"]["finalizers"] = ["wire.test/held"]
    await inside.made("configmaps", obj)
    await inside.made("replicasets", replica_set(replicas=0))
    path = f"/api/v1/namespaces/{name}"
    answer = await api.send("DELETE", path)
    assert answer.object["status"]["phase"] == "Terminating"
    refused = await inside.create("configmaps", config("late"))
    assert "because it is being terminated" in refused.refused(403, "Forbidden")
    assert refused.body["details"]["causes"][0]["reason"] == "NamespaceTerminating"
    await inside.until("configmaps", "one", lambda obj: "deletionTimestamp" in obj["metadata"])
    await inside.patch("configmaps", "one", {"metadata": {"finalizers": None}})
    await Client(api.session, "", api.server).gone("namespaces", name)
    await inside.gone("replicasets", "web")
