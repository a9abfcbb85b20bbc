"""How healthy are these pods? Shapes: the status of v1 Pods as kubelets write it, and v1 Events."""

from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from rollouts.api.base import parse
from rollouts.api.providers import PodHealthMetric
from rollouts.measure.pod_health import EVENTS, PodHealth
from rollouts.measure.pods import PODS
from rollouts.ports import ListObjects, MeasurementError, NoData, ObjectError, Reading, Turn, Verdict
from rollouts.ports.testing import ProviderConformance
from tests.measure.driving import Told, problems

SPEC = {"canaryHash": "abc", "stableHash": "def"}
# The stable pods are a day old, the canary's were created at noon.
YESTERDAY, NOON = "2026-02-28T12:00:00Z", "2026-03-01T12:00:00Z"


def at(minutes: int) -> str:
    return f"2026-03-01T12:{minutes:02}:00Z"


def container(*, restarts: int = 0, **states: Any) -> dict[str, Any]:
    return {"name": "web", "restartCount": restarts, "state": {"running": {"startedAt": at(1)}}, **states}


def ended(reason: str = "Error", code: int = 1, when: str = at(3)) -> dict[str, Any]:
    return {"terminated": {"reason": reason, "exitCode": code, "finishedAt": when}}


def waiting(reason: str) -> dict[str, Any]:
    return {"waiting": {"reason": reason}}


def pod(
    name: str, *containers: dict[str, Any], created: str = NOON, ready: str = at(2), lost: str = ""
) -> dict[str, Any]:
    condition = {"type": "Ready", "status": "False" if lost else "True", "lastTransitionTime": lost or ready}
    return {
        "metadata": {"name": name, "creationTimestamp": created},
        "status": {"conditions": [condition], "containerStatuses": list(containers or (container(),))},
    }


