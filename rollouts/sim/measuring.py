"""Who measures in a simulation? The planner of analysis runs itself; only the providers' answers are made up."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from rollouts.api.timestamps import parse_time
from rollouts.plan.actions import ANALYSIS_RUN
from rollouts.plan.analysis.assess import COMPLETED
from rollouts.plan.analysis.due import Measure
from rollouts.plan.analysis.observed import Taken, observe_run
from rollouts.plan.analysis.run import plan_analysis
from rollouts.ports import Kit
from rollouts.ports.provider import Outcome, Verdict
from rollouts.sim.belonging import hash_of
from rollouts.sim.metrics import Metrics
from rollouts.sim.patching import replaced
from rollouts.sim.pods import image_of

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Measuring:
    """The controller of analysis runs. A measurement takes no time."""

    kit: Kit
    metrics: Metrics = field(default_factory=Metrics)

    def follow(self, world: Any) -> bool:
        """Measure what is due; tell whether anything was."""
        moved = [self._measure(world, name, raw) for name, raw in _unfinished(world)]
        return any(moved)

    def next_change(self, world: Any) -> datetime | None:
        """Return when the next measurement is due."""
        plans = (plan_analysis(observe_run(raw), world.now, self.kit) for _, raw in _unfinished(world))
        return min((plan.wake_at for plan in plans if plan.wake_at is not None), default=None)

    def expects_news(self, world: Any) -> bool:
        """Tell whether a metric has an end, or values that it hasn't given yet."""
        return any(
            self.metrics.is_new(metric, _image(world, raw), _number(raw, metric), _elapsed(world, raw))
            for _, raw in _unfinished(world)
            for metric in raw["spec"].get("metrics") or ()
        )

    def _measure(self, world: Any, name: str, raw: Raw) -> bool:
        plan = plan_analysis(observe_run(raw), world.now, self.kit)
        if plan.measure:
            taken = [self._taken(world, raw, each) for each in plan.measure]
            plan = plan_analysis(observe_run(raw, taken), world.now, self.kit)
        if plan.status is None:
            return False
        world.children.put((ANALYSIS_RUN, name), replaced(raw, status=dict(plan.status)), world.next_version())
        return True

    def _taken(self, world: Any, raw: Raw, measure: Measure) -> Taken:
        return Taken(measure.metric, measure.started_at, world.now, self._outcome(world, raw, measure))

    def _outcome(self, world: Any, raw: Raw, measure: Measure) -> Outcome:
        if measure.verb == "terminate":
            return Verdict("Successful")
        return self.metrics.outcome(measure.template, _image(world, raw), measure.number, _elapsed(world, raw))


def _unfinished(world: Any) -> Iterator[tuple[str, Raw]]:
    for (kind, name), raw in list(world.children.live.items()):
        if kind == ANALYSIS_RUN and (raw.get("status") or {}).get("phase") not in COMPLETED:
            yield name, raw


def _elapsed(world: Any, raw: Raw) -> timedelta:
    began = (raw.get("status") or {}).get("startedAt")
    elapsed: timedelta = world.now - parse_time(began) if began else timedelta()
    return elapsed


def _number(raw: Raw, metric: Raw) -> int:
    """Return how many measurements of a metric there have been."""
    results = (raw.get("status") or {}).get("metricResults") or ()
    known: Raw = next((each for each in results if each["name"] == metric.get("name")), {})
    return int(known.get("count", 0)) + int(known.get("error", 0))


def _image(world: Any, run: Raw) -> str:
    """Return the image of the version that a run is about."""
    owned = (each for each in world.replica_sets.values() if hash_of(each) == hash_of(run))
    return next((image_of(each["spec"]["template"]) for each in owned), "")
