"""What does Prometheus hear? The API's metrics by their known names, and the work behind them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from time import monotonic, perf_counter
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from rollouts.controller.key import Key
from rollouts.controller.traffic_metrics import RouteMeter, TrafficCollector
from rollouts.kube.resources import ANALYSIS_RUNS, EXPERIMENTS, ROLLOUTS
from rollouts.plan import conditions

Raw = Mapping[str, Any]

RECONCILE_BUCKETS = (0.01, 0.15, 0.25, 0.5, 1.0)
PART_BUCKETS = (1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 0.1, 1.0)
LATE_BUCKETS = (1e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1.0, 5.0)
QUEUE_BUCKETS = (1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0)
QUEUE_NAME = "rollouts"
NAME = ("namespace", "name")
STEMS: Mapping[str, str] = {
    ROLLOUTS.kind: "rollout",
    ANALYSIS_RUNS.kind: "analysis_run",
    EXPERIMENTS.kind: "experiment",
}
"""How the names of the metrics about a kind begin."""
WRITES = frozenset({"create", "update", "patch", "delete"})

_PHASES: Mapping[str, str] = {
    conditions.AVAILABLE: "Completed",
    conditions.PAUSED: "Paused",
    conditions.TIMED_OUT: "Timeout",
    conditions.ABORTED: "Abort",
    conditions.CREATE_ERROR: "Error",
}


class QueueMeter:
    """Counts for the queue, by the names that client-go's queues use."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str) -> Counter:
            return Counter(f"workqueue_{name}", text, ("name",), registry=registry)

        def histogram(name: str, text: str) -> Histogram:
            return Histogram(f"workqueue_{name}", text, ("name",), buckets=QUEUE_BUCKETS, registry=registry)

        self._depth = Gauge("workqueue_depth", "Keys that wait to be worked on.", ("name",), registry=registry)
        self._adds = counter("adds", "Keys that became ready.").labels(QUEUE_NAME)
        self._retries = counter("retries", "Keys that failed and came back.").labels(QUEUE_NAME)
        self._waited = histogram("queue_duration_seconds", "How long keys waited.").labels(QUEUE_NAME)
        self._worked = histogram("work_duration_seconds", "How long passes took.").labels(QUEUE_NAME)

    def depth_is(self, depth: Callable[[], float]) -> None:
        """Name the function that tells how many keys are waiting."""
        self._depth.labels(QUEUE_NAME).set_function(depth)

    def added(self) -> None:
        """Count a key that became ready."""
        self._adds.inc()

    def taken(self, waited: float) -> None:
        """Count a run that begins, of a key that was ready for `waited` seconds."""
        self._waited.observe(waited)

    def finished(self, worked: float) -> None:
        """Count a run that ended, after `worked` seconds."""
        self._worked.observe(worked)

    def retried(self) -> None:
        """Count a key that failed and will come back."""
        self._retries.inc()


