"""Does a secret ever get into a status?"""

import json

import pytest

from rollouts.plan.analysis.observed import Taken, observe_run
from rollouts.plan.analysis.run import plan_analysis
from rollouts.plan.analysis.substitution import fill
from rollouts.ports.provider import NoData, Outcome, Reading, Verdict
from tests.plan.analysis.course import Course
from tests.plan.analysis.given import KIT, metric, run
from tests.plan.given import after

SECRET = 'pa"ss/word+1'  # noqa: S105 - it is none
ARGS = [{"name": "token", "valueFrom": {"secretKeyRef": {"name": "creds", "key": "token"}}}]
PROVIDER = {
    "prometheus": {
        "query": "up{t='{{ args.token }}'}",
        "headers": [{"key": "Authorization", "value": "{{args.token}}"}],
    }
}


def test_a_secret_is_filled_in_for_the_measurement_only() -> None:
    plan = plan_analysis(observe_run(run(metric(provider=PROVIDER), args=ARGS)), after(0), KIT)
    (measure,) = plan.measure
    assert {name: (each.name, each.key) for name, each in measure.secrets.items()} == {"token": ("creds", "token")}
    assert "{{args.token}}" in json.dumps(measure.template)
    filled = measure.filled({"token": SECRET})
    assert filled["provider"]["prometheus"]["query"] == f"up{{t='{SECRET}'}}"
    assert SECRET not in repr(measure)


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        (None, f"GET http://prometheus?token={SECRET} refused"),
        (None, "GET http://prometheus?token=pa%22ss/word%2B1 refused, and pa%22ss%2Fword%2B1"),
        (None, "Authorization: Basic cGEic3Mvd29yZCsx is wrong"),
        (Reading([0.0], f'["{SECRET}"]', {SECRET: "no", "note": SECRET}), ""),
        (Reading({"echo": SECRET}, json.dumps({"echo": SECRET})), ""),
        (NoData(f"nothing for {SECRET}", None, SECRET), ""),
        (Verdict("Failed", SECRET, SECRET, {"a": SECRET}), ""),
    ],
)
def test_no_secret_gets_into_a_status(outcome: Outcome | None, error: str) -> None:
    raw = run(metric(provider=PROVIDER, successCondition='result[0] == 0.0 || result == "{{args.token}}"'), args=ARGS)
    taken = Taken("errors", after(0), after(1), outcome, error, {"token": SECRET})
    plan = plan_analysis(observe_run(raw, [taken]), after(1), KIT)
    text = json.dumps([plan.status, plan.because, [each.message for each in plan.events]])
    for shown in (SECRET, json.dumps(SECRET)[1:-1], "pa%22ss", "cGEic3Mvd29yZCsx"):
        assert shown not in text.replace(f'"{json.dumps(SECRET)[1:-1]}": "no"', "")
    assert "*****" in text
    assert repr(taken).count(SECRET) == repr(Taken("errors", after(0), after(1), outcome, error)).count(SECRET)


def test_a_secret_that_makes_a_condition_break_is_not_shown() -> None:
    course = Course(
        run(metric(successCondition="result[0] < {{args.token}}", consecutiveErrorLimit=0), args=ARGS),
        {"errors": (0.0,)},
        {"token": "hunter 2"},
    ).go()
    assert course.status["phase"] == "Error"
    assert "hunter" not in json.dumps(course.status)


def test_a_value_cannot_ask_for_a_secret() -> None:
    assert fill("{{args.a}}", {"a": "{{args.token}}", "token": SECRET}) == "{{args.token}}"


def test_a_huge_answer_is_cut() -> None:
    course = Course(run(metric()), {"errors": (Reading([0.0], "x" * 100_000),)}).go()
    value = course.result()["measurements"][0]["value"]
    assert len(value) < 5_000
    assert value.endswith("... (100000 characters)")
