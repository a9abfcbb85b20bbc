"""What do templates of templates hold, and which values do their arguments have?"""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from rollouts.api.analysis import RolloutArgument
from rollouts.api.base import parse
from rollouts.plan.analysis.arguments import ArgumentError, field_of, merge_arguments, rollout_arguments
from rollouts.plan.analysis.spec import run_spec
from rollouts.plan.analysis.substitution import SubstitutionError, fill
from rollouts.plan.analysis.templates import Flat, TemplateKey, flatten
from rollouts.plan.problem import Problem
from tests.plan.analysis.given import metric, template

Raw = dict[str, Any]


def ref(name: str, *, cluster: bool = False) -> Raw:
    return {"templateName": name, "clusterScope": True} if cluster else {"templateName": name}


def flat(references: Sequence[Raw], templates: Mapping[str, Raw], clusters: Mapping[str, Raw] | None = None) -> Flat:
    known = {TemplateKey(name): spec for name, spec in templates.items()}
    known |= {TemplateKey(name, is_cluster=True): spec for name, spec in (clusters or {}).items()}
    return flatten(references, known.get)


def names(result: Flat) -> list[str]:
    return [each["name"] for each in result.metrics]


def problems(result: Flat) -> list[str]:
    return [str(each) for each in result.problems]


def test_templates_of_templates_are_put_together_in_the_order_of_their_references() -> None:
    templates = {
        "a": template(metric("a"), templates=[ref("c"), ref("b")], dryRun=[{"metricName": "a"}]),
        "b": template(metric("b"), measurementRetention=[{"metricName": "b", "limit": 2}]),
        "c": template(metric("c"), templates=[ref("b")], dryRun=[{"metricName": "c"}]),
    }
    result = flat([ref("a"), ref("b")], templates)
    assert names(result) == ["a", "c", "b"]
    assert result.dry_run == ({"metricName": "a"}, {"metricName": "c"})
    assert result.measurement_retention == ({"metricName": "b", "limit": 2},)
    assert result.problems == ()


def test_a_name_means_one_template_in_each_scope() -> None:
    result = flat([ref("a"), ref("a", cluster=True)], {"a": template(metric("a"))}, {"a": template(metric("b"))})
    assert names(result) == ["a", "b"]


def test_a_circle_is_told_with_its_way() -> None:
    templates = {
        "a": template(metric("a"), templates=[ref("b")]),
        "b": template(templates=[ref("c")]),
        "c": template(templates=[ref("b")]),
    }
    result = flat([ref("a")], templates)
    assert problems(result) == ["spec.templates[0]: goes in a circle: b -> c -> b; take one of these references out"]
    assert names(result) == ["a"]


def test_one_that_refers_to_itself() -> None:
    assert problems(flat([ref("a")], {"a": template(templates=[ref("a")])})) == [
        "spec.templates[0]: goes in a circle: a -> a; take one of these references out"
    ]


def test_what_is_missing_is_named() -> None:
    result = flat([ref("a"), ref("x", cluster=True), {}], {"a": template(templates=[ref("y")])})
    assert problems(result) == [
        'spec.templates[0].templateName: AnalysisTemplate "y", which AnalysisTemplate "a" refers to, does not exist',
        'spec.templates[1].templateName: ClusterAnalysisTemplate "x" does not exist',
        "spec.templates[2].templateName: is missing: name a template",
    ]


def test_two_metrics_of_a_name() -> None:
    result = flat([ref("a"), ref("b")], {"a": template(metric("m")), "b": template(metric("m"))})
    assert problems(result) == [
        'spec.templates: two metrics are called "m", in AnalysisTemplate "a" and in AnalysisTemplate "b": rename one'
    ]


FROM = {"name": "x", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"name": "x"}, {"name": "x", "value": "1"}, {"name": "x", "value": "1"}),
        ({"name": "x", "value": "1"}, {"name": "x"}, {"name": "x", "value": "1"}),
        ({"name": "x", "value": "1"}, {"name": "x", "value": "1"}, {"name": "x", "value": "1"}),
        ({"name": "x"}, {"name": "x"}, {"name": "x"}),
        (FROM, {"name": "x", "value": "1"}, {"name": "x", "value": "1"}),
        (FROM, {"name": "x"}, FROM),
        ({"name": "x"}, FROM, FROM),
    ],
)
def test_an_argument_of_two_templates(first: Raw, second: Raw, expected: Raw) -> None:
    result = flat([ref("a"), ref("b")], {"a": template(args=[first]), "b": template(args=[second])})
    assert result.args == (expected,)
    assert result.problems == ()


def test_two_values_of_an_argument_are_a_conflict() -> None:
    args = [{"name": "x", "value": "1"}], [{"name": "x", "value": "2"}]
    result = flat([ref("a"), ref("b")], {"a": template(args=args[0]), "b": template(args=args[1])})
    assert problems(result) == [
        'spec.templates: argument "x" has two values, "1" and, in AnalysisTemplate "b", "2": keep one of them'
    ]


