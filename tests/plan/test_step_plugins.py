"""When is a step plugin called, and what becomes of what it says? One row per moment of an entry in the status."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rollouts.api.rollout import parse_rollout
from rollouts.plan import Observed, Plan
from rollouts.plan.calls import MOST_TRIES, Call, Returned
from rollouts.plan.validate import problems
from rollouts.ports import Answer
from tests.calling import KIT, plugin
from tests.plan.decided import given, planned
from tests.plan.given import after, replica_set, rollout, stamp, updating

STEPS = [{"setWeight": 20}, plugin(url="http://gate.example/web"), {"setWeight": 60}, plugin("another")]
PODS = (replica_set("app:1", 4), replica_set("app:2", 1, revision=2))


def entry(index: int = 1, operation: str = "Run", **fields: Any) -> dict[str, Any]:
    name = "gatekeeper" if index == 1 else "another"
    whole = {"phase": "Running", "startedAt": stamp(90), **fields}
    return {"index": index, "name": name, "operation": operation, **whole}


def at_the_plugin(*entries: Mapping[str, Any], index: int = 1, steps: Any = None, **status: Any) -> Observed:
    raw = updating(rollout("app:2", steps=STEPS if steps is None else steps), index=index, **status)
    raw["status"]["canary"] = {"stepPluginStatuses": list(entries)}
    return given(raw, *PODS)


def entries_of(plan: Plan) -> list[dict[str, Any]]:
    assert plan.status is not None
    found: list[dict[str, Any]] = (plan.status.get("canary") or {}).get("stepPluginStatuses", [])
    return found


def told(plan: Plan, answer: Answer, at: float = 100) -> Returned:
    (call,) = plan.calls
    return Returned(call, after(at), answer)


def answered(here: Observed, answer: Answer, at: float = 100) -> Plan:
    """Make the call that is due, and plan again with what it says."""
    returned = told(planned(here, at, KIT), answer, at)
    return planned(replace(here, returned=(returned,)), at, KIT)


def test_at_the_step_the_call_is_written_down_before_it_is_made() -> None:
    plan = planned(at_the_plugin(), 100, KIT)
    assert plan.calls == ()
    assert entries_of(plan) == [entry(startedAt=stamp(100))]
    assert not plan.status_can_wait
    assert "step 2 of 4 (plugin: gatekeeper): it hasn't answered yet" in plan.because


def test_what_is_written_down_is_called_with_its_configuration() -> None:
    plan = planned(at_the_plugin(entry()), 100, KIT)
    assert plan.calls == (Call("gatekeeper", "Run", 1, 1, after(90), {"url": "http://gate.example/web"}, {}),)
    assert not plan.is_settled


def test_a_call_under_way_is_not_made_again() -> None:
    here = at_the_plugin(entry())
    calls = planned(here, 100, KIT).calls
    assert planned(replace(here, calling=calls), 100, KIT).calls == ()


def test_one_that_goes_on_is_called_again_after_its_pause_with_what_it_remembers() -> None:
    here = at_the_plugin(entry())
    plan = answered(here, Answer("Running", "two must approve", timedelta(seconds=20), {"seen": 1}))
    kept = entry(message="two must approve", updatedAt=stamp(100), backoff="20s", executions=1, status={"seen": 1})
    assert entries_of(plan) == [kept]
    later = at_the_plugin(kept)
    waiting = planned(later, 101, KIT)
    assert (waiting.calls, waiting.wake_at) == ((), after(120))
    assert "step 2 of 4 (plugin: gatekeeper): two must approve" in waiting.because
    (again,) = planned(later, 120, KIT).calls
    assert (again.number, again.state) == (2, {"seen": 1})


def test_without_a_pause_of_its_own_it_is_half_a_minute() -> None:
    assert entries_of(answered(at_the_plugin(entry()), Answer("Running")))[0]["backoff"] == "30s"


def test_a_pause_of_no_time_is_a_second() -> None:
    plan = answered(at_the_plugin(entry()), Answer("Running", again_after=timedelta()))
    assert entries_of(plan)[0]["backoff"] == "1s"


def test_an_error_is_tried_again_and_keeps_what_it_remembers() -> None:
    plan = answered(at_the_plugin(entry(executions=3, status={"seen": 2})), Answer("Error", "no connection"))
    (kept,) = entries_of(plan)
    assert (kept["phase"], kept["executions"], kept["status"]) == ("Error", 4, {"seen": 2})
    waiting = planned(at_the_plugin(kept), 101, KIT)
    assert waiting.wake_at == after(130)
    assert any("asked again at 2026-01-01T00:02:10Z: no connection" in each for each in waiting.because)
    assert planned(at_the_plugin(kept), 130, KIT).calls


def test_success_completes_the_step_in_the_same_write() -> None:
    plan = answered(at_the_plugin(entry()), Answer("Successful", "approved"))
    assert plan.status is not None
    assert plan.status["currentStepIndex"] == 2
    assert entries_of(plan)[0]["finishedAt"] == stamp(100)


def test_failure_aborts_with_the_cause() -> None:
    plan = answered(at_the_plugin(entry()), Answer("Failed", "bob said no"))
    assert plan.status is not None
    assert (plan.status["abort"], plan.status["currentStepIndex"]) == (True, 0)
    assert "step 2 (plugin: gatekeeper) failed: bob said no" in plan.status["message"]


def test_an_answer_of_an_earlier_call_counts_for_nothing() -> None:
    returned = told(planned(at_the_plugin(entry()), 100, KIT), Answer("Failed", "too late"))
    for current in (entry(executions=1, updatedAt=stamp(95)), entry(startedAt=stamp(95))):
        plan = planned(replace(at_the_plugin(current), returned=(returned,)), 100, KIT)
        assert plan.status is None or not plan.status.get("abort")


@pytest.mark.parametrize("status", [{"abort": True}, {"abort": True, "abortedAt": stamp(95)}])
def test_an_abort_is_told_to_the_latest_first_and_to_each_once(status: Mapping[str, Any]) -> None:
    first, second = entry(phase="Successful", finishedAt=stamp(91)), entry(3)
    plan = planned(at_the_plugin(first, second, index=3, **status), 100, KIT)
    undoing = entry(3, "Abort", startedAt=stamp(100))
    assert entries_of(plan) == [first, second, undoing]
    called = planned(at_the_plugin(first, second, undoing, index=0, **status), 100, KIT)
    assert [(each.plugin, each.operation) for each in called.calls] == [("another", "Abort")]
    done = entry(3, "Abort", phase="Successful", executions=1)
    plan = planned(at_the_plugin(first, second, done, index=0, **status), 100, KIT)
    assert entries_of(plan)[-1]["index"] == 1
    both = (first, second, done, entry(1, "Abort", phase="Successful", executions=1))
    assert planned(at_the_plugin(*both, index=0, **status), 100, KIT).calls == ()


def test_an_abort_waits_for_the_call_under_way() -> None:
    calls = planned(at_the_plugin(entry()), 100, KIT).calls
    plan = planned(replace(at_the_plugin(entry(), abort=True), calling=calls), 100, KIT)
    assert entries_of(plan) == [entry()]
    assert 'the step plugin "gatekeeper" is asked to undo what it did' in plan.because


def test_one_that_failed_by_itself_has_nothing_to_undo() -> None:
    plan = planned(at_the_plugin(entry(phase="Failed"), abort=True, abortedAt=stamp(95), index=0), 100, KIT)
    assert entries_of(plan) == [entry(phase="Failed")]


def test_undoing_is_not_tried_for_ever() -> None:
    undoing = entry(1, "Abort", phase="Error", executions=MOST_TRIES - 1)
    here = at_the_plugin(entry(), undoing, abort=True, abortedAt=stamp(95), index=0)
    (_, last) = entries_of(answered(here, Answer("Error", "no connection")))
    assert last["phase"] == "Failed"
    assert last["message"] == f"given up after {MOST_TRIES} tries: no connection"


def test_an_undoing_that_goes_on_has_failed() -> None:
    here = at_the_plugin(entry(), entry(1, "Abort"), abort=True, abortedAt=stamp(95), index=0)
    assert entries_of(answered(here, Answer("Running")))[-1]["phase"] == "Failed"


def test_a_retry_forgets_what_was() -> None:
    was = (entry(phase="Successful"), entry(1, "Abort", phase="Successful"))
    plan = planned(at_the_plugin(*was, index=0, abortedAt=stamp(95)), 100, KIT)
    assert entries_of(plan) == []


def test_another_template_forgets_what_was() -> None:
    raw = updating(rollout("app:2", steps=STEPS), index=1)
    raw["status"]["canary"] = {"stepPluginStatuses": [entry()]}
    raw["spec"]["template"]["spec"]["containers"][0]["image"] = "app:3"
    assert entries_of(planned(given(raw, *PODS), 100, KIT)) == []


@pytest.mark.parametrize(("index", "status"), [(1, {"promoteFull": True}), (2, {})])
def test_one_that_is_passed_over_is_stopped(index: int, status: Mapping[str, Any]) -> None:
    plan = planned(at_the_plugin(entry(), index=index, **status), 100, KIT)
    assert entries_of(plan) == [entry(), entry(1, "Terminate", startedAt=stamp(100))]
    called = planned(at_the_plugin(entry(), entry(1, "Terminate"), index=index, **status), 100, KIT)
    assert [(each.plugin, each.operation) for each in called.calls] == [("gatekeeper", "Terminate")]


def test_whoever_goes_back_to_a_step_that_was_stopped_runs_it_anew() -> None:
    was = (entry(executions=3), entry(1, "Terminate", phase="Successful", executions=1))
    assert entries_of(planned(at_the_plugin(*was), 100, KIT)) == [entry(startedAt=stamp(100))]


def test_nothing_is_called_while_the_rollout_is_paused_by_hand() -> None:
    here = at_the_plugin(entry())
    raw = {**here.raw, "spec": {**here.raw["spec"], "paused": True}}
    assert planned(given(raw, *PODS), 100, KIT).calls == ()


def test_a_disabled_plugin_is_recorded_and_complete_installed_or_not() -> None:
    steps = [plugin("broken-one"), {"setWeight": 20}]
    plan = planned(at_the_plugin(index=0, steps=steps), 100, KIT)
    assert plan.status is not None
    assert plan.status["currentStepIndex"] == 1
    (recorded,) = entries_of(plan)
    assert recorded["disabled"] is True


def test_a_plugin_without_calls_is_a_step_as_any_other() -> None:
    steps = [plugin("declared", weight=20), {"setWeight": 60}]
    shut = planned(at_the_plugin(index=0, steps=steps), 100, KIT)
    assert (shut.calls, shut.wake_at) == ((), after(120))
    assert "step 1 of 2 (plugin: declared): too early" in shut.because
    is_open = planned(at_the_plugin(index=0, steps=steps), 120, KIT)
    assert is_open.status is not None
    assert is_open.status["currentStepIndex"] == 1


RUBBISH: tuple[Any, ...] = (
    entry(operation="Sing"), entry(phase="Odd"), entry(7), entry(-1), {"index": 1, "name": "x", "operation": "Run"},
    {"index": 1, "name": "gatekeeper", "operation": "Run"}, entry(backoff="soon", updatedAt=stamp(90)), "no entry", 5,
    entry(executions=-3), entry(disabled=True), entry(status={}),
)  # fmt: skip


@pytest.mark.parametrize("rubbish", RUBBISH, ids=str)
@pytest.mark.parametrize("status", [{}, {"abort": True, "abortedAt": stamp(95)}, {"promoteFull": True}], ids=str)
def test_whatever_others_write_there_ends_in_a_plan(rubbish: Any, status: Mapping[str, Any]) -> None:
    here = at_the_plugin(rubbish, **status)
    first = planned(here, 100, KIT)
    if first.calls:
        assert answered(here, Answer("Successful")).status is not None


@pytest.mark.parametrize(
    ("step", "path", "message"),
    [
        (
            plugin("nowhere"),
            "plugin.name",
            'no step plugin "nowhere" is installed; installed are another, declared, gatekeeper',
        ),
        (plugin("setWeight"), "plugin.name", 'no step plugin "setWeight" is installed'),
        (plugin("lost"), "plugin.name", "can't be loaded: ImportError"),
        (plugin(url="gate"), "plugin.config.url", "'gate' is no URL: begin it with http://"),
        (plugin(url=7), "plugin.config", "url: Invalid value: 7"),
    ],
)
def test_what_cannot_be_carried_out_is_told(step: Any, path: str, message: str) -> None:
    raw = rollout(steps=[step])
    (found,) = problems(parse_rollout(raw), raw, KIT)
    assert found.path == f"spec.strategy.canary.steps[0].{path}"
    assert message in found.message
