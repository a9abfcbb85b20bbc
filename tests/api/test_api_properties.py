"""Definitions and models agree: what the schema takes, the models read; what it refuses, they refuse."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from rollouts.api.analysis import parse_analysis_template, parse_cluster_analysis_template
from rollouts.api.analysis_run import parse_analysis_run, parse_analysis_run_status
from rollouts.api.crds import object_schema
from rollouts.api.experiment import parse_experiment, parse_experiment_status
from rollouts.api.rollout import parse_rollout
from rollouts.api.status import parse_status
from rollouts.api.unknown import UnknownField, findings

Parse = Callable[[Any], Any]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.just("text"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)
RUBBISH = st.sampled_from([1.5, True, "text", 7, [], {}, [7], {"a": 7}])
quick = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

PARSERS: dict[str, Parse] = {
    "Rollout": parse_rollout,
    "AnalysisTemplate": parse_analysis_template,
    "ClusterAnalysisTemplate": parse_cluster_analysis_template,
    "AnalysisRun": parse_analysis_run,
    "Experiment": parse_experiment,
}
STATUS_PARSERS: dict[str, Parse] = {
    "Rollout": parse_status,
    "AnalysisRun": parse_analysis_run_status,
    "Experiment": parse_experiment_status,
}


def values(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Draw what the schema takes."""
    match schema.get("type"):
        case "object":
            return objects(schema)
        case "array":
            return st.lists(st.deferred(lambda: values(schema["items"])), max_size=2)
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(-(2**31), 2**31 - 1)
        case "string":
            return texts(schema)
        case _:
            return st.integers(0, 9) | st.sampled_from(["25%", "10m"])


@st.composite
def objects(draw: st.DrawFn, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Draw an object; few of the optional fields are there, so that it stays small."""
    if "additionalProperties" in schema:
        keys = draw(st.lists(st.sampled_from(["a", "example.com/b"]), unique=True))
        return {key: draw(values(schema["additionalProperties"])) for key in keys}
    if "properties" not in schema:
        is_open = schema.get("x-kubernetes-preserve-unknown-fields", False)
        return draw(st.dictionaries(st.sampled_from("ab"), JSON, max_size=2)) if is_open else {}
    required = schema.get("required", ())
    optional = [name for name in schema["properties"] if name not in required]
    some = st.lists(st.sampled_from(optional), max_size=3, unique=True) if optional else st.just([])
    return {name: draw(values(schema["properties"][name])) for name in (*required, *draw(some))}


def texts(schema: Mapping[str, Any]) -> st.SearchStrategy[str]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return st.just("2024-02-29T12:00:00Z") if schema.get("format") == "date-time" else st.sampled_from(["", "text"])


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) in `value`."""
    here = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    return [(value, key) for key, _ in here] + [place for _, part in here for place in places(part)]


@pytest.mark.parametrize("kind", PARSERS)
@quick
@given(data=st.data())
def test_what_the_schema_takes_the_models_read(kind: str, data: st.DataObject) -> None:
    obj = {"spec": data.draw(values(object_schema(kind)["properties"]["spec"]))}
    assert list(findings(kind, obj)) == []
    PARSERS[kind](obj)


@pytest.mark.parametrize("kind", PARSERS)
@quick
@given(data=st.data())
def test_what_the_schema_refuses_the_models_refuse(kind: str, data: st.DataObject) -> None:
    obj = {"spec": data.draw(values(object_schema(kind)["properties"]["spec"]))}
    found = places(obj)
    container, key = found[data.draw(st.integers(0, len(found) - 1))]
    container[key] = data.draw(RUBBISH)
    # Selectors and the rim of pod templates have a schema but stay raw, and models ignore what they don't know: the API
    # server alone looks after both.
    wrong = [finding.path for finding in findings(kind, obj) if not isinstance(finding, UnknownField)]
    raw = re.compile(r"elector\.|\.template\.(metadata|spec)")
    ours = [path for path in wrong if not raw.search(path)]
    try:
        PARSERS[kind](obj)
    except ValidationError:
        assert ours
    else:
        assert not ours


@pytest.mark.parametrize("kind", STATUS_PARSERS)
@quick
@given(data=st.data())
def test_a_status_that_the_schema_takes_is_read_whole(kind: str, data: st.DataObject) -> None:
    status = data.draw(values(object_schema(kind)["properties"]["status"]))
    assert STATUS_PARSERS[kind](status)[1] == []


@pytest.mark.parametrize("kind", STATUS_PARSERS)
@quick
@given(data=st.data())
def test_no_status_is_too_broken_to_be_read(kind: str, data: st.DataObject) -> None:
    status = data.draw(values(object_schema(kind)["properties"]["status"]) | JSON)
    for container, key in places(status)[:3]:
        container[key] = data.draw(JSON)
    STATUS_PARSERS[kind](status)
