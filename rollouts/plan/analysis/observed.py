"""What does the planner get to see of an AnalysisRun? The object, and what has been measured since it was written."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from rollouts.api.analysis_run import AnalysisRunSpec, AnalysisRunStatus, parse_analysis_run, parse_analysis_run_status
from rollouts.api.base import describe
from rollouts.api.timestamps import parse_time
from rollouts.plan.analysis.prepared import Prepared
from rollouts.ports.provider import Outcome

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Taken:
    """A measurement that was asked for, and what came of it: an outcome, or an error's text.

    `started_at` is the one of the `Measure` that asked for it. `secrets` are the values that were filled in, by
    argument; they are never shown. Whoever performs keeps it until a status with it has been written.
    """

    metric: str
    started_at: datetime
    finished_at: datetime
    outcome: Outcome | None = None
    error: str = ""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class ObservedRun:
    """Everything that one plan for an AnalysisRun may depend on.

    `spec` is None where it doesn't have the API's shape, and `unreadable` says why. `under_way` names the metrics that
    somebody measures right now. `prepared` is what an earlier plan has read in the spec: it only saves time.
    """

    raw: Raw = field(repr=False)
    spec: AnalysisRunSpec | None
    status: AnalysisRunStatus
    unreadable: str = ""
    taken: Mapping[str, Taken] = field(default_factory=dict)
    under_way: frozenset[str] = frozenset()
    prepared: Prepared | None = field(default=None, repr=False, compare=False)

    @property
    def created(self) -> datetime | None:
        stamp = self.raw["metadata"].get("creationTimestamp")
        return parse_time(stamp) if stamp else None

    @property
    def is_deleting(self) -> bool:
        return "deletionTimestamp" in self.raw["metadata"]


def observe_run(
    raw: Raw,
    taken: Collection[Taken] = (),
    under_way: Collection[str] = (),
    *,
    previous: ObservedRun | None = None,
) -> ObservedRun:
    """Put a raw AnalysisRun and what was measured for it together.

    `previous` is an earlier picture of a run: what hasn't changed since is not read again.
    """
    status, _ = parse_analysis_run_status(raw.get("status"))
    by_metric = {each.metric: each for each in taken}
    # Not by the generation: this kind has no status subresource, so each write of the status counts it up.
    if previous is not None and previous.raw.get("spec") == raw.get("spec"):
        spec, unreadable, prepared = previous.spec, previous.unreadable, previous.prepared
    else:
        (spec, unreadable), prepared = _read(raw), None
    return ObservedRun(raw, spec, status, unreadable, by_metric, frozenset(under_way), prepared)


def _read(raw: Raw) -> tuple[AnalysisRunSpec | None, str]:
    try:
        return parse_analysis_run(raw).spec, ""
    except ValidationError as error:
        return None, describe(error)
