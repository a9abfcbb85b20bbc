"""What do the cluster's own controllers do with ReplicaSets, pods, budgets, Services, Deployments and Jobs?"""

import re

import pytest

from tests.wire.objects import IMAGE, budget, deployment, replica_set, service
from tests.wire.server import Answer, Client, Json


async def ready(api: Client, count: int, name: str = "web") -> Json:
    return await api.until("replicasets", name, lambda obj: obj["status"].get("readyReplicas", 0) == count)


async def test_a_replica_set_makes_its_pods(api: Client) -> None:
    await api.made("replicasets", replica_set(replicas=3))
    found = await api.until("replicasets", "web", lambda obj: obj["status"].get("availableReplicas") == 3)
    expected = {"replicas": 3, "fullyLabeledReplicas": 3, "readyReplicas": 3, "availableReplicas": 3}
    status = {name: value for name, value in found["status"].items() if name != "terminatingReplicas"}
    assert status == {**expected, "observedGeneration": 1}
    names = await api.names("pods", labelSelector="app=web")
    assert len(names) == 3
    assert all(re.fullmatch(r"web-[bcdfghjklmnpqrstvwxz2456789]{5}", name) for name in names)
    pod = await api.read("pods", names[0])
    (owner,) = pod["metadata"]["ownerReferences"]
    assert owner == {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": "web",
        "uid": found["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    assert pod["metadata"]["generateName"] == "web-"
    conditions = {each["type"]: each["status"] for each in pod["status"]["conditions"]}
    assert conditions["Ready"] == conditions["PodScheduled"] == "True"


async def test_a_replica_set_is_scaled(api: Client) -> None:
    await api.made("replicasets", replica_set(replicas=3))
    await ready(api, 3)
    await api.patch("replicasets", "web", {"spec": {"replicas": 1}})
    found = await ready(api, 1)
    await api.until("replicasets", "web", lambda obj: obj["status"]["replicas"] == 1)
    await api.patch("replicasets", "web", {"spec": {"replicas": 0}})
    found = await api.until("replicasets", "web", lambda obj: obj["status"]["replicas"] == 0)
    assert "readyReplicas" not in found["status"]
    await api.until("replicasets", "web", lambda obj: obj["status"]["observedGeneration"] == 3)


async def test_a_killed_pod_is_replaced(api: Client) -> None:
    await api.made("replicasets", replica_set(replicas=2))
    await ready(api, 2)
    first, second = await api.names("pods")
    await api.delete("pods", first, {"gracePeriodSeconds": 0})
    after = await api.until_names("pods", lambda names: len(names) == 2 and first not in names)
    assert second in after


async def test_a_pod_that_never_starts_is_not_ready(api: Client) -> None:
    await api.made("replicasets", replica_set(image="example.test/web:never-pull"))
    await api.until("replicasets", "web", lambda obj: obj["status"].get("replicas") == 1)
    (name,) = await api.names("pods")

    def waits(pod: Json) -> bool:
        states = pod["status"].get("containerStatuses") or [{}]
        return "ImagePullBackOff" in str(states[0].get("state"))

    pod = await api.until("pods", name, waits)
    assert pod["status"]["phase"] == "Pending"
    assert "readyReplicas" not in (await api.read("replicasets", "web"))["status"]


async def test_a_pod_that_crashes_is_restarted(api: Client) -> None:
    await api.made("replicasets", replica_set(image="example.test/web:crash"))
    (name,) = await api.until_names("pods", lambda names: len(names) == 1)

    def restarted(pod: Json) -> bool:
        states = pod["status"].get("containerStatuses") or [{}]
        return bool(states[0].get("restartCount", 0))

    pod = await api.until("pods", name, restarted)
    assert not pod["status"]["containerStatuses"][0]["ready"]


async def test_available_is_later_than_ready(api: Client) -> None:
    await api.made("replicasets", replica_set(minReadySeconds=600))
    found = await ready(api, 1)
    assert "availableReplicas" not in found["status"]


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"replicas": -1}, "spec.replicas", "FieldValueInvalid"),
        ({"minReadySeconds": -1}, "spec.minReadySeconds", "FieldValueInvalid"),
        ({"selector": {}}, "spec.selector", "FieldValueInvalid"),
        ({"selector": None}, "spec.selector", "FieldValueRequired"),
        ({"selector": {"matchLabels": {"app": "db"}}}, "spec.template.metadata.labels", "FieldValueInvalid"),
    ],
)
async def test_a_replica_set_has_rules(api: Client, change: Json, field: str, reason: str) -> None:
    answer = await api.create("replicasets", replica_set(**change))
    answer.refused(422, "Invalid")
    assert (field, reason) in answer.causes


