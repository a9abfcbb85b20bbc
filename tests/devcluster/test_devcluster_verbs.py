"""Create, read, update, delete: codes, reasons and messages as a real API server's."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.devcluster.running import Http

MAPS = "/api/v1/namespaces/{}/configmaps"
WIDGETS = "/apis/example.com/v1/namespaces/{}/widgets"
NOTES = "/apis/example.com/v1/notes"


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def widget(name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec}


def test_create_fills_in_the_servers_metadata(http: "Http", namespace: str) -> None:
    code, made = http.post(MAPS.format(namespace), config_map("one", a="1"))
    assert code == 201
    assert made["metadata"]["namespace"] == namespace
    assert {"uid", "creationTimestamp", "resourceVersion", "managedFields"} <= made["metadata"].keys()
    assert "generation" not in made["metadata"]


def test_generate_name_appends_five_characters(http: "Http", namespace: str) -> None:
    obj = config_map("")
    obj["metadata"] = {"generateName": "made-"}
    _, made = http.post(MAPS.format(namespace), obj)
    assert len(made["metadata"]["name"]) == len("made-") + 5


def test_creating_twice_is_a_conflict(http: "Http", namespace: str) -> None:
    http.post(MAPS.format(namespace), config_map("one"))
    code, status = http.post(MAPS.format(namespace), config_map("one"))
    assert (code, status["reason"]) == (409, "AlreadyExists")
    assert status["message"] == 'configmaps "one" already exists'
    assert status["details"] == {"name": "one", "kind": "configmaps"}


def test_what_is_not_there_is_not_found(http: "Http", namespace: str) -> None:
    code, status = http.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/none")
    assert (code, status["reason"]) == (404, "NotFound")
    assert status["message"] == 'deployments.apps "none" not found'
    assert status["details"] == {"name": "none", "group": "apps", "kind": "deployments"}


def test_a_missing_namespace_is_not_found(http: "Http") -> None:
    code, status = http.post(MAPS.format("nowhere"), config_map("one"))
    assert (code, status["message"]) == (404, 'namespaces "nowhere" not found')


@pytest.mark.parametrize("path", ["/api/v9/gadgets", "/apis/none/v1/things", "/nonsense"])
def test_an_unknown_path_is_plain_text(http: "Http", path: str) -> None:
    assert http.get(path) == (404, "404 page not found\n")


def test_a_stale_update_is_a_conflict(http: "Http", namespace: str) -> None:
    _, made = http.post(MAPS.format(namespace), config_map("one", a="1"))
    http.put(MAPS.format(namespace) + "/one", {**made, "data": {"a": "2"}})
    code, status = http.put(MAPS.format(namespace) + "/one", {**made, "data": {"a": "3"}})
    assert (code, status["reason"]) == (409, "Conflict")
    assert status["message"] == (
        'Operation cannot be fulfilled on configmaps "one": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )


def test_an_update_without_resource_version_is_unconditional(http: "Http", namespace: str) -> None:
    http.post(MAPS.format(namespace), config_map("one", a="1"))
    code, new = http.put(MAPS.format(namespace) + "/one", config_map("one", a="2"))
    assert (code, new["data"]) == (200, {"a": "2"})


def test_a_write_that_changes_nothing_keeps_the_resource_version(http: "Http", namespace: str) -> None:
    _, made = http.post(MAPS.format(namespace), config_map("one", a="1"))
    _, same = http.put(MAPS.format(namespace) + "/one", made)
    _, patched = http.patch(MAPS.format(namespace) + "/one", {"data": {"a": "1"}})
    versions = {obj["metadata"]["resourceVersion"] for obj in (made, same, patched)}
    assert len(versions) == 1


def test_a_stale_resource_version_in_a_patch_is_a_conflict(http: "Http", namespace: str) -> None:
    _, made = http.post(MAPS.format(namespace), config_map("one", a="1"))
    stale = {"metadata": {"resourceVersion": made["metadata"]["resourceVersion"]}, "data": {"a": "2"}}
    assert http.patch(MAPS.format(namespace) + "/one", stale)[0] == 200
    code, status = http.patch(MAPS.format(namespace) + "/one", {**stale, "data": {"a": "3"}})
    assert (code, status["reason"]) == (409, "Conflict")


def test_a_patch_cannot_change_the_uid(http: "Http", namespace: str) -> None:
    http.post(MAPS.format(namespace), config_map("one"))
    code, status = http.patch(MAPS.format(namespace) + "/one", {"metadata": {"uid": "other"}, "data": {"a": "1"}})
    assert (code, status["reason"]) == (422, "Invalid")
    assert "metadata.uid" in status["message"]


def test_dry_run_stores_nothing(http: "Http", namespace: str) -> None:
    path = MAPS.format(namespace)
    assert http.post(path + "?dryRun=All", config_map("one"))[0] == 201
    assert http.get(path + "/one")[0] == 404
    http.post(path, config_map("one", a="1"))
    _, shown = http.patch(path + "/one?dryRun=All", {"data": {"a": "2"}})
    assert shown["data"] == {"a": "2"}
    assert http.get(path + "/one")[1]["data"] == {"a": "1"}
    assert http.delete(path + "/one?dryRun=All")[0] == 200
    assert http.get(path + "/one")[0] == 200


def test_delete_answers_a_status_and_checks_preconditions(http: "Http", namespace: str) -> None:
    path = MAPS.format(namespace) + "/one"
    _, made = http.post(MAPS.format(namespace), config_map("one"))
    code, _ = http.delete(path, {"preconditions": {"uid": "other"}})
    assert code == 409
    code, status = http.delete(path, {"preconditions": {"uid": made["metadata"]["uid"]}})
    assert (code, status["status"]) == (200, "Success")
    assert status["details"] == {"name": "one", "kind": "configmaps", "uid": made["metadata"]["uid"]}


def test_finalizers_hold_an_object_back(http: "Http", namespace: str) -> None:
    path = MAPS.format(namespace) + "/one"
    obj = config_map("one")
    obj["metadata"]["finalizers"] = ["example.com/hold"]
    http.post(MAPS.format(namespace), obj)
    code, held = http.delete(path)
    assert (code, "deletionTimestamp" in held["metadata"]) == (200, True)
    code, status = http.patch(path, {"metadata": {"finalizers": ["example.com/hold", "example.com/more"]}})
    assert code == 422
    assert "no new finalizers can be added if the object is being deleted" in status["message"]
    assert http.patch(path, {"metadata": {"finalizers": None}})[0] == 200
    assert http.get(path)[0] == 404


def test_deletecollection_honours_selectors(http: "Http", namespace: str) -> None:
    for name in ("a", "b", "c"):
        obj = config_map(name)
        obj["metadata"]["labels"] = {"keep": str(name == "c").lower()}
        http.post(MAPS.format(namespace), obj)
    http.delete(MAPS.format(namespace) + "?labelSelector=keep%3Dfalse")
    _, left = http.get(MAPS.format(namespace))
    assert [each["metadata"]["name"] for each in left["items"]] == ["c"]


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("labelSelector=tier%3Da", ["one"]),
        ("labelSelector=tier%21%3Da", ["three", "two"]),
        ("labelSelector=tier+in+(a,b)", ["one", "two"]),
        ("labelSelector=tier+notin+(a)", ["three", "two"]),
        ("labelSelector=tier", ["one", "two"]),
        ("labelSelector=%21tier", ["three"]),
        ("fieldSelector=metadata.name%3Dtwo", ["two"]),
        ("fieldSelector=metadata.name%21%3Dtwo&labelSelector=tier", ["one"]),
    ],
)
def test_selectors(http: "Http", namespace: str, selector: str, names: list[str]) -> None:
    for name, tier in (("one", "a"), ("two", "b"), ("three", None)):
        obj = config_map(name)
        obj["metadata"]["labels"] = {"mine": "yes"} | ({"tier": tier} if tier else {})
        http.post(MAPS.format(namespace), obj)
    _, found = http.get(f"{MAPS.format(namespace)}?{selector}")
    assert [each["metadata"]["name"] for each in found["items"]] == names


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("fieldSelector=spec.nothing%3D1", '"spec.nothing" is not a known field selector'),
        ("labelSelector=a+b", "unable to parse requirement"),
        ("resourceVersion=abc", "resourceVersion: Invalid value"),
        ("watch=perhaps", "strconv.ParseBool"),
        ("continue=!!", "continue key is not valid"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(http: "Http", namespace: str, query: str, message: str) -> None:
    code, status = http.get(f"{MAPS.format(namespace)}?{query}")
    assert (code, status["reason"]) == (400, "BadRequest")
    assert message in status["message"]


def test_lists_come_in_pieces_of_one_state(http: "Http", namespace: str) -> None:
    path = MAPS.format(namespace)
    for name in ("a", "b", "c"):
        http.post(path, config_map(name))
    _, first = http.get(path + "?limit=2")
    assert [each["metadata"]["name"] for each in first["items"]] == ["a", "b"]
    assert first["metadata"]["remainingItemCount"] == 1
    http.delete(path + "/c")
    _, rest = http.get(f"{path}?limit=2&continue={first['metadata']['continue']}")
    assert [each["metadata"]["name"] for each in rest["items"]] == ["c"]
    assert rest["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    http.post("/devcluster/compact", None)
    code, status = http.get(f"{path}?continue={first['metadata']['continue']}")
    assert (code, status["reason"]) == (410, "Expired")


def test_lists_at_a_resource_version(http: "Http", namespace: str) -> None:
    path = MAPS.format(namespace)
    _, one = http.post(path, config_map("one"))
    then = one["metadata"]["resourceVersion"]
    http.post(path, config_map("two"))
    _, exact = http.get(f"{path}?resourceVersion={then}&resourceVersionMatch=Exact")
    assert [each["metadata"]["name"] for each in exact["items"]] == ["one"]
    _, newer = http.get(f"{path}?resourceVersion={then}&resourceVersionMatch=NotOlderThan")
    assert len(newer["items"]) == 2
    code, status = http.get(f"{path}?resourceVersion=999999999")
    assert (code, status["reason"]) == (504, "Timeout")
    assert status["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


@pytest.mark.parametrize(
    ("metadata", "field", "text"),
    [
        ({"name": "Bad_Name"}, "metadata.name", "a lowercase RFC 1123 subdomain must consist of"),
        ({"name": "a" * 254}, "metadata.name", "must be no more than 253 characters"),
        ({"name": "ok", "labels": {"a": "b" * 64}}, "metadata.labels", "must be no more than 63 characters"),
        ({"name": "ok", "labels": {"-": "b"}}, "metadata.labels", "name part must consist of"),
        ({}, "metadata.name", "name or generateName is required"),
    ],
)
def test_names_and_labels(http: "Http", namespace: str, metadata: Any, field: str, text: str) -> None:
    code, status = http.post(MAPS.format(namespace), {"metadata": metadata})
    assert (code, status["reason"]) == (422, "Invalid")
    assert status["details"]["causes"][0]["field"] == field
    assert text in status["message"]


def test_an_identity_that_is_not_the_paths_is_refused(http: "Http", namespace: str) -> None:
    path = MAPS.format(namespace)
    obj = config_map("one")
    obj["metadata"]["namespace"] = "other"
    assert http.post(path, obj)[1]["message"] == (
        "the namespace of the provided object does not match the namespace sent on the request"
    )
    http.post(path, config_map("one"))
    assert http.put(path + "/one", config_map("two"))[1]["message"] == (
        "the name of the object (two) does not match the name on the URL (one)"
    )
    assert http.post(path, {**config_map("one"), "kind": "Secret"})[0] == 400


def test_bodies_of_other_formats(http: "Http", namespace: str) -> None:
    path = MAPS.format(namespace)
    assert http.send("POST", path, b"{", "application/json")[0] == 400
    code, status = http.send("POST", path, b"k8s", "application/vnd.kubernetes.protobuf")
    assert (code, status["reason"]) == (415, "UnsupportedMediaType")
    code, _ = http.send("POST", path, b"metadata: {name: from-yaml}", "application/yaml")
    assert code == 201
    code, _ = http.send("GET", path, accept="application/vnd.kubernetes.protobuf")
    assert code == 406
    code, _ = http.send("GET", path, accept="application/vnd.kubernetes.protobuf,application/json")
    assert code == 200


def test_the_status_subresource_keeps_both_halves_apart(http: "Http", namespace: str) -> None:
    path = WIDGETS.format(namespace) + "/one"
    _, made = http.post(WIDGETS.format(namespace), {**widget("one", replicas=2), "status": {"phase": "Wrong"}})
    assert "status" not in made
    _, ready = http.patch(path + "/status", {"status": {"phase": "Ready"}, "spec": {"replicas": 9}})
    assert (ready["status"], ready["spec"]["replicas"]) == ({"phase": "Ready"}, 2)
    assert ready["metadata"]["generation"] == 1
    _, grown = http.patch(path, {"status": {"phase": "Other"}, "spec": {"replicas": 3}})
    assert (grown["status"], grown["metadata"]["generation"]) == ({"phase": "Ready"}, 2)
    _, labelled = http.patch(path, {"metadata": {"labels": {"a": "b"}}})
    assert labelled["metadata"]["generation"] == 2
    assert http.get(path + "/status")[1]["status"] == {"phase": "Ready"}


def test_without_the_subresource_status_is_a_field_like_others(http: "Http") -> None:
    _, made = http.post(NOTES, {"metadata": {"name": "n"}, "status": {"seen": True}})
    assert made["status"] == {"seen": True}
    _, changed = http.patch(NOTES + "/n", {"status": {"seen": False}})
    assert (changed["status"], changed["metadata"]["generation"]) == ({"seen": False}, 2)
    assert http.patch(NOTES + "/n/status", {"status": {}})[0] == 404


def test_scale(http: "Http", namespace: str) -> None:
    path = WIDGETS.format(namespace) + "/one"
    http.post(WIDGETS.format(namespace), widget("one", replicas=2))
    http.patch(path + "/status", {"status": {"replicas": 1, "selector": "app=one"}})
    _, scale = http.get(path + "/scale")
    assert scale["kind"] == "Scale"
    assert (scale["spec"], scale["status"]) == ({"replicas": 2}, {"replicas": 1, "selector": "app=one"})
    code, scale = http.put(path + "/scale", {**scale, "spec": {"replicas": 5}})
    assert (code, scale["spec"]) == (200, {"replicas": 5})
    assert http.get(path)[1]["metadata"]["generation"] == 2
    code, status = http.patch(path + "/scale", {"spec": {"replicas": -1}})
    assert (code, status["message"]) == (
        422,
        'Scale.autoscaling "one" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    )
    stale = {"metadata": {"name": "one", "resourceVersion": "1"}, "spec": {"replicas": 7}}
    assert http.patch(path + "/scale", stale)[0] == 409


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/v1/namespaces/default/pods/none/log"), ("PUT", "/api/v1/namespaces/default/pods/none/status")],
)
def test_subresources_of_nothing_are_not_found(http: "Http", method: str, path: str) -> None:
    assert http.send(method, path, {"metadata": {"name": "none"}})[0] == 404


def test_what_is_not_served_says_so(http: "Http", namespace: str) -> None:
    http.post(MAPS.format(namespace), config_map("one"))
    code, status = http.send("POST", MAPS.format(namespace) + "/one/exec", {})
    assert (code, status["reason"]) == (501, "NotImplemented")
    assert status["message"] == "the dev cluster does not serve the subresource exec of configmaps"
    code, status = http.send("POST", "/api/v1/configmaps", config_map("x"))
    assert (code, status["reason"]) == (405, "MethodNotAllowed")


def test_health_and_version(http: "Http") -> None:
    assert [http.get(path) for path in ("/healthz", "/readyz", "/livez")] == [(200, "ok")] * 3
    assert http.get("/version")[1]["gitVersion"].endswith("-devcluster")
