"""How is a pod? One word, as `kubectl get pods` puts it, and whether it is good, bad or on its way."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rollouts.view import fields
from rollouts.view.fields import Raw
from rollouts.view.moods import Mood

_BAD = frozenset({
    "CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName", "Error", "Failed",
    "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "OOMKilled", "Evicted", "StartError",
    "ContainerCannotRun", "DeadlineExceeded",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class PodRow:
    """One pod as a row."""

    name: str
    status: str
    mood: Mood
    created: datetime | None
    ready: int
    containers: int
    restarts: int
    node: str = ""
    address: str = ""


def _container_reason(container: Raw) -> str:
    state = fields.part(container, "state")
    stopped = fields.part(state, "waiting") or fields.part(state, "terminated")
    reason = str(stopped.get("reason") or "")
    if "terminated" in state and not reason:
        code, signal = stopped.get("exitCode", 0), stopped.get("signal")
        return f"Signal:{signal}" if signal else f"ExitCode:{code}"
    return reason


def _init_reason(pod: Raw) -> str:
    statuses = fields.items(pod, "status", "initContainerStatuses")
    for index, status in enumerate(statuses):
        terminated = fields.part(status, "state", "terminated")
        if terminated and terminated.get("exitCode", 0) == 0:
            continue
        if status.get("started") and status.get("ready"):
            continue  # a sidecar: it stays
        reason = _container_reason(status)
        known = reason and reason != "PodInitializing"
        return f"Init:{reason}" if known else f"Init:{index}/{len(fields.items(pod, 'spec', 'initContainers'))}"
    return ""


def _status_word(pod: Raw) -> str:
    status = fields.part(pod, "status")
    if "deletionTimestamp" in fields.part(pod, "metadata"):
        return "Terminating"
    initial = _init_reason(pod)
    if initial:
        return initial
    for container in reversed(fields.items(pod, "status", "containerStatuses")):
        reason = _container_reason(container)
        if reason:
            return reason
    return str(status.get("reason") or status.get("phase") or "Unknown")


def _mood(word: str, *, is_ready: bool) -> Mood:
    if word.removeprefix("Init:") in _BAD or word.startswith(("Signal:", "ExitCode:")):
        return "bad"
    if word in ("Completed", "Succeeded"):
        return "idle"
    return "good" if word == "Running" and is_ready else "moving"


def _is_ready(pod: Raw) -> bool:
    conditions: Any = fields.items(pod, "status", "conditions")
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)


def pod_row(pod: Raw) -> PodRow:
    """Return the row of one pod."""
    statuses = fields.items(pod, "status", "containerStatuses")
    word = _status_word(pod)
    return PodRow(
        name=fields.name_of(pod),
        status=word,
        mood=_mood(word, is_ready=_is_ready(pod)),
        created=fields.created(pod),
        ready=sum(1 for each in statuses if each.get("ready")),
        containers=len(fields.items(pod, "spec", "containers")) or len(statuses),
        restarts=sum(fields.count(each, "restartCount") for each in statuses),
        node=str(fields.part(pod, "spec").get("nodeName") or ""),
        address=str(fields.part(pod, "status").get("podIP") or ""),
    )
