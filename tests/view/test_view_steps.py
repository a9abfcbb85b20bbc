from collections.abc import Callable
from typing import Any

import pytest

from rollouts.api.canary import SetMirrorRoute as Spec
from rollouts.steps.set_mirror_route import SetMirrorRoute
from rollouts.view.steps import actual_weight, set_weight, step_index, step_rows, step_title, whole_weight

Json = dict[str, Any]
Given = Callable[..., Json]
HEADERS = [{"headerName": "x-beta", "headerValue": {"exact": "1"}}]
PATHS = [{"path": {"prefix": "/"}}]


@pytest.mark.parametrize(
    ("step", "title"),
    [
        ({"setWeight": 20}, "setWeight: 20"),
        ({"pause": {}}, "pause"),
        ({"pause": {"duration": 10}}, "pause: 10s"),
        ({"pause": {"duration": "10"}}, "pause: 10s"),
        ({"pause": {"duration": "1h"}}, "pause: 1h"),
        ({"setCanaryScale": {"weight": 25}}, "setCanaryScale{weight: 25}"),
        ({"setCanaryScale": {"matchTrafficWeight": True}}, "setCanaryScale{matchTrafficWeight: true}"),
        ({"analysis": {"templates": [{"templateName": "errors"}]}}, "analysis"),
        ({"experiment": {"templates": [{"name": "a"}]}}, "experiment"),
        ({"plugin": {"name": "acme/gate", "config": {"a": 1}}}, "plugin: acme/gate"),
        ({"setHeaderRoute": {"name": "beta", "match": []}}, "setHeaderRoute: beta, removed"),
        ({"setHeaderRoute": {"name": "beta", "match": HEADERS}}, "setHeaderRoute: beta"),
        ({"setMirrorRoute": {"name": "copy"}}, "setMirrorRoute: copy, removed"),
        ({"setMirrorRoute": {"name": "copy", "percentage": 5, "match": PATHS}}, "setMirrorRoute: copy, 5 %"),
        ({}, "(no action)"),
    ],
)
def test_titles_are_those_of_events(step: Json, title: str) -> None:
    assert step_title(step) == title


@pytest.mark.parametrize(
    "spec",
    [{"name": "a"}, {"name": "a", "match": PATHS}, {"name": "a", "match": PATHS, "percentage": 0}],
)
def test_managed_routes_are_titled_as_their_steps_title_them(spec: Json) -> None:
    mirror = SetMirrorRoute()
    assert step_title({mirror.key: spec}) == mirror.title(Spec.model_validate(spec))


def states(rollout: Json) -> str:
    return " ".join(row.state for row in step_rows(rollout))


def test_steps_know_where_the_rollout_is(given: Given) -> None:
    assert states(given()) == "done current ahead ahead"
    assert states(given(currentStepIndex=4)) == "done done done done"
    assert states(given(currentStepIndex=99)) == "done done done done"


def test_an_aborted_update_has_no_current_step(given: Given) -> None:
    assert states(given(abort=True, currentStepIndex=0)) == "ahead ahead ahead ahead"


@pytest.mark.parametrize(
    ("changes", "weight"),
    [
        ({}, 25),
        ({"currentStepIndex": 0}, 25),
        ({"currentStepIndex": 2}, 50),
        ({"currentStepIndex": 4}, 100),
        ({"currentStepIndex": 0, "abort": True}, 0),
        ({"spec": {"strategy": {"canary": {"steps": [{"pause": {}}]}}}, "currentStepIndex": 0}, 0),
        ({"spec": {"strategy": {"canary": {}}}}, 100),
        ({"spec": {"strategy": {"blueGreen": {"activeService": "web"}}}}, None),
    ],
)
def test_the_weight_is_that_of_the_last_step_that_set_one(given: Given, changes: Json, weight: int | None) -> None:
    assert set_weight(given(**changes)) == weight


def test_without_a_router_the_pods_are_the_weight(given: Given) -> None:
    assert actual_weight(given(), 1, 4) == 25
    assert actual_weight(given(), 0, 0) == 0
    assert actual_weight(given(stableRS="new"), 4, 4) == 100


def test_a_router_s_weight_is_the_weight(given: Given) -> None:
    assert actual_weight(given(canary={"weights": {"canary": {"weight": 7}}}), 1, 4) == 7


def test_what_is_stable_has_all_whatever_its_router_calls_the_canary(given: Given) -> None:
    back = {"canary": {"weight": 0}, "stable": {"weight": 100}}
    assert actual_weight(given(stableRS="new", canary={"weights": back}), 4, 4) == 100


def test_weights_are_parts_of_what_the_spec_says(given: Given) -> None:
    spec = {"strategy": {"canary": {"steps": [{"setWeight": 5}], "trafficRouting": {"maxTrafficWeight": 1000}}}}
    assert whole_weight(given(spec=spec)) == 1000
    assert actual_weight(given(spec=spec), 1, 4) == 250
    assert actual_weight(given(spec=spec, stableRS="new"), 4, 4) == 1000


def test_no_steps_no_index(given: Given) -> None:
    assert step_index(given(spec={"strategy": {"canary": {}}})) is None
