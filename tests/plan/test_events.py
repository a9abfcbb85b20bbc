"""Which events does a rollout tell of, and in which order? Dashboards and notifications live on both."""

from collections.abc import Mapping, Sequence
from typing import Any

from rollouts.registry import load_kit
from rollouts.sim.pods import Behaviour
from rollouts.sim.scenario import (
    Change,
    Scenario,
    abort,
    create,
    patch_spec,
    patch_status,
    promote_full,
    resume,
    retry,
    scale,
    set_image,
)
from rollouts.sim.simulation import Pass, Simulation
from rollouts.sim.world import World
from tests.plan.given import START, rollout

TWO_STEPS: Sequence[Mapping[str, Any]] = ({"setWeight": 50}, {"pause": {}})
BAD = 'spec.template: Invalid value: "bad"'


def told(
    *script: Change, since: float, steps: Sequence[Mapping[str, Any]] = TWO_STEPS, lasts: float = 3600
) -> list[str]:
    """Return the events from a moment on, of a rollout of two pods that is created before the script begins."""
    images = {"app:bad": Behaviour(refusal=BAD), "app:crash": Behaviour(ready_after=None)}
    first = create(0, rollout(replicas=2, steps=steps, progressDeadlineSeconds=30, progressDeadlineAbort=True))
    simulation = Simulation(Scenario(World(START, images), (first, *script), lasts), load_kit())
    passes = [moment for moment in simulation.run() if isinstance(moment, Pass)]
    return [
        f"{event.type[0]} {event.reason}: {event.message}"
        for each in passes
        if (each.now - START).total_seconds() >= since
        for event in each.events
    ]


def reasons(events: list[str]) -> list[str]:
    return [event.partition(":")[0].partition(" ")[2] for event in events]


def test_a_first_deploy_is_complete_from_the_start_and_completes_no_step() -> None:
    assert told(since=0) == [
        "N RolloutUpdated: Rollout updated to revision 1",
        "N NewReplicaSetCreated: Created ReplicaSet web-78766d5789 (revision 1)",
        "N RolloutNotCompleted: started update to revision 1 (78766d5789)",
        "N ScalingReplicaSet: Scaled up ReplicaSet web-78766d5789 (revision 1) from 0 to 2",
        "N RolloutCompleted: Rollout completed update to revision 1 (78766d5789): Initial deploy",
    ]


def test_a_first_deploy_with_a_single_step_completes_no_step() -> None:
    assert "RolloutStepCompleted" not in reasons(told(since=0, steps=({"setWeight": 50},)))


def test_an_update_goes_to_its_pause() -> None:
    assert told(set_image(10, "web", "app:2"), since=10) == [
        "N RolloutUpdated: Rollout updated to revision 2",
        "N NewReplicaSetCreated: Created ReplicaSet web-76d57f768c (revision 2)",
        "N RolloutNotCompleted: started update to revision 2 (76d57f768c)",
        "N ScalingReplicaSet: Scaled up ReplicaSet web-76d57f768c (revision 2) from 0 to 1",
        "N ScalingReplicaSet: Scaled down ReplicaSet web-78766d5789 (revision 1) from 2 to 1",
        "N RolloutStepCompleted: Rollout step 1/2 completed (setWeight: 50)",
        "N RolloutPaused: Rollout is paused (CanaryPauseStep)",
    ]


def test_a_resume_completes_the_pause_then_says_so_then_scales() -> None:
    assert reasons(told(set_image(10, "web", "app:2"), resume(20, "web"), since=20)) == [
        "RolloutStepCompleted",
        "RolloutResumed",
        "ScalingReplicaSet",
        "ScalingReplicaSet",
        "RolloutCompleted",
    ]


def test_an_abort_scales_back_and_is_a_warning() -> None:
    events = told(set_image(10, "web", "app:2"), abort(20, "web"), since=20)
    assert reasons(events) == ["ScalingReplicaSet", "RolloutAborted", "ScalingReplicaSet"]
    assert "W RolloutAborted: Rollout aborted update to revision 2" in events


def test_a_retry_begins_with_scaling_and_a_promotion_ends_it() -> None:
    script = (set_image(10, "web", "app:2"), abort(20, "web"), retry(30, "web"), resume(40, "web"))
    events = reasons(told(*script, since=30))
    assert [event for event in events if event != "ScalingReplicaSet"] == [
        "RolloutStepCompleted",
        "RolloutPaused",
        "RolloutStepCompleted",
        "RolloutResumed",
        "RolloutCompleted",
    ]
    assert events[0] == "ScalingReplicaSet"


def test_an_abort_by_deadline_says_what_has_timed_out() -> None:
    events = told(set_image(10, "web", "app:crash"), since=20)
    assert [event for event in events if event.startswith("W")] == [
        'W RolloutAborted: Rollout aborted update to revision 2: ReplicaSet "web-fbdcd544d" has timed out progressing.'
    ]


def test_a_full_promotion_is_the_reason_of_the_completion() -> None:
    events = told(set_image(10, "web", "app:2"), promote_full(20, "web"), since=20)
    assert reasons(events)[:2] == ["ScalingReplicaSet", "RolloutResumed"]
    assert events[-1].endswith("Full promotion requested")


def test_back_to_stable_skips_the_steps() -> None:
    events = reasons(told(set_image(10, "web", "app:2"), set_image(20, "web", "app:1"), since=20))
    assert events[:4] == ["RolloutUpdated", "RolloutSuperseded", "ScalingReplicaSet", "SkipSteps"]
    assert "RolloutCompleted" not in events


def test_skipping_a_pause_by_the_index_completes_no_step_that_was_not_done() -> None:
    skip = patch_status(20, "web", "skip", currentStepIndex=2, pauseConditions=None)
    events = reasons(told(set_image(10, "web", "app:2"), skip, since=20))
    assert "RolloutStepCompleted" not in events
    assert events[-1] == "RolloutCompleted"


def test_a_change_of_size_tells_of_scaling_only() -> None:
    events = told(set_image(10, "web", "app:2"), scale(20, "web", 4), since=20)
    assert set(reasons(events)) == {"ScalingReplicaSet"}


def test_spec_paused_is_no_pause_of_the_controller() -> None:
    assert told(patch_spec(10, "web", "paused", paused=True), since=10) == []


def test_a_refused_template_is_told_once_and_starts_an_update_all_the_same() -> None:
    assert told(set_image(10, "web", "app:bad"), since=10, lasts=1000) == [
        "N RolloutUpdated: Rollout updated to revision 2",
        "N RolloutNotCompleted: started update to revision 2 (59cbffd5b5)",
        f'W ReplicaSetCreateError: Failed to create new replica set "web-59cbffd5b5": {BAD}',
        'W RolloutAborted: Rollout aborted update to revision 2: Rollout "web" has timed out progressing.',
    ]
