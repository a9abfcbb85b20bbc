"""What does somebody see who asks for what can't be done? And that nothing else is touched, and all heals."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from rollouts.api import keys
from rollouts.api.timestamps import format_time
from rollouts.plan.invalid import plan_unreadable
from rollouts.plan.narrate import Event, narrate
from rollouts.registry import load_kit
from tests.plan.broken import BROKEN, services, step
from tests.plan.decided import given, planned
from tests.plan.given import ONE, Raw, after, condition, live, replica_set, rollout, service, stable


@pytest.mark.parametrize("case", BROKEN)
def test_the_problem_is_shown_and_nothing_else_touched(case: str) -> None:
    raw, problem = BROKEN[case]
    before = stable(raw) if raw["spec"]["strategy"].get("canary") else live(raw)
    before["metadata"]["generation"] = 2
    message = f'The Rollout "{raw["metadata"]["name"]}" is invalid: {problem}'
    here = given(before, replica_set("app:1", 5), services=services())
    plan = planned(here)
    assert plan.actions == ()
    assert plan.problem == message
    assert plan.because[0] == message
    assert plan.wake_at == after(120)
    assert plan.status is not None
    status = dict(plan.status)
    *others, invalid = status.pop("conditions")
    assert invalid == condition("InvalidSpec", "True", "InvalidSpec", message, since=100)
    assert others == before["status"].get("conditions", [])
    rest = {key: value for key, value in before["status"].items() if key != "conditions"}
    assert status == {**rest, "phase": "Degraded", "message": f"InvalidSpec: {message}", "observedGeneration": "2"}
    assert narrate(here, plan, (), status_written=True, kit=load_kit()) == [Event("Warning", "InvalidSpec", message)]


def test_whoever_asks_why_hears_of_all_problems() -> None:
    raw = stable(step({"setWeight": 140}))
    raw["spec"]["progressDeadlineSeconds"] = -1
    first, *others = planned(given(raw, replica_set("app:1", 5), services=services())).because
    assert first.startswith('The Rollout "web" is invalid: spec.progressDeadlineSeconds: -1 is negative')
    assert [each.split(": ")[0] for each in others] == ["spec.strategy.canary.steps[0].setWeight"]


def invalid(raw: Raw, seconds: float = 100) -> Raw:
    """Return the Rollout with the status that its problem leads to."""
    plan = planned(given(raw, replica_set("app:1", 5)), seconds)
    assert plan.status is not None
    return {**raw, "status": plan.status}


def test_the_same_problem_is_written_once() -> None:
    assert planned(given(invalid(stable(step({"setWeight": 140}))), replica_set("app:1", 5)), 200).status is None


def test_it_is_told_once_however_often_the_spec_changes_beside_it() -> None:
    before = invalid(stable(step({"setWeight": 140})))
    before["metadata"]["generation"] = 3
    here = given({**before, "spec": {**before["spec"], "replicas": 6}}, replica_set("app:1", 5))
    plan = planned(here, 200)
    assert plan.status is not None
    assert narrate(here, plan, (), status_written=True, kit=load_kit()) == []


def test_another_problem_takes_its_place() -> None:
    before = invalid(stable(step({"setWeight": 140})))
    plan = planned(given({**before, "spec": step({"setWeight": 150})["spec"]}, replica_set("app:1", 5)), 200)
    assert plan.status is not None
    shown = [each for each in plan.status["conditions"] if each["type"] == "InvalidSpec"]
    assert [(each["message"].count("150"), each["lastUpdateTime"]) for each in shown] == [(1, format_time(after(200)))]
    here = given({**before, "spec": step({"setWeight": 150})["spec"]}, replica_set("app:1", 5))
    assert [event.reason for event in narrate(here, plan, (), status_written=True, kit=load_kit())] == ["InvalidSpec"]


def test_once_corrected_the_condition_goes_and_the_phase_heals() -> None:
    before = invalid(stable(step({"setWeight": 140})))
    plan = planned(given({**before, "spec": step({"setWeight": 40})["spec"]}, replica_set("app:1", 5)), 200)
    assert plan.problem is None
    assert plan.status is not None
    assert (plan.status["phase"], plan.status.get("message"), plan.status["stableRS"]) == ("Healthy", None, ONE)
    assert "InvalidSpec" not in {each["type"] for each in plan.status["conditions"]}


SHARED: tuple[tuple[str, str | None, str, str], ...] = (
    ("nobody's yet, and somebody older uses it", None, "shop", 'is used by another Rollout, "shop"'),
    ("nobody's yet, and we are the oldest", None, "", ""),
    ("ours already: the older one is told, not we", "web", "shop", ""),
    ("theirs already: we are told, however old we are", "shop", "", 'is managed by another Rollout, "shop"'),
)


@pytest.mark.parametrize(("owner", "rival", "told"), [row[1:] for row in SHARED], ids=[row[0] for row in SHARED])
def test_a_service_for_two_rollouts_is_ones_of_them(owner: str | None, rival: str, told: str) -> None:
    shared = live(service("s"))
    if owner is not None:
        shared["metadata"]["annotations"] = {keys.MANAGED_BY: owner}
    raw = stable(rollout(canary={"stableService": "s"}))
    here = given(raw, replica_set("app:1", 5), services={"s": shared})
    plan = planned(replace(here, rivals={"s": rival} if rival else {}))
    assert told in (plan.problem or "")
    assert (plan.problem is None) == (told == "")


@pytest.mark.parametrize(("path", "spec"), [("replicas", {"replicas": "five"}), ("paused", {"paused": "yes"})])
def test_a_spec_without_the_apis_shape_is_shown_like_any_problem(path: str, spec: dict[str, Any]) -> None:
    raw = live(rollout(**spec) if "replicas" not in spec else {**rollout(), "spec": {**rollout()["spec"], **spec}})
    with pytest.raises(ValidationError):
        given(raw)
    plan = plan_unreadable(raw, f"spec.{path}: wrong", after(100))
    assert plan.actions == ()
    assert plan.status is not None
    assert plan.status["message"] == f'InvalidSpec: The Rollout "web" is invalid: spec.{path}: wrong'
