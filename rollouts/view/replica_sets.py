"""How is a ReplicaSet, and how are its pods? One row, whoever owns it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rollouts.api import keys
from rollouts.view import ages, fields
from rollouts.view.fields import Raw
from rollouts.view.moods import Mood
from rollouts.view.pods import PodRow, pod_row


@dataclass(frozen=True, slots=True)
class ReplicaSetRow:
    """One ReplicaSet; `tags` are its roles (stable, canary, active, preview) and a pending scale-down (delay:20s)."""

    name: str
    revision: int
    pod_hash: str
    status: str
    mood: Mood
    created: datetime | None
    desired: int
    available: int
    tags: tuple[str, ...]
    images: tuple[str, ...]
    pods: tuple[PodRow, ...]


def _delay(replica_set: Raw, now: datetime) -> list[str]:
    deadline = fields.time_at(fields.part(replica_set, "metadata", "annotations"), keys.SCALE_DOWN_DEADLINE)
    if deadline is None:
        return []
    return [f"delay:{ages.remaining(deadline, now)}" if deadline > now else "delay:passed"]


def _replica_set_status(replica_set: Raw, pods: Sequence[PodRow]) -> tuple[str, Mood]:
    status = fields.part(replica_set, "status")
    desired = fields.count(fields.part(replica_set, "spec"), "replicas", 1)
    fails = any(
        each.get("type") == "ReplicaFailure" and each.get("status") == "True"
        for each in fields.items(replica_set, "status", "conditions")
    )
    if fails or any(pod.mood == "bad" for pod in pods):
        return "Degraded", "bad"
    if desired == 0:
        return ("ScaledDown", "idle") if not fields.count(status, "replicas") else ("ScalingDown", "moving")
    return ("Healthy", "good") if fields.count(status, "availableReplicas") >= desired else ("Progressing", "moving")


def template_images(template: Raw) -> tuple[str, ...]:
    """Return the images of a pod template, each once."""
    containers = (*fields.items(template, "spec", "initContainers"), *fields.items(template, "spec", "containers"))
    return tuple(dict.fromkeys(str(each.get("image", "")) for each in containers))


def replica_set_row(replica_set: Raw, pods: Iterable[Raw], now: datetime, parts: Sequence[str] = ()) -> ReplicaSetRow:
    """Return the row of a ReplicaSet that plays these parts; only its own pods are taken."""
    mine = sorted(
        fields.controlled_by(replica_set, pods), key=lambda pod: (str(fields.created(pod)), fields.name_of(pod))
    )
    rows = tuple(pod_row(pod) for pod in mine)
    status, mood = _replica_set_status(replica_set, rows)
    return ReplicaSetRow(
        name=fields.name_of(replica_set),
        revision=fields.revision_of(replica_set),
        pod_hash=fields.hash_of(replica_set),
        status=status,
        mood=mood,
        created=fields.created(replica_set),
        desired=fields.count(fields.part(replica_set, "spec"), "replicas", 1),
        available=fields.count(fields.part(replica_set, "status"), "availableReplicas"),
        # What clients reach is never scaled down, whatever its deadline says.
        tags=(*parts, *(() if "active" in parts else _delay(replica_set, now))),
        images=template_images(fields.part(replica_set, "spec", "template")),
        pods=rows,
    )
