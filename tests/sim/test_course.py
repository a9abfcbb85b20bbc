"""What is read from a scenario file, and what is said about one that is wrong?"""

from datetime import timedelta
from typing import Any

import pytest

from rollouts.ports.provider import NoData, Reading, Verdict
from rollouts.sim.course import Asked, Condition, CourseError, Word, read_course


def test_everything_that_a_file_may_say() -> None:
    course = read_course(
        {
            "images": {
                "web:slow": {"readyAfter": "1m30s"},
                "web:crash": {"crashAfter": 5},
                "web:never": {"neverReady": True},
                "web:bad": {"refused": "no such thing"},
            },
            "happens": [
                {"at": "30s", "do": {"setImage": "web:slow"}},
                {"when": "paused", "after": 10, "do": "promote full"},
                {"when": "step 2", "do": {"scale": 0}},
                {"do": {"deletePods": {"image": "web:slow", "count": 2}}},
            ],
            "resumeAfter": "2m",
            "until": "healthy",
        }
    )
    behaviours = [each.behaviour for each in course.images.values()]
    assert [each.ready_after for each in behaviours] == [90, 1, None, 1]
    assert [each.fails_after for each in behaviours] == [None, 5, None, None]
    assert [each.refusal for each in behaviours] == ["", "", "", "no such thing"]
    first, second, third, fourth = course.happens
    assert (first.at, first.do) == (timedelta(seconds=30), Asked(setImage="web:slow"))
    assert (second.when, second.after, second.do) == (Condition("paused"), timedelta(seconds=10), Word.PROMOTE_FULL)
    assert third.when == Condition(step=2)
    assert [each.moment for each in course.happens] == [
        "at 30s",
        "10s after paused",
        "when step 2",
        "at once after the entry above it",
    ]
    assert isinstance(fourth.do, Asked)
    assert (course.resume_after, course.until) == (timedelta(minutes=2), Condition("healthy"))
    assert read_course({"until": "10m"}).until == timedelta(minutes=10)


DURATION = "write numbers with units h, m, s, ms, us or ns, for example 90s or 1h30m"
STATES = "write healthy, paused, degraded, progressing, or `step N` with N from 1"


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (["abort"], "is no scenario but list: write a mapping with `images` and `happens`"),
        ({"hapens": []}, "hapens: is no field of a scenario: did you mean happens?"),
        (
            {"images": {"a": {"readyAftr": 1}}},
            "images.a.readyAftr: is no field of a scenario: did you mean readyAfter?",
        ),
        (
            {"images": {"a": {"readyAfter": "5 min"}}},
            f"images.a.readyAfter: '5 min' is no duration: unknown unit ' min'; {DURATION}",
        ),
        ({"images": {"a": {"readyAfter": -1}}}, "images.a.readyAfter: '-1' is no duration: a number lacks its unit"),
        (
            {"images": {"a": {"readyAfter": 1, "neverReady": True}}},
            "images.a: has both readyAfter and neverReady: remove one of them",
        ),
        ({"happens": [{"when": "pause", "do": "abort"}]}, f"happens[0].when: 'pause' never comes: {STATES}"),
        ({"happens": [{"when": "step 0", "do": "abort"}]}, f"happens[0].when: 'step 0' never comes: {STATES}"),
        (
            {"happens": [{"at": 1, "when": "paused", "do": "abort"}]},
            "happens[0]: has two moments: write `at`, or `when` and `after`",
        ),
        ({"happens": [{"at": 1}]}, "happens[0].do: is missing: add it"),
        ({"happens": {"do": "abort"}}, "happens: has the wrong shape: write a list"),
        (
            {"happens": [{"do": {"setImage": "web=web:2"}}]},
            "happens[0].do: 'web=web:2' is no image: write `setImage: {web: web:2}`",
        ),
        ({"happens": [{"do": "abrt"}]}, "happens[0].do = 'abrt': is no deed: did you mean 'abort'?"),
        ({"happens": [{"do": "scale"}]}, "happens[0].do = 'scale': needs an argument: write `do: {scale: ...}`"),
        (
            {"happens": [{"do": {"scale": 3, "undo": 1}}]},
            "happens[0].do: is 2 deeds: write one deed for each entry of `happens`",
        ),
        ({"happens": [{"do": {"sclae": 3}}]}, "happens[0].do.sclae: is no field of a scenario: did you mean scale?"),
        ({"happens": [{"do": {"scale": -3}}]}, "happens[0].do.scale: -3 is too small: must be 0 or more"),
        ({"until": "stop"}, "until: 'stop' is no duration: a number is missing before 'stop'"),
        ({"until": "Healthy"}, f"until: 'Healthy' never comes: {STATES}"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_the_way_out(raw: Any, problem: str) -> None:
    with pytest.raises(CourseError) as error:
        read_course(raw)
    (told,) = [each for each in error.value.problems if each.startswith(problem)]
    assert told


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(CourseError) as error:
        read_course({"happens": [{"do": "abrt"}, {"do": "retry", "at": "x"}], "untl": 3})
    assert len(error.value.problems) == 3


def test_metrics_have_curves() -> None:
    raw = {"metrics": {"rate": [0.01, "0.2@2m", "Failed@3m"], "cpu": {"web:2": ["no data"], "web:1": 3}}}
    metrics = read_course(raw).metrics
    prometheus: dict[str, Any] = {"name": "rate", "provider": {"prometheus": {}}}
    minutes = [metrics.outcome(prometheus, "web:2", number, timedelta(minutes=number)) for number in (1, 2, 3)]
    assert minutes == [
        Reading([0.01], value="[0.01]"),
        Reading([0.2], value="[0.2]"),
        Verdict("Failed", message="as the scenario has it"),
    ]
    web: dict[str, Any] = {"name": "cpu", "provider": {"web": {}}}
    assert metrics.outcome(web, "web:1", 9, timedelta()) == Reading(3, value="3")
    assert isinstance(metrics.outcome(web, "web:2", 1, timedelta()), NoData)
    assert metrics.outcome(web, "web:3", 1, timedelta()) == Verdict("Successful"), "it has no curve"


@pytest.mark.parametrize(
    ("metrics", "problem"),
    [
        ([0.1], "metrics: is no mapping: write a list of values for each metric"),
        ({"rate": []}, "metrics: rate: is an empty list: write at least one value"),
        (
            {"rate": ["good"]},
            "metrics: rate: 'good' is no value: write a number, Error, Failed, Inconclusive, Successful or `no data`",
        ),
        ({"rate": ["0.1@soon"]}, "metrics: rate: 'soon' is no duration"),
    ],
)
def test_what_is_no_curve(metrics: Any, problem: str) -> None:
    with pytest.raises(CourseError) as error:
        read_course({"metrics": metrics})
    assert error.value.problems[0].startswith(problem)
