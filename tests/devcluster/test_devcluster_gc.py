"""Garbage collection: what goes with its owner, what stays, and what a namespace takes along."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.devcluster.running import Http

MAPS = "/api/v1/namespaces/{}/configmaps"


def owner(http: "Http", namespace: str, name: str = "owner") -> Any:
    return http.post(MAPS.format(namespace), {"metadata": {"name": name}})[1]


def dependent(http: "Http", namespace: str, *owners: Any, **metadata: Any) -> str:
    refs = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": each["metadata"]["name"],
            "uid": each["metadata"]["uid"],
            "blockOwnerDeletion": True,
        }
        for each in owners
    ]
    http.post(MAPS.format(namespace), {"metadata": {"name": "child", "ownerReferences": refs, **metadata}})
    return MAPS.format(namespace) + "/child"


def gone(obj: Any) -> bool:
    return bool(obj.get("code") == 404)


def test_in_the_background_the_owner_goes_first(http: "Http", namespace: str) -> None:
    child = dependent(http, namespace, owner(http, namespace))
    http.delete(MAPS.format(namespace) + "/owner", {"propagationPolicy": "Background"})
    assert http.get(MAPS.format(namespace) + "/owner")[0] == 404
    http.until(child, gone)


def test_in_the_foreground_the_owner_goes_last(http: "Http", namespace: str) -> None:
    parent = MAPS.format(namespace) + "/owner"
    child = dependent(http, namespace, owner(http, namespace), finalizers=["example.com/hold"])
    _, held = http.delete(parent, {"propagationPolicy": "Foreground"})
    assert held["metadata"]["finalizers"] == ["foregroundDeletion"]
    http.until(child, lambda obj: "deletionTimestamp" in obj["metadata"])
    assert http.get(parent)[0] == 200
    http.patch(child, {"metadata": {"finalizers": None}})
    http.until(parent, gone)
    assert http.get(child)[0] == 404


def test_orphans_stay(http: "Http", namespace: str) -> None:
    child = dependent(http, namespace, owner(http, namespace))
    http.delete(MAPS.format(namespace) + "/owner?propagationPolicy=Orphan")
    http.until(MAPS.format(namespace) + "/owner", gone)
    assert "ownerReferences" not in http.get(child)[1]["metadata"]


def test_one_owner_left_keeps_the_dependent(http: "Http", namespace: str) -> None:
    one, two = owner(http, namespace, "one"), owner(http, namespace, "two")
    child = dependent(http, namespace, one, two)
    http.delete(MAPS.format(namespace) + "/one")
    left = http.until(child, lambda obj: len(obj["metadata"]["ownerReferences"]) == 1)
    assert left["metadata"]["ownerReferences"][0]["name"] == "two"


def test_an_owner_that_never_was_takes_the_dependent_along(http: "Http", namespace: str) -> None:
    child = dependent(http, namespace, {"metadata": {"name": "never", "uid": "00000000-0000-0000-0000-000000000000"}})
    http.until(child, gone)


def test_a_namespace_is_emptied_before_it_goes(http: "Http", namespace: str) -> None:
    obj = {"metadata": {"name": "held", "finalizers": ["example.com/hold"]}}
    http.post(MAPS.format(namespace), obj)
    owner(http, namespace)
    path = f"/api/v1/namespaces/{namespace}"
    _, ending = http.delete(path)
    assert ending["status"]["phase"] == "Terminating"
    http.until(MAPS.format(namespace) + "/owner", gone)
    code, status = http.post(MAPS.format(namespace), {"metadata": {"name": "late"}})
    assert (code, status["reason"]) == (403, "Forbidden")
    assert f"unable to create new content in namespace {namespace} because it is being terminated" in status["message"]
    http.patch(MAPS.format(namespace) + "/held", {"metadata": {"finalizers": None}})
    http.until(path, gone)


@pytest.mark.parametrize("name", ["default", "kube-system"])
def test_the_usual_namespaces_exist(http: "Http", name: str) -> None:
    _, found = http.get(f"/api/v1/namespaces/{name}")
    assert found["metadata"]["labels"] == {"kubernetes.io/metadata.name": name}
    assert found["status"] == {"phase": "Active"}
