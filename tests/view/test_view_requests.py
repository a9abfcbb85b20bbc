"""Which patch does each verb send? Compared whole with the protocol."""

from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

import pytest

from rollouts.view import requests
from rollouts.view.requests import Answer, Change, Nothing, Patch, kubectl_line
from rollouts.view.undo import undo

Json = dict[str, Any]
Given = Callable[..., Json]

UNPAUSE = Patch({"spec": {"paused": False}})
CLEAR = Patch({"status": {"pauseConditions": None}}, subresource="status")


def step(index: int) -> Patch:
    return Patch({"status": {"pauseConditions": None, "currentStepIndex": index}}, subresource="status")


def patches(answer: Answer) -> list[Patch]:
    assert isinstance(answer, Change), answer
    return list(answer.patches)


def refusal(answer: Answer) -> str:
    assert isinstance(answer, Nothing)
    assert answer.is_refusal
    return answer.why


def already(answer: Answer) -> str:
    assert isinstance(answer, Nothing)
    assert not answer.is_refusal
    return answer.why


RUNNING = {"pauseConditions": None, "controllerPause": None, "phase": "Progressing"}
PROMOTED = {**RUNNING, "stableRS": "new", "currentStepIndex": 4, "phase": "Healthy"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [CLEAR]),
        ({"spec": {"paused": True}}, [UNPAUSE, CLEAR]),
        (RUNNING, [step(2)]),
        ({**RUNNING, "currentStepIndex": None}, [step(1)]),
        ({**RUNNING, "currentStepIndex": 3}, [step(4)]),
        ({**RUNNING, "spec": {"paused": True}}, [UNPAUSE, step(2)]),
        ({**PROMOTED, "spec": {"paused": True}}, [UNPAUSE]),
        (
            {"canary": {"currentStepAnalysisRunStatus": {"name": "a", "status": "Inconclusive"}}},
            [
                Patch(
                    {"status": {"pauseConditions": None, "controllerPause": False, "currentStepIndex": 2}},
                    subresource="status",
                )
            ],
        ),
    ],
)
def test_promote(given: Given, changes: Json, expected: list[Patch]) -> None:
    assert patches(requests.promote(given(**changes))) == expected


def test_promote_of_what_is_promoted_says_so(given: Given) -> None:
    assert already(requests.promote(given(**PROMOTED))).startswith("is fully promoted already")
    assert already(requests.promote_full(given(**PROMOTED))).startswith("is fully promoted already")


def test_promote_refuses_what_makes_no_sense(given: Given) -> None:
    assert "retry" in refusal(requests.promote(given(abort=True)))
    assert "--full" in refusal(requests.promote(given(**{**RUNNING, "currentStepIndex": 4, "abort": None})))
    assert "invalid" in refusal(requests.promote(given(phase="Degraded", message="InvalidSpec: no strategy")))


def test_promote_of_blue_green_ends_its_pause_and_nothing_else(given: Given) -> None:
    strategy = {"strategy": {"blueGreen": {"activeService": "web"}}}
    paused = given(spec=strategy, pauseConditions=[{"reason": "BlueGreenPause"}], currentStepIndex=None)
    assert patches(requests.promote(paused)) == [CLEAR]
    why = refusal(requests.promote(given(**{**RUNNING, "spec": strategy})))
    assert why == "is not paused: its preview is not complete yet, or being switched to; --full goes on without a pause"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [Patch({"status": {"promoteFull": True}}, subresource="status")]),
        ({"spec": {"paused": True}}, [UNPAUSE, Patch({"status": {"promoteFull": True}}, subresource="status")]),
        ({**PROMOTED, "spec": {"paused": True}}, [UNPAUSE]),
    ],
)
def test_promote_full(given: Given, changes: Json, expected: list[Patch]) -> None:
    assert patches(requests.promote_full(given(**changes))) == expected


def test_skip_steps(given: Given) -> None:
    rollout = given()
    assert patches(requests.skip_steps(rollout, all_steps=False)) == [step(2)]
    assert patches(requests.skip_steps(rollout, all_steps=True)) == [step(4)]
    assert already(requests.skip_steps(given(currentStepIndex=4), all_steps=False))
    assert refusal(requests.skip_steps(given(spec={"strategy": {"blueGreen": {}}}), all_steps=True))
    assert refusal(requests.skip_steps(given(spec={"strategy": {"canary": {}}}), all_steps=True))


def test_abort(given: Given) -> None:
    assert patches(requests.abort(given())) == [Patch({"status": {"abort": True}}, subresource="status")]
    assert already(requests.abort(given(abort=True))) == "is aborted already"
    assert refusal(requests.abort(given(**PROMOTED, abort=None))).startswith("has no update in progress")
    assert refusal(requests.abort(given(stableRS=None))).startswith("has no stable revision")


def test_a_change_that_is_not_observed_yet_may_be_aborted(given: Given) -> None:
    assert patches(requests.abort(given(**PROMOTED, observedGeneration="1")))


