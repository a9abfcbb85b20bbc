"""The definitions hold exactly the API's fields, and an API server would accept them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollouts.api import crds, meta, names
from rollouts.devcluster.schema import Validator
from rollouts.devcluster.structure import Walk, kept

FIELDS = Path(__file__).with_name("fields.tsv")
LARGEST_ANNOTATION = 256 * 1024
STRINGS = {"type": "object", "additionalProperties": {"type": "string"}}
NAMED = (
    ("LabelSelector", meta.LABEL_SELECTOR_SCHEMA),
    ("PodTemplateSpec", meta.POD_TEMPLATE_SCHEMA),
    ("map[string]string", STRINGS),
)
KINDS = [kind.name for kind in names.KINDS]

Row = tuple[str, str, str, str]


def rows(schema: dict[str, Any], path: str, *, required: bool) -> Iterator[Row]:
    """Yield path, type, required and the rest for every leaf below `schema`, in the notation of fields.tsv."""
    need = "y" if required else "n"
    bare = {key: value for key, value in schema.items() if key not in ("description", "x-kubernetes-validations")}
    for name, shape in NAMED:
        if bare == shape:
            yield path, name, need, extra(schema)
            return
    match schema.get("type"):
        case "array":
            yield from rows(schema["items"], f"{path}[]", required=required)
        case "object" if "additionalProperties" in schema:
            yield from rows(schema["additionalProperties"], f"{path}.{{}}", required=required)
        case "object" if "properties" in schema:
            for name, part in schema["properties"].items():
                yield from rows(part, f"{path}.{name}", required=name in schema.get("required", ()))
        case kind:
            yield path, kind or ("int-or-string" if "anyOf" in schema else "number-or-string"), need, extra(schema)


def extra(schema: dict[str, Any]) -> str:
    found = []
    if "format" in schema:
        found.append(f"format={schema['format']}")
    if "enum" in schema:
        found.append("enum=" + "|".join(schema["enum"]))
    if "default" in schema:
        found.append(f"default={json.dumps(schema['default'])}")
    found += [f"cel={rule['rule']}" for rule in schema.get("x-kubernetes-validations", ())]
    if schema.get("x-kubernetes-preserve-unknown-fields") and "properties" not in schema:
        found.append("preserve-unknown")
    return ";".join(found)


def expected(kind: str) -> set[Row]:
    lines = (line.split("\t") for line in FIELDS.read_text().splitlines() if not line.startswith("#"))
    return {(path, type_, need, more) for name, path, type_, need, more in lines if name == kind}


def known(row: Row) -> Row:
    path, type_, need, more = row
    if path.endswith(".job.spec"):
        return path, "JobSpec", need, ""
    return path, type_, need, more


@pytest.mark.parametrize("kind", KINDS)
def test_no_field_is_missing_and_none_is_extra(kind: str) -> None:
    parts = crds.object_schema(kind)["properties"]
    found = {
        known(row) for part in ("spec", "status") if part in parts for row in rows(parts[part], part, required=True)
    }
    assert found == expected(kind)


def walk(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from walk(schema[key], f"{path}/{key}")
    for name, part in schema.get("properties", {}).items():
        yield from walk(part, f"{path}.{name}")


def is_number(path: str) -> bool:
    """Whether a field takes 0.005 as well as a text: a definition can't say that but by leaving it open."""
    return path.endswith((".judge.margin", ".judge.ratio", ".judge.alpha"))


