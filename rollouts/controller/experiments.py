"""What is one pass over one Experiment? Observe, plan, perform, tell; and say when to look again."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from rollouts.controller.caches import Lookups, controller_of
from rollouts.controller.freshness import Freshness
from rollouts.controller.key import Key
from rollouts.controller.lessons import Lessons
from rollouts.controller.observe import is_going
from rollouts.controller.overdue import SAFETY_WAKE, Overdue
from rollouts.controller.pace import next_pass, seconds_until
from rollouts.controller.perform import Seen, perform
from rollouts.controller.refusals import Refusals
from rollouts.controller.result import Done, Gone, Result, Waiting
from rollouts.controller.tell import Teller
from rollouts.controller.templates import experiment_templates, needs_of_experiment
from rollouts.kube.client import Api
from rollouts.kube.resources import ANALYSIS_RUNS, EXPERIMENTS, REPLICA_SETS, ROLLOUTS, SERVICES
from rollouts.plan.actions import ANALYSIS_RUN
from rollouts.plan.analysis.references import closure
from rollouts.plan.experiment.experiment import ExperimentPlan, plan_experiment
from rollouts.plan.experiment.members import service_names
from rollouts.plan.experiment.narrate import narrate_experiment
from rollouts.plan.experiment.observed import ObservedExperiment, observe_experiment
from rollouts.plan.experiment.phases import ENDED
from rollouts.plan.narrate import Event

Raw = Mapping[str, Any]
Timed = Callable[[str], AbstractContextManager[None]]


class Experiments:
    """Makes the passes over Experiments."""

    def __init__(
        self,
        *,
        api: Api,
        lookups: Lookups,
        freshness: Freshness,
        overdue: Overdue,
        lessons: Lessons,
        refusals: Refusals,
        teller: Teller,
        resync: float,
        timed: Timed = lambda _: nullcontext(),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._lookups = lookups
        self._freshness = freshness
        self._overdue = overdue
        self._lessons = lessons
        self._refusals = refusals
        self._teller = teller
        self._resync = resync
        self._timed = timed
        self._clock = clock
        self._monotonic = monotonic

    async def reconcile(self, key: Key) -> Result:
        """Make one pass."""
        raw = self._lookups.of(EXPERIMENTS.kind).get(key.namespace, key.name)
        if raw is None or is_going(raw):
            return Gone()
        if owed := self._freshness.owed(key):
            return await self._overdue.wait(key, owed)
        with self._timed("observe"):
            here = self._observe(key, raw)
        if here is None:
            return Waiting(SAFETY_WAKE)
        with self._timed("plan"):
            plan = plan_experiment(here, self._clock())
        return await self._carry_out(key, here, plan)

    def forget(self, key: Key) -> None:
        """Drop everything known of an Experiment that is gone."""
        self._freshness.forget(key)
        self._refusals.forget(key)

    def _observe(self, key: Key, raw: Raw) -> ObservedExperiment | None:
        """Return what is to be seen of an Experiment; None while a kind that it needs is slow to be read."""
        uid = raw["metadata"]["uid"]
        named = (self._lookups.services.get(key.namespace, name) for name in service_names(raw))
        services = [*self._lookups.owned(SERVICES.kind, uid), *(each for each in named if each is not None)]
        templates = closure(experiment_templates(raw), lambda each: self._lookups.template(each, key.namespace))
        here = observe_experiment(
            raw,
            self._lookups.owned(REPLICA_SETS.kind, uid),
            {each["metadata"]["uid"]: each for each in services}.values(),
            self._lookups.owned(ANALYSIS_RUNS.kind, uid),
            templates,
            self._lessons.refused(key, raw),
        )
        missing = self._lookups.missing(templates, needs_of_experiment(raw))
        if missing is None or _only_ends(here):
            return here
        kind, purpose = missing
        trouble = self._lookups.known.trouble(kind)
        problem = f"{purpose}, which can't be read: {trouble}"
        return replace(here, spec=None, unreadable=problem) if trouble else None

    async def _carry_out(self, key: Key, here: ObservedExperiment, plan: ExperimentPlan) -> Result:
        """Perform what is due of a plan."""
        actions = tuple(action for action in plan.actions if not self._refusals.covers(key, action))
        if not actions and plan.status is None:
            return Done(self._delay(key, plan), is_well=self._refusals.next_retry(key) is None)
        with self._timed("perform"):
            outcome = await perform(self._api, here.raw, _seen(here), actions, plan.status)
        self._lessons.learn(key, here.raw, outcome, actions)
        told = narrate_experiment(plan, outcome.acknowledged, status_written=outcome.status_is_written)
        self._teller.acted(key, here.raw, plan.because, outcome, told)
        self._tell_parent(key, here.raw, told)
        return self._lessons.result(outcome, self._delay(key, plan))

    def _tell_parent(self, key: Key, raw: Raw, told: Sequence[Event]) -> None:
        """Tell the Rollout, too, how the analyses of its experiment go: people look there."""
        owner = controller_of(raw)
        if owner is None or owner.get("kind") != ROLLOUTS.kind:
            return
        rollout = self._lookups.rollouts.get(key.namespace, owner["name"])
        if rollout is None or rollout["metadata"]["uid"] != owner["uid"]:
            return
        for event in told:
            if event.reason.startswith(ANALYSIS_RUN):
                message = f"Experiment {key.name}: {event.message}"
                self._teller.event(rollout, event.type, event.reason, message)

    def _delay(self, key: Key, plan: ExperimentPlan) -> float:
        """Return the seconds until time alone may change the answer."""
        retry = self._refusals.next_retry(key)
        again = retry - self._monotonic() if retry is not None else None
        return next_pass(self._resync, seconds_until(plan.wake_at, self._clock()), again)


def _only_ends(here: ObservedExperiment) -> bool:
    """Tell whether an Experiment has ended or is told to: that needs nothing but what it has made."""
    return here.status.phase in ENDED or (here.spec is not None and bool(here.spec.terminate))


def _seen(here: ObservedExperiment) -> Seen:
    """Return the objects that a plan's actions may name, by kind and name."""
    replica_sets = {(REPLICA_SETS.kind, each.name): each.raw for each in here.replica_sets}
    services = {(SERVICES.kind, each["metadata"]["name"]): each for each in here.services}
    runs = {(ANALYSIS_RUNS.kind, each["metadata"]["name"]): each for each in here.runs}
    return {**replica_sets, **services, **runs}
