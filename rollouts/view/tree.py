"""What does the tree of a Rollout look like? Rows with their branches drawn, for anything that can print text."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rollouts.view.pods import Mood, PodRow
from rollouts.view.rollout import ReplicaSetRow, RolloutView
from rollouts.view.status import DEGRADED, HEALTHY, PAUSED

Kind = Literal["Rollout", "Revision", "ReplicaSet", "Pod"]
RowMood = Mood | Literal["paused"]

_PHASE_MOODS: dict[str, RowMood] = {HEALTHY: "good", DEGRADED: "bad", PAUSED: "paused"}


@dataclass(frozen=True, slots=True)
class TreeRow:
    """One line: `branch` is what is drawn before the name, `mood` picks the icon and the colour."""

    branch: str
    name: str
    kind: Kind
    status: str
    mood: RowMood
    created: datetime | None
    info: tuple[str, ...] = ()


def phase_mood(phase: str) -> RowMood:
    """Return how a phase feels."""
    return _PHASE_MOODS.get(phase, "moving")


def _branches(stem: str, count: int) -> Iterator[tuple[str, str]]:
    """Yield for each child what stands before its name, and the stem of its own children."""
    for position in range(count):
        is_last = position == count - 1
        yield stem + ("└── " if is_last else "├── "), stem + ("    " if is_last else "│   ")


def _pod(branch: str, pod: PodRow, *, wide: bool) -> TreeRow:
    info = [f"ready:{pod.ready}/{pod.containers}"]
    if pod.restarts:
        info.append(f"restarts:{pod.restarts}")
    if wide:
        info += [f"node:{pod.node or '<none>'}", f"ip:{pod.address or '<none>'}"]
    return TreeRow(branch, pod.name, "Pod", pod.status, pod.mood, pod.created, tuple(info))


def _replica_set(branch: str, stem: str, row: ReplicaSetRow, *, wide: bool) -> Iterator[TreeRow]:
    info = (*row.tags, f"pods:{row.available}/{row.desired}", *row.images) if wide else row.tags
    yield TreeRow(branch, row.name, "ReplicaSet", row.status, row.mood, row.created, info)
    for pod, (pod_branch, _) in zip(row.pods, _branches(stem, len(row.pods)), strict=True):
        yield _pod(pod_branch, pod, wide=wide)


def tree_rows(view: RolloutView, *, wide: bool = False) -> Iterator[TreeRow]:
    """Yield the lines of the tree, from the Rollout down to its pods, the newest revision first."""
    yield TreeRow("", view.name, "Rollout", view.status.phase, phase_mood(view.status.phase), view.created)
    for revision, (branch, stem) in zip(view.revisions, _branches("", len(view.revisions)), strict=True):
        yield TreeRow(branch, f"revision:{revision.number}", "Revision", "", "idle", None)
        for row, (set_branch, set_stem) in zip(
            revision.replica_sets, _branches(stem, len(revision.replica_sets)), strict=True
        ):
            yield from _replica_set(set_branch, set_stem, row, wide=wide)