ALLOWED = {
    "description", "type", "format", "enum", "default", "required", "properties", "items", "additionalProperties",
    "anyOf", "x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-validations",
    "x-kubernetes-map-type", "x-kubernetes-list-type",
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_schemas_are_structural(kind: str) -> None:
    for path, schema in walk(crds.object_schema(kind), kind):
        assert set(schema) <= ALLOWED, path
        if schema.get("x-kubernetes-int-or-string"):
            assert schema["anyOf"] == [{"type": "integer"}, {"type": "string"}], path
            assert "type" not in schema, path
        elif is_number(path):
            assert set(schema) == {"description", "x-kubernetes-preserve-unknown-fields"}, path
        else:
            assert schema["type"] in {"object", "array", "string", "integer", "boolean"}, path
            assert "anyOf" not in schema, path
        assert not {"properties", "additionalProperties"} <= set(schema), path
        assert (schema.get("type") == "array") == ("items" in schema), path
        assert set(schema.get("required", ())) <= set(schema.get("properties", {})), path


def unsound(schema: dict[str, Any], path: str) -> list[str]:
    """Return the defaults that an API server would refuse with their definition: bad ones, or with unknown fields."""
    defaults = [(where, part, part["default"]) for where, part in walk(schema, path) if "default" in part]
    return [
        where
        for where, part, value in defaults
        if Validator(part).causes(value) or kept(part, value, Walk(fills_defaults=False)) != value
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_satisfy_their_own_schemas(kind: str) -> None:
    assert unsound(crds.object_schema(kind), kind) == []


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "enum": ["a", "b"], "default": "c"},
        {"type": "integer", "default": "1"},
        {"type": "string", "default": None},
        {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}, "default": {}},
        {"type": "object", "properties": {"a": {"type": "string"}}, "default": {"b": "c"}},
    ],
)
def test_a_default_that_an_api_server_would_refuse_is_found(schema: dict[str, Any]) -> None:
    assert unsound({"type": "object", "properties": {"field": schema}}, "Kind") == ["Kind.field"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_explained(kind: str) -> None:
    for path, schema in walk(crds.object_schema(kind), kind):
        for name, part in schema.get("properties", {}).items():
            if (path, name) != (kind, "metadata"):
                assert part.get("description", "").endswith("."), f"{path}.{name}"


OPEN = {
    "template", "template.metadata", "template.spec", "job.spec", "plugin", "plugins", "plugin.config", "web.jsonBody",
    "stepPluginStatuses/items.status", "judge.source", "routedBy/items.spec",
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_is_not_ours_is_open_ended(kind: str) -> None:
    for path, schema in walk(crds.object_schema(kind), kind):
        if schema.get("x-kubernetes-preserve-unknown-fields") and not is_number(path):
            assert any(path.endswith(f".{end}") for end in OPEN), path


@pytest.mark.parametrize("definition", crds.custom_resource_definitions(), ids=KINDS)
def test_the_definitions_can_be_applied_by_a_client(definition: dict[str, Any]) -> None:
    # kubectl apply keeps the whole object in an annotation, whose size the API server limits.
    assert len(json.dumps(definition, separators=(",", ":"))) < LARGEST_ANNOTATION


def version(kind: str) -> dict[str, Any]:
    definitions = {each["spec"]["names"]["kind"]: each for each in crds.custom_resource_definitions()}
    found: dict[str, Any] = definitions[kind]["spec"]["versions"][0]
    return found


def test_the_rollout_scales_and_has_a_status_of_its_own() -> None:
    assert version("Rollout")["subresources"] == {
        "status": {},
        "scale": {
            "specReplicasPath": ".spec.replicas",
            "statusReplicasPath": ".status.HPAReplicas",
            "labelSelectorPath": ".status.selector",
        },
    }


@pytest.mark.parametrize(
    ("kind", "subresources"),
    [("AnalysisRun", None), ("AnalysisTemplate", None), ("ClusterAnalysisTemplate", None), ("Experiment", {})],
)
def test_the_status_of_the_others_is_part_of_the_object(kind: str, subresources: dict[str, Any] | None) -> None:
    assert version(kind).get("subresources") == subresources


@pytest.mark.parametrize(
    ("kind", "columns"),
    [
        (
            "Rollout",
            {
                "Desired": ".spec.replicas",
                "Current": ".status.replicas",
                "Up-to-date": ".status.updatedReplicas",
                "Available": ".status.availableReplicas",
                "Age": ".metadata.creationTimestamp",
            },
        ),
        ("AnalysisRun", {"Status": ".status.phase", "Age": ".metadata.creationTimestamp"}),
        ("AnalysisTemplate", {"Age": ".metadata.creationTimestamp"}),
        ("ClusterAnalysisTemplate", {"Age": ".metadata.creationTimestamp"}),
        ("Experiment", {"Status": ".status.phase", "Age": ".metadata.creationTimestamp"}),
    ],
)
def test_tables_have_the_known_columns(kind: str, columns: dict[str, str]) -> None:
    found = version(kind)["additionalPrinterColumns"]
    assert {column["name"]: column["jsonPath"] for column in found} == columns


def test_names_and_scopes_are_the_known_ones() -> None:
    found = {
        each["metadata"]["name"]: (each["spec"]["names"]["shortNames"], each["spec"]["scope"])
        for each in crds.custom_resource_definitions()
    }
    assert found == {
        "rollouts.argoproj.io": (["ro"], "Namespaced"),
        "analysistemplates.argoproj.io": (["at"], "Namespaced"),
        "clusteranalysistemplates.argoproj.io": (["cat"], "Cluster"),
        "analysisruns.argoproj.io": (["ar"], "Namespaced"),
        "experiments.argoproj.io": (["exp"], "Namespaced"),
    }


def test_the_files_read_back_as_the_definitions() -> None:
    files = crds.manifests()
    texts = [text for name, text in files.items() if name != crds.KUSTOMIZATION]
    assert tuple(yaml.load(text, yaml.CSafeLoader) for text in texts) == crds.custom_resource_definitions()
    assert all(text.startswith(crds.HEADER) for text in files.values())
