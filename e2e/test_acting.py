"""Do the acted containers do what their image, command and annotations say?"""

import math
from typing import Any

import pytest

from e2e.acting import CRASH_AFTER, Scene, Stage, scene, seconds, stop_after

STAGE = Stage("10.244.0.1", "10.0.0.1", "2026-01-01T00:00:00Z", "2026-01-01T00:00:09Z")


def pod(image: str = "example.test/web:1", *command: str, policy: str = "Always", **notes: str) -> dict[str, Any]:
    annotations = {f"devcluster/{name.replace('_', '-')}": text for name, text in notes.items()}
    container = {"name": "web", "image": image, "command": list(command)}
    return {
        "metadata": {"uid": "u1", "annotations": annotations, "deletionGracePeriodSeconds": 30},
        "spec": {"restartPolicy": policy, "containers": [container]},
        "status": {},
    }


def story(acting: dict[str, Any], limit: int = 8) -> list[tuple[float, str]]:
    """When which phase, reason and readiness are shown."""
    told: list[tuple[float, str]] = []
    age = 0.0
    while len(told) < limit and age < math.inf:
        shown = scene(acting, age, STAGE)
        told.append((round(age, 3), words(shown)))
        age = shown.until
    return told


def words(shown: Scene) -> str:
    status = shown.status["containerStatuses"][0]
    (kind, state), *_ = status["state"].items()
    reason = state.get("reason", kind)
    ready = next(one["status"] for one in shown.status["conditions"] if one["type"] == "Ready") == "True"
    return " ".join([shown.status["phase"], reason, str(status["restartCount"]), *(["ready"] if ready else [])])


@pytest.mark.parametrize(
    ("acting", "expected"),
    [
        (pod(), [(0, "Running running 0 ready")]),
        (pod("example.test/slow:1"), [(0, "Running running 0"), (5, "Running running 0 ready")]),
        (pod("example.test/web:never-ready"), [(0, "Running running 0")]),
        (pod("example.test/web:missing"), [(0, "Pending ImagePullBackOff 0")]),
        (pod(ready_after="1m"), [(0, "Running running 0"), (60, "Running running 0 ready")]),
        (pod(ready_after="never"), [(0, "Running running 0")]),
        (pod(unready="true"), [(0, "Running running 0")]),
        (pod("x", "sh", "-c", "exit 0", policy="Never"), [(0, "Succeeded Completed 0")]),
        (pod("x", "false", policy="Never"), [(0, "Failed Error 0")]),
        (pod("x", "sleep", "2", policy="Never"), [(0, "Running running 0 ready"), (2, "Succeeded Completed 0")]),
        (pod("x:exit-3", policy="Never"), [(0, "Running running 0"), (CRASH_AFTER, "Failed Error 0")]),
        (pod(exit_code="4", policy="Never"), [(0, "Running running 0"), (CRASH_AFTER, "Failed Error 0")]),
        (pod("x", "true", policy="OnFailure"), [(0, "Succeeded Completed 0")]),
        (
            pod(exit_after="3s", exit_code="1", policy="Never"),
            [(0, "Running running 0 ready"), (3, "Failed Error 0")],
        ),
    ],
)
def test_a_container_acts_as_told(acting: dict[str, Any], expected: list[tuple[float, str]]) -> None:
    assert story(acting) == expected


def test_a_crashing_container_is_restarted_after_growing_pauses() -> None:
    assert story(pod("example.test/web:crash"), limit=6) == [
        (0, "Running running 0"),
        (0.2, "Running CrashLoopBackOff 0"),
        (1.2, "Running running 1"),
        (1.4, "Running CrashLoopBackOff 1"),
        (3.4, "Running running 2"),
        (3.6, "Running CrashLoopBackOff 2"),
    ]


def test_init_containers_go_first() -> None:
    acting = pod()
    acting["spec"]["initContainers"] = [{"name": "one", "image": "x", "command": ["sleep", "2"]}]
    assert story(acting) == [(0, "Pending PodInitializing 0"), (2, "Running running 0 ready")]


def test_a_failed_init_container_fails_the_pod() -> None:
    acting = pod(policy="Never")
    acting["spec"]["initContainers"] = [{"name": "one", "image": "x", "command": ["false"]}]
    assert story(acting) == [(0, "Failed PodInitializing 0")]


def test_a_shut_readiness_gate_keeps_a_pod_unready() -> None:
    acting = pod()
    acting["spec"]["readinessGates"] = [{"conditionType": "example.test/in-balancer"}]
    assert words(scene(acting, 1, STAGE)) == "Running running 0"
    acting["status"]["conditions"] = [{"type": "example.test/in-balancer", "status": "True", "lastTransitionTime": ""}]
    assert words(scene(acting, 1, STAGE)) == "Running running 0 ready"


def test_a_condition_keeps_the_time_of_its_last_change() -> None:
    acting = pod()
    acting["status"] = {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "before"}]}
    conditions = {one["type"]: one for one in scene(acting, 5, STAGE).status["conditions"]}
    assert conditions["Ready"]["lastTransitionTime"] == "before"
    assert conditions["ContainersReady"]["lastTransitionTime"] == STAGE.now


def test_containers_end_within_their_grace() -> None:
    assert stop_after(pod(), 0.05) == 0.05
    assert stop_after(pod(stop_after="10s"), 0.05) == 10
    assert stop_after(pod(stop_after="never"), 0.05) == 30


@pytest.mark.parametrize(
    ("text", "expected"), [("250ms", 0.25), ("1m30s", 90), ("1.5h", 5400), ("never", math.inf), ("5", 7), ("soon", 7)]
)
def test_durations_are_those_of_go(text: str, expected: float) -> None:
    assert seconds(text, 7) == expected
