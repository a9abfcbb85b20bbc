"""What do a pod's containers do, told by their image, command and annotations? Pure: time comes in.

The conventions are the dev cluster's (docs/reference/devcluster.md), written a second time on purpose: here they act
on a real API server, and one mistake can't hide in both.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Pod = Mapping[str, Any]
Act = Literal["serve", "crash", "never-pull", "exit"]

READY_AFTER = "devcluster/ready-after"
SLOW = 5.0  # seconds until a `slow` image is ready
FIRST_BACK_OFF, LONGEST_BACK_OFF = 1.0, 30.0  # between restarts: a kubelet's doubling, but quicker
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


@dataclass(frozen=True)
class Part:
    """What one container does from the moment it is started."""

    name: str
    image: str
    act: Act
    ready_after: float = 0.0
    exit_code: int = 0
    restarts: bool = True


@dataclass(frozen=True)
class Stage:
    """The stage a pod acts on: where, since when."""

    pod_ip: str
    host_ip: str
    started: str  # as Kubernetes writes times
    now: str


@dataclass(frozen=True)
class Scene:
    """The status to show, and the age at which the next scene begins; None when this is the last."""

    status: dict[str, Any]
    until: float | None


def parts(pod: Pod) -> list[Part]:
    """What each container will do."""
    annotations = pod["metadata"].get("annotations") or {}
    policy = pod["spec"].get("restartPolicy", "Always")
    return [_part(container, annotations, policy) for container in pod["spec"]["containers"]]


def scene(pod: Pod, age: float, stage: Stage) -> Scene:
    """The status of a pod whose containers were started `age` seconds ago."""
    played = [_play(part, age) for part in parts(pod)]
    statuses = [_container_status(pod, part, state, stage) for part, state in zip(parts(pod), played, strict=True)]
    phase = _phase(played)
    ready = phase == "Running" and all(state.ready for state in played)
    status = {
        "phase": phase,
        "hostIP": stage.host_ip,
        "hostIPs": [{"ip": stage.host_ip}],
        "podIP": stage.pod_ip,
        "podIPs": [{"ip": stage.pod_ip}],
        "startTime": stage.started,
        "conditions": _conditions(pod, phase, stage, ready=ready),
        "containerStatuses": statuses,
    }
    return Scene(status, min((state.until for state in played if state.until is not None), default=None))


@dataclass(frozen=True)
class _State:
    """One container at one moment."""

    kind: Literal["running", "waiting", "done"]
    ready: bool = False
    reason: str = ""
    exit_code: int = 0
    restarts: int = 0
    until: float | None = None


def _part(container: Mapping[str, Any], annotations: Mapping[str, str], policy: str) -> Part:
    image = container["image"]
    name = image.rpartition("/")[2]  # a registry's or a project's name says nothing about what the image does
    code = _exit_code([*container.get("command", []), *container.get("args", [])])
    act: Act = "serve" if policy == "Always" and code is None else "exit"
    if "never-pull" in name or "missing" in name:
        act = "never-pull"
    elif "crash" in name:
        act, code = "crash", code or 1
    ready_after = seconds(annotations[READY_AFTER]) if READY_AFTER in annotations else SLOW if "slow" in name else 0.0
    restarts = policy == "Always" or (policy == "OnFailure" and bool(code))
    return Part(container["name"], image, act, ready_after, code or 0, restarts)


def _exit_code(command: Sequence[str]) -> int | None:
    """The code that a command line asks for: `exit 3`, `true`, `false`."""
    if match := re.search(r"\bexit\s+(\d+)", " ".join(command)):
        return int(match[1])
    last = command[-1] if command else ""
    return {"true": 0, "/bin/true": 0, "false": 1, "/bin/false": 1}.get(last)


def seconds(duration: str) -> float:
    """A Go duration (`1m30s`, `250ms`) in seconds; rubbish counts as none, as a kubelet must live on."""
    found = re.findall(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s)", duration)
    return sum(float(number) * _UNITS[unit] for number, unit in found)


def _play(part: Part, age: float) -> _State:
    match part.act:
        case "never-pull":
            return _State("waiting", reason="ImagePullBackOff")
        case "serve":
            ready = age >= part.ready_after
            return _State("running", ready=ready, until=None if ready else part.ready_after)
        case "crash" | "exit":
            if age < part.ready_after:
                return _State("running", until=part.ready_after)
            return _ended(part, age - part.ready_after)


def _ended(part: Part, since: float) -> _State:
    """A container whose program ends: for good, or again and again with growing pauses."""
    if not part.restarts:
        return _State("done", reason="Error" if part.exit_code else "Completed", exit_code=part.exit_code)
    restarts, pause, passed = 0, FIRST_BACK_OFF, 0.0
    while passed + pause <= since:
        passed += pause
        restarts, pause = restarts + 1, min(pause * 2, LONGEST_BACK_OFF)
    until = part.ready_after + passed + pause
    return _State("waiting", reason="CrashLoopBackOff", exit_code=part.exit_code, restarts=restarts, until=until)


def _phase(played: Sequence[_State]) -> str:
    if any(state.reason == "ImagePullBackOff" for state in played):
        return "Pending"
    if all(state.kind == "done" for state in played):
        return "Failed" if any(state.exit_code for state in played) else "Succeeded"
    return "Running"


def _container_status(pod: Pod, part: Part, state: _State, stage: Stage) -> dict[str, Any]:
    ended = {
        "exitCode": state.exit_code,
        "reason": "Error" if state.exit_code else "Completed",
        "startedAt": stage.started,
        "finishedAt": stage.now,
    }
    kinds: dict[str, dict[str, Any]] = {
        "running": {"running": {"startedAt": stage.started}},
        "done": {"terminated": ended},
        "waiting": {"waiting": {"reason": state.reason, "message": f"{state.reason} of {part.image}"}},
    }
    crashed = state.reason == "CrashLoopBackOff"
    return {
        "name": part.name,
        "image": part.image,
        "imageID": "" if state.reason == "ImagePullBackOff" else f"acted://{part.image}",
        "containerID": "" if state.reason == "ImagePullBackOff" else f"acted://{pod['metadata']['uid']}/{part.name}",
        "ready": state.ready,
        "started": state.kind == "running",
        "restartCount": state.restarts,
        "state": kinds[state.kind],
        "lastState": {"terminated": ended} if crashed else {},
    }


def _conditions(pod: Pod, phase: str, stage: Stage, *, ready: bool) -> list[dict[str, Any]]:
    present = {condition["type"]: condition for condition in pod.get("status", {}).get("conditions", [])}
    gates = [gate["conditionType"] for gate in pod["spec"].get("readinessGates") or []]
    open_gates = all(present.get(gate, {}).get("status") == "True" for gate in gates)
    reason = "PodCompleted" if phase == "Succeeded" else "ContainersNotReady"
    wanted = {
        "PodScheduled": (True, ""),
        "Initialized": (True, ""),
        "ContainersReady": (ready, reason),
        "Ready": (ready and open_gates, reason if not ready else "ReadinessGatesNotReady"),
    }
    return [_condition(kind, why, present.get(kind), stage.now, true=true) for kind, (true, why) in wanted.items()]


def _condition(kind: str, why: str, present: Mapping[str, Any] | None, now: str, *, true: bool) -> dict[str, Any]:
    status = "True" if true else "False"
    unchanged = present is not None and present["status"] == status
    since = present["lastTransitionTime"] if present is not None and unchanged else now
    return {"type": kind, "status": status, "reason": "" if true else why, "lastTransitionTime": since}