@pytest.mark.parametrize(
    ("spec", "field", "reason"),
    [
        ({"containers": []}, "containers", "FieldValueRequired"),
        ({"containers": [{"image": IMAGE}]}, "containers[0].name", "FieldValueRequired"),
        ({"containers": [{"name": "web"}]}, "containers[0].image", "FieldValueRequired"),
        ({"containers": [{"name": "Bad_Name", "image": IMAGE}]}, "containers[0].name", "FieldValueInvalid"),
        ({"containers": [{"name": "a", "image": IMAGE}] * 2}, "containers[1].name", "FieldValueDuplicate"),
        (
            {"containers": [{"name": "a", "image": IMAGE, "ports": [{"containerPort": 0}]}]},
            "containers[0].ports[0].containerPort",
            "FieldValueRequired",
        ),
        ({"restartPolicy": "Never"}, "restartPolicy", "FieldValueNotSupported"),
        ({"volumes": [{"name": "v"}, {"name": "v"}]}, "volumes[1].name", "FieldValueDuplicate"),
        (
            {"containers": [{"name": "a", "image": IMAGE, "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]},
            "containers[0].volumeMounts[0].name",
            "FieldValueNotFound",
        ),
    ],
)
async def test_a_bad_pod_template_is_refused(api: Client, spec: Json, field: str, reason: str) -> None:
    obj = replica_set()
    obj["spec"]["template"]["spec"] |= spec
    answer = await api.create("replicasets", obj)
    assert answer.refused(422, "Invalid").startswith('ReplicaSet.apps "web" is invalid: ')
    assert (f"spec.template.spec.{field}", reason) in answer.causes


async def test_a_selector_is_immutable(api: Client) -> None:
    await api.made("replicasets", replica_set(replicas=0))
    patch = {"spec": {"selector": {"matchLabels": {"app": "db"}}, "template": {"metadata": {"labels": {"app": "db"}}}}}
    answer = await api.patch("replicasets", "web", patch)
    assert "field is immutable" in answer.refused(422, "Invalid")
    assert ("spec.selector", "FieldValueInvalid") in answer.causes


async def test_a_replica_set_adopts_and_releases(api: Client) -> None:
    await api.made("replicasets", replica_set(replicas=1))
    await ready(api, 1)
    (name,) = await api.names("pods")
    await api.patch("pods", name, {"metadata": {"labels": {"app": "freed"}}})
    freed = await api.until("pods", name, lambda obj: not obj["metadata"].get("ownerReferences"))
    assert freed["metadata"]["labels"] == {"app": "freed"}
    await api.until_names("pods", lambda names: len(names) == 1, labelSelector="app=web")


async def evict(api: Client, name: str) -> Answer:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": api.namespace}}
    return await api.send("POST", api.path("pods", name, "eviction"), body)


async def test_an_evicted_pod_goes(api: Client) -> None:
    await api.made("replicasets", replica_set())
    await ready(api, 1)
    (name,) = await api.names("pods")
    answer = await evict(api, name)
    assert answer.code == 201
    assert answer.body["status"] == "Success"
    await api.gone("pods", name)


async def test_who_is_not_there_is_not_evicted(api: Client) -> None:
    (await evict(api, "nobody")).refused(404, "NotFound")


async def test_a_budget_holds_an_eviction_back(api: Client) -> None:
    await api.made("replicasets", replica_set(replicas=2))
    await ready(api, 2)
    await api.made("poddisruptionbudgets", budget("web", {"app": "web"}, minAvailable=2))
    found = await api.until("poddisruptionbudgets", "web", lambda obj: obj.get("status", {}).get("currentHealthy") == 2)
    assert found["status"]["disruptionsAllowed"] == 0
    first, _ = await api.names("pods")
    answer = await evict(api, first)
    message = answer.refused(429, "TooManyRequests")
    assert message == "Cannot evict pod as it would violate the pod's disruption budget."
    assert answer.body["details"]["causes"][0]["reason"] == "DisruptionBudget"
    await api.patch("replicasets", "web", {"spec": {"replicas": 3}})
    await api.until("poddisruptionbudgets", "web", lambda obj: obj["status"].get("disruptionsAllowed") == 1)

    async def is_evicted() -> bool:
        return (await evict(api, first)).code == 201

    await api.wait(is_evicted)


async def test_a_service_gets_an_address_and_keeps_it(api: Client) -> None:
    made = await api.made("services", service("web", selector={"app": "web"}))
    assert made["spec"]["clusterIP"].startswith("10.96.")
    assert made["spec"]["type"] == "ClusterIP"
    assert made["spec"]["ports"][0] == {"port": 80, "targetPort": 80, "protocol": "TCP"}
    patched = (await api.patch("services", "web", {"spec": {"selector": {"app": "db"}}})).object
    assert patched["spec"]["clusterIP"] == made["spec"]["clusterIP"]
    assert patched["spec"]["selector"] == {"app": "db"}


async def test_a_service_finds_its_pods(api: Client) -> None:
    await api.made("replicasets", replica_set(replicas=2))
    await api.made("services", service("web", selector={"app": "web"}))
    await ready(api, 2)

    async def both_are_there() -> bool:
        slices = await api.get("endpointslices", labelSelector="kubernetes.io/service-name=web")
        endpoints = [each for item in slices.object["items"] for each in item["endpoints"] or []]
        return len({each["addresses"][0] for each in endpoints if each["conditions"].get("ready")}) == 2

    await api.wait(both_are_there)


async def test_a_deployment_rolls_to_a_new_template(api: Client) -> None:
    await api.made("deployments", deployment(replicas=2))
    await api.until("deployments", "web", lambda obj: obj["status"].get("availableReplicas") == 2)
    operations = {"spec": {"template": {"metadata": {"annotations": {"version": "2"}}}}}
    await api.patch("deployments", "web", operations)
    await api.until(
        "deployments",
        "web",
        lambda obj: (
            obj["status"]["observedGeneration"] == 2
            and obj["status"].get("updatedReplicas") == obj["status"].get("replicas") == 2
        ),
    )
    sets = (await api.get("replicasets")).object["items"]
    assert sorted(each["spec"]["replicas"] for each in sets) == [0, 2]
    assert all("pod-template-hash" in each["metadata"]["labels"] for each in sets)


def job(name: str, command: str) -> Json:
    container = {"name": "run", "image": "example.test/task:1", "command": ["sh", "-c", command]}
    spec = {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}


@pytest.mark.parametrize(("command", "ends"), [("exit 0", "Complete"), ("exit 3", "Failed")])
async def test_a_job_ends(api: Client, command: str, ends: str) -> None:
    await api.made("jobs", job("task", command))

    def ended(obj: Json) -> bool:
        conditions = obj.get("status", {}).get("conditions") or []
        return any(each["type"] == ends and each["status"] == "True" for each in conditions)

    await api.until("jobs", "task", ended)
