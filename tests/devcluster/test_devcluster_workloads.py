"""Workloads: what pods, ReplicaSets, Deployments, Jobs, Services and budgets do."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.devcluster.running import Http

CORE, APPS = "/api/v1/namespaces/{}", "/apis/apps/v1/namespaces/{}"


def template(image: str = "web:1", labels: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "web", "image": image, "ports": [{"name": "http", "containerPort": 80}]}]}
    annotations = more.pop("annotations", {})
    spec["containers"][0] |= more.pop("container", {})
    return {"metadata": {"labels": labels or {"app": "web"}, "annotations": annotations}, "spec": {**spec, **more}}


def replica_set(name: str, replicas: int, pods: dict[str, Any], **spec: Any) -> dict[str, Any]:
    selector = {"matchLabels": pods["metadata"]["labels"]}
    return {"metadata": {"name": name}, "spec": {"replicas": replicas, "selector": selector, "template": pods, **spec}}


def pods(http: "Http", namespace: str) -> list[Any]:
    items: list[Any] = http.get(CORE.format(namespace) + "/pods")[1]["items"]
    return items


def ready(pod: Any) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", []))


def until_pods(http: "Http", namespace: str, holds: Any) -> list[Any]:
    found = http.until(CORE.format(namespace) + "/pods", lambda listed: holds(listed["items"]))
    items: list[Any] = found["items"]
    return items


def test_a_replica_set_has_ready_pods(http: "Http", namespace: str) -> None:
    path = APPS.format(namespace) + "/replicasets"
    http.post(path, replica_set("web", 3, template()))
    done = http.until(path + "/web", lambda obj: obj["status"].get("availableReplicas") == 3)
    assert done["status"] == {
        "replicas": 3,
        "fullyLabeledReplicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "observedGeneration": 1,
    }
    pod = pods(http, namespace)[0]
    assert pod["metadata"]["ownerReferences"][0]["controller"] is True
    assert (pod["status"]["phase"], pod["spec"]["nodeName"]) == ("Running", "devcluster")
    assert pod["status"]["podIP"].startswith("10.244.")
    assert {each["type"] for each in pod["status"]["conditions"]} >= {"PodScheduled", "Initialized", "ContainersReady"}


def test_scaling_down_spares_what_is_ready_and_old(http: "Http", namespace: str) -> None:
    path = APPS.format(namespace) + "/replicasets"
    http.post(path, replica_set("web", 2, template()))
    old = until_pods(http, namespace, lambda items: len(items) == 2 and all(map(ready, items)))
    spared, unready = (pod["metadata"]["name"] for pod in old)
    http.patch(
        f"{CORE.format(namespace)}/pods/{unready}", {"metadata": {"annotations": {"devcluster/unready": "true"}}}
    )
    until_pods(http, namespace, lambda items: sum(map(ready, items)) == 1)
    http.patch(path + "/web/scale", {"spec": {"replicas": 1}})
    left = until_pods(http, namespace, lambda items: len(items) == 1)
    assert left[0]["metadata"]["name"] == spared


def test_min_ready_seconds_delay_availability(http: "Http", namespace: str) -> None:
    path = APPS.format(namespace) + "/replicasets"
    http.post(path, replica_set("web", 1, template(), minReadySeconds=3600))
    waiting = http.until(path + "/web", lambda obj: obj["status"].get("readyReplicas") == 1)
    assert "availableReplicas" not in waiting["status"]
    http.patch(path + "/web", {"spec": {"minReadySeconds": 1}})
    http.until(path + "/web", lambda obj: obj["status"].get("availableReplicas") == 1)


def test_pods_are_adopted_and_released(http: "Http", namespace: str) -> None:
    path = APPS.format(namespace) + "/replicasets"
    http.post(CORE.format(namespace) + "/pods", {**template(), "metadata": {"name": "alone", "labels": {"app": "web"}}})
    http.post(path, replica_set("web", 1, template()))
    pod = f"{CORE.format(namespace)}/pods/alone"
    http.until(pod, lambda obj: obj["metadata"].get("ownerReferences"))
    assert len(pods(http, namespace)) == 1
    http.patch(pod, {"metadata": {"labels": {"app": "other"}}})
    http.until(pod, lambda obj: "ownerReferences" not in obj["metadata"])
    until_pods(http, namespace, lambda items: len(items) == 2)


@pytest.mark.parametrize(
    ("image", "reason", "restarts"),
    [("web:never-pull", "ImagePullBackOff", 0), ("web:crash", "CrashLoopBackOff", 1)],
)
def test_containers_that_fail(http: "Http", namespace: str, image: str, reason: str, restarts: int) -> None:
    http.post(CORE.format(namespace) + "/pods", {**template(image), "metadata": {"name": "one"}})

    def failed(pod: Any) -> bool:
        status = (pod["status"].get("containerStatuses") or [{}])[0]
        waiting = status.get("state", {}).get("waiting", {})
        return bool(waiting.get("reason") == reason and status["restartCount"] >= restarts)

    pod = http.until(CORE.format(namespace) + "/pods/one", failed)
    assert not ready(pod)


def test_an_image_set_in_place_restarts_the_container(http: "Http", namespace: str) -> None:
    path = CORE.format(namespace) + "/pods/one"
    http.post(CORE.format(namespace) + "/pods", {**template("web:crash"), "metadata": {"name": "one"}})
    http.until(path, lambda pod: pod["status"]["phase"] == "Running")
    http.patch(path, [{"op": "replace", "path": "/spec/containers/0/image", "value": "web:2"}], "json-patch+json")
    http.until(path, ready)


def test_readiness_gates_wait_for_their_condition(http: "Http", namespace: str) -> None:
    pod = {**template(readinessGates=[{"conditionType": "example.com/go"}]), "metadata": {"name": "one"}}
    path = CORE.format(namespace) + "/pods/one"
    http.post(CORE.format(namespace) + "/pods", pod)
    found = http.until(path, lambda pod: pod["status"]["phase"] == "Running")
    assert not ready(found)
    gate = {"type": "example.com/go", "status": "True"}
    http.patch(path + "/status", {"status": {"conditions": [gate]}}, "strategic-merge-patch+json")
    assert gate in http.until(path, ready)["status"]["conditions"]


def test_init_containers_go_first(http: "Http", namespace: str) -> None:
    path = CORE.format(namespace) + "/pods"
    good = template(initContainers=[{"name": "init", "image": "setup:1"}])
    http.post(path, {**good, "metadata": {"name": "good"}})
    bad = template(initContainers=[{"name": "init", "image": "setup:crash"}])
    http.post(path, {**bad, "metadata": {"name": "bad"}})
    http.until(path + "/good", ready)
    pod = http.until(path + "/bad", lambda pod: pod["status"]["initContainerStatuses"][0]["restartCount"])
    assert pod["status"]["phase"] == "Pending"


def test_pods_end_gracefully(http: "Http", namespace: str) -> None:
    path = CORE.format(namespace) + "/pods/one"
    slow = {"name": "one", "annotations": {"devcluster/stop-after": "25s"}}
    http.post(CORE.format(namespace) + "/pods", {**template(), "metadata": slow})
    http.until(path, ready)
    _, ending = http.delete(path)
    assert ending["metadata"]["deletionGracePeriodSeconds"] == 30
    assert http.get(path)[0] == 200
    http.delete(path, {"gracePeriodSeconds": 0})
    assert http.get(path)[0] == 404


def deployment(replicas: int, pods: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return replica_set("web", replicas, pods, **spec)


def test_a_deployment_rolls(http: "Http", namespace: str) -> None:
    path = APPS.format(namespace) + "/deployments"
    http.post(path, deployment(3, template()))

    def rolled(obj: Any) -> bool:
        status = obj["status"]
        settled = status.get("observedGeneration") == obj["metadata"]["generation"]
        return bool(settled and status.get("updatedReplicas") == status.get("availableReplicas") == 3)

    first = http.until(path + "/web", rolled)
    assert first["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"
    containers = [{"name": "web", "image": "web:2"}]
    patch = {"spec": {"template": {"spec": {"containers": containers}}}}
    http.patch(path + "/web", patch, "strategic-merge-patch+json")
    done = http.until(path + "/web", lambda obj: rolled(obj) and obj["status"]["replicas"] == 3)
    assert done["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    _, sets = http.get(APPS.format(namespace) + "/replicasets")
    assert sorted(each["spec"]["replicas"] for each in sets["items"]) == [0, 3]
    assert all("pod-template-hash" in each["metadata"]["labels"] for each in sets["items"])


def test_a_broken_update_leaves_the_old_pods(http: "Http", namespace: str) -> None:
    path = APPS.format(namespace) + "/deployments/web"
    http.post(APPS.format(namespace) + "/deployments", deployment(4, template(), progressDeadlineSeconds=1))
    http.until(path, lambda obj: obj["status"].get("availableReplicas") == 4)
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "web:never-pull"}]}}}}
    http.patch(path, patch, "strategic-merge-patch+json")

    def late(obj: Any) -> bool:
        return any(each["reason"] == "ProgressDeadlineExceeded" for each in obj["status"]["conditions"])

    http.until(path, lambda obj: late(obj) and obj["status"]["availableReplicas"] == 3)


def test_recreate_waits_for_the_old_pods(http: "Http", namespace: str) -> None:
    path = APPS.format(namespace) + "/deployments/web"
    http.post(APPS.format(namespace) + "/deployments", deployment(2, template(), strategy={"type": "Recreate"}))
    http.until(path, lambda obj: obj["status"].get("availableReplicas") == 2)
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "web:2"}]}}}}
    http.patch(path, patch, "strategic-merge-patch+json")
    until_pods(
        http, namespace, lambda items: [each["spec"]["containers"][0]["image"] for each in items] == ["web:2"] * 2
    )


def job(**spec: Any) -> dict[str, Any]:
    command, code = spec.pop("command", ["true"]), spec.pop("policy", "Never")
    pods = template(container={"command": command}, restartPolicy=code)
    return {"metadata": {"name": "work"}, "spec": {"template": pods, **spec}}


def has(kind: str) -> Any:
    return lambda obj: any(each["type"] == kind for each in obj["status"].get("conditions", []))


def test_a_job_completes(http: "Http", namespace: str) -> None:
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    _, made = http.post(path, job(completions=3, parallelism=2))
    assert "batch.kubernetes.io/controller-uid" in made["spec"]["selector"]["matchLabels"]
    done = http.until(path + "/work", has("Complete"))
    assert done["status"]["succeeded"] == 3
    assert "completionTime" in done["status"]
    assert {pod["status"]["phase"] for pod in pods(http, namespace)} == {"Succeeded"}


def test_a_job_gives_up_after_its_backoff_limit(http: "Http", namespace: str) -> None:
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    http.post(path, job(backoffLimit=1, command=["sh", "-c", "exit 3"]))
    done = http.until(path + "/work", has("Failed"))
    assert done["status"]["failed"] == 2
    assert done["status"]["conditions"][-1]["reason"] == "BackoffLimitExceeded"
    ended = pods(http, namespace)[0]["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (3, "Error")


def test_a_job_has_a_deadline_and_can_be_suspended(http: "Http", namespace: str) -> None:
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    http.post(path, job(activeDeadlineSeconds=1, command=["sleep", "60"], suspend=True))
    http.until(path + "/work", has("Suspended"))
    assert pods(http, namespace) == []
    http.patch(path + "/work", {"spec": {"suspend": False}})
    done = http.until(path + "/work", has("Failed"))
    assert done["status"]["conditions"][-1]["reason"] == "DeadlineExceeded"


def test_a_finished_job_goes_after_its_time_to_live(http: "Http", namespace: str) -> None:
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    http.post(path, job(ttlSecondsAfterFinished=0))
    http.until(path + "/work", lambda obj: obj.get("code") == 404)
    until_pods(http, namespace, lambda items: not items)


def test_a_service_lists_its_pods(http: "Http", namespace: str) -> None:
    ports = [{"name": "web", "port": 80, "targetPort": "http"}]
    service = {"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": ports}}
    _, made = http.post(CORE.format(namespace) + "/services", service)
    assert made["spec"]["clusterIP"].startswith("10.96.")
    http.post(APPS.format(namespace) + "/replicasets", replica_set("web", 2, template()))
    slices = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
    slices += "?labelSelector=kubernetes.io/service-name%3Dweb"

    def serving(listed: Any) -> list[bool]:
        return [each["conditions"]["ready"] for item in listed["items"] for each in item["endpoints"]]

    found = http.until(slices, lambda listed: serving(listed) == [True, True])
    assert found["items"][0]["ports"] == [{"name": "web", "port": 80, "protocol": "TCP"}]
    name = pods(http, namespace)[0]["metadata"]["name"]
    http.patch(f"{CORE.format(namespace)}/pods/{name}", {"metadata": {"annotations": {"devcluster/unready": "true"}}})
    http.until(slices, lambda listed: sorted(serving(listed)) == [False, True])


def test_evictions_honour_budgets(http: "Http", namespace: str) -> None:
    budgets = f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"
    http.post(
        budgets,
        {"metadata": {"name": "web"}, "spec": {"maxUnavailable": 0, "selector": {"matchLabels": {"app": "web"}}}},
    )
    http.post(APPS.format(namespace) + "/replicasets", replica_set("web", 2, template()))
    http.until(budgets + "/web", lambda obj: obj.get("status", {}).get("currentHealthy") == 2)
    name = pods(http, namespace)[0]["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    path = f"{CORE.format(namespace)}/pods/{name}/eviction"
    code, status = http.post(path, eviction)
    assert (code, status["reason"]) == (429, "TooManyRequests")
    assert status["message"] == "Cannot evict pod as it would violate the pod's disruption budget."
    assert status["details"]["causes"][0]["message"] == (
        "The disruption budget web needs 2 healthy pods and has 2 currently"
    )
    http.patch(budgets + "/web", {"spec": {"maxUnavailable": 1}})
    assert http.post(path, eviction)[0] == 201
    http.until(f"{CORE.format(namespace)}/pods/{name}", lambda obj: obj.get("code") == 404)
