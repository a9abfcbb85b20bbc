"""What is there to see of one Rollout? Facts, steps, revisions, ReplicaSets and pods, put together from raw objects."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from rollouts.view import fields
from rollouts.view.experiments import ExperimentRow, experiment_row
from rollouts.view.fields import Raw
from rollouts.view.replica_sets import ReplicaSetRow, replica_set_row
from rollouts.view.runs import RunRow, oldest_first, run_row
from rollouts.view.status import Shown, Waiting, shown_status, waiting
from rollouts.view.steps import StepRow, actual_weight, set_weight, step_index, step_rows

Row = TypeVar("Row", ReplicaSetRow, ExperimentRow, RunRow)


@dataclass(frozen=True, slots=True)
class ImageRow:
    """An image in use, and which roles run it."""

    image: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """All ReplicaSets, experiments and analysis runs of one revision."""

    number: int
    replica_sets: tuple[ReplicaSetRow, ...] = ()
    experiments: tuple[ExperimentRow, ...] = ()
    runs: tuple[RunRow, ...] = ()


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


def _image_rows(rows: Iterable[ReplicaSetRow]) -> tuple[ImageRow, ...]:
    tags: dict[str, list[str]] = {}
    for row in rows:
        if not row.desired and not row.pods:
            continue
        for image in row.images:
            roles = [tag for tag in row.tags if not tag.startswith("delay:")]
            tags.setdefault(image, []).extend(role for role in roles if role not in tags.get(image, ()))
    return tuple(ImageRow(image, tuple(roles)) for image, roles in tags.items())


def _revisions(
    replica_sets: Iterable[ReplicaSetRow], experiments: Iterable[ExperimentRow], runs: Iterable[RunRow]
) -> tuple[RevisionRow, ...]:
    """Return what there is of each revision, the newest first."""
    sets = _by_revision(sorted(replica_sets, key=lambda row: row.name))
    tries, measured = _by_revision(experiments), _by_revision(runs)
    numbers = sorted({*sets, *tries, *measured}, reverse=True)
    return tuple(
        RevisionRow(number, tuple(sets.get(number, ())), tuple(tries.get(number, ())), tuple(measured.get(number, ())))
        for number in numbers
    )


def _by_revision(rows: Iterable[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(row.revision, []).append(row)
    return found


def rollout_view(
    rollout: Raw,
    replica_sets: Iterable[Raw],
    pods: Iterable[Raw],
    now: datetime,
    *,
    because: str = "",
    runs: Iterable[Raw] = (),
    experiments: Iterable[Raw] = (),
) -> RolloutView:
    """Put the view together; what belongs to others than the Rollout and its experiments is left out.

    `because` is the planner's reason: it is shown where the Rollout waits neither for a person nor for a clock.
    """
    status, pods, replica_sets, runs = fields.part(rollout, "status"), list(pods), list(replica_sets), list(runs)
    mine = fields.controlled_by(rollout, replica_sets)
    rows = [replica_set_row(each, pods, now, roles(rollout, fields.hash_of(each))) for each in mine]
    tries = oldest_first(fields.controlled_by(rollout, experiments))
    revisions = _revisions(
        rows,
        (experiment_row(each, replica_sets, pods, runs, now) for each in tries),
        (run_row(each) for each in oldest_first(fields.controlled_by(rollout, runs))),
    )
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
