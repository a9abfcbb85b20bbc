"""What do a pod's containers do, told by their image, command and annotations? Pure: time comes in.

The conventions are the dev cluster's (docs/reference/devcluster.md), written a second time on purpose: here they act
on a real API server, and one mistake can't hide in both.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

Pod = Mapping[str, Any]

PREFIX = "devcluster/"
SLOW = 5.0  # seconds until a `slow` image is ready
CRASH_AFTER = 0.2  # seconds that a crashing container runs
FIRST_BACK_OFF, LONGEST_BACK_OFF = 1.0, 300.0  # between restarts, doubled each time: a kubelet's, but quicker at first
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s)")


@dataclass(frozen=True)
class Part:
    """What one container does from the moment it is started; seconds, infinity is never."""

    name: str
    image: str
    is_pulled: bool = True
    ready_after: float = 0.0
    exit_after: float = math.inf
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
    """The status to show, and the age at which the next scene begins; infinity when this is the last."""

    status: dict[str, Any]
    until: float


@dataclass(frozen=True)
class State:
    """One container at one moment."""

    part: Part
    kind: Literal["running", "waiting", "done"]
    ready: bool = False
    reason: str = ""
    restarts: int = 0
    until: float = math.inf

    @property
    def has_failed(self) -> bool:
        """Whether it ended for good, and badly."""
        return self.kind == "done" and self.part.exit_code != 0


def note(pod: Pod, name: str) -> str:
    """One of the annotations that direct a pod; empty when it isn't there."""
    annotations: Mapping[str, str] = pod["metadata"].get("annotations") or {}
    return annotations.get(f"{PREFIX}{name}", "")


def seconds(text: str, otherwise: float) -> float:
    """A Go duration (`1m30s`, `250ms`) or `never`; nonsense is ignored."""
    if text == "never":
        return math.inf
    found = _DURATION.findall(text)
    if not found or "".join(map("".join, found)) != text:
        return otherwise
    return math.fsum(float(number) * _UNITS[unit] for number, unit in found)


def stop_after(pod: Pod, otherwise: float) -> float:
    """How long the containers take to end when they are asked to: never longer than the grace period."""
    grace = float(pod["metadata"].get("deletionGracePeriodSeconds") or 0)
    return min(seconds(note(pod, "stop-after"), otherwise), grace)


def direction(pod: Pod) -> tuple[Any, ...]:
    """Everything that decides how a pod acts: when it changes, the pod acts anew."""
    gates = {gate["conditionType"] for gate in pod["spec"].get("readinessGates") or []}
    conditions = pod.get("status", {}).get("conditions") or []
    answers = sorted((one["type"], one["status"]) for one in conditions if one["type"] in gates)
    notes = tuple(note(pod, name) for name in ("ready-after", "exit-after", "exit-code", "unready"))
    return (notes, tuple(container["image"] for container in pod["spec"]["containers"]), tuple(answers))


def parts(pod: Pod) -> list[Part]:
    """What each container does."""
    policy = pod["spec"].get("restartPolicy", "Always")
    return [_directed(pod, _part(container, policy)) for container in pod["spec"]["containers"]]


def initial_parts(pod: Pod) -> list[Part]:
    """What each init container does: it ends well at once unless its image or command says otherwise."""
    policy = "Never" if pod["spec"].get("restartPolicy") == "Never" else "OnFailure"
    found = [_part(container, policy) for container in pod["spec"].get("initContainers") or []]
    return [part if part.exit_after < math.inf else replace(part, exit_after=0.0, restarts=False) for part in found]


def scene(pod: Pod, age: float, stage: Stage) -> Scene:
    """The status of a pod whose first container was started `age` seconds ago."""
    initial, initialized_at = _play_in_turn(initial_parts(pod), age)
    if initialized_at < math.inf:
        states = [_play(part, age - initialized_at) for part in parts(pod)]
    else:
        states = [State(part, "waiting", reason="PodInitializing") for part in parts(pod)]
        initialized_at = 0.0
    if note(pod, "unready") == "true":
        states = [replace(state, ready=False) for state in states]
    phase = _phase(initial, states)
    status = {
        "phase": phase,
        "hostIP": stage.host_ip,
        "hostIPs": [{"ip": stage.host_ip}],
        "podIP": stage.pod_ip,
        "podIPs": [{"ip": stage.pod_ip}],
        "startTime": stage.started,
        "conditions": _conditions(pod, phase, states, stage),
        "containerStatuses": [_container_status(pod, state, stage) for state in states],
    }
    if initial:
        status["initContainerStatuses"] = [_container_status(pod, state, stage) for state in initial]
    changes = [state.until for state in initial] + [state.until + initialized_at for state in states]
    return Scene(status, min(changes))


def _part(container: Mapping[str, Any], policy: str) -> Part:
    """The command wins over the image."""
    image = container["image"].lower()
    exit_after, code = _asked_by_command([*(container.get("command") or []), *(container.get("args") or [])])
    if exit_after == math.inf:
        if match := re.search(r"exit-(\d+)", image):
            exit_after, code = CRASH_AFTER, int(match[1])
        elif "crash" in image:
            exit_after, code = CRASH_AFTER, 1
    ready_after = SLOW if "slow" in image else 0.0
    if exit_after <= CRASH_AFTER or re.search(r"never-ready|unready", image):
        ready_after = math.inf
    return Part(
        name=container["name"],
        image=container["image"],
        is_pulled=re.search(r"never-pull|missing|does-not-exist", image) is None,
        ready_after=ready_after,
        exit_after=exit_after,
        exit_code=code,
        restarts=policy == "Always" or (policy == "OnFailure" and code != 0),
    )


