"""When does the step let a rollout go on? In the terms of the public API only: no cluster, no clock, no controller."""

from datetime import UTC, datetime

import pytest
from rollouts.ports import Here, Open, Shut
from rollouts.ports.testing import StepConformance

from office_hours import OfficeHours
from office_hours.step import Hours

STEP = OfficeHours()


def hours(**config: str) -> Hours:
    """Read a configuration as it stands in a manifest."""
    return Hours.model_validate(config)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TestOfficeHours(StepConformance):
    step = STEP
    specs = (hours(), hours(**{"from": "08:00", "to": "20:00"}))


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
    gate = STEP.gate(hours(), Here(), at(now))
    assert isinstance(gate, Shut)
    assert gate.until == at(opens)
    assert gate.patient  # the pods are not to blame: the progress deadline stands still
    assert not gate.pauses


def test_open_within_office_hours() -> None:
    assert isinstance(STEP.gate(hours(), Here(), at("2026-03-02T09:00")), Open)
    assert isinstance(STEP.gate(hours(to="20:00"), Here(), at("2026-03-02T19:59")), Open)


def test_shut_while_pods_are_missing_and_then_the_deadline_runs() -> None:
    gate = STEP.gate(hours(), Here(unmet="0 of the canary's 1 pods are available"), at("2026-03-02T12:00"))
    assert gate == Shut("0 of the canary's 1 pods are available")


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        (hours(**{"from": "9am"}), ("from", "'9am' is no time of day: write it as HH:MM, in UTC")),
        (hours(**{"from": "17:00"}), ("", "from (17:00) must be before to (16:00)")),
    ],
)
def test_each_problem_names_what_is_wrong_and_the_way_out(spec: Hours, problem: tuple[str, str]) -> None:
    assert list(STEP.problems(spec, max_weight=100, routed=False)) == [problem]
