"""How a compiled metric provider is asked to measure, and what its measurement means."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rollouts.compiled.provider import compiled_provider
from rollouts.compiled.settings import Settings
from rollouts.ports import Asked, MeasurementError, Outcome, Pending, Turn, Verdict
from rollouts.ports.compiled import CompiledCall
from tests.plan.given import after

PROVIDER = compiled_provider("a/b")
METRIC = {"name": "m", "successCondition": "result > 1", "provider": {"plugin": {"a/b": {"x": 1}}}}
ASKED = Asked(after(10), subject={"metadata": {"name": "run"}}, metric=METRIC, turn=Turn(started_at=after(5)))
SPEC = Settings.model_validate({"x": 1})
DONE = {"phase": "Successful", "value": "7", "message": "good", "metadata": {"k": "v"}}


def measured(asked: Asked, answer: Mapping[str, Any]) -> tuple[list[CompiledCall], Outcome]:
    flow: Any = PROVIDER.flow(SPEC, asked)
    calls = [next(flow)]
    answers = {"Run": answer, "Resume": answer, "GetMetadata": {"query": "up"}}
    try:
        while True:
            calls.append(flow.send(answers.get(calls[-1].method)))
    except StopIteration as end:
        return calls, end.value


def test_it_judges_by_itself() -> None:
    calls, outcome = measured(ASKED, DONE)
    run = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "metadata": {"name": "run"}}
    assert [(each.method, each.arguments) for each in calls] == [
        ("Run", {"AnalysisRun": run, "Metric": METRIC}),
        ("GetMetadata", {"Metric": METRIC}),
    ]
    assert outcome == Verdict("Successful", "7", "good", {"k": "v"}, {"query": "up"})


def test_one_that_takes_longer_is_resumed() -> None:
    later = {"phase": "Running", "resumeAt": "2025-01-01T00:00:00Z", "metadata": {"id": "1"}}
    _, outcome = measured(replace(ASKED, memory={"query": "up"}), later)
    assert isinstance(outcome, Pending)
    assert outcome.metadata == {"id": "1"}
    assert outcome.again_after is not None
    assert outcome.again_after >= timedelta(0)
    calls, outcome = measured(replace(ASKED, goes_on=True, memory={"query": "up"}, metadata={"id": "1"}), DONE)
    assert [each.method for each in calls] == ["Resume"]
    measurement = calls[0].arguments["Measurement"]
    assert (measurement["phase"], measurement["metadata"]) == ("Running", {"id": "1"})
    assert isinstance(outcome, Verdict)


def test_what_is_over_is_tidied_up_once_there_is_too_much_of_it() -> None:
    calls, _ = measured(replace(ASKED, turn=Turn(number=11, keep=10)), DONE)
    assert [each.method for each in calls] == ["Run", "GarbageCollect"]
    assert calls[1].arguments["Limit"] == 10


def test_it_is_stopped() -> None:
    flow: Any = PROVIDER.terminate(SPEC, replace(ASKED, goes_on=True))
    assert next(flow).method == "Terminate"


def test_a_phase_that_is_none() -> None:
    with pytest.raises(MeasurementError, match="its phase is 'Odd'"):
        measured(ASKED, {"phase": "Odd"})
