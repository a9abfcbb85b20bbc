"""What is there to see of one Rollout? Facts, steps, revisions, ReplicaSets and pods, put together from raw objects."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from rollouts.api import keys
from rollouts.view import ages, fields
from rollouts.view.fields import Raw
from rollouts.view.pods import Mood, PodRow, pod_row
from rollouts.view.status import Shown, Waiting, shown_status, waiting
from rollouts.view.steps import StepRow, actual_weight, set_weight, step_index, step_rows


@dataclass(frozen=True, slots=True)
class ImageRow:
    """An image in use, and which roles run it."""

    image: str
    tags: tuple[str, ...]


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


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """All ReplicaSets of one revision."""

    number: int
    replica_sets: tuple[ReplicaSetRow, ...]


@dataclass(frozen=True, slots=True)
class RolloutView:
    """Everything that `get rollout` shows, still without form."""

    name: str
    namespace: str
    created: datetime | None
    status: Shown
    strategy: str
    step_index: int | None
    steps: tuple[StepRow, ...]
    set_weight: int | None
    actual_weight: int | None
    images: tuple[ImageRow, ...]
    desired: int
    current: int
    updated: int
    ready: int
    available: int
    waiting: Waiting | None
    revisions: tuple[RevisionRow, ...]


def strategy_of(rollout: Raw) -> str:
    """Return the strategy's name as people write it."""
    strategy = fields.part(rollout, "spec", "strategy")
    names = [name for key, name in (("canary", "Canary"), ("blueGreen", "BlueGreen")) if key in strategy]
    return names[0] if len(names) == 1 else "unknown"


def roles(rollout: Raw, pod_hash: str) -> list[str]:
    """Return which parts the ReplicaSet with a hash plays: canary, stable; preview, active."""
    status = fields.part(rollout, "status")
    is_stable = pod_hash == status.get("stableRS")
    if fields.is_canary(rollout):
        is_update = pod_hash == status.get("currentPodHash") and not is_stable
        return ["canary"] * is_update + ["stable"] * is_stable
    is_active = pod_hash == fields.active_hash(rollout)
    is_preview = pod_hash == _preview_hash(status) and not is_active
    return ["preview"] * is_preview + ["stable"] * is_stable + ["active"] * is_active


def _preview_hash(status: Raw) -> str | None:
    """Return the version in preview: what the preview Service selects; without one, what is not promoted yet."""
    current, stable = status.get("currentPodHash"), status.get("stableRS")
    return fields.part(status, "blueGreen").get("previewSelector") or (current if stable != current else None)


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


def _replica_set_row(rollout: Raw, replica_set: Raw, pods: Iterable[Raw], now: datetime) -> ReplicaSetRow:
    mine = sorted(
        fields.controlled_by(replica_set, pods), key=lambda pod: (str(fields.created(pod)), fields.name_of(pod))
    )
    rows = tuple(pod_row(pod) for pod in mine)
    status, mood = _replica_set_status(replica_set, rows)
    pod_hash = fields.hash_of(replica_set)
    parts = roles(rollout, pod_hash)
    return ReplicaSetRow(
        name=fields.name_of(replica_set),
        revision=fields.revision_of(replica_set),
        pod_hash=pod_hash,
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


def _image_rows(rows: Iterable[ReplicaSetRow]) -> tuple[ImageRow, ...]:
    tags: dict[str, list[str]] = {}
    for row in rows:
        if not row.desired and not row.pods:
            continue
        for image in row.images:
            roles = [tag for tag in row.tags if not tag.startswith("delay:")]
            tags.setdefault(image, []).extend(role for role in roles if role not in tags.get(image, ()))
    return tuple(ImageRow(image, tuple(roles)) for image, roles in tags.items())


def _revisions(rows: Iterable[ReplicaSetRow]) -> tuple[RevisionRow, ...]:
    newest_first = sorted(rows, key=lambda row: (-row.revision, row.name))
    return tuple(RevisionRow(number, tuple(group)) for number, group in groupby(newest_first, lambda row: row.revision))


def rollout_view(
    rollout: Raw, replica_sets: Iterable[Raw], pods: Iterable[Raw], now: datetime, *, because: str = ""
) -> RolloutView:
    """Put the view together; other owners' ReplicaSets and pods are left out.

    `because` is the planner's reason: it is shown where the Rollout waits neither for a person nor for a clock.
    """
    status, pods = fields.part(rollout, "status"), list(pods)
    mine = fields.controlled_by(rollout, replica_sets)
    rows = [_replica_set_row(rollout, each, pods, now) for each in mine]
    revisions = _revisions(rows)
    shown = shown_status(rollout)
    reason = waiting(rollout)
    if reason is None and because and shown.phase != "Healthy":
        reason = Waiting(because)
    canary_available = sum(row.available for row in rows if row.pod_hash == status.get("currentPodHash"))
    return RolloutView(
        name=fields.name_of(rollout),
        namespace=fields.namespace_of(rollout),
        created=fields.created(rollout),
        status=shown,
        strategy=strategy_of(rollout),
        step_index=step_index(rollout),
        steps=step_rows(rollout),
        set_weight=set_weight(rollout),
        actual_weight=actual_weight(rollout, canary_available, sum(row.available for row in rows)),
        images=_image_rows(row for revision in revisions for row in revision.replica_sets),
        desired=fields.desired_replicas(rollout),
        current=fields.count(status, "replicas"),
        updated=fields.count(status, "updatedReplicas"),
        ready=fields.count(status, "readyReplicas"),
        available=fields.count(status, "availableReplicas"),
        waiting=reason,
        revisions=revisions,
    )
