"""What does a pod's status say about its containers? Why one waits, and how one ended."""

from collections.abc import Iterator
from typing import Any

from rollouts.measure.answers import at, list_at
from rollouts.ports.objects import ObjectKind, Raw

PODS = ObjectKind("", "v1", "pods", "Pod")
IMAGE_TROUBLES = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName"})
_EXCERPT = 200


def name_of(obj: Raw) -> str:
    """Return an object's name."""
    return str(at(obj, "metadata", "name") or "")


def containers(pod: Raw) -> Iterator[Raw]:
    """Yield the statuses of a pod's containers, those first that begin first."""
    for each in (*list_at(pod, "status", "initContainerStatuses"), *list_at(pod, "status", "containerStatuses")):
        if isinstance(each, dict):
            yield each


def line(text: Any) -> str:
    """Return the beginning of a text in one line."""
    return " ".join(str(text or "").split())[:_EXCERPT]


def image_trouble(pod: Raw) -> str:
    """Say that an image can't be had, and which."""
    for container in containers(pod):
        reason = at(container, "state", "waiting", "reason")
        if reason in IMAGE_TROUBLES:
            said = line(at(container, "state", "waiting", "message"))
            image = at(container, "image")
            return f"pod {name_of(pod)} can't have the image {image} ({reason}{f': {said}' if said else ''})"
    return ""


def waits_for(pod: Raw) -> str:
    """Say what a pod that doesn't run yet waits for."""
    for condition in list_at(pod, "status", "conditions"):
        if at(condition, "type") == "PodScheduled" and at(condition, "status") == "False":
            said = line(at(condition, "message"))
            return f"pod {name_of(pod)} has no node ({at(condition, 'reason')}{f': {said}' if said else ''})"
    for container in containers(pod):
        reason = at(container, "state", "waiting", "reason")
        if reason:
            return f"pod {name_of(pod)} waits ({reason})"
    return ""


def ended_badly(pod: Raw) -> str:
    """Say how a container of a pod failed, be it now or before it was started again."""
    for container in containers(pod):
        for state in ("state", "lastState"):
            code = at(container, state, "terminated", "exitCode")
            if isinstance(code, int) and code != 0:
                reason = line(at(container, state, "terminated", "reason"))
                said = line(at(container, state, "terminated", "message"))
                why = f" ({reason})" if reason and reason != "Error" else ""
                ended = f'container "{at(container, "name")}" of pod {name_of(pod)} ended with exit code {code}{why}'
                return f"{ended}: {said}" if said else ended
    return ""
