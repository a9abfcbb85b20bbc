"""Which size does each version of a blue-green rollout get, and until when do those out of use keep their pods?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from rollouts.api.bluegreen import BlueGreenStrategy
from rollouts.plan.delays import deadline_on, delay
from rollouts.plan.missing import pods
from rollouts.plan.observed import ReplicaSet
from rollouts.plan.replicas import Sizes
from rollouts.plan.revisions import Revisions
from rollouts.plan.scaling import Scaling, is_scaling_event
from rollouts.plan.scene import Scene
from rollouts.plan.services import Selection


@dataclass(frozen=True, slots=True)
class _Part:
    """Sizes and scale-down deadlines of some ReplicaSets, by name, and why they are so."""

    sizes: Mapping[str, int] = field(default_factory=dict)
    deadlines: Mapping[str, datetime] = field(default_factory=dict)
    because: tuple[str, ...] = ()


def unmet_preview(revisions: Revisions, size: int, *, or_more: bool = False) -> str:
    """Say what keeps the current version from its size, or nothing; `or_more` tells that a larger one will do."""
    current = revisions.canary
    name = "the preview" if revisions.has_distinct_stable else "the current version"
    if current is None:
        return f"{name}'s ReplicaSet does not exist yet"
    if current.size < size or (current.size > size and not or_more):
        return f"{name} is being scaled from {current.size} to {pods(size)}"
    if current.available < size:
        return f"{name} has {current.available} of {size} pods available"
    return "" if current.is_observed else f"{name} has just been scaled: its pods are counted anew"


def preview_size(scene: Scene, blue_green: BlueGreenStrategy, shortcut: str) -> int:
    """Return how many pods the current template gets: `previewReplicaCount` before the promotion, else all.

    `shortcut` says why the update needs no preview; empty when it does.
    """
    replicas, count = scene.bounds.replicas, blue_green.preview_replica_count
    at = scene.state
    if count is None or shortcut or at.is_promoted or not at.stable_hash or at.check_point:
        return replicas
    return min(count, replicas)


def blue_green_scaling(
    scene: Scene,
    blue_green: BlueGreenStrategy,
    selection: Selection,
    wanted: int,
    returns_until: datetime | None,
    now: datetime,
) -> Scaling:
    """Return sizes and deadlines for this pass; `wanted` is the size of the current template's ReplicaSet.

    A halted rollout keeps what it has, unless the Rollout's own size has changed. `returns_until` is the deadline that
    a version on its way back still carries.
    """
    revisions, replicas = scene.revisions, scene.bounds.replicas
    stable = revisions.stable if revisions.has_distinct_stable else None
    target = Sizes(canary=wanted, stable=replicas if stable is not None else 0)
    missing = unmet_preview(revisions, wanted)
    is_held = scene.is_halted and not is_scaling_event(revisions, replicas)
    if is_held:
        return Scaling(target, {}, create_at=0, unmet=missing, deadlines=dict(_deadlines(revisions.all, now)))
    current = _current(scene, blue_green, selection, wanted, returns_until, now)
    others = _held(revisions.others, now) if scene.is_halted else _out_of_use(scene, blue_green, selection, now)
    deadlines = {**current.deadlines, **others.deadlines}
    sizes = {**current.sizes, **others.sizes}
    if stable is not None:
        sizes[stable.name] = replicas
    return Scaling(
        target=target,
        sizes=sizes,
        create_at=0 if scene.is_halted or scene.state.abort else wanted,
        unmet=missing,
        because=current.because,
        deadlines=deadlines,
        wake_at=None if scene.is_halted else min(deadlines.values(), default=None),
    )


def _current(
    scene: Scene,
    blue_green: BlueGreenStrategy,
    selection: Selection,
    wanted: int,
    returns_until: datetime | None,
    now: datetime,
) -> _Part:
    """Return what the ReplicaSet of the current template gets."""
    current = scene.revisions.canary
    if current is None:
        return _Part()
    if scene.state.abort and scene.revisions.has_distinct_stable:
        return _given_up(scene, blue_green, selection, current, now)
    if scene.is_halted and current.size == 0:
        return _Part()
    deadlines = {} if returns_until is None else {current.name: returns_until}
    return _Part({current.name: wanted}, deadlines)


def _given_up(
    scene: Scene, blue_green: BlueGreenStrategy, selection: Selection, preview: ReplicaSet, now: datetime
) -> _Part:
    """Return what a preview gets that has been given up: its pods stay for a while, for people to look at them.

    The time begins when all requests are safe with the stable version.
    """
    stable, seconds = scene.revisions.stable, blue_green.abort_scale_down_delay_seconds_or_default
    size = min(preview.size, scene.bounds.replicas)
    is_safe = stable is not None and stable.available >= scene.bounds.replicas and stable.is_observed
    is_running = deadline_on(preview, now) is not None
    if selection.active == preview.pod_hash:
        return _Part({preview.name: size})
    if seconds == 0 or not (is_safe or is_running):
        why = ": abortScaleDownDelaySeconds is 0" if seconds == 0 else " until all pods of stable are available"
        return _Part({preview.name: size}, because=(f"{preview.name} keeps its pods{why}",) if size else ())
    delays = delay((preview,), seconds, None, now)
    return _Part({preview.name: 0 if delays.gone else size}, delays.deadlines)


def _out_of_use(scene: Scene, blue_green: BlueGreenStrategy, selection: Selection, now: datetime) -> _Part:
    """Return what the older versions get: their size while a Service selects them, then until their deadline.

    An active Service that is not ours yet selects them all: whatever is available serves its clients.
    """
    replicas = scene.bounds.replicas
    selected = {selection.active, selection.preview} - {"", None}
    if not selection.active:
        selected |= {each.pod_hash for each in scene.revisions.others if each.available}
    sizes, unused = {}, []
    for each in sorted(scene.revisions.others, key=lambda each: each.revision, reverse=True):
        if each.pod_hash in selected and replicas:
            sizes[each.name] = _following(each, replicas)
        else:
            unused.append(each)
    seconds = blue_green.scale_down_delay_seconds_or_default
    limit = blue_green.scale_down_delay_revision_limit
    delays = delay(unused, seconds if replicas else 0, limit if replicas else 0, now)
    for each in unused:
        sizes[each.name] = _following(each, replicas) if each.name in delays.deadlines else 0
    return _Part(sizes, delays.deadlines)


def _following(each: ReplicaSet, replicas: int) -> int:
    """Return the size of a version that stays up: one that was complete follows the Rollout's size.

    A preview that never grew to it doesn't now.
    """
    is_complete = each.size > 0 and each.size >= (each.desired or 0)
    return replicas if is_complete else min(each.size, replicas)


def _held(replica_sets: tuple[ReplicaSet, ...], now: datetime) -> _Part:
    return _Part({}, dict(_deadlines(replica_sets, now)))


def _deadlines(replica_sets: tuple[ReplicaSet, ...], now: datetime) -> Iterator[tuple[str, datetime]]:
    """Yield the deadlines that ReplicaSets carry."""
    for each in replica_sets:
        if (end := deadline_on(each, now)) is not None:
            yield each.name, end
