"""What does a timeline keep of the moments that it is given?"""

from dataclasses import replace
from typing import Any

from rollouts.plan.narrate import Event
from rollouts.view.timeline import Frame, RevisionPods, Step, Timeline, Weight, frame

PAUSED = Event("Normal", "RolloutPaused", "Rollout is paused (CanaryPauseStep)")


def at(seconds: float, phase: str = "Progressing", **facts: Any) -> Frame:
    nothing: dict[str, Any] = {"says": (), "message": "", "step": None, "weight": None, "desired": 3, "revisions": ()}
    return Frame(**{"at": seconds, "phase": phase, **nothing, "because": (), "events": (), **facts})


def test_what_happens_at_one_instant_in_one_phase_is_one_frame() -> None:
    timeline = Timeline()
    timeline.say("the image becomes web:2")
    timeline.add(at(5, because=("first",), events=(PAUSED,)))
    timeline.add(at(5, because=("second",), events=(PAUSED,)))
    timeline.add(at(5, "Paused", because=("third",)))
    told = [(each.phase, each.says, each.because, len(each.events)) for each in timeline.frames]
    assert told == [
        ("Progressing", ("the image becomes web:2",), ("second",), 2),
        ("Paused", (), ("third",), 0),
    ]


def test_another_weight_or_size_is_another_frame() -> None:
    timeline = Timeline()
    timeline.add(at(5, weight=Weight(20, 0)))
    timeline.add(at(5, weight=Weight(40, 0)))
    timeline.add(at(5, weight=Weight(40, 20)))
    timeline.add(at(5, weight=Weight(40, 20), desired=4))
    assert [(each.weight, each.desired) for each in timeline.frames] == [
        (Weight(20, 0), 3),
        (Weight(40, 20), 3),
        (Weight(40, 20), 4),
    ]


def test_nothing_new_is_no_frame() -> None:
    timeline = Timeline()
    timeline.add(at(5, because=("it waits",)))
    timeline.add(at(9, because=("it waits",)))
    timeline.add(at(12, because=("it is refused",)))
    timeline.add(at(12, because=("it waits",)))
    assert [each.at for each in timeline.frames] == [5]
    timeline.say("somebody retries it")
    timeline.add(at(20, because=("it waits",)))
    timeline.add(at(30, because=("it waits",), events=(PAUSED,)))
    assert [each.at for each in timeline.frames] == [5, 20, 30]


def test_a_frame_of_raw_objects() -> None:
    rollout: dict[str, Any] = {
        "metadata": {"name": "web", "uid": "u", "generation": 2},
        "spec": {"replicas": 4, "strategy": {"canary": {"steps": [{"setWeight": 25}, {"pause": {}}]}}},
        "status": {
            "phase": "Paused",
            "message": "CanaryPauseStep",
            "observedGeneration": "2",
            "currentStepIndex": 1,
            "currentPodHash": "b",
            "stableRS": "a",
            "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-01-01T00:00:00Z"}],
        },
    }
    sets = [_replica_set("a", 1, 3), _replica_set("b", 2, 1), _replica_set("x", 9, 1, owner="another")]
    found = frame(7, rollout, sets, because=("it waits",))
    assert (found.phase, found.message, found.desired, found.ready, found.available) == (
        *("Paused", "CanaryPauseStep", 4),
        *(4, 4),
    )
    assert (found.step, found.weight) == (Step(1, 2, "pause"), Weight(25, 25))
    assert found.revisions == (
        RevisionPods(1, "web-a", "a", ("stable",), ("web:a",), 3, 3, 3, 3),
        RevisionPods(2, "web-b", "b", ("canary",), ("web:b",), 1, 1, 1, 1),
    )
    assert [each.role for each in found.revisions] == ["stable", "canary"]
    assert replace(found.revisions[0], roles=()).role == "leaving"
    first = frame(0, {**rollout, "status": {**rollout["status"], "stableRS": ""}}, sets)
    assert (first.step, first.weight) == (None, None), "a first deploy runs no steps"


def _replica_set(pod_hash: str, revision: int, pods: int, owner: str = "u") -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"web-{pod_hash}",
            "labels": {"rollouts-pod-template-hash": pod_hash},
            "annotations": {"rollout.argoproj.io/revision": str(revision)},
            "ownerReferences": [{"uid": owner, "controller": True}],
        },
        "spec": {"replicas": pods, "template": {"spec": {"containers": [{"image": f"web:{pod_hash}"}]}}},
        "status": dict.fromkeys(("replicas", "readyReplicas", "availableReplicas"), pods),
    }