def canary(*containers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return pod("web-abc-1", *containers, **more)


def stable(number: int = 1, *containers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return pod(f"web-def-{number}", *containers, **{"created": YESTERDAY, "ready": YESTERDAY, **more})


def event(name: str, reason: str, count: int = 1, when: str = at(5)) -> dict[str, Any]:
    about = {"kind": "Pod", "name": name}
    return {"type": "Warning", "reason": reason, "count": count, "lastTimestamp": when, "involvedObject": about}


def measured(
    canaries: Sequence[Any], stables: Sequence[Any] = (), events: Any = (), *, spec: Any = SPEC, **asked: Any
) -> Any:
    return Told(PodHealth(), spec, [canaries, stables, events], **asked).outcome


def message(*measured_: Any, **more: Any) -> str:
    outcome = measured(*measured_, **more)
    assert isinstance(outcome, Verdict)
    assert (outcome.phase == "Failed") == bool(outcome.message)
    return outcome.message


class TestConformance(ProviderConformance):
    provider = PodHealth()
    specs = (parse(PodHealthMetric, SPEC), parse(PodHealthMetric, {"canaryHash": "abc", "maxWarningEvents": -1}))
    answers = (
        [canary(container(restarts=1, lastState=ended()))],
        [stable()],
        [event("web-abc-1", "BackOff")],
    )


def test_pods_are_told_apart_by_their_hash() -> None:
    told = Told(PodHealth(), SPEC, [[canary()], [stable()], []])
    assert told.asked_of == [
        ListObjects(PODS, "rollouts-pod-template-hash=abc"),
        ListObjects(PODS, "rollouts-pod-template-hash=def"),
        ListObjects(EVENTS, fields="type=Warning,involvedObject.kind=Pod"),
    ]


def test_healthy_pods_are_a_success_with_numbers() -> None:
    outcome = measured([canary()], [stable(1), stable(2)])
    assert isinstance(outcome, Verdict)
    assert (outcome.phase, outcome.message) == ("Successful", "")
    nothing = {"oomKills": 0, "readinessFlaps": 0, "restarts": 0, "waiting": 0, "warningEvents": 0}
    assert orjson.loads(outcome.value) == {
        "canary": {"pods": 1, "ready": 1, **nothing},
        "stable": {"pods": 2, "ready": 2, **nothing},
    }


def fault(told: str, count: str, beside: str, limit: int) -> str:
    compared = f", {beside}" if beside else ""
    return f"canary pod web-abc-1 {told}; {count} in 1 canary pod{compared} (tolerated: {limit} more)"


OOM = container(restarts=3, lastState=ended("OOMKilled", 137))
CRASHED = container(restarts=3, lastState=ended())
BACKING_OFF = container(restarts=2, state=waiting("CrashLoopBackOff"), lastState=ended(code=2))


@pytest.mark.parametrize(
    ("canaries", "stables", "events", "told"),
    [
        (
            [canary(OOM)],
            [stable(1), stable(2)],
            [],
            [
                fault("restarted 3 times (OOMKilled)", "3 restarts", "0 in 2 stable pods", 1),
                fault("ran out of memory (OOMKilled)", "1 OOM kill", "0 in 2 stable pods", 0),
            ],
        ),
        ([canary(container(restarts=1, lastState=ended()))], [stable()], [], []),
        (
            [canary(BACKING_OFF)],
            [stable()],
            [],
            [
                fault("restarted 2 times (exit code 2)", "2 restarts", "0 in 1 stable pod", 1),
                fault("can't run (CrashLoopBackOff)", "1 stuck pod", "0 in 1 stable pod", 0),
            ],
        ),
        (
            [canary(container(state=waiting("ImagePullBackOff")), lost=NOON)],
            [],
            [],
            [fault("can't run (ImagePullBackOff)", "1 stuck pod", "", 0)],
        ),
        ([canary(container(state=waiting("ContainerCreating")), lost=NOON)], [stable()], [], []),
        # Both versions have the same trouble in the same time: it is not the canary's.
        ([canary(OOM)], [stable(1, OOM, created=at(1))], [], []),
        # What the stable pods had before the canary came says nothing.
        (
            [canary(CRASHED)],
            [stable(1, container(restarts=9, lastState=ended(when=YESTERDAY)))],
            [],
            [fault("restarted 3 times (exit code 1)", "3 restarts", "0 in 1 stable pod", 1)],
        ),
        # Pod for pod: two of four stable pods restarted, so half a restart of the one canary pod would be usual.
        (
            [canary(container(restarts=2, lastState=ended()))],
            [*(stable(each, container(restarts=1, lastState=ended())) for each in (1, 2)), stable(3), stable(4)],
            [],
            [fault("restarted 2 times (exit code 1)", "2 restarts", "2 in 4 stable pods", 1)],
        ),
        (
            [canary()],
            [stable()],
            [event("web-abc-1", "Unhealthy", 25), event("web-def-1", "Unhealthy", 2), event("other", "Unhealthy", 99)],
            [fault("has 25 warning events (Unhealthy)", "25 warning events", "2 in 1 stable pod", 20)],
        ),
        # Probes that fail until the first readiness, and nodes that are waited for, belong to the start.
        ([canary()], [stable()], [event("web-abc-1", "Unhealthy", 25, when=at(1))], []),
        ([canary(lost=NOON)], [stable()], [event("web-abc-1", "FailedScheduling", 25)], []),
        ([canary(lost=at(4))], [stable()], [event("web-abc-1", "Unhealthy", 5)], []),
    ],
)
def test_what_the_canary_has_more_of_is_told(canaries: Any, stables: Any, events: Any, told: list[str]) -> None:
    assert message(canaries, stables, events) == "; ".join(told)


def test_readiness_that_is_lost_between_measurements_is_remembered() -> None:
    memory: dict[str, str] = {}
    told = []
    for pods in ([canary()], [canary(lost=at(4))], [canary(ready=at(5))], [canary(ready=at(7))]):
        outcome = measured(pods, [stable()], memory=memory)
        assert isinstance(outcome, Verdict)
        memory = dict(outcome.memory)
        told.append(orjson.loads(outcome.value)["canary"]["readinessFlaps"])
    assert told == [0, 1, 1, 2]
    assert outcome.message == fault(
        "had been ready and was so no longer 2 times", "2 readiness flaps", "0 in 1 stable pod", 1
    )
    assert memory == {"canary-pods": f"1 0 2 {at(7)}", "stable-pods": f"1 0 0 {YESTERDAY}"}


def test_restarts_of_older_pods_are_counted_from_the_first_measurement_on() -> None:
    memory = measured([canary()], [stable(1, container(restarts=7))]).memory
    outcome = measured([canary()], [stable(1, container(restarts=10, lastState=ended()))], memory=memory)
    assert orjson.loads(outcome.value)["stable"]["restarts"] == 3


def test_a_memory_that_somebody_edited_is_forgotten() -> None:
    memory = {"canary-pods": "1 x y z; ; 2", "stable-pods": ";"}
    assert message([canary()], [stable()], memory=memory) == ""


def test_conditions_get_the_numbers_of_both_sides() -> None:
    outcome = measured([canary(OOM)], [stable()], turn=Turn(has_conditions=True))
    assert isinstance(outcome, Reading)
    assert outcome.result["canary"]["restarts"] == 3
    assert outcome.result["stable"] == {
        "pods": 1, "ready": 1, "restarts": 0, "oomKills": 0, "readinessFlaps": 0, "waiting": 0, "warningEvents": 0
    }  # fmt: skip


def test_no_pods_are_no_data() -> None:
    leaving = {**canary(), "metadata": {"name": "web-abc-1", "deletionTimestamp": NOON}}
    outcome = measured([leaving], [stable()])
    assert isinstance(outcome, NoData)
    assert outcome.because == "there are no pods with the hash abc"
    assert outcome.result["canary"]["pods"] == 0


def test_without_the_right_to_read_events_pods_tell_enough() -> None:
    told = Told(PodHealth(), SPEC, [[canary()], [stable()], ObjectError("may not list events", "Forbidden")])
    assert isinstance(told.outcome, Verdict)
    with pytest.raises(MeasurementError, match="may not list pods"):
        Told(PodHealth(), SPEC, [ObjectError("may not list pods", "Forbidden")])


@pytest.mark.parametrize("name", ["maxRestarts", "maxOomKills"])
def test_limits_are_set_in_the_metric(name: str) -> None:
    both = {**SPEC, "maxRestarts": -1, "maxOomKills": -1}
    assert message([canary(OOM)], [stable()], spec=both) == ""
    assert message([canary(OOM)], [stable()], spec={**both, name: 0}).count("tolerated") == 1


@pytest.mark.parametrize(
    ("changes", "path"),
    [({"canaryHash": ""}, "canaryHash"), ({"stableHash": "abc"}, "stableHash"), ({"maxRestarts": -2}, "maxRestarts")],
)
def test_problems_name_the_field(changes: dict[str, Any], path: str) -> None:
    assert set(problems(PodHealth(), {**SPEC, **changes})) == {path}
    assert problems(PodHealth(), SPEC) == {}
