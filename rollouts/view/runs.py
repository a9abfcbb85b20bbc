"""What is there to see of an AnalysisRun? Its verdict, for whom it runs, its metrics, and what it waits for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rollouts.api import keys
from rollouts.view import fields
from rollouts.view.fields import Raw
from rollouts.view.metrics import MetricRow, metric_rows
from rollouts.view.moods import RowMood, phase_mood
from rollouts.view.status import COMPLETED, Shown

RUNNING, PENDING = "Running", "Pending"
BAD = COMPLETED - {"Successful"}

_TALLY = (("✔", "successful"), ("✖", "failed"), ("?", "inconclusive"), ("⚠", "error"))
_SLOTS = {
    keys.ROLLOUT_TYPE_BACKGROUND: "background",
    keys.ROLLOUT_TYPE_PRE_PROMOTION: "before promotion",
    keys.ROLLOUT_TYPE_POST_PROMOTION: "after promotion",
}
_JOB = "job-name"


@dataclass(frozen=True, slots=True)
class JobRow:
    """A Job that measures, or has measured."""

    name: str
    phase: str
    mood: RowMood
    created: datetime | None


@dataclass(frozen=True, slots=True)
class RunRow:
    """An AnalysisRun in a tree; `info` counts its measurements by outcome."""

    name: str
    revision: int
    phase: str
    mood: RowMood
    created: datetime | None
    info: tuple[str, ...]
    jobs: tuple[JobRow, ...]


@dataclass(frozen=True, slots=True)
class RunView:
    """Everything that `get analysisrun` shows. `because` is what the planner waits for, `until` when time ends that."""

    name: str
    namespace: str
    created: datetime | None
    status: Shown
    purpose: str
    started: datetime | None
    ended: datetime | None
    arguments: tuple[tuple[str, str], ...]
    metrics: tuple[MetricRow, ...]
    because: tuple[str, ...]
    until: datetime | None


def shown_run(run: Raw) -> Shown:
    """Return the phase and message of a run; one that nobody has looked at yet is Pending."""
    status = fields.part(run, "status")
    return Shown(str(status.get("phase") or PENDING), str(status.get("message") or ""))


def run_row(run: Raw) -> RunRow:
    """Return the row of one run."""
    phase = shown_run(run).phase
    return RunRow(
        name=fields.name_of(run),
        revision=fields.revision_of(run),
        phase=phase,
        mood=phase_mood(phase),
        created=fields.created(run),
        info=tuple(_tally(run)),
        jobs=tuple(_jobs(run)),
    )


def _tally(run: Raw) -> Iterator[str]:
    results = fields.items(run, "status", "metricResults")
    for symbol, name in _TALLY:
        if total := sum(fields.count(each, name) for each in results):
            yield f"{symbol} {total}"


def _jobs(run: Raw) -> Iterator[JobRow]:
    for result in fields.items(run, "status", "metricResults"):
        for measurement in fields.items(result, "measurements"):
            name = fields.part(measurement, "metadata").get(_JOB)
            if name:
                phase = str(measurement.get("phase") or RUNNING)
                yield JobRow(str(name), phase, phase_mood(phase), fields.time_at(measurement, "startedAt"))


def oldest_first(runs: Iterable[Raw]) -> list[Raw]:
    """Return objects in the order of their creation."""
    return sorted(runs, key=lambda each: (str(fields.created(each)), fields.name_of(each)))


def run_view(run: Raw, because: Sequence[str] = (), until: datetime | None = None) -> RunView:
    """Put the view together; `because` and `until` are the planner's."""
    status = fields.part(run, "status")
    return RunView(
        name=fields.name_of(run),
        namespace=fields.namespace_of(run),
        created=fields.created(run),
        status=shown_run(run),
        purpose=purpose_of(run),
        started=fields.time_at(status, "startedAt"),
        ended=fields.time_at(status, "completedAt"),
        arguments=tuple(_arguments(run)),
        metrics=metric_rows(run),
        because=() if shown_run(run).phase in COMPLETED else tuple(because),
        until=until,
    )


def purpose_of(run: Raw) -> str:
    """Say for whom it runs: its owner, and at which moment of an update."""
    owner = next((each for each in fields.items(run, "metadata", "ownerReferences") if each.get("controller")), None)
    if owner is None:
        return "nobody: it was created by hand"
    parts = [f"{owner.get('kind')} {owner.get('name')}"]
    if revision := fields.revision_of(run):
        parts.append(f"revision {revision}")
    return ", ".join(filter(None, (*parts, slot_of(run))))


def slot_of(run: Raw) -> str:
    """Say when in an update it runs; nothing where no label tells."""
    labels = fields.part(run, "metadata", "labels")
    kind, index = str(labels.get(keys.ROLLOUT_TYPE) or ""), str(labels.get(keys.STEP_INDEX) or "")
    if kind == keys.ROLLOUT_TYPE_STEP:
        return f"step {int(index) + 1}" if index.isdigit() else "a step"
    return _SLOTS.get(kind, "")


def _arguments(run: Raw) -> Iterator[tuple[str, str]]:
    """Yield the arguments as people write them; a Secret's value is never read."""
    for each in fields.items(run, "spec", "args"):
        secret = fields.part(each, "valueFrom", "secretKeyRef")
        text = f"key {secret.get('key')} of Secret {secret.get('name')}" if secret else str(each.get("value") or "")
        yield str(each.get("name")), text