ROLLOUT = {
    "metadata": {"name": "web", "namespace": "shop", "uid": "u", "labels": {"a/b": "L"}, "annotations": {"n": "A"}},
    "spec": {"replicas": 3, "paused": True, "template": {"spec": {"containers": [{"image": "app:2"}]}}},
    "status": {"phase": "Progressing"},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "web"),
        ("metadata.namespace", "shop"),
        ("metadata.uid", "u"),
        ("metadata.labels['a/b']", "L"),
        ("metadata.annotations['n']", "A"),
        ("metadata.labels['none']", ""),
        ("spec.replicas", "3"),
        ("spec.paused", "true"),
        ("spec.template.spec.containers[0].image", "app:2"),
        ("status.phase", "Progressing"),
    ],
)
def test_a_field_of_the_rollout(path: str, value: str) -> None:
    assert field_of(ROLLOUT, path) == value


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("spec.template", "spec.template is no text, number or boolean"),
        ("spec.template.spec.containers[1].image", "spec.template.spec.containers[1].image is not there"),
        ("spec.none", "spec.none is not there"),
    ],
)
def test_a_field_that_cannot_be_had(path: str, error: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        field_of(ROLLOUT, path)
    assert str(caught.value) == error


def test_of_the_metadata_there_is_what_the_downward_api_has() -> None:
    with pytest.raises(ArgumentError, match="below metadata there are"):
        field_of(ROLLOUT, "metadata.generation")


def test_what_a_rollout_gives() -> None:
    raw = [
        {"name": "a", "value": "1"},
        {"name": "b", "valueFrom": {"podTemplateHashValue": "Latest"}},
        {"name": "c", "valueFrom": {"podTemplateHashValue": "Stable"}},
        {"name": "d", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "e", "valueFrom": {"podTemplateHashValue": "Newest"}},
        {"name": "f"},
    ]
    incoming = [parse(RolloutArgument, each) for each in raw]
    assert list(rollout_arguments(incoming, ROLLOUT, {"Latest": "h2", "Stable": "h1"})) == [
        {"name": "a", "value": "1"},
        {"name": "b", "value": "h2"},
        {"name": "c", "value": "h1"},
        {"name": "d", "value": "web"},
        Problem("args[4].valueFrom.podTemplateHashValue", '"Newest" is neither Latest nor Stable'),
        {"name": "f"},
    ]


def test_what_comes_in_wins_and_what_is_not_declared_is_dropped() -> None:
    secret = {"name": "s", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}
    declared: list[Raw] = [
        {"name": "a", "value": "1"},
        {"name": "b"},
        {"name": "c", "value": "3"},
        secret,
        {**FROM, "name": "f"},
    ]
    incoming = [{"name": "a", "value": "9"}, {"name": "b", "value": ""}, {"name": "c"}, {"name": "z", "value": "0"}]
    assert list(merge_arguments(declared, incoming, ROLLOUT)) == [
        {"name": "a", "value": "9"},
        {"name": "b", "value": ""},
        {"name": "c", "value": "3"},
        secret,
        {"name": "f", "value": "web"},
    ]


def test_what_has_no_value_is_told() -> None:
    assert list(merge_arguments([{"name": "a"}, FROM], [], None)) == [
        Problem("args[0]", "args.a was not resolved: give it a value"),
        Problem("args[1]", "args.x was not resolved: give it a value"),
    ]


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{{args.a}}", "1"),
        ("{{ args.a }}/{{args.b}}", '1/"two\nlines"'),
        ("sum(rate(x{app='{{args.a}}'}[5m]))", "sum(rate(x{app='1'}[5m]))"),
        ("no tag } { {", "no tag } { {"),
    ],
)
def test_a_text_is_filled_in(text: str, filled: str) -> None:
    values = {"a": "1", "b": '"two\nlines"'}
    assert fill({"x": [text, 5, None]}, values) == {"x": [filled, 5, None]}


def test_a_key_is_filled_in_too() -> None:
    assert fill({"{{args.a}}": 1}, {"a": "k"}) == {"k": 1}


def test_an_unknown_tag_is_named() -> None:
    with pytest.raises(SubstitutionError, match=r"failed to resolve \{\{args.c\}\}: declared arguments are a"):
        fill("{{args.c}}", {"a": "1"})


def test_a_run_of_templates_has_what_its_user_adds() -> None:
    templates = {"a": template(metric("m"), args=[{"name": "x"}], dryRun=[{"metricName": "m"}])}
    spec, found = run_spec(
        flat([ref("a")], templates),
        [{"name": "x", "value": "1"}],
        dry_run=[{"metricName": "n"}],
        retention=[{"metricName": "m", "limit": 3}],
    )
    assert spec == {
        "metrics": [metric("m")],
        "args": [{"name": "x", "value": "1"}],
        "dryRun": [{"metricName": "m"}, {"metricName": "n"}],
        "measurementRetention": [{"metricName": "m", "limit": 3}],
    }
    assert found == ()


def test_a_run_that_cannot_be_made_says_why() -> None:
    _, found = run_spec(flat([ref("a"), ref("b")], {"a": template(metric("m"), args=[{"name": "x"}])}), [])
    assert [each.path for each in found] == ["spec.templates[1].templateName", "args[0]"]
