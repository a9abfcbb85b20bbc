"""How does a controller process live? It connects, follows, leads, works; and leaves without a trace when told to."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from rollouts.compiled.config import Config
from rollouts.compiled.kit import with_compiled
from rollouts.controller.analysis import Analyses
from rollouts.controller.analysis_metrics import AnalysisCollector
from rollouts.controller.bench import ClusterBench
from rollouts.controller.caches import ESSENTIAL, Copies, Lookups, is_kept, make_caches
from rollouts.controller.calling import Calling
from rollouts.controller.clusters import Clusters, labels_of
from rollouts.controller.experiments import Experiments
from rollouts.controller.farewells import Farewells
from rollouts.controller.freshness import Freshness
from rollouts.controller.health import health_app, metrics_app, serving
from rollouts.controller.inquiries import Inquiries
from rollouts.controller.lessons import Lessons
from rollouts.controller.loop import Loop
from rollouts.controller.mapping import ChangeMap
from rollouts.controller.measuring import Measuring
from rollouts.controller.metrics import Metrics
from rollouts.controller.observe import Observer
from rollouts.controller.options import DEFAULT_NAMESPACE
from rollouts.controller.overdue import Overdue
from rollouts.controller.plugins import read_plugins
from rollouts.controller.readers import Readers
from rollouts.controller.reconcile import Reconciler
from rollouts.controller.refusals import Refusals
from rollouts.controller.tell import Teller
from rollouts.controller.traffic import Traffic
from rollouts.controller.workloads import Workloads
from rollouts.controller.writing import Writing
from rollouts.guard import Guard
from rollouts.kube.client import Api
from rollouts.kube.connection import Connection, connect
from rollouts.kube.errors import KubeError, NotFound
from rollouts.kube.events import EventRecorder
from rollouts.kube.lease import LeaderElector, LeadershipLost
from rollouts.kube.resources import ANALYSIS_RUNS, EXPERIMENTS, NAMESPACES, ROLLOUTS
from rollouts.registry import load_kit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Container, Coroutine, Mapping

    from rollouts.controller.caches import OnChange
    from rollouts.controller.key import Key
    from rollouts.controller.options import Options
    from rollouts.controller.result import Passes
    from rollouts.kube.cache import Cache
    from rollouts.ports import Kit

SILENCE = 330.0
"""Seconds without a word from the server after which a watch counts as dead; each is renewed within 300."""

PATIENCE = 10.0
"""Seconds after which it is said what is waited for; and how long something is waited for that we can do without."""

_log = structlog.get_logger(__name__)


class Controller:
    """One controller on one connection."""

    def __init__(
        self, options: Options, connection: Connection, kit: Kit | None = None, plugins: Config | None = None
    ) -> None:
        plugins = plugins or Config()
        kit = with_compiled(load_kit() if kit is None else kit, plugins)
        unasked = kit.unasked | kit.unasked_with(options.settings)
        kit = replace(kit, disabled=kit.disabled | options.disabled_steps, unasked=unasked)
        self.health_port = 0
        self.metrics_port = 0
        self._options = options
        self._connection = connection
        self._metrics = Metrics()
        api = self._api = Api(connection, on_request=self._metrics.request)
        self._caches = make_caches(api, options.namespace, options.instance_id, self._listener)
        self._known = Copies(self._caches)
        self._workloads = Workloads(api, options.namespace, self._workload_changed)
        self._clusters = Clusters(api, options.home, labels_of(kit), on_request=self._metrics.request)
        self._traffic = Traffic(self._clusters, options.namespace, self._traffic_changed, self._traffic_known)
        lookups = Lookups(self._caches, self._known, self._workloads, self._traffic)
        self._metrics.show(lookups.rollouts.items)
        self._metrics.registry.register(AnalysisCollector(lookups))
        self._recorder = EventRecorder(api)
        freshness, refusals = Freshness(lookups.find), Refusals()
        lessons = Lessons(lookups, freshness, refusals)
        teller = Teller(self._recorder, self._metrics, kit)
        kept = partial(is_kept, instance_id=options.instance_id)
        overdue = Overdue(api, lookups, freshness, is_kept=kept, monotonic=time.monotonic)
        # A plugin that hangs in a call of its own can still say what is wrong with a spec, or with a run.
        guard = Guard()
        readers = Readers(self._traffic, freshness, kit, guard)
        self._bench = ClusterBench(
            api,
            kit,
            options.home,
            Guard(),
            options.settings,
            plugins=plugins,
            passed_on=options.plugin_environment,
            find=lookups.find,
        )
        self._measuring = Measuring(self._bench.take, self._wake)
        self._calling = Calling(self._bench.call, self._wake)
        self._inquiries = Inquiries(self._bench.ask, self._wake, teller.answered, count=self._metrics.routes.answered)
        rollouts = Reconciler(
            api=api,
            observer=Observer(lookups, api, freshness, lessons, readers),
            traffic=self._traffic,
            freshness=freshness,
            overdue=overdue,
            lessons=lessons,
            refusals=refusals,
            teller=teller,
            kit=kit,
            guard=guard,
            calling=self._calling,
            inquiries=self._inquiries,
            routes=self._metrics.routes,
            status_delay=options.status_delay,
            resync=options.resync,
            timed=self._metrics.part,
        )
        experiments = Experiments(
            api=api,
            lookups=lookups,
            freshness=freshness,
            overdue=overdue,
            lessons=lessons,
            refusals=refusals,
            teller=teller,
            resync=options.resync,
            timed=self._metrics.part,
        )
        self._writing = Writing(self._wake)
        analyses = Analyses(
            api=api,
            lookups=lookups,
            freshness=freshness,
            overdue=overdue,
            measuring=self._measuring,
            writing=self._writing,
            teller=teller,
            kit=kit,
            guard=guard,
            resync=options.resync,
            late=self._metrics.late,
        )
        passes: dict[str, Passes] = {
            ROLLOUTS.kind: rollouts,
            ANALYSIS_RUNS.kind: analyses,
            EXPERIMENTS.kind: experiments,
        }
        self._farewells = Farewells(
            api, self._clusters.api_of, kit, guard, lambda key: lookups.find(key.kind, key.namespace, key.name)
        )
        self._loop = Loop(
            passes, teller, lookups, self._metrics, workers=options.workers, take_leave=self._farewells.say
        )
        self._metrics.queue.depth_is(lambda: self._loop.queue.depth)
        self._changes = ChangeMap(lookups, freshness, self._loop, self._workloads, readers)
        for name, sentence in kit.broken.items():
            _log.warning("plugin is broken", plugin=name, problem=sentence)

    @property
    def is_working(self) -> bool:
        """Whether this process makes passes: it leads, and its caches are there."""
        return self._loop.is_running

    async def run(self, stop: asyncio.Event, started: asyncio.Event | None = None) -> None:
        """Work until `stop` is set. Raises LeadershipLost, and whatever no part of a controller can live with."""
        async with contextlib.AsyncExitStack() as stack:
            enter = stack.enter_async_context
            address = self._options.address
            self.health_port = await enter(
                serving(health_app(self._not_ready, self._lacking), address, self._options.health_port)
            )
            metrics = metrics_app(self._metrics.registry)
            self.metrics_port = await enter(serving(metrics, address, self._options.metrics_port))
            _log.info("serving", address=address, health=self.health_port, metrics=self.metrics_port)
            # Left in the opposite order: first the work stops, then its events are flushed, then the watches end.
            feeds = [await enter(_beside(cache.run())) for cache in self._caches.values()]
            feeds.append(await enter(_beside(self._workloads.run())))
            feeds.append(await enter(_beside(self._clusters.run())))
            feeds.append(await enter(_beside(self._traffic.run())))
            for kind in self._caches.keys() - ESSENTIAL:
                await enter(_beside(self._welcome(kind)))
            feeds.append(await enter(_beside(self._recorder.run())))
            await enter(self._bench)
            await enter(self._measuring)
            await enter(self._calling)
            await enter(self._inquiries)
            await enter(self._farewells)
            await enter(self._writing)
            if started is not None:
                started.set()
            await self._until(stop, feeds)
        _log.info("stopped")

    async def _until(self, stop: asyncio.Event, feeds: list[asyncio.Task[None]]) -> None:
        """Lead until `stop` is set, then let running passes finish. If a watch or the events break, so do we."""
        work = asyncio.create_task(self._lead_or_follow())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({work, stopping, *feeds}, return_when=asyncio.FIRST_COMPLETED)
            for feed in feeds:
                if feed.done():
                    feed.result()
            if not work.done():
                _log.info("stopping", running=self._loop.queue.running)
                if self._loop.is_running:
                    self._loop.close()
                    await asyncio.wait({work}, timeout=self._options.grace)
        finally:
            stopping.cancel()
            work.cancel()
            await asyncio.wait({work, stopping})
        if not work.cancelled():
            work.result()

    async def _lead_or_follow(self) -> None:
        options = self._options
        if not options.leader_elect:
            await self._lead()
            return
        elector = LeaderElector(
            self._api,
            await self._lease_namespace(),
            options.lease_name,
            options.identity,
            lease_duration=options.lease_duration,
            renew_deadline=options.renew_deadline,
            retry_period=options.retry_period,
        )
        await elector.run(self._lead)

    async def _lease_namespace(self) -> str:
        """Return where the lease lies: with the controller, or where a controller that is installed has its own.

        Whoever starts one from a laptop must not work beside the one in the cluster. Where the usual namespace doesn't
        exist there is none, and any other does.
        """
        if self._options.controller_namespace:
            return self._options.controller_namespace
        try:
            await self._api.get(NAMESPACES, None, DEFAULT_NAMESPACE)
        except NotFound:
            return self._options.namespace or self._connection.namespace or "default"
        except KubeError as error:
            _log.info("namespace not read", namespace=DEFAULT_NAMESPACE, error=str(error))
        return DEFAULT_NAMESPACE

    async def _lead(self) -> None:
        """Work on everything, once the caches know it; what we can do without isn't waited for once it has trouble."""
        for kind, cache in self._caches.items():
            await (_awaited(cache) if kind in ESSENTIAL else _sought(cache))
        _log.info("working", rollouts=len(self._caches[ROLLOUTS.kind]), workers=self._options.workers)
        await self._loop.run()

    async def _welcome(self, kind: str) -> None:
        """Once a kind that we can do without can be read, look again at those who need it."""
        await self._caches[kind].synced.wait()
        _log.info("reading", kind=kind, objects=len(self._caches[kind]))
        self._changes.kind_known(kind)

    def _wake(self, key: Key, delay: float) -> None:
        self._loop.wake(key, delay)

    def _listener(self, kind: str) -> OnChange:
        """Return a listener for a cache that is made before those who listen."""

        def tell(old: dict[str, Any] | None, new: dict[str, Any] | None) -> None:
            self._changes.listeners[kind](old, new)

        return tell

    def _workload_changed(self, old: dict[str, Any] | None, new: dict[str, Any] | None) -> None:
        self._changes.workload_changed(old, new)

    def _traffic_changed(self, old: dict[str, Any] | None, new: dict[str, Any] | None) -> None:
        self._changes.traffic_changed(old, new)

    def _traffic_known(self, kind: str) -> None:
        self._changes.traffic_known(kind)

    def _not_ready(self) -> Mapping[str, str]:
        """Name each watch that doesn't live, of those that there is no work without."""
        return self._missing(ESSENTIAL)

    def _lacking(self) -> Mapping[str, str]:
        return self._missing(self._caches.keys() - ESSENTIAL)

    def _missing(self, kinds: Container[str]) -> Mapping[str, str]:
        missing = {}
        for cache in (cache for kind, cache in self._caches.items() if kind in kinds):
            if not cache.synced.is_set():
                missing[cache.resource.title] = cache.problem or "not synced yet"
            elif cache.age() > SILENCE:
                missing[cache.resource.title] = cache.problem or f"the server has been silent for {cache.age():.0f} s"
        return missing


