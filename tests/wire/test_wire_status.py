"""Which part of an object does a write reach: spec, status or size? And when does its generation grow?"""

from typing import Any

from tests.wire.objects import gadget, replica_set, rollout
from tests.wire.server import JSON_PATCH, Client, Json


async def test_a_new_custom_object_brings_no_status(gadgets: Client) -> None:
    made = await gadgets.made("gadgets", {**gadget(), "status": {"seen": 1}})
    assert "status" not in made
    assert made["metadata"]["generation"] == 1


async def test_the_object_itself_does_not_reach_its_status(gadgets: Client) -> None:
    await gadgets.made("gadgets", gadget())
    before = (await gadgets.patch("gadgets", "one", {"status": {"seen": 1}}, sub="status")).object
    after = (await gadgets.patch("gadgets", "one", {"status": {"seen": 2}})).object
    assert after == before
    replaced = (await gadgets.put("gadgets", {**before, "status": {"seen": 3}})).object
    assert replaced["status"] == {"seen": 1}


async def test_the_status_does_not_reach_the_object(gadgets: Client) -> None:
    await gadgets.made("gadgets", gadget(size=1))
    patch = {"spec": {"size": 5}, "metadata": {"labels": {"a": "b"}}, "status": {"seen": 1}}
    patched = (await gadgets.patch("gadgets", "one", patch, sub="status")).object
    assert patched["spec"]["size"] == 1
    assert "labels" not in patched["metadata"]
    assert patched["status"] == {"seen": 1}
    assert patched["metadata"]["generation"] == 1


async def test_a_status_can_be_read_replaced_and_cleared(gadgets: Client) -> None:
    made = await gadgets.made("gadgets", gadget())
    put = (await gadgets.put("gadgets", {**made, "status": {"seen": 4, "note": "x"}}, sub="status")).object
    assert put["status"] == {"seen": 4, "note": "x"}
    assert (await gadgets.get("gadgets", "one", "status")).object == put
    cleared = (await gadgets.patch("gadgets", "one", {"status": None}, sub="status")).object
    assert "status" not in cleared


async def test_a_status_patch_of_a_stale_version_is_a_conflict(gadgets: Client) -> None:
    made = await gadgets.made("gadgets", gadget())
    version = made["metadata"]["resourceVersion"]
    patch: Json = {"metadata": {"resourceVersion": version}, "status": {"seen": 1}}
    fresh = (await gadgets.patch("gadgets", "one", patch, sub="status")).object
    assert fresh["metadata"]["resourceVersion"] != version
    (await gadgets.patch("gadgets", "one", patch, sub="status")).refused(409, "Conflict")


async def test_a_status_patch_that_changes_nothing_writes_nothing(gadgets: Client) -> None:
    await gadgets.made("gadgets", gadget())
    first = (await gadgets.patch("gadgets", "one", {"status": {"seen": 1}}, sub="status")).object
    second = (await gadgets.patch("gadgets", "one", {"status": {"seen": 1}}, sub="status")).object
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


async def test_a_status_has_a_schema(gadgets: Client) -> None:
    await gadgets.made("gadgets", gadget())
    answer = await gadgets.patch("gadgets", "one", {"status": {"seen": "often"}}, sub="status")
    answer.refused(422, "Invalid")
    assert answer.causes == [("status.seen", "FieldValueTypeInvalid")]
    pruned = (await gadgets.patch("gadgets", "one", {"status": {"unknown": 1, "seen": 1}}, sub="status")).object
    assert pruned["status"] == {"seen": 1}


async def test_generations_count_specs_only(gadgets: Client) -> None:
    await gadgets.made("gadgets", gadget(size=1))

    async def generation(patch: Json, sub: str = "") -> Any:
        return (await gadgets.patch("gadgets", "one", patch, sub=sub)).object["metadata"]["generation"]

    assert await generation({"metadata": {"annotations": {"a": "b"}}}) == 1
    assert await generation({"status": {"seen": 1}}, "status") == 1
    assert await generation({"spec": {"size": 1}}) == 1
    assert await generation({"spec": {"size": 2}}) == 2
    assert await generation({"metadata": {"generation": 9}, "spec": {"size": 3}}) == 3


async def test_metadata_alone_leaves_a_replica_sets_generation(api: Client) -> None:
    await api.made("replicasets", replica_set(replicas=0))
    patched = (await api.patch("replicasets", "web", {"metadata": {"annotations": {"a": "b"}}})).object
    assert patched["metadata"]["generation"] == 1
    scaled = (await api.patch("replicasets", "web", {"spec": {"replicas": 1}})).object
    assert scaled["metadata"]["generation"] == 2


async def test_rollouts_are_scaled_through_their_scale(api: Client) -> None:
    await api.made("rollouts", rollout(replicas=3))
    status = {"replicas": 2, "HPAReplicas": 2, "selector": "app=web"}
    await api.patch("rollouts", "web", {"status": status}, sub="status")
    scale = (await api.get("rollouts", "web", "scale")).object
    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert scale["spec"] == {"replicas": 3}
    assert scale["status"] == {"replicas": 2, "selector": "app=web"}
    scaled = (await api.patch("rollouts", "web", {"spec": {"replicas": 5}}, sub="scale")).object
    assert scaled["spec"] == {"replicas": 5}
    whole = await api.read("rollouts", "web")
    assert whole["spec"]["replicas"] == 5
    assert whole["metadata"]["generation"] == 2
    assert whole["status"] == status


async def test_a_stale_scale_is_a_conflict(api: Client) -> None:
    await api.made("rollouts", rollout(replicas=3))
    scale = (await api.get("rollouts", "web", "scale")).object
    await api.patch("rollouts", "web", {"spec": {"replicas": 4}})
    scale["spec"]["replicas"] = 5
    (await api.put("rollouts", scale, sub="scale")).refused(409, "Conflict")
    del scale["metadata"]["resourceVersion"]
    assert (await api.put("rollouts", scale, sub="scale")).object["spec"] == {"replicas": 5}


async def test_a_negative_scale_is_invalid(api: Client) -> None:
    await api.made("rollouts", rollout(replicas=3))
    (await api.patch("rollouts", "web", {"spec": {"replicas": -1}}, sub="scale")).refused(422, "Invalid")


async def test_replica_sets_are_scaled_through_their_scale(api: Client) -> None:
    await api.made("replicasets", replica_set(replicas=0))
    scale = (await api.get("replicasets", "web", "scale")).object
    assert scale["spec"] == {}
    assert scale["status"] == {"replicas": 0, "selector": "app=web"}
    operations = [{"op": "replace", "path": "/spec", "value": {"replicas": 2}}]
    await api.patch("replicasets", "web", operations, JSON_PATCH, sub="scale")
    assert (await api.read("replicasets", "web"))["spec"]["replicas"] == 2


async def test_what_has_no_scale_is_not_found(gadgets: Client) -> None:
    await gadgets.made("gadgets", gadget())
    assert (await gadgets.get("gadgets", "one", "scale")).code == 404
