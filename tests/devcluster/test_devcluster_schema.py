"""Custom resource definitions: what their schemas refuse, prune and fill in; built-in kinds' own rules."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.devcluster.running import Http

WIDGETS = "/apis/example.com/v1/namespaces/{}/widgets"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def create(http: "Http", namespace: str, spec: Any, query: str = "") -> tuple[int, Any]:
    body = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "one"}, "spec": spec}
    return http.post(WIDGETS.format(namespace) + query, body)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"replicas": "two"},
            'spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string"',
        ),
        (
            {"replicas": -1},
            "spec.replicas: Invalid value: -1: spec.replicas in body should be greater than or equal to 0",
        ),
        ({"colour": "green"}, 'spec.colour: Unsupported value: "green": supported values: "red", "blue"'),
        ({"parts": [{}]}, "spec.parts[0].name: Required value"),
        (
            {"step": True},
            'spec.step: Invalid value: "boolean": spec.step in body must be of type integer,string: "boolean"',
        ),
        ([], 'spec: Invalid value: "array": spec in body must be of type object: "array"'),
    ],
)
def test_breaches_are_told_in_the_servers_words(http: "Http", namespace: str, spec: Any, message: str) -> None:
    code, status = create(http, namespace, spec)
    assert (code, status["reason"]) == (422, "Invalid")
    assert status["message"] == f'Widget.example.com "one" is invalid: {message}'
    assert status["details"]["kind"] == "Widget"


def test_several_breaches_come_in_brackets(http: "Http", namespace: str) -> None:
    _, status = create(http, namespace, {"replicas": -1, "colour": "green"})
    assert len(status["details"]["causes"]) == 2
    assert status["message"].startswith('Widget.example.com "one" is invalid: [spec.colour: ')


def test_defaults_and_pruning(http: "Http", namespace: str) -> None:
    spec = {"parts": [{"name": "a", "extra": 1}], "template": {"any": {"thing": 1}}, "unknown": 1, "step": "10%"}
    code, made = create(http, namespace, spec)
    assert (code, made["spec"]) == (
        201,
        {
            "replicas": 1,
            "parts": [{"name": "a", "unit": "mm"}],
            "template": {"any": {"thing": 1}},
            "step": "10%",
        },
    )


def test_nulls(http: "Http", namespace: str) -> None:
    _, made = create(http, namespace, {"note": None, "colour": None, "replicas": None})
    assert made["spec"] == {"note": None, "replicas": 1}


def test_strict_validation_names_unknown_fields(http: "Http", namespace: str) -> None:
    code, status = create(http, namespace, {"colr": 1, "parts": [{"name": "a", "sise": 1}]}, "?fieldValidation=Strict")
    assert (code, status["reason"]) == (400, "BadRequest")
    assert status["message"] == (
        'Widget in version "v1" cannot be handled as a Widget: strict decoding error: '
        'unknown field "spec.colr", unknown field "spec.parts[0].sise"'
    )
    create(http, namespace, {})
    patch = {"spec": {"colr": 1}}
    code, status = http.patch(WIDGETS.format(namespace) + "/one?fieldValidation=Strict", patch)
    assert (code, status["reason"]) == (422, "Invalid")
    assert 'strict decoding error: unknown field "spec.colr"' in status["message"]


def test_an_immutable_field(http: "Http", namespace: str) -> None:
    create(http, namespace, {"serial": "1"})
    path = WIDGETS.format(namespace) + "/one"
    code, status = http.patch(path, {"spec": {"serial": "2"}})
    assert (code, status["message"]) == (
        422,
        'Widget.example.com "one" is invalid: spec.serial: Invalid value: "2": serial is immutable',
    )
    assert http.patch(path, {"spec": {"replicas": 2}})[0] == 200


def definition(name: str = "things", **changes: Any) -> dict[str, Any]:
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    spec = {
        "group": "try.example.com",
        "scope": "Namespaced",
        "names": {"kind": name.title(), "plural": name},
        "versions": [{**version, **changes.pop("version", {})}],
    }
    return {"metadata": {"name": f"{name}.try.example.com"}, "spec": {**spec, **changes}}


def test_a_definition_is_established_at_once_and_removed_with_its_objects(http: "Http", namespace: str) -> None:
    code, made = http.post(DEFINITIONS, definition())
    assert code == 201
    conditions = {each["type"]: each["status"] for each in made["status"]["conditions"]}
    assert conditions == {"NamesAccepted": "True", "Established": "True"}
    path = f"/apis/try.example.com/v1/namespaces/{namespace}/things"
    assert http.post(path, {"metadata": {"name": "a"}})[0] == 201
    http.delete(f"{DEFINITIONS}/things.try.example.com")
    http.until(f"{DEFINITIONS}/things.try.example.com", lambda obj: obj.get("code") == 404)
    assert http.get(path)[0] == 404


@pytest.mark.parametrize(
    ("crd", "code", "text"),
    [
        (definition(scope="World"), 422, 'spec.scope: Unsupported value: "World"'),
        (definition(versions=[]), 422, "spec.versions: Required value"),
        (definition(version={"schema": {}}), 422, "schemas are required"),
        (
            definition(version={"schema": {"openAPIV3Schema": {"type": "object", "properties": {"a": {}}}}}),
            422,
            "properties[a].type: Required value: must not be empty for specified object fields",
        ),
        (
            definition(
                version={
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "x-kubernetes-validations": [{"rule": "self.a < self.b"}],
                        }
                    }
                }
            ),
            501,
            "the CEL rule",
        ),
        (definition(conversion={"strategy": "Webhook"}), 501, "conversion webhooks"),
    ],
)
def test_definitions_that_are_refused(http: "Http", crd: Any, code: int, text: str) -> None:
    found, status = http.post(DEFINITIONS, crd)
    assert found == code
    assert text in status["message"]


def replica_set(**spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "web", "image": "nginx"}]}}
    return {
        "metadata": {"name": "one"},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": template, **spec},
    }


def pods_of(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"labels": {"a": "b"}}, "spec": spec}


@pytest.mark.parametrize(
    ("spec", "field", "text"),
    [
        ({"replicas": -1}, "spec.replicas", "must be greater than or equal to 0"),
        ({"selector": None}, "spec.selector", "Required value"),
        (
            {"selector": {"matchLabels": {"a": "c"}}},
            "spec.template.metadata.labels",
            "`selector` does not match template `labels`",
        ),
        ({"template": pods_of(containers=[])}, "spec.template.spec.containers", "Required value"),
        (
            {"template": pods_of(containers=[{"name": "Web", "image": "x"}])},
            "spec.template.spec.containers[0].name",
            "a lowercase RFC 1123 label must consist of",
        ),
        (
            {"template": pods_of(containers=[{"name": "web"}])},
            "spec.template.spec.containers[0].image",
            "Required value",
        ),
        (
            {"template": pods_of(containers=[{"name": "a", "image": "x"}, {"name": "a", "image": "x"}])},
            "spec.template.spec.containers[1].name",
            'Duplicate value: "a"',
        ),
        (
            {"template": pods_of(containers=[{"name": "a", "image": "x"}], restartPolicy="Never")},
            "spec.template.spec.restartPolicy",
            'Unsupported value: "Never": supported values: "Always"',
        ),
    ],
)
def test_bad_replica_sets(http: "Http", namespace: str, spec: Any, field: str, text: str) -> None:
    code, status = http.post(f"/apis/apps/v1/namespaces/{namespace}/replicasets", replica_set(**spec))
    assert (code, status["reason"]) == (422, "Invalid")
    assert (status["details"]["kind"], status["details"]["group"]) == ("ReplicaSet", "apps")
    assert field in [cause["field"] for cause in status["details"]["causes"]]
    assert text in status["message"]


def test_wrong_types_of_built_in_kinds_are_bad_requests(http: "Http", namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/replicasets"
    code, status = http.post(path, replica_set(replicas="two"))
    assert (code, status["reason"]) == (400, "BadRequest")
    assert status["message"].startswith('ReplicaSet in version "v1" cannot be handled as a ReplicaSet: json: cannot')
    code, status = http.post(path + "?fieldValidation=Strict", replica_set(replica=2))
    assert code == 400
    assert 'strict decoding error: unknown field "spec.replica"' in status["message"]


def test_pod_templates_get_the_servers_defaults(http: "Http", namespace: str) -> None:
    _, made = http.post(f"/apis/apps/v1/namespaces/{namespace}/replicasets", replica_set())
    spec = made["spec"]["template"]["spec"]
    assert spec == {
        "containers": [
            {
                "name": "web",
                "image": "nginx",
                "imagePullPolicy": "Always",
                "resources": {},
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
            }
        ],
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
    }


def test_the_selector_of_a_replica_set_is_immutable(http: "Http", namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/replicasets"
    http.post(path, replica_set())
    patch: Any = {"spec": {"selector": {"matchLabels": {"a": "b", "c": "d"}}}}
    patch["spec"]["template"] = {"metadata": {"labels": {"a": "b", "c": "d"}}}
    code, status = http.patch(path + "/one", patch)
    assert code == 422
    assert "spec.selector: Invalid value" in status["message"]
    assert "field is immutable" in status["message"]
