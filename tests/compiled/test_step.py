"""How a compiled step plugin is called, and what its answer means."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from rollouts.compiled.step import compiled_step
from rollouts.ports import Answer, MeasurementError, Situation
from tests.plan.given import after

STEP = compiled_step("a/b")
HERE = Situation(now=after(0), rollout={"metadata": {"name": "web"}}, status={"id": 1})


def answered(answer: Mapping[str, Any]) -> Answer:
    flow: Any = STEP.run({"x": 1}, HERE)
    next(flow)
    with pytest.raises(StopIteration) as ended:
        flow.send({"phase": "Running", "message": "", "requeueAfter": 0, "status": None, **answer})
    found: Answer = ended.value.value
    return found


@pytest.mark.parametrize("method", ["Run", "Terminate", "Abort"])
def test_what_it_is_handed(method: str) -> None:
    flow: Any = getattr(STEP, method.lower())({"x": 1}, HERE)
    call = next(flow)
    rollout = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "web"}}
    context = {"PluginName": "a/b", "Config": {"x": 1}, "Status": {"id": 1}}
    assert (call.plugin, call.method, call.arguments) == ("a/b", method, {"Rollout": rollout, "Context": context})


def test_what_it_answers() -> None:
    assert answered({"message": "wait", "requeueAfter": 5, "status": {"id": 2}}) == Answer(
        "Running", "wait", timedelta(seconds=5), {"id": 2}
    )
    assert answered({"phase": "Failed"}) == Answer("Failed")


@pytest.mark.parametrize(
    ("answer", "says"),
    [({"phase": "Odd"}, "its phase is 'Odd'"), ({"status": [1]}, "the API takes objects only")],
)
def test_an_answer_that_makes_no_sense(answer: Mapping[str, Any], says: str) -> None:
    flow: Any = STEP.run({}, HERE)
    next(flow)
    with pytest.raises(MeasurementError, match=says):
        flow.send({"phase": "Running", "message": "", "requeueAfter": 0, "status": None, **answer})
