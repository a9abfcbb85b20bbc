"""The loop on virtual time, over a small API server as data: everything but the network."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from rollouts.controller.analysis import Analyses
from rollouts.controller.caches import is_kept
from rollouts.controller.calling import Calling, Make
from rollouts.controller.experiments import Experiments
from rollouts.controller.freshness import Freshness
from rollouts.controller.inquiries import Ask, Inquiries
from rollouts.controller.key import Key
from rollouts.controller.lessons import Lessons
from rollouts.controller.loop import Loop
from rollouts.controller.measuring import Measuring, Take
from rollouts.controller.metrics import Metrics
from rollouts.controller.observe import Observer
from rollouts.controller.overdue import Overdue
from rollouts.controller.readers import Readers
from rollouts.controller.reconcile import PlanRollout, Reconciler
from rollouts.controller.refusals import Refusals
from rollouts.controller.tell import Teller
from rollouts.controller.writing import Writing
from rollouts.guard import Guard
from rollouts.kube.resources import ANALYSIS_RUNS, DEPLOYMENTS, EXPERIMENTS, ROLLOUTS
from rollouts.plan import Observed, Plan, plan_rollout
from rollouts.plan.analysis.due import Measure
from rollouts.plan.analysis.observed import Taken
from rollouts.plan.calls import Call, Returned
from rollouts.ports import Found, Kit, Question
from rollouts.registry import load_kit
from tests.controller.world import World
from tests.routing import SPLIT

if TYPE_CHECKING:
    from rollouts.controller.result import Passes

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEY = Key("default", "web")
WATCH_DELAY = 0.01


async def _nobody(call: Call, rollout: Mapping[str, Any]) -> Returned:
    raise AssertionError(f"{call} for {rollout['metadata']['name']}: no test makes calls here")


async def _nobody_asks(question: Question, rollout: Mapping[str, Any]) -> Found:
    raise AssertionError(f"{question} in {rollout}: no test asks here")


class Harness:
    """A world, a loop, and what they said to each other."""

    def __init__(
        self,
        plan: PlanRollout,
        world: World | None = None,
        *,
        measures: bool = False,
        kit: Kit | None = None,
        make: Make | None = None,
        ask: Ask | None = None,
    ) -> None:
        kit = kit or load_kit()
        self.world = world or World(kit)
        self.events: list[str] = []
        self.plans: list[tuple[float, Plan]] = []
        self.delivers = True
        self._time = asyncio.get_running_loop().time
        self.metrics = Metrics(monotonic=self._time)
        self._plan = plan
        self._shown = 0
        lookups, api = self.world.lookups, self.world.api
        self.freshness, self.refusals = Freshness(lookups.find), Refusals()
        teller = Teller(self, self.metrics, kit)
        lessons = Lessons(lookups, self.freshness, self.refusals, monotonic=self._time)
        kept = partial(is_kept, instance_id="")
        overdue = Overdue(api, lookups, self.freshness, is_kept=kept, monotonic=self._time)
        guard = Guard(limit=0.3)
        self.readers = Readers(self.world.traffic, self.freshness, kit, guard)
        self.calling = Calling(make or _nobody, self._wake)
        self.inquiries = Inquiries(ask or _nobody_asks, self._wake, teller.answered, count=self.metrics.routes.answered)
        self.reconciler = Reconciler(
            api=api,
            observer=Observer(lookups, api, self.freshness, lessons, self.readers),
            traffic=self.world.traffic,
            freshness=self.freshness,
            overdue=overdue,
            lessons=lessons,
            refusals=self.refusals,
            teller=teller,
            kit=kit,
            guard=guard,
            calling=self.calling,
            inquiries=self.inquiries,
            routes=self.metrics.routes,
            status_delay=5.0,
            resync=900.0,
            plan=self._remember,
            clock=self.now,
            monotonic=self._time,
        )
        self.meter: Take = _nothing_to_measure
        self.measuring = Measuring(self._measure, self._wake, clock=self.now)
        self.writing = Writing(self._wake)
        self.analyses = Analyses(
            api=api,
            lookups=lookups,
            freshness=self.freshness,
            overdue=overdue,
            measuring=self.measuring,
            writing=self.writing,
            teller=teller,
            kit=kit,
            guard=guard,
            resync=900.0,
            clock=self.now,
            monotonic=self._time,
        )
        experiments = Experiments(
            api=api,
            lookups=lookups,
            freshness=self.freshness,
            overdue=overdue,
            lessons=lessons,
            refusals=self.refusals,
            teller=teller,
            resync=900.0,
            clock=self.now,
            monotonic=self._time,
        )
        passes: dict[str, Passes] = {ROLLOUTS.kind: self.reconciler, EXPERIMENTS.kind: experiments}
        if measures:
            passes[ANALYSIS_RUNS.kind] = self.analyses
        self.loop = Loop(passes, teller, lookups, self.metrics, workers=4)
        changes = self.world.changes(self.freshness, self.loop, self.readers)
        self.world.listeners = {
            **changes.listeners,
            DEPLOYMENTS.kind: changes.workload_changed,
            SPLIT.kind: changes.traffic_changed,
        }

    async def _measure(self, namespace: str, measure: Measure) -> Taken:
        return await self.meter(namespace, measure)

    def _wake(self, key: Key, delay: float) -> None:
        self.loop.wake(key, delay)

    def now(self) -> datetime:
        return START + timedelta(seconds=self._time())

    def record(self, regarding: Mapping[str, Any], type: str, reason: str, message: str) -> None:  # noqa: A002
        self.events.append(f"{regarding['metadata']['name']} {type} {reason} {message}")

    def reasons(self) -> list[str]:
        return [event.split()[2] for event in self.events]

    def status(self, name: str = "web") -> dict[str, Any]:
        status: dict[str, Any] = self.world.get_now("Rollout", name).get("status") or {}
        return status

    async def until(self, condition: Callable[[], object], seconds: float = 60.0) -> None:
        """Wait for a condition, in virtual time."""
        end = self._time() + seconds
        while not condition():
            assert self._time() < end, f"not within {seconds} s: {self.events} {self.world.requests[-20:]}"
            await asyncio.sleep(max(0.02, seconds / 1000))

    def _remember(self, observed: Observed, now: datetime, kit: Kit) -> Plan:
        plan = self._plan(observed, now, kit)
        self.plans.append((round(self._time(), 3), plan))
        return plan

    async def play(self) -> None:
        """Let ReplicaSets get their pods, and the caches hear of everything, a little later."""
        touched = asyncio.Event()
        self.world.touched = touched.set
        while True:
            await touched.wait()
            touched.clear()
            await asyncio.sleep(WATCH_DELAY)
            for (kind, _, name), obj in list(self.world.objects.items()):
                if kind == "ReplicaSet":
                    size = obj["spec"]["replicas"]
                    counts = {"replicas": size, "readyReplicas": size, "availableReplicas": size}
                    observed = {"observedGeneration": obj["metadata"]["generation"]}
                    self.world.change(kind, name, {"status": {**counts, **observed}}, deliver=False)
            if self.delivers:
                self.world.deliver()

    def resume_delivery(self) -> None:
        """Let the caches hear of what has happened meanwhile."""
        self.delivers = True
        self.world.touched()


async def _nothing_to_measure(namespace: str, measure: Measure) -> Taken:
    raise AssertionError(f"nobody measures {measure.metric} in {namespace} here")


@asynccontextmanager
async def running(
    plan: PlanRollout = plan_rollout,
    world: World | None = None,
    *,
    measures: bool = False,
    kit: Kit | None = None,
    make: Make | None = None,
    ask: Ask | None = None,
) -> AsyncIterator[Harness]:
    """Run the loop, and the world around it, while the context lasts.

    AnalysisRuns are worked on if it `measures`; `make` makes the calls of step plugins, `ask` asks the
    questions of traffic routers.
    """
    harness = Harness(plan, world, measures=measures, kit=kit, make=make, ask=ask)
    await harness.measuring.__aenter__()
    tasks = [asyncio.create_task(harness.loop.run()), asyncio.create_task(harness.play())]
    await asyncio.sleep(0)
    try:
        yield harness
    finally:
        harness.loop.close()
        tasks[1].cancel()
        await asyncio.wait(tasks)
        await harness.writing.__aexit__()
        await harness.measuring.__aexit__()
        await harness.calling.__aexit__()
        await harness.inquiries.__aexit__()
        tasks[0].result()
