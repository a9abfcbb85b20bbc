"""A slip in a manifest is named by its path, with what was probably meant."""

from datetime import UTC, datetime
from typing import Any

import pytest

from rollouts.api.unknown import missing_fields, type_errors, unknown_fields


def rollout(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "web"}, "spec": spec}


def canary(*steps: Any, **strategy: Any) -> dict[str, Any]:
    return rollout(strategy={"canary": {"steps": list(steps), **strategy}})


GOOD = rollout(
    replicas=3,
    restartAt="2024-02-29T12:00:00Z",
    selector={"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "a", "operator": "Exists"}]},
    template={
        "metadata": {"creationTimestamp": None, "labels": {"app": "web"}, "annotations": {"a.b/c": "d"}},
        "spec": {"containers": [{"name": "web", "resources": {}}], "nextYearsField": 1},
        "nextYearsPart": {},
    },
    strategy={
        "canary": {
            "maxSurge": "25%",
            "maxUnavailable": 1,
            "steps": [
                {"setWeight": 20},
                {"pause": {"duration": "10m"}},
                {"plugin": {"name": "example/p", "config": {"any": ["thing"]}}},
            ],
            "trafficRouting": {"plugins": {"example/router": {"any": "thing"}}},
            "antiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}},
        }
    },
)


def test_nothing_is_wrong_with_a_good_manifest() -> None:
    assert unknown_fields("Rollout", GOOD) == []
    assert type_errors("Rollout", GOOD) == []
    assert missing_fields("Rollout", GOOD) == []


@pytest.mark.parametrize(
    ("obj", "text"),
    [
        (
            canary({"setWeight": 20}, {"pause": {}}, {"setWieght": 40}),
            "spec.strategy.canary.steps[2].setWieght is unknown: did you mean spec.strategy.canary.steps[2].setWeight?",
        ),
        (
            canary({"setweight": 20}),
            "spec.strategy.canary.steps[0].setweight is unknown: did you mean spec.strategy.canary.steps[0].setWeight?",
        ),
        (
            canary({"experiment": {"durration": 5}}),
            (
                "spec.strategy.canary.steps[0].experiment.durration is unknown: "
                "did you mean spec.strategy.canary.steps[0].experiment.duration?"
            ),
        ),
        (rollout(replica=3), "spec.replica is unknown: did you mean spec.replicas?"),
        (rollout(xyzzy=3), "spec.xyzzy is unknown"),
        (rollout(canary={}), "spec.canary is unknown: did you mean spec.strategy.canary?"),
        (rollout(canaryService="a"), "spec.canaryService is unknown: did you mean spec.strategy.canary.canaryService?"),
        (rollout(strategy={"steps": []}), "spec.strategy.steps is unknown: did you mean spec.strategy.canary.steps?"),
        (
            canary(setWeight=20),
            "spec.strategy.canary.setWeight is unknown: did you mean spec.strategy.canary.steps[].setWeight?",
        ),
        (rollout(template={"sepc": {}}), "spec.template.sepc is unknown: did you mean spec.template.spec?"),
        (
            rollout(template={"metadata": {"label": {}}}),
            "spec.template.metadata.label is unknown: did you mean spec.template.metadata.labels?",
        ),
        (
            canary(antiAffinity={"requiredDuringSchedulingIgnoredDuringExecution": {"weight": 5}}),
            (
                "spec.strategy.canary.antiAffinity.requiredDuringSchedulingIgnoredDuringExecution.weight is unknown: "
                "did you mean spec.strategy.canary.antiAffinity.preferredDuringSchedulingIgnoredDuringExecution.weight?"
            ),
        ),
        ({**rollout(), "sepc": {}}, "sepc is unknown: did you mean spec?"),
        ({**rollout(), "metadata": {"lables": {}}}, "metadata.lables is unknown: did you mean metadata.labels?"),
        (rollout(**{"a.b": 1}), "spec[a.b] is unknown"),
        (rollout(**{"7": 1}), "spec[7] is unknown"),
    ],
)
def test_an_unknown_field_is_named_with_the_nearest(obj: dict[str, Any], text: str) -> None:
    assert [str(field) for field in unknown_fields("Rollout", obj)] == [text]


@pytest.mark.parametrize(
    ("obj", "text"),
    [
        (rollout(replicas="3"), "spec.replicas is '3': expected a whole number"),
        (rollout(replicas=1.5), "spec.replicas is 1.5: expected a whole number"),
        (rollout(replicas=True), "spec.replicas is true: expected a whole number"),
        (
            rollout(replicas=2**31),
            "spec.replicas is 2147483648: expected a whole number from -2147483648 to 2147483647",
        ),
        (canary(None), "spec.strategy.canary.steps[0] is null: expected an object"),
        (rollout(paused="yes"), "spec.paused is 'yes': expected true or false"),
        (rollout(strategy=[]), "spec.strategy is a list: expected an object"),
        (rollout(restartAt="now"), "spec.restartAt is 'now': expected a time as in 2006-01-02T15:04:05Z"),
        (canary(5), "spec.strategy.canary.steps[0] is 5: expected an object"),
        (rollout(strategy={"canary": {"steps": {}}}), "spec.strategy.canary.steps is an object: expected a list"),
        (canary(maxSurge=0.5), "spec.strategy.canary.maxSurge is 0.5: expected a whole number or a text"),
        (canary(maxSurge=True), "spec.strategy.canary.maxSurge is true: expected a whole number or a text"),
        (
            rollout(selector={"matchLabels": {"version": 1}}),
            "spec.selector.matchLabels.version is 1: expected a text in quotes",
        ),
        (
            rollout(template={"metadata": {"labels": {"a.b/c": False}}}),
            "spec.template.metadata.labels[a.b/c] is false: expected a text in quotes",
        ),
    ],
)
def test_a_value_of_the_wrong_type_is_named(obj: dict[str, Any], text: str) -> None:
    assert [str(error) for error in type_errors("Rollout", obj)] == [text]


def test_a_wrong_choice_is_named() -> None:
    spec = {"metrics": [{"name": "m", "provider": {"datadog": {"apiVersion": "v3"}}}]}
    errors = type_errors("AnalysisTemplate", {"spec": spec})
    assert [str(error) for error in errors] == [
        "spec.metrics[0].provider.datadog.apiVersion is 'v3': expected one of v1, v2"
    ]


def test_a_time_that_a_yaml_reader_has_understood_is_fine() -> None:
    assert type_errors("Rollout", rollout(restartAt=datetime(2024, 2, 29, tzinfo=UTC))) == []


def test_null_is_like_nothing() -> None:
    obj = canary({"plugin": {"name": None}}, {"setWeight": None}, maxSurge=None)
    assert type_errors("Rollout", obj) == []
    assert [each.path for each in missing_fields("Rollout", obj)] == ["spec.strategy.canary.steps[0].plugin.name"]


def test_missing_fields_are_named() -> None:
    found = missing_fields("Rollout", canary({"plugin": {}}, pingPong={"pingService": "a"}))
    assert [str(each) for each in found] == [
        "spec.strategy.canary.steps[0].plugin.name is missing",
        "spec.strategy.canary.pingPong.pongService is missing",
    ]
    assert [each.path for each in missing_fields("Rollout", {})] == ["spec"]


def test_a_strange_kind_is_no_business_of_ours() -> None:
    with pytest.raises(KeyError):
        unknown_fields("Deployment", {})
