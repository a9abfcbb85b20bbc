"""When does the step let a rollout go on? In the terms of the public API only: no cluster, no clock, no controller."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from rollouts.ports import Here, Open, Shut

from office_hours import OfficeHours

STEP = OfficeHours()


@dataclass(frozen=True)
class Spec:
    name: str = "office-hours"
    config: dict[str, Any] = field(default_factory=dict)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-03-02T08:59", "2026-03-02T09:00"),  # Monday, too early
        ("2026-03-02T16:00", "2026-03-03T09:00"),  # Monday evening
        ("2026-03-06T17:00", "2026-03-09T09:00"),  # Friday evening: Monday comes next
        ("2026-03-07T12:00", "2026-03-09T09:00"),  # Saturday
    ],
)
def test_shut_outside_of_office_hours_until_they_begin(now: str, opens: str) -> None:
    gate = STEP.gate(Spec(), Here(), at(now))
    assert isinstance(gate, Shut)
    assert gate.until == at(opens)
    assert gate.patient  # the pods are not to blame: the progress deadline stands still
    assert not gate.pauses


def test_open_within_office_hours() -> None:
    assert isinstance(STEP.gate(Spec(), Here(), at("2026-03-02T09:00")), Open)
    assert isinstance(STEP.gate(Spec(config={"to": "20:00"}), Here(), at("2026-03-02T19:59")), Open)


def test_shut_while_pods_are_missing_and_then_the_deadline_runs() -> None:
    gate = STEP.gate(Spec(), Here(unmet="0 of the canary's 1 pods are available"), at("2026-03-02T12:00"))
    assert gate == Shut("0 of the canary's 1 pods are available")


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        (Spec("full-moon"), ("name", '"full-moon" is not installed: office-hours is')),
        (Spec(config={"form": "08:00"}), ("config.form", "is unknown: known are from, to")),
        (Spec(config={"from": "9am"}), ("config.from", "'9am' is no time of day: write it as HH:MM, in UTC")),
        (Spec(config={"from": "17:00"}), ("config", "from (17:00) must be before to (16:00)")),
    ],
)
def test_each_problem_names_what_is_wrong_and_the_way_out(spec: Spec, problem: tuple[str, str]) -> None:
    assert list(STEP.problems(spec, max_weight=100, routed=False)) == [problem]


def test_events_and_trees_show_its_title() -> None:
    assert STEP.title(Spec()) == "plugin: office-hours"
