"""Patches of the four types: what an object becomes."""

from typing import TYPE_CHECKING, Any

import pytest

from rollouts.api.merging import merged
from rollouts.devcluster.builtin import kind_schema
from rollouts.devcluster.patches import strategic_patched

if TYPE_CHECKING:
    from tests.devcluster.running import Http

DEPLOYMENT = kind_schema("Deployment")
MAPS = "/api/v1/namespaces/{}/configmaps"


def with_containers(*containers: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": list(containers)}}}}


def containers(patch: Any, *before: dict[str, Any]) -> Any:
    result = strategic_patched(DEPLOYMENT, with_containers(*before), patch)
    return result["spec"]["template"]["spec"]["containers"]


WEB, SIDE = {"name": "web", "image": "a:1"}, {"name": "side", "image": "b:1"}


@pytest.mark.parametrize(
    ("what", "patch", "after"),
    [
        ("an item is merged by name", [{"name": "web", "image": "a:2"}], [{"name": "web", "image": "a:2"}, SIDE]),
        ("a further item is added", [{"name": "more", "image": "c"}], [WEB, SIDE, {"name": "more", "image": "c"}]),
        ("an item is deleted", [{"name": "web", "$patch": "delete"}], [SIDE]),
        ("deleting what isn't there is nothing", [{"name": "none", "$patch": "delete"}], [WEB, SIDE]),
        (
            "the list is replaced",
            [{"$patch": "replace"}, {"name": "new", "image": "c"}],
            [{"name": "new", "image": "c"}],
        ),
        ("null removes a field", [{"name": "web", "image": None}], [{"name": "web"}, SIDE]),
    ],
)
def test_lists_of_maps_are_merged_by_key(what: str, patch: Any, after: Any) -> None:
    assert containers(with_containers(*patch), WEB, SIDE) == after, what


def test_nested_lists_are_merged_by_their_own_keys() -> None:
    before = {"name": "web", "env": [{"name": "A", "value": "1"}], "ports": [{"containerPort": 80}], "args": ["a", "b"]}
    patch = {
        "name": "web",
        "env": [{"name": "B", "value": "2"}],
        "ports": [{"containerPort": 80, "name": "http"}],
        "args": ["c"],
        "volumeMounts": [{"mountPath": "/x", "name": "v"}],
    }
    assert containers(with_containers(patch), before) == [
        {
            "name": "web",
            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
            "ports": [{"containerPort": 80, "name": "http"}],
            "args": ["c"],
            "volumeMounts": [{"mountPath": "/x", "name": "v"}],
        }
    ]


def test_set_element_order_arranges_the_items() -> None:
    patch = {"spec": {"template": {"spec": {"$setElementOrder/containers": [{"name": "side"}, {"name": "web"}]}}}}
    assert containers(patch, WEB, SIDE) == [SIDE, WEB]


def test_retain_keys_drops_the_rest() -> None:
    before = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert strategic_patched(DEPLOYMENT, before, patch) == {"spec": {"strategy": {"type": "Recreate"}}}


def test_map_directives() -> None:
    before = {"metadata": {"labels": {"a": "1", "b": "2"}}}
    replaced = {"metadata": {"labels": {"$patch": "replace", "c": "3"}}}
    assert strategic_patched(DEPLOYMENT, before, replaced) == {"metadata": {"labels": {"c": "3"}}}
    deleted = {"metadata": {"labels": {"$patch": "delete"}}}
    assert strategic_patched(DEPLOYMENT, before, deleted) == {"metadata": {"labels": {}}}


def test_finalizers_are_a_set() -> None:
    before = {"metadata": {"finalizers": ["a"]}}
    added = strategic_patched(DEPLOYMENT, before, {"metadata": {"finalizers": ["b", "a"]}})
    assert added["metadata"]["finalizers"] == ["a", "b"]
    gone = strategic_patched(DEPLOYMENT, added, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}})
    assert gone["metadata"]["finalizers"] == ["b"]


@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [
        ({"a": 1, "b": {"c": 1, "d": 2}}, {"b": {"c": None}}, {"a": 1, "b": {"d": 2}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": "x"}, {"a": {"b": None, "c": 1}}, {"a": {"c": 1}}),
        ({}, {"a": {"b": {}}}, {"a": {"b": {}}}),
    ],
)
def test_merge_patches(before: Any, patch: Any, after: Any) -> None:
    assert merged(before, patch) == after


def test_json_patches(http: "Http", namespace: str) -> None:
    path = MAPS.format(namespace) + "/one"
    http.post(MAPS.format(namespace), {"metadata": {"name": "one"}, "data": {"a": "1"}})
    grown = [{"op": "test", "path": "/data/a", "value": "1"}, {"op": "add", "path": "/data/b", "value": "2"}]
    assert http.patch(path, grown, "json-patch+json")[1]["data"] == {"a": "1", "b": "2"}
    for operation in (
        {"op": "test", "path": "/data/a", "value": "9"},
        {"op": "remove", "path": "/data/none"},
        {"op": "replace", "path": "/none/at/all", "value": 1},
    ):
        code, status = http.patch(path, [operation], "json-patch+json")
        assert (code, status["reason"]) == (422, "Invalid")
        assert status["message"] == "the server rejected our request due to an error in our request"
    assert http.patch(path, {"op": "add"}, "json-patch+json")[0] == 400
    assert http.patch(path, [{"op": "fly", "path": "/data"}], "json-patch+json")[0] == 400


def test_what_is_no_patch_is_refused(http: "Http", namespace: str) -> None:
    path = MAPS.format(namespace) + "/one"
    http.post(MAPS.format(namespace), {"metadata": {"name": "one"}})
    assert http.patch(path, b"{", "merge-patch+json")[0] == 400
    assert http.patch(path, [1], "merge-patch+json")[0] == 400
    code, status = http.send("PATCH", path, {}, "application/json")
    assert (code, status["reason"]) == (415, "UnsupportedMediaType")
    assert http.patch(MAPS.format(namespace) + "/none", {"data": {}})[0] == 404


def test_custom_resources_have_no_strategic_merge(http: "Http", namespace: str) -> None:
    path = f"/apis/example.com/v1/namespaces/{namespace}/widgets"
    http.post(path, {"metadata": {"name": "one"}, "spec": {}})
    code, status = http.patch(path + "/one", {"spec": {"replicas": 2}}, "strategic-merge-patch+json")
    assert code == 415
    assert "application/apply-patch+yaml" in status["message"]