def _asked_by_command(words: Sequence[str]) -> tuple[float, int]:
    """When and how a command line ends: `sleep 2; exit 3`, `true`, `false`."""
    text = " ".join(words)
    slept = re.search(r"\bsleep\s+(\d+(?:\.\d+)?)", text)
    exits = re.search(r"\bexit\s+(\d+)", text)
    after = float(slept[1]) if slept else 0.0
    if exits:
        return after, int(exits[1])
    program = words[0].rpartition("/")[2] if words else ""
    if program in {"true", "false"}:
        return 0.0, int(program == "false")
    return (after, 0) if slept else (math.inf, 0)


def _directed(pod: Pod, part: Part) -> Part:
    """Annotations win over the command and the image."""
    if (code := note(pod, "exit-code")).isdecimal():
        after = CRASH_AFTER if part.exit_after == math.inf else part.exit_after
        part = replace(part, exit_code=int(code), exit_after=after, ready_after=math.inf)
    if after_text := note(pod, "exit-after"):
        part = replace(part, exit_after=seconds(after_text, part.exit_after), ready_after=0.0)
    if ready_text := note(pod, "ready-after"):
        part = replace(part, ready_after=seconds(ready_text, part.ready_after))
    policy = pod["spec"].get("restartPolicy", "Always")
    return replace(part, restarts=policy == "Always" or (policy == "OnFailure" and part.exit_code != 0))


def _play_in_turn(initial: Sequence[Part], age: float) -> tuple[list[State], float]:
    """The init containers so far, and the age at which the last one ended well; infinity when it hasn't."""
    states: list[State] = []
    begins = 0.0
    for part in initial:
        if begins == math.inf:
            states.append(State(part, "waiting", reason="PodInitializing"))
            continue
        state = _play(part, age - begins)
        states.append(replace(state, until=state.until + begins))
        begins = begins + part.exit_after if state.kind == "done" and not state.has_failed else math.inf
    return states, begins


def _play(part: Part, age: float) -> State:
    """One container at an age: its runs, and the growing pauses between them."""
    if not part.is_pulled:
        return State(part, "waiting", reason="ImagePullBackOff")
    begins, restarts, pause = 0.0, 0, FIRST_BACK_OFF
    while True:
        ends = begins + part.exit_after
        if age < ends:
            ready_at = begins + part.ready_after
            ready = age >= ready_at
            return State(part, "running", ready=ready, restarts=restarts, until=ends if ready else min(ends, ready_at))
        if not part.restarts:
            return State(part, "done", reason="Error" if part.exit_code else "Completed", restarts=restarts)
        if age < ends + pause:
            return State(part, "waiting", reason="CrashLoopBackOff", restarts=restarts, until=ends + pause)
        begins, restarts, pause = ends + pause, restarts + 1, min(pause * 2, LONGEST_BACK_OFF)


def _phase(initial: Sequence[State], states: Sequence[State]) -> str:
    if any(state.has_failed for state in initial):
        return "Failed"
    if any(state.reason in {"PodInitializing", "ImagePullBackOff"} for state in states):
        return "Pending"
    if all(state.kind == "done" for state in states):
        return "Failed" if any(state.has_failed for state in states) else "Succeeded"
    return "Running"


def _container_status(pod: Pod, state: State, stage: Stage) -> dict[str, Any]:
    part = state.part
    ended = {
        "exitCode": part.exit_code,
        "reason": "Error" if part.exit_code else "Completed",
        "startedAt": stage.started,
        "finishedAt": stage.now,
    }
    kinds: dict[str, dict[str, Any]] = {
        "running": {"running": {"startedAt": stage.started}},
        "done": {"terminated": ended},
        "waiting": {"waiting": {"reason": state.reason, "message": f"{state.reason} of {part.image}"}},
    }
    has_run = state.reason not in {"ImagePullBackOff", "PodInitializing"}
    return {
        "name": part.name,
        "image": part.image,
        "imageID": f"acted://{part.image}" if has_run else "",
        "containerID": f"acted://{pod['metadata']['uid']}/{part.name}" if has_run else "",
        "ready": state.ready,
        "started": state.kind == "running",
        "restartCount": state.restarts,
        "state": kinds[state.kind],
        "lastState": {"terminated": ended} if state.restarts or state.reason == "CrashLoopBackOff" else {},
    }


def _conditions(pod: Pod, phase: str, states: Sequence[State], stage: Stage) -> list[dict[str, Any]]:
    present = {condition["type"]: condition for condition in pod.get("status", {}).get("conditions") or []}
    gates = [gate["conditionType"] for gate in pod["spec"].get("readinessGates") or []]
    gates_open = all(present.get(gate, {}).get("status") == "True" for gate in gates)
    ready = phase == "Running" and all(state.ready for state in states)
    reason = "PodCompleted" if phase == "Succeeded" else "ContainersNotReady"
    wanted = {
        "PodScheduled": (True, ""),
        "Initialized": (all(state.reason != "PodInitializing" for state in states), "ContainersNotInitialized"),
        "ContainersReady": (ready, reason),
        "Ready": (ready and gates_open, "ReadinessGatesNotReady" if ready else reason),
    }
    return [_condition(kind, why, present.get(kind), stage.now, true=true) for kind, (true, why) in wanted.items()]


def _condition(kind: str, why: str, present: Mapping[str, Any] | None, now: str, *, true: bool) -> dict[str, Any]:
    status = "True" if true else "False"
    unchanged = present is not None and present["status"] == status
    since = present["lastTransitionTime"] if present is not None and unchanged else now
    return {"type": kind, "status": status, "reason": "" if true else why, "lastTransitionTime": since}
