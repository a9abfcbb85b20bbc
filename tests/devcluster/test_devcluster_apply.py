"""Server-side apply: who owns which field, and what becomes of it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.devcluster.running import Http

WIDGETS = "/apis/example.com/v1/namespaces/{}/widgets"


def apply(http: "Http", namespace: str, spec: Any, manager: str, query: str = "", **metadata: Any) -> tuple[int, Any]:
    body = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "one", **metadata}, "spec": spec}
    path = f"{WIDGETS.format(namespace)}/one?fieldManager={manager}{query}"
    return http.patch(path, body, "apply-patch+yaml")


def owned(obj: Any) -> dict[str, Any]:
    return {entry["manager"]: entry["fieldsV1"] for entry in obj["metadata"]["managedFields"]}


def test_applying_creates_and_owns_what_was_written(http: "Http", namespace: str) -> None:
    code, made = apply(http, namespace, {"colour": "red", "parts": [{"name": "a", "size": 1}]}, "me")
    assert code == 201
    assert made["spec"]["replicas"] == 1  # by default, owned by nobody
    fields: Any = {"f:colour": {}, "f:parts": {'k:{"name":"a"}': {".": {}, "f:name": {}, "f:size": {}}}}
    assert owned(made) == {"me": {"f:spec": fields}}
    assert made["metadata"]["managedFields"][0]["operation"] == "Apply"


def test_applying_the_same_again_changes_nothing(http: "Http", namespace: str) -> None:
    _, made = apply(http, namespace, {"colour": "red"}, "me")
    code, again = apply(http, namespace, {"colour": "red"}, "me")
    assert (code, again["metadata"]) == (200, made["metadata"])


def test_what_is_no_longer_applied_is_removed(http: "Http", namespace: str) -> None:
    apply(http, namespace, {"colour": "red", "note": "x", "parts": [{"name": "a"}, {"name": "b"}]}, "me")
    _, after = apply(http, namespace, {"colour": "red", "parts": [{"name": "b"}]}, "me")
    assert after["spec"] == {"colour": "red", "replicas": 1, "parts": [{"name": "b", "unit": "mm"}]}


def test_what_somebody_else_applies_too_stays(http: "Http", namespace: str) -> None:
    apply(http, namespace, {"colour": "red", "note": "x"}, "me")
    apply(http, namespace, {"note": "x"}, "you")
    _, after = apply(http, namespace, {"colour": "red"}, "me")
    assert after["spec"]["note"] == "x"


def test_conflicts_name_the_manager_and_the_field(http: "Http", namespace: str) -> None:
    apply(http, namespace, {"colour": "red"}, "me")
    code, status = apply(http, namespace, {"colour": "blue"}, "you")
    assert (code, status["reason"]) == (409, "Conflict")
    assert status["message"] == 'Apply failed with 1 conflict: conflict with "me": .spec.colour'
    assert status["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "me"', "field": ".spec.colour"}
    ]
    code, after = apply(http, namespace, {"colour": "blue"}, "you", "&force=true")
    assert (code, after["spec"]["colour"]) == (200, "blue")
    assert owned(after) == {"you": {"f:spec": {"f:colour": {}}}}


def test_plain_writes_own_what_they_change(http: "Http", namespace: str) -> None:
    apply(http, namespace, {"replicas": 2}, "me")
    http.patch(f"{WIDGETS.format(namespace)}/one?fieldManager=writer", {"spec": {"replicas": 3}})
    code, status = apply(http, namespace, {"replicas": 2}, "me")
    assert code == 409
    assert 'conflict with "writer" using example.com/v1: .spec.replicas' in status["message"]


def test_items_of_keyed_lists_have_owners_of_their_own(http: "Http", namespace: str) -> None:
    apply(http, namespace, {"parts": [{"name": "a", "size": 1}]}, "me")
    code, after = apply(http, namespace, {"parts": [{"name": "b", "size": 2}]}, "you")
    assert code == 200
    assert [part["name"] for part in after["spec"]["parts"]] == ["a", "b"]
    code, status = apply(http, namespace, {"parts": [{"name": "a", "size": 7}]}, "you")
    assert code == 409
    assert '.spec.parts[name="a"].size' in status["message"]


def test_status_is_applied_apart(http: "Http", namespace: str) -> None:
    apply(http, namespace, {"colour": "red"}, "me")
    body = {"apiVersion": "example.com/v1", "kind": "Widget", "status": {"phase": "Up"}, "spec": {"colour": "blue"}}
    path = f"{WIDGETS.format(namespace)}/one/status?fieldManager=me"
    code, after = http.patch(path, body, "apply-patch+yaml")
    assert (code, after["status"], after["spec"]["colour"]) == (200, {"phase": "Up"}, "red")
    entries = {entry.get("subresource", ""): entry["fieldsV1"] for entry in after["metadata"]["managedFields"]}
    assert entries == {"": {"f:spec": {"f:colour": {}}}, "status": {"f:status": {"f:phase": {}}}}


def test_dry_run_and_bad_requests(http: "Http", namespace: str) -> None:
    assert apply(http, namespace, {}, "me", "&dryRun=All")[0] == 201
    assert http.get(f"{WIDGETS.format(namespace)}/one")[0] == 404
    code, status = apply(http, namespace, {}, "")
    assert (code, status["message"]) == (
        422,
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    )
    code, status = apply(http, namespace, {"colr": "red"}, "me")
    assert code == 500
    assert ".spec.colr: field not declared in schema" in status["message"]
    code, status = apply(http, namespace, {}, "me", managedFields=[{"manager": "x"}])
    assert (code, status["message"]) == (400, "metadata.managedFields must be nil")


def test_yaml_is_read(http: "Http", namespace: str) -> None:
    body = b"apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: one}\nspec: {colour: red}\n"
    code, _ = http.patch(f"{WIDGETS.format(namespace)}/one?fieldManager=me", body, "apply-patch+yaml")
    assert code == 201
