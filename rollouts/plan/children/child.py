"""What has a Rollout set going beside its pods? Its analysis runs and experiments: which are to end, which to go?"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rollouts.api import keys
from rollouts.api.counts import parse_count
from rollouts.api.rollout import AnalysisRunStrategy
from rollouts.api.timestamps import parse_time
from rollouts.plan.actions import Action, DeleteChild, TerminateChild
from rollouts.plan.analysis.assess import COMPLETED, SUCCESSFUL

Raw = Mapping[str, Any]

DEFAULT_HISTORY_LIMIT = 5


@dataclass(frozen=True, slots=True)
class Child:
    """An analysis run or an experiment as its Rollout sees it. `phase` is empty until it has begun."""

    kind: str
    name: str
    uid: str
    created: datetime
    pod_hash: str
    labels: Mapping[str, str]
    phase: str
    message: str
    is_terminating: bool
    is_deleting: bool
    raw: Raw = field(repr=False)

    @classmethod
    def of(cls, kind: str, raw: Raw) -> "Child":
        metadata, spec, status = raw["metadata"], raw.get("spec"), raw.get("status")
        labels = metadata.get("labels") or {}
        status = status if isinstance(status, Mapping) else {}
        return cls(
            kind=kind,
            name=metadata["name"],
            uid=metadata["uid"],
            created=parse_time(metadata["creationTimestamp"]),
            pod_hash=labels.get(keys.POD_TEMPLATE_HASH, ""),
            labels=labels,
            phase=str(status.get("phase") or ""),
            message=str(status.get("message") or ""),
            is_terminating=isinstance(spec, Mapping) and bool(spec.get("terminate")),
            is_deleting="deletionTimestamp" in metadata,
            raw=raw,
        )

    @property
    def has_ended(self) -> bool:
        return self.phase in COMPLETED

    @property
    def age(self) -> tuple[datetime, int, str]:
        """Compares by when it was made: creation times are whole seconds, then the revision counts."""
        annotations = self.raw["metadata"].get("annotations") or {}
        return self.created, parse_count(annotations.get(keys.REVISION, "")) or 0, self.name

    @property
    def goes_on(self) -> bool:
        """Whether it measures, or may begin to at any moment."""
        return not (self.has_ended or self.is_terminating or self.is_deleting)


def tidied(
    children: Iterable[Child],
    *,
    wanted: Collection[str],
    named: Collection[str],
    hashes: Collection[str],
    limits: AnalysisRunStrategy | None,
) -> Iterator[TerminateChild | DeleteChild]:
    """Yield what ends everything that isn't `wanted` any more, and deletes what is history.

    What the status still names (`named`) is no history. All else goes with the last ReplicaSet of its version:
    `hashes` are those that have one.
    """
    others = [each for each in children if each.name not in wanted and not each.is_deleting]
    old = [each for each in others if each.name not in named]
    gone = {each.uid for each in old if each.pod_hash not in hashes} | set(_beyond(old, limits))
    for each in others:
        if each.uid in gone:
            yield DeleteChild(each.kind, each.name, each.uid)
        elif each.goes_on:
            yield TerminateChild(each.kind, each.name, each.uid)


def told_to_end(actions: Iterable[Action], kind: str) -> Iterator[str]:
    """Yield the names of those of a kind that a pass ends."""
    return (each.name for each in actions if isinstance(each, TerminateChild) and each.kind == kind)


def _beyond(children: Iterable[Child], limits: AnalysisRunStrategy | None) -> Iterator[str]:
    """Yield the uids of those that have ended and of which there are newer ones enough."""
    successful = limits.successful_run_history_limit if limits else None
    unsuccessful = limits.unsuccessful_run_history_limit if limits else None
    left = {
        True: DEFAULT_HISTORY_LIMIT if successful is None else successful,
        False: DEFAULT_HISTORY_LIMIT if unsuccessful is None else unsuccessful,
    }
    for each in sorted(children, key=lambda each: each.age, reverse=True):
        if not each.has_ended:
            continue
        is_successful = each.phase == SUCCESSFUL
        if left[is_successful] <= 0:
            yield each.uid
        left[is_successful] -= 1
