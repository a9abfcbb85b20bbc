"""What happens in a whole experiment? A loop on a virtual clock: plan, act, let pods and runs go on, wait."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rollouts.api import keys
from rollouts.plan.actions import (
    Action,
    CreateChild,
    CreateReplicaSet,
    DeleteChild,
    TerminateChild,
    UpdateReplicaSet,
)
from rollouts.plan.experiment.experiment import ExperimentPlan, plan_experiment
from rollouts.plan.experiment.narrate import narrate_experiment
from rollouts.plan.experiment.observed import observe_experiment
from rollouts.sim.transcript import describe
from tests.plan.experiment.given import TEMPLATES
from tests.plan.given import START, after, stamp

Raw = dict[str, Any]

_MANY_PASSES = 200
Faulty = Callable[[Action | None], bool]
"""Whether a write gets lost: an action, or (None) the status."""


@dataclass(frozen=True)
class Ends:
    """How an analysis run ends, so many seconds after it began."""

    phase: str
    after: float
    message: str = ""


@dataclass
class Course:
    """An experiment that goes on by itself. Pods take `start` seconds, those of `broken` templates never come up."""

    raw: Raw
    runs: Mapping[str, Ends] = field(default_factory=dict)
    broken: tuple[str, ...] = ()
    start: float = 5
    lost: Faulty = lambda _: False
    now: datetime = START
    sets: dict[str, Raw] = field(default_factory=dict)
    services: dict[str, Raw] = field(default_factory=dict)
    analysis_runs: dict[str, Raw] = field(default_factory=dict)
    changes: list[tuple[datetime, Callable[[], None]]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    uids: Iterator[int] = field(default_factory=lambda: iter(range(1, 10_000)))

    @property
    def status(self) -> Raw:
        status: Raw = self.raw.get("status") or {}
        return status

    @property
    def seconds(self) -> float:
        return (self.now - START).total_seconds()

    def plan(self) -> ExperimentPlan:
        here = observe_experiment(
            self.raw, self.sets.values(), self.services.values(), self.analysis_runs.values(), TEMPLATES
        )
        return plan_experiment(here, self.now)

    def pass_once(self) -> bool:
        """Plan and act; return whether anything was written."""
        plan = self.plan()
        done = [action for action in plan.actions if not self.lost(action)]
        for action in done:
            self.log.append(f"{self.seconds:g} {describe(action)}")
            self._act(action)
        is_written = plan.status is not None and not self.lost(None)
        if is_written and plan.status is not None:
            if plan.status.get("phase") != self.status.get("phase"):
                self.log.append(
                    f"{self.seconds:g} {plan.status.get('phase')} {plan.status.get('message', '')}".rstrip()
                )
            self.raw = {**self.raw, "status": dict(plan.status)}
        told = narrate_experiment(plan, done, status_written=is_written)
        self.events += [f"{each.type} {each.reason}: {each.message}" for each in told]
        return bool(plan.actions) or plan.status is not None

    def go(self, until: float = 10_000) -> "Course":
        """Go on until nothing happens any more, or until so many seconds after the start."""
        for _ in range(_MANY_PASSES):
            if self.pass_once():
                continue
            wake = self.plan().wake_at
            assert wake is None or wake > self.now, "a wait without a delay"
            nexts = [at for at in (wake, *(at for at, _ in self.changes)) if at is not None]
            if not nexts or min(nexts) > after(until):
                self.now = after(until) if until < 10_000 else self.now
                return self
            self.now = min(nexts)
            due = [change for at, change in self.changes if at <= self.now]
            self.changes = [(at, change) for at, change in self.changes if at > self.now]
            for change in due:
                change()
        raise AssertionError(f"it doesn't come to an end: {self.status}")

    def edit(self, **spec: Any) -> "Course":
        """Change the spec."""
        self.raw = {**self.raw, "spec": {**self.raw["spec"], **spec}}
        return self

    def _act(self, action: Action) -> None:
        match action:
            case CreateReplicaSet():
                self.sets.setdefault(action.name, self._born(action.body))
                self._settle(action.name)
            case UpdateReplicaSet():
                self._update(action)
            case CreateChild(kind="Service"):
                self.services.setdefault(action.name, self._born(action.body))
            case CreateChild():
                self.analysis_runs.setdefault(action.name, self._born(action.body))
                self._script(action.name)
            case TerminateChild():
                run = self.analysis_runs[action.name]
                run["spec"]["terminate"] = True
                run["status"] = {"phase": "Successful", "message": "Run Terminated"}
            case DeleteChild():
                del self.services[action.name]
            case _:
                raise AssertionError(f"an experiment doesn't ask for {action}")

    def _born(self, body: Mapping[str, Any]) -> Raw:
        metadata = {**body["metadata"], "uid": f"uid-{next(self.uids)}", "creationTimestamp": stamp(self.seconds)}
        return {**body, "metadata": {**metadata, "generation": 1}}

    def _update(self, action: UpdateReplicaSet) -> None:
        raw = self.sets[action.name]
        assert raw["spec"]["replicas"] == action.seen_size
        annotations = {**raw["metadata"]["annotations"], **action.annotations}
        metadata = {**raw["metadata"], "annotations": {k: v for k, v in annotations.items() if v is not None}}
        size = action.seen_size if action.size is None else action.size
        self.sets[action.name] = {**raw, "metadata": metadata, "spec": {**raw["spec"], "replicas": size}}
        self._settle(action.name)

    def _settle(self, name: str) -> None:
        """Have the pods follow the size: gone at once, there after a while."""
        raw = self.sets[name]
        size = raw["spec"]["replicas"]
        available = min((raw.get("status") or {}).get("availableReplicas", 0), size)
        raw["status"] = _counts(size, available)
        template = raw["metadata"]["annotations"][keys.EXPERIMENT_TEMPLATE_NAME]
        if available < size and template not in self.broken:
            self.changes.append((after(self.seconds + self.start), lambda: self._come_up(name)))

    def _come_up(self, name: str) -> None:
        size = self.sets[name]["spec"]["replicas"]
        self.sets[name]["status"] = _counts(size, size)

    def _script(self, name: str) -> None:
        ends = self.runs.get(name)
        self.analysis_runs[name]["status"] = {"phase": "Running"}
        if ends is not None:
            status = {"phase": ends.phase, **({"message": ends.message} if ends.message else {})}
            self.changes.append((after(self.seconds + ends.after), lambda: self._end(name, status)))

    def _end(self, name: str, status: Raw) -> None:
        if not self.analysis_runs[name]["spec"].get("terminate"):
            self.analysis_runs[name]["status"] = status


def _counts(size: int, available: int) -> Raw:
    return {"replicas": size, "readyReplicas": available, "availableReplicas": available, "observedGeneration": 1}