class Metrics:
    """All metrics of one controller, in a registry of their own."""

    def __init__(self, *, monotonic: Callable[[], float] = monotonic) -> None:
        self.registry = registry = CollectorRegistry()
        self.queue = QueueMeter(registry)
        self._reconcile = {
            kind: Histogram(
                f"{stem}_reconcile", "Seconds that passes took.", NAME, buckets=RECONCILE_BUCKETS, registry=registry
            )
            for kind, stem in STEMS.items()
        }
        self._errors = {
            kind: Counter(f"{stem}_reconcile_error", "Passes that failed.", NAME, registry=registry)
            for kind, stem in STEMS.items()
        }
        self._events = Counter("rollout_events", "Events.", (*NAME, "type", "reason"), registry=registry)
        self._event_labels: dict[Key, set[tuple[str, str]]] = {}
        self._passes = Counter("rollouts_passes", "Passes over objects of all kinds.", registry=registry)
        self._parts = Histogram(
            "rollouts_pass_part_seconds",
            "Seconds that a part of a pass took: observe, plan or perform.",
            ("part",),
            buckets=PART_BUCKETS,
            registry=registry,
        )
        self._late = Histogram(
            "rollouts_measurement_delay_seconds",
            "By how much measurements began later than they were due.",
            buckets=LATE_BUCKETS,
            registry=registry,
        )
        self._writes = Counter(
            "rollouts_writes",
            "Requests that changed something, events and the lease included.",
            ("kind", "verb"),
            registry=registry,
        )
        self._requests = Counter(
            "controller_clientset_k8s_request",
            "Requests to the API server.",
            ("kind", "verb", "status_code"),
            registry=registry,
        )
        self._counts: dict[tuple[str, str, int], list[Counter]] = {}
        self.routes = RouteMeter(registry, monotonic=monotonic)
        Info("argo_rollouts_controller", "The controller.", registry=registry).info({"version": version("rollouts")})

    def show(self, rollouts: Callable[[], list[dict[str, Any]]]) -> None:
        """Name the function that returns the Rollouts to show."""
        self.registry.register(_RolloutCollector(rollouts))
        self.registry.register(TrafficCollector(rollouts))

    def request(self, verb: str, kind: str, subresource: str, status: int, seconds: float) -> None:
        """Count a request to the API server."""
        del seconds
        kind = f"{kind}/{subresource}" if subresource else kind
        place = (kind, verb, status)
        if (count := self._counts.get(place)) is None:
            # Finding a child by its labels costs more than all that it does: keep them, there are few.
            count = self._counts[place] = [self._requests.labels(kind, verb, str(status))]
            if verb in WRITES and 200 <= status < 300:
                count.append(self._writes.labels(kind, verb))
        for each in count:
            each.inc()

    @contextmanager
    def timed(self, key: Key) -> Iterator[None]:
        """Time a pass."""
        started = perf_counter()
        try:
            yield
        finally:
            self._passes.inc()
            self._reconcile[key.kind].labels(*_names(key)).observe(perf_counter() - started)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Time a part of a pass."""
        started = perf_counter()
        try:
            yield
        finally:
            self._parts.labels(name).observe(perf_counter() - started)

    def late(self, seconds: float) -> None:
        """Note by how much a measurement began later than it was due."""
        self._late.observe(seconds)

    def failed(self, key: Key) -> None:
        """Count a pass that failed."""
        self._errors[key.kind].labels(*_names(key)).inc()

    def event(self, key: Key, kind: str, reason: str) -> None:
        """Count an event."""
        self._events.labels(*_names(key), kind, reason).inc()
        self._event_labels.setdefault(key, set()).add((kind, reason))

    def forget(self, key: Key) -> None:
        """Drop the series of an object that is gone."""
        self._reconcile[key.kind].remove(*_names(key))
        self._errors[key.kind].remove(*_names(key))
        self.routes.forget(key)
        for kind, reason in self._event_labels.pop(key, ()):
            self._events.remove(*_names(key), kind, reason)


def _names(key: Key) -> tuple[str, str]:
    return key.namespace, key.name


class _RolloutCollector(Collector):
    """Derives the series about Rollouts from the cache when they are asked for: passes don't pay for them."""

    def __init__(self, rollouts: Callable[[], list[dict[str, Any]]]) -> None:
        self._rollouts = rollouts

    def describe(self) -> list[Metric]:
        """Return nothing: the names are known, and the registry must not collect to learn them."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the present state of every Rollout."""
        info = GaugeMetricFamily("rollout_info", "A Rollout.", labels=(*NAME, "strategy", "traffic_router", "phase"))
        phases = GaugeMetricFamily("rollout_phase", "The same (deprecated).", labels=(*NAME, "strategy", "phase"))
        counts = {
            name: GaugeMetricFamily(f"rollout_info_replicas_{name}", f"Pods that are {name}.", labels=NAME)
            for name in ("available", "unavailable", "desired", "updated")
        }
        for raw in self._rollouts():
            names = (raw["metadata"]["namespace"], raw["metadata"]["name"])
            strategy, router = _strategy(raw)
            phase = phase_of(raw)
            info.add_metric((*names, strategy, router, phase), 1)
            phases.add_metric((*names, strategy, phase), 1)
            for name, count in _counts(raw).items():
                counts[name].add_metric(names, count)
        yield info
        yield phases
        yield from counts.values()


def phase_of(raw: Raw) -> str:
    """Return the phase as the metrics name it, which follows the Progressing condition and not status.phase."""
    status = _mapping(raw.get("status"))
    by_type = {each.get("type"): each for each in status.get("conditions") or () if isinstance(each, Mapping)}
    if conditions.INVALID_SPEC in by_type:
        return "InvalidSpec"
    reason = by_type.get(conditions.PROGRESSING, {}).get("reason", "")
    return _PHASES.get(reason, "Progressing")


def _strategy(raw: Raw) -> tuple[str, str]:
    strategy = _mapping(_mapping(raw.get("spec")).get("strategy"))
    kind = next((kind for kind in ("canary", "blueGreen") if kind in strategy), "none")
    routers = _mapping(_mapping(strategy.get(kind)).get("trafficRouting"))
    return kind, ",".join(sorted(name for name, settings in routers.items() if isinstance(settings, Mapping)))


def _counts(raw: Raw) -> dict[str, float]:
    status, spec = _mapping(raw.get("status")), _mapping(raw.get("spec"))

    def number(value: object) -> int:
        return value if isinstance(value, int) else 0

    replicas, available = number(status.get("replicas")), number(status.get("availableReplicas"))
    return {
        "available": available,
        "unavailable": max(0, replicas - available),
        "desired": number(spec.get("replicas", 1)),
        "updated": number(status.get("updatedReplicas")),
    }


def _mapping(value: object) -> Raw:
    return value if isinstance(value, Mapping) else {}
