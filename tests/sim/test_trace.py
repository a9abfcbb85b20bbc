"""Which differences between two courses count, and which don't?"""

from collections.abc import Iterable, Mapping
from typing import Any

from rollouts.registry import load_kit
from rollouts.sim.simulation import Simulation
from rollouts.sim.trace import State, Trace, Tracer, differences, trace_of
from tests.golden.stories import abort_then_retry

Raw = Mapping[str, Any]


def seen(tracer: Tracer, phase: str, message: str = "", *, stable: str = "aaa", step: int = 0, **sizes: int) -> None:
    status = {"phase": phase, "message": message, "currentPodHash": "bbb", "stableRS": stable, "currentStepIndex": step}
    tracer.see({"status": status}, _replica_sets(sizes))


def _replica_sets(sizes: Mapping[str, int]) -> Iterable[Raw]:
    for pod_hash, size in sizes.items():
        yield {"metadata": {"labels": {"rollouts-pod-template-hash": pod_hash}}, "spec": {"replicas": size}}


def scaled(tracer: Tracer, pod_hash: str, before: int, after: int) -> None:
    way = "up" if after > before else "down"
    tracer.tell("ScalingReplicaSet", f"Scaled {way} ReplicaSet web-{pod_hash} (revision 2) from {before} to {after}")


def test_a_golden_story_as_a_trace() -> None:
    trace = trace_of(Simulation(abort_then_retry(), load_kit()).run(), "web")
    assert [str(state) for state in trace.states] == [
        "A over nothing step 0: Progressing",
        "A over A step 5: Healthy",
        "B over A step 0: Progressing",
        "B over A step 1: Paused CanaryPauseStep",
        "B over A step 2: Progressing",
        "B over A step 3: Paused CanaryPauseStep",
        "B over A step 0: Degraded RolloutAborted",
        "B over A step 0: Progressing",
        "B over A step 1: Paused CanaryPauseStep",
        "B over A step 2: Progressing",
        "B over A step 3: Paused CanaryPauseStep",
        "B over A step 4: Progressing",
        "B over A step 5: Progressing",
        "B over B step 5: Healthy",
    ]
    assert trace.rests == ({"A": 5}, {"A": 3, "B": 2}, {"A": 5}, {"A": 3, "B": 2}, {"B": 5})
    assert trace.events[:6] == (
        "RolloutUpdated: Rollout updated to revision 1",
        "NewReplicaSetCreated: Created ReplicaSet web-78766d5789 (revision 1)".replace("78766d5789", "A"),
        "RolloutNotCompleted: started update to revision 1 (A)",
        "scaled web-A from 0 to 5",
        "RolloutCompleted: Rollout completed update to revision 1 (A): Initial deploy",
        "RolloutUpdated: Rollout updated to revision 2",
    )
    assert "scaled web-B from 2 to 0" in trace.events, "in how many parts doesn't count"


def test_messages_of_progress_and_flaps_make_no_difference() -> None:
    calm, busy = Tracer(), Tracer()
    seen(calm, "Healthy")
    seen(busy, "Progressing", "more replicas need to be updated")
    seen(busy, "Progressing", "updated replicas are still becoming available")
    seen(busy, "Healthy")
    seen(busy, "Progressing")
    seen(busy, "Healthy")
    assert differences(calm.trace(), busy.trace()) == []


def test_progress_towards_another_step_counts() -> None:
    direct, slow = Tracer(), Tracer()
    for tracer in (direct, slow):
        seen(tracer, "Paused", "CanaryPauseStep", step=1)
    seen(slow, "Progressing", step=2)
    for tracer in (direct, slow):
        seen(tracer, "Paused", "CanaryPauseStep", step=3)
    (difference,) = differences(direct.trace(), slow.trace())
    assert difference == (
        "state 2 after A over B step 1: Paused CanaryPauseStep: simulated A over B step 3: Paused CanaryPauseStep, "
        "but on the API server A over B step 2: Progressing"
    )


def test_the_order_of_events_counts_but_not_the_parts_of_a_move() -> None:
    one, other = Tracer(), Tracer()
    for tracer in (one, other):
        seen(tracer, "Progressing")
    scaled(one, "bbb", 0, 3)
    scaled(one, "aaa", 5, 2)
    for before, after in ((5, 4), (4, 2)):
        scaled(other, "aaa", before, after)
    scaled(other, "bbb", 0, 1)
    scaled(other, "bbb", 1, 3)
    for tracer in (one, other):
        tracer.tell("RolloutPaused", "Rollout is paused (CanaryPauseStep)")
    assert differences(one.trace(), other.trace()) == []
    scaled(other, "bbb", 3, 4)
    (difference,) = differences(one.trace(), other.trace())
    assert difference == (
        "event 4 after RolloutPaused: Rollout is paused (CanaryPauseStep): simulated None, "
        "but on the API server scaled web-A from 3 to 4"
    )


def test_evictions_count_as_a_sum_and_no_pod_has_a_name() -> None:
    tracer = Tracer()
    seen(tracer, "Healthy")
    for name in ("xk2vd", "p9wqm"):
        tracer.tell("PodEvicted", f"Evicted pod web-bbb-{name} of Rollout web to restart it")
    assert tracer.trace().events == ("evicted 2 of web-A",)


def test_each_service_is_followed_on_its_own() -> None:
    early, late = Tracer(), Tracer()
    switched = ("SwitchService", "Switched selector for service 'web-canary' from 'aaa' to 'bbb'")
    step = ("RolloutStepCompleted", "Rollout step 1/5 completed (setWeight: 20)")
    for tracer, told in ((early, (switched, step)), (late, (step, switched))):
        seen(tracer, "Progressing")
        for reason, message in told:
            tracer.tell(reason, message)
    assert differences(early.trace(), late.trace()) == []
    assert early.trace().switches == (("web-canary", "A"),)
    late.tell("SwitchService", "Switched selector for service 'web-canary' from 'bbb' to 'aaa'")
    assert differences(early.trace(), late.trace()) == [
        "Service 1: simulated ('web-canary', 'A'), but on the API server ('web-canary', 'A', 'B')"
    ]


def test_sizes_count_where_nothing_moves() -> None:
    tracer = Tracer()
    tracer.act()
    seen(tracer, "Paused", "CanaryPauseStep", aaa=4, bbb=1)
    tracer.act()
    seen(tracer, "Progressing", aaa=3, bbb=2)
    tracer.act()
    seen(tracer, "Healthy", aaa=0, bbb=5)
    assert tracer.trace().rests == ({"A": 1, "B": 4}, None, {"A": 5})


def test_what_a_controller_says_at_its_start_is_left_out() -> None:
    tracer = Tracer()
    tracer.tell("RolloutAddedToInformer", "Rollout default/web is looked after from now on")
    assert tracer.trace() == Trace((), (), (), ({},))


def test_a_first_deploy_reads_well() -> None:
    assert str(State("A", "", None, "Progressing")) == "A over nothing: Progressing"
