"""What does the tree of a Rollout look like? Rows with their branches drawn, for anything that can print text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rollouts.view.experiments import ExperimentRow
from rollouts.view.moods import RowMood, phase_mood
from rollouts.view.pods import PodRow
from rollouts.view.replica_sets import ReplicaSetRow
from rollouts.view.rollout import RevisionRow, RolloutView
from rollouts.view.runs import RunRow

Kind = Literal["Rollout", "Revision", "ReplicaSet", "Pod", "Experiment", "AnalysisRun", "Job"]


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


def _run(branch: str, stem: str, row: RunRow) -> Iterator[TreeRow]:
    yield TreeRow(branch, row.name, "AnalysisRun", row.phase, row.mood, row.created, row.info)
    for job, (job_branch, _) in zip(row.jobs, _branches(stem, len(row.jobs)), strict=True):
        yield TreeRow(job_branch, job.name, "Job", job.phase, job.mood, job.created)


def _experiment(branch: str, stem: str, row: ExperimentRow, *, wide: bool) -> Iterator[TreeRow]:
    yield TreeRow(branch, row.name, "Experiment", row.phase, row.mood, row.created, row.info)
    yield from _below(stem, (*row.replica_sets, *row.runs), wide=wide)


def _below(stem: str, rows: Sequence[ReplicaSetRow | ExperimentRow | RunRow], *, wide: bool) -> Iterator[TreeRow]:
    """Yield the lines of several objects and of what they own."""
    for row, (branch, below) in zip(rows, _branches(stem, len(rows)), strict=True):
        match row:
            case ReplicaSetRow():
                yield from _replica_set(branch, below, row, wide=wide)
            case ExperimentRow():
                yield from _experiment(branch, below, row, wide=wide)
            case RunRow():
                yield from _run(branch, below, row)


def _owned(revision: RevisionRow) -> tuple[ReplicaSetRow | ExperimentRow | RunRow, ...]:
    return (*revision.replica_sets, *revision.experiments, *revision.runs)


def tree_rows(view: RolloutView, *, wide: bool = False) -> Iterator[TreeRow]:
    """Yield the lines of the tree, from the Rollout down to its pods, the newest revision first."""
    yield TreeRow("", view.name, "Rollout", view.status.phase, phase_mood(view.status.phase), view.created)
    for revision, (branch, stem) in zip(view.revisions, _branches("", len(view.revisions)), strict=True):
        yield TreeRow(branch, f"revision:{revision.number}", "Revision", "", "idle", None)
        yield from _below(stem, _owned(revision), wide=wide)


def experiment_rows(row: ExperimentRow, *, wide: bool = False) -> Iterator[TreeRow]:
    """Yield the lines of an Experiment's own tree."""
    yield from _experiment("", "", row, wide=wide)
