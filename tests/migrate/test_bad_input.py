"""What is said of a workload that can't be converted? The object, the field and the way out."""

from typing import Any

import pytest

from rollouts.migrate.documents import convert
from rollouts.migrate.objects import ConversionError
from rollouts.migrate.wish import ScaleDown, StrategyName, Wish, parse_steps
from tests.wire.objects import deployment, rollout

Json = dict[str, Any]
BACK = Wish(is_reverse=True)


def without(field: str) -> Json:
    made = deployment()
    del made["spec"][field]
    return made


def with_spec(**spec: Any) -> Json:
    made = deployment()
    made["spec"].update(spec)
    return made


def rolling(**bounds: Any) -> Json:
    return with_spec(strategy={"rollingUpdate": bounds})


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        ([rollout()], "no Deployment found, but Rollout web: .*; --reverse makes Deployments"),
        ([], "no Deployment found, but no object at all: there is nothing to migrate$"),
        ([{"kind": "StatefulSet", "metadata": {"name": "db"}}], "but StatefulSet db: there is nothing to migrate$"),
        ([{"kind": "Secret"}] * 7, r"(Secret \(no name\), ){5}2 more: "),
        ([{**deployment(), "apiVersion": "extensions/v1beta1"}], "no longer served: write apps/v1"),
        ([{**deployment(), "metadata": None}], "metadata.name is missing"),
        ([deployment("w" * 243)], "Deployment w+: metadata.name has 243 characters"),
        ([deployment(), rollout()], "Deployment web: Rollout web is there already"),
        ([without("selector")], "spec.selector is missing or empty"),
        ([with_spec(selector={})], "spec.selector is missing or empty"),
        ([without("template")], "spec.template is missing"),
        ([{**deployment(), "spec": None}], "spec.template is missing"),
        ([with_spec(selector={"matchLabels": {"app": "api"}})], "don't match spec.selector"),
        (
            [with_spec(selector={"matchExpressions": [{"key": "app", "operator": "Like"}]})],
            "'Like' is no",
        ),
        ([with_spec(selector={"matchExpressions": ["app"]})], "spec.selector: "),
        ([with_spec(strategy={"type": "Sudden"})], "spec.strategy.type: 'Sudden' is no strategy"),
        ([rolling(maxSurge="a lot")], "spec.strategy.rollingUpdate.maxSurge: 'a lot' is no count"),
        ([rolling(maxSurge=True)], "maxSurge: True is no count"),
        ([rolling(maxUnavailable=-1)], "maxUnavailable: -1 is no count"),
    ],
)
def test_no_deployment_that_can_be_one(objects: list[Json], message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        convert(objects, Wish())


def strategy(**fields: Any) -> Json:
    return rollout(strategy=fields)


def referring(**reference: Any) -> Json:
    made = rollout(workloadRef={"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", **reference})
    del made["spec"]["template"]
    return made


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        ([deployment()], "no Rollout found"),
        ([{**rollout(), "apiVersion": "argoproj.io/v2"}], "write argoproj.io/v1alpha1"),
        ([{**rollout(), "metadata": {}}], "metadata.name is missing"),
        ([rollout(), deployment()], "Rollout web: Deployment web is there already"),
        ([rollout(template=None)], "spec.template is missing"),
        ([strategy(canary={"maxSurge": "some"})], "spec.strategy.maxSurge: 'some' is no percentage"),
        ([referring()], "the Deployment that it refers to isn't here"),
        ([referring(kind="ReplicaSet")], "it refers to a ReplicaSet"),
    ],
)
def test_no_rollout_that_can_be_a_deployment(objects: list[Json], message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        convert(objects, BACK)


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        (Wish(strategy=StrategyName.BLUE_GREEN), "name it with --active-service"),
        (Wish(strategy=StrategyName.BLUE_GREEN, active_service="a", preview_service="a"), "name two Services"),
        (Wish(strategy=StrategyName.BLUE_GREEN, active_service="a", steps=({},)), "steps belong to the canary"),
        (Wish(active_service="a"), "belong to --strategy bluegreen"),
    ],
)
def test_wishes_that_do_not_go_together(wish: Wish, message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        convert([deployment()], wish)


@pytest.mark.parametrize("text", ["20,", "-1", "101", "ten", "pause:", "pause:soon", "pause:-1", "20;50", "1000", "²"])
def test_steps_that_are_none(text: str) -> None:
    with pytest.raises(ConversionError, match="in the steps"):
        parse_steps(text)


def test_no_steps_at_all() -> None:
    assert parse_steps(" ") == ()


def test_what_is_referred_to_stays_and_comes_first() -> None:
    objects = convert([deployment()], Wish(workload_ref=ScaleDown.ON_SUCCESS)).objects
    assert [each["kind"] for each in objects] == ["Deployment", "Rollout"]
    assert objects[1]["spec"]["workloadRef"]["scaleDown"] == "onsuccess"
