"""What does Prometheus hear of traffic? The weights of Rollouts, what is written to routes, how soon they follow."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from rollouts.controller.key import Key
from rollouts.controller.outcome import Outcome
from rollouts.controller.traffic import reference_to
from rollouts.plan import Action, Plan
from rollouts.plan.actions import ObjectAction
from rollouts.ports import Found, Reads, Reference
from rollouts.view import fields, steps

Raw = Mapping[str, Any]

NAME = ("namespace", "name")
FOLLOW_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
LEFT = "left"
"""In place of a router's key: the spec doesn't name it any more."""


class TrafficCollector(Collector):
    """Derives the weights from the cache when they are asked for; a Rollout that is gone has none."""

    def __init__(self, rollouts: Callable[[], Iterable[Raw]]) -> None:
        self._rollouts = rollouts

    def describe(self) -> list[Metric]:
        """Return nothing: the names are known, and the registry must not collect to learn them."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the present weights of every canary with a traffic router."""
        wanted, now, verified = (
            GaugeMetricFamily(f"rollout_traffic_weight{suffix}", text, labels=NAME)
            for suffix, text in (
                ("_wanted", "The canary's weight that the steps ask for, of maxTrafficWeight."),
                ("", "The canary's weight that the router's objects were last seen to have."),
                ("_verified", "1 where traffic is known to follow that weight or nobody can tell; else 0."),
            )
        )
        for raw in self._rollouts():
            weights = fields.part(raw, "status", "canary", "weights")
            weight = fields.part(weights, "canary").get("weight")
            if fields.part(raw, "spec", "strategy", "canary", "trafficRouting") and isinstance(weight, int):
                names = (fields.namespace_of(raw), fields.name_of(raw))
                wanted.add_metric(names, wanted_weight(raw))
                now.add_metric(names, weight)
                verified.add_metric(names, weights.get("verified") is not False)
        yield from (wanted, now, verified)


def wanted_weight(rollout: Raw) -> int:
    """Return the canary's weight that is wished for; none once an update is over or given up."""
    if fields.is_promoted(rollout) or fields.is_aborted(rollout):
        return 0
    return steps.set_weight(rollout) or 0


@dataclass(frozen=True, slots=True)
class _Written:
    """Routes of a Rollout that were written and haven't been seen to follow yet."""

    since: float
    routers: frozenset[str]


class RouteMeter:
    """Counts what is written to routes and what is asked about them, and times until they follow.

    Labels are routers' keys and outcomes only: however many Rollouts there are, the series are few.
    """

    def __init__(self, registry: CollectorRegistry, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._written: dict[Key, _Written] = {}
        self._writes = Counter(
            "rollouts_route_writes",
            "Writes to objects of a traffic router: done, refused, outdated (somebody else wrote first), failed.",
            ("router", "outcome"),
            registry=registry,
        )
        self._follow = Histogram(
            "rollouts_route_follow_seconds",
            "Seconds from a write until objects were seen to have it and, where that can be told, traffic to follow.",
            ("router",),
            buckets=FOLLOW_BUCKETS,
            registry=registry,
        )
        self._answers = Counter(
            "rollouts_route_verifications",
            "Answers from outside of the cluster on whether traffic follows: yes, not_yet, error.",
            ("router", "answer"),
            registry=registry,
        )

    def performed(self, key: Key, reads: Mapping[str, Reads], actions: Sequence[Action], outcome: Outcome) -> None:
        """Count a pass's writes to routes; `reads` is what each router of the Rollout reads."""
        routes = [each for each in actions if isinstance(each, ObjectAction)]
        if not routes:
            return
        done: set[str] = set()
        for each in routes:
            router, result = _router_of(each.reference, reads), _result(each, outcome)
            self._writes.labels(router, result).inc()
            if result == "done" and router != LEFT:
                done.add(router)
        if done:
            before = self._written.get(key)
            since = before.since if before is not None else self._monotonic()
            self._written[key] = _Written(
                since, frozenset(done) | (before.routers if before is not None else frozenset())
            )

    def decided(self, key: Key, rollout: Raw, plan: Plan, *, is_refused: bool) -> None:
        """Note where routes stand that were written: with nothing left to write and to wait for, they have followed."""
        if key not in self._written or is_refused or plan.asks or plan.problem is not None:
            return
        status = plan.status if plan.status is not None else fields.part(rollout, "status")
        is_verified = fields.part(status, "canary", "weights").get("verified") is not False
        if is_verified and not any(isinstance(each, ObjectAction) for each in plan.actions):
            written = self._written.pop(key)
            for router in written.routers:
                self._follow.labels(router).observe(self._monotonic() - written.since)

    def answered(self, router: str, found: Found) -> None:
        """Count an answer to a router's question."""
        answer = "error" if found.error else "yes" if found.verified else "not_yet"
        self._answers.labels(router, answer).inc()

    def forget(self, key: Key) -> None:
        """Drop what is known of a Rollout that is gone."""
        self._written.pop(key, None)


def _router_of(reference: Reference, reads: Mapping[str, Reads]) -> str:
    """Return which router an object belongs to."""
    place = (reference.group, reference.kind, reference.namespace)
    for router, every in reads.items():
        for read in every:
            is_it = (
                read == reference if isinstance(read, Reference) else (read.group, read.kind, read.namespace) == place
            )
            if is_it:
                return router
    return LEFT


def _result(action: ObjectAction, outcome: Outcome) -> str:
    if any(each is action for each in outcome.acknowledged):
        return "done"
    if any(each.action is action for each in outcome.refused):
        return "refused"
    changed = {reference_to(raw) for raw in (*outcome.outdated, *outcome.gone, *outcome.written) if "kind" in raw}
    return "outdated" if action.reference in changed else "failed"