def test_retry(given: Given) -> None:
    assert patches(requests.retry(given(abort=True))) == [Patch({"status": {"abort": False}}, subresource="status")]
    assert refusal(requests.retry(given(abort=None))) == "is not aborted: there is nothing to retry"


def test_pause(given: Given) -> None:
    assert patches(requests.pause(given())) == [Patch({"spec": {"paused": True}})]
    assert already(requests.pause(given(spec={"paused": True}))) == "is paused already"


def test_nothing_is_restarted_while_the_spec_is_invalid(paused: Json, now: datetime) -> None:
    paused["status"].update(phase="Degraded", message="InvalidSpec: no such Service")
    assert refusal(requests.restart(paused, now, now)).startswith("has an invalid spec")


def test_restart(paused: Json, now: datetime) -> None:
    later = requests.restart(paused, now + timedelta(minutes=10), now)
    assert later == Change(
        (Patch({"spec": {"restartAt": "2024-05-01T12:10:00Z"}}),), "restarts at 2024-05-01T12:10:00Z"
    )
    assert requests.restart(paused, now, now) == Change(
        (Patch({"spec": {"restartAt": "2024-05-01T12:00:00Z"}}),), "restarted"
    )
    within_the_second = now + timedelta(milliseconds=300)
    assert patches(requests.restart(paused, within_the_second, within_the_second)) == [
        Patch({"spec": {"restartAt": "2024-05-01T12:00:01Z"}})
    ]


def same(one: Any, another: Any) -> bool:
    return bool(one == another)


def test_undo_brings_the_template_back_without_the_hash(paused: Json, replica_sets: list[Json]) -> None:
    answer = undo(paused, replica_sets, paused["spec"]["template"], is_same=same)
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}
    assert patches(answer) == [Patch([{"op": "replace", "path": "/spec/template", "value": template}], type="json")]


def test_undo_in_mid_update_goes_back_to_stable_and_not_to_what_was_overtaken(
    given: Given, replica_sets: list[Json]
) -> None:
    newest, old = replica_sets
    overtaken = deepcopy(newest)
    overtaken["metadata"]["labels"]["rollouts-pod-template-hash"] = "overtaken"
    newest["metadata"]["annotations"]["rollout.argoproj.io/revision"] = "3"
    known = [newest, overtaken, old]
    template = {"spec": "another"}
    answer = undo(given(abort=True), known, template, is_same=same)
    assert isinstance(answer, Change)
    assert answer.said == "goes back to revision 1"
    promoted = undo(given(**PROMOTED), known, template, is_same=same)
    assert isinstance(promoted, Change)
    assert promoted.said == "goes back to revision 2"


def test_undo_leaves_a_replica_set_its_own_label(paused: Json, replica_sets: list[Json]) -> None:
    """Behind workloadRef, a ReplicaSet of a Deployment: without the label it would not select its own pods."""
    template = paused["spec"]["template"]
    present = {**template, "metadata": {"labels": {**template["metadata"]["labels"], "pod-template-hash": "abc"}}}
    (patch,) = patches(undo(paused, replica_sets, present, 1, is_same=lambda *_: False))
    assert isinstance(patch.body, list)
    assert patch.body[0]["value"]["metadata"]["labels"]["pod-template-hash"] == "abc"


def test_undo_knows_its_revisions(paused: Json, replica_sets: list[Json]) -> None:
    template = paused["spec"]["template"]
    missing = undo(paused, replica_sets, template, 7, is_same=same)
    assert refusal(missing) == "has no revision 7; it has: 1, 2"
    assert already(undo(paused, replica_sets, template, 2, is_same=same)).endswith("revision 2 already")
    assert refusal(undo(paused, replica_sets[:1], template, is_same=same)).startswith("has no earlier")
    assert refusal(undo(paused, [], template, 1, is_same=same)).endswith("it has: none")


def test_set_images_by_name_or_all() -> None:
    template: Json = {
        "spec": {
            "initContainers": [{"name": "init", "image": "init:1"}],
            "containers": [{"name": "web", "image": "web:1", "env": []}, {"name": "side", "image": "side:1"}],
        }
    }
    result = requests.set_images(template, {"web": "web:2", "*": "all:1"})
    assert result.changed == ("init", "web", "side")
    assert result.template["spec"]["containers"] == [
        {"name": "web", "image": "web:2", "env": []},
        {"name": "side", "image": "all:1"},
    ]
    assert template["spec"]["containers"][0]["image"] == "web:1"
    assert requests.set_images(template, {"wbe": "x"}).unknown == ("wbe",)
    assert requests.set_images(template, {"web": "web:1"}).changed == ()


def test_the_kubectl_line_can_be_pasted() -> None:
    body = '\'{"status":{"pauseConditions":null}}\''
    line = kubectl_line(CLEAR, "web", "shop")
    assert line == f"kubectl patch rollout web -n shop --subresource=status --type=merge -p {body}"
