"""Does an experiment come to the same end whatever writes get lost, and leave nothing behind?"""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rollouts.plan.actions import Action
from tests.plan.experiment.course import Course, Ends
from tests.plan.experiment.given import analysis, experiment, side

PHASES = st.sampled_from(("Successful", "Failed", "Error", "Inconclusive"))
ENDS = st.builds(Ends, PHASES, st.integers(1, 90).map(float))


@st.composite
def experiments(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Ends], tuple[str, ...]]:
    """Draw an experiment that ends, how its runs end, and which of its templates never has available pods."""
    names = ("a", "b")
    required = {name: draw(st.booleans()) for name in names}
    runs = {f"ab-{name}": draw(ENDS) for name in names if required[name] or draw(st.booleans())}
    spec: dict[str, Any] = {
        "analyses": [analysis(name, requiredForCompletion=required[name]) for name in names],
        "duration": draw(st.sampled_from(("0s", "10s", "1m"))),
        "scaleDownDelaySeconds": draw(st.sampled_from((0, 30))),
        "progressDeadlineSeconds": 60,
    }
    broken = draw(st.sampled_from(((), ("canary",))))
    baseline = side("baseline", ports=[{"containerPort": 80}], service={})
    return experiment(baseline, side("canary"), **spec), runs, broken


@given(experiments(), st.lists(st.booleans(), max_size=60))
def test_lost_writes_change_nothing_about_the_end(
    drawn: tuple[dict[str, Any], dict[str, Ends], tuple[str, ...]], losses: Sequence[bool]
) -> None:
    raw, runs, broken = drawn
    left = list(losses)

    def lost(_: Action | None) -> bool:
        return bool(left) and left.pop(0)

    sound, faulty = Course(raw, runs, broken).go(), Course(raw, runs, broken, lost=lost).go()
    for course in (sound, faulty):
        assert course.plan().is_settled
        assert course.plan().wake_at is None
        assert not course.services
        assert sorted(course.sets) == ["ab-baseline", "ab-canary"]
        assert all(each["spec"]["replicas"] == 0 for each in course.sets.values())
        assert set(course.analysis_runs) <= {"ab-a", "ab-b"}
        assert all(each["status"]["phase"] != "Running" for each in course.analysis_runs.values())
    assert faulty.status["phase"] == sound.status["phase"]
    assert faulty.status.get("message") == sound.status.get("message")
