"""What does the step make of what a gate says? In the terms of the public API only: no server, no clock."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rollouts.ports import Answer, Request, Response, SecretRef, Situation
from rollouts.ports.testing import SECRET, CalledStepConformance, StepConformance

from rollouts_step_http_gate import HttpGate
from rollouts_step_http_gate.step import Gate

STEP = HttpGate()
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
URL = "https://gate.example/rollouts"
ROLLOUT = {
    "metadata": {"name": "web", "namespace": "shop"},
    "status": {"stableRS": "one", "currentPodHash": "two"},
}


def gate(**config: Any) -> Gate:
    """Read a configuration as it stands in a manifest."""
    return Gate.model_validate({"url": URL, **config})


SPECS = (gate(token={"name": "gate"}), gate(every="1m", givesUpAfter="2h", about={"team": "shop"}))


class TestHttpGate(StepConformance):
    step = STEP
    specs = SPECS


class TestHttpGateIsCalled(CalledStepConformance):
    step = STEP
    specs = SPECS
    answers = (b'{"verdict": "wait", "reason": "bob must approve", "ticket": "T-7"}',)
    secrets = {"token": SECRET}  # noqa: RUF012 - the conformance class reads it


def said(verdict: str, **more: Any) -> Response:
    return Response(200, {}, json.dumps({"verdict": verdict, **more}).encode())


def called(spec: Gate, response: Response, flow: str = "run", **status: Any) -> tuple[Request | None, Answer]:
    here = Situation(NOW, ROLLOUT, 1, status, {SecretRef("gate", "shop"): {"token": "t"}})
    running = getattr(STEP, flow)(spec, here)
    request = None
    try:
        request = next(running)
        running.send(response)
    except StopIteration as end:
        return request, end.value
    raise AssertionError("the flow asks for more")


def test_the_gate_is_told_who_asks() -> None:
    request, _ = called(gate(token={"name": "gate"}, about={"team": "shop"}), said("go"), asks=2, ticket="T-7")
    assert request is not None
    assert (request.method, request.url, request.headers["Authorization"]) == ("POST", URL, "Bearer t")
    assert json.loads(request.body or b"") == {
        "rollout": "web", "namespace": "shop", "step": 1, "from": "one", "to": "two", "since": "2026-01-01T12:00:00Z",
        "asks": 3, "ticket": "T-7", "about": {"team": "shop"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "phase", "message"),
    [
        ("go", "Successful", "the gate says go"),
        ("stop", "Failed", "the gate says stop"),
        ("huh", "Error", "the ga"),
    ],
)
def test_each_verdict_has_its_phase(verdict: str, phase: str, message: str) -> None:
    _, answer = called(gate(), said(verdict))
    assert answer.phase == phase
    assert answer.message.startswith(message)
    assert called(gate(), said(verdict, reason="a freeze\n until Monday"))[1].message in {
        "a freeze until Monday",
        answer.message,
    }


def test_while_it_says_wait_it_is_asked_again_with_its_ticket() -> None:
    _, answer = called(gate(every="45s"), said("wait", reason="two must approve", ticket="T-7"))
    assert answer == Answer(
        "Running",
        "two must approve",
        timedelta(seconds=45),
        {"since": "2026-01-01T12:00:00Z", "asks": 1, "ticket": "T-7"},
    )


def test_who_has_waited_long_enough_gives_up() -> None:
    spec = gate(givesUpAfter="1h")
    assert called(spec, said("wait"), since="2026-01-01T11:00:01Z")[1].phase == "Running"
    _, answer = called(spec, said("wait", reason="bob is away"), since="2026-01-01T11:00:00Z")
    assert answer.phase == "Failed"
    assert answer.message == "nobody has said go within 1h: bob is away"


@pytest.mark.parametrize("status", [404, 500, 302])
def test_a_gate_that_is_broken_is_asked_again(status: int) -> None:
    _, answer = called(gate(), Response(status, {}, b""))
    assert answer.phase == "Error"
    assert str(status) in answer.message


@pytest.mark.parametrize("flow", ["abort", "terminate"])
def test_a_question_that_nobody_waits_for_is_taken_back(flow: str) -> None:
    request, answer = called(gate(), Response(204, {}, b""), flow, ticket="T/7")
    assert request is not None
    assert (request.method, request.url) == ("DELETE", f"{URL}/T%2F7")
    assert answer.phase == "Successful"
    assert called(gate(), Response(500, {}, b""), flow, ticket="T-7")[1].phase == "Error"
    request, answer = called(gate(), Response(204, {}, b""), flow)
    assert (request, answer.phase) == (None, "Successful")


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        (gate(url="gate.example"), "url"),
        (gate(every="soon"), "every"),
        (gate(every="0s"), "every"),
        (gate(givesUpAfter="1d"), "givesUpAfter"),
    ],
)
def test_each_problem_has_its_path(spec: Gate, path: str) -> None:
    assert [each for each, _ in STEP.problems(spec, max_weight=100, routed=False)] == [path]