async def _awaited(cache: Cache) -> None:
    while not cache.synced.is_set():
        try:
            await cache.wait_synced(PATIENCE)
        except TimeoutError as error:
            _log.warning("waiting", reason=str(error))


async def _sought(cache: Cache) -> None:
    """Wait for a cache that we can do without, unless something is in its way."""
    clock = asyncio.get_running_loop().time
    end = clock() + PATIENCE
    while not cache.synced.is_set():
        if cache.problem or clock() >= end:
            _log.warning("working without", kind=cache.resource.kind, reason=cache.problem or "it takes too long")
            return
        await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Run something beside the context."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


async def serve(options: Options) -> int:
    """Run a controller until SIGTERM or SIGINT; return the exit code.

    Who loses the lease exits with an error instead of standing for election again: a fresh process has no half-done
    work and no old facts in its memory, and the kubelet starts it within a second.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        async with await connect(kubeconfig=options.kubeconfig, context=options.context) as connection:
            _log.info("connected", server=connection.server, source=connection.source)
            plugins = await read_plugins(Api(connection), options, stop)
            await Controller(options, connection, plugins=plugins).run(stop)
    except LeadershipLost as error:
        _log.error("leadership lost: exiting", reason=str(error))
        return 1
    except KubeError as error:
        _log.error("cannot run", reason=str(error))
        return 1
    return 0


def main(options: Options) -> int:
    """Run a controller on the fastest event loop that is installed."""
    try:
        import uvloop  # noqa: PLC0415 - an optional extra
    except ImportError:
        factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    else:
        factory = uvloop.new_event_loop
    # What is there now stays: modules, models. Cached objects have no cycles, so looking for some pays off rarely.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(serve(options))
