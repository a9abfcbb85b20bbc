"""How do pods of an image act, and what does the ReplicaSet controller make of them?"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from rollouts.plan.observed import Observed
from rollouts.plan.observed import Pod as ObservedPod

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How pods of one image act.

    They are ready `ready_after` seconds after their creation (never, if None) and fail for good `fails_after` seconds
    after it. `refusal` is what the API server says against a ReplicaSet with this image; empty if it takes it.
    """

    ready_after: float | None = 1
    fails_after: float | None = None
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod. `ready_at` is None if it never gets ready, `fails_at` if it never fails."""

    name: str
    uid: str
    owner_uid: str
    created: datetime
    ready_at: datetime | None
    fails_at: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    def is_ready(self, now: datetime) -> bool:
        has_failed = self.fails_at is not None and self.fails_at <= now
        return self.ready_at is not None and self.ready_at <= now and not has_failed

    def is_available(self, now: datetime, min_ready: timedelta) -> bool:
        return self.is_ready(now) and self.ready_at is not None and self.ready_at + min_ready <= now

    def next_change(self, now: datetime, min_ready: timedelta) -> datetime | None:
        """Return when the pod next gets ready, available or fails, if left alone."""
        if self.fails_at is not None and self.fails_at <= now:
            return None
        ready = self.ready_at
        times = (ready, ready + min_ready if ready is not None else None, self.fails_at)
        return min((time for time in times if time is not None and time > now), default=None)

    def failed(self, now: datetime) -> "Pod":
        """Return the pod as it is once it has failed."""
        return replace(self, fails_at=now)


def new_pod(number: int, owner: Raw, behaviour: Behaviour, now: datetime) -> Pod:
    """Return the pod with a number that a ReplicaSet creates."""
    metadata, template = owner["metadata"], owner["spec"]["template"].get("metadata") or {}
    ready, fails = behaviour.ready_after, behaviour.fails_after
    return Pod(
        name=f"{metadata['name']}-{number}",
        uid=f"pod-{number}",
        owner_uid=metadata["uid"],
        created=now,
        ready_at=None if ready is None else now + timedelta(seconds=ready),
        fails_at=None if fails is None else now + timedelta(seconds=fails),
        labels=template.get("labels") or {},
        annotations=template.get("annotations") or {},
    )


def surplus(pods: Iterable[Pod], size: int, now: datetime) -> list[Pod]:
    """Return the pods that a ReplicaSet of `size` deletes: those not ready first, then the latest ready, the newest."""

    def age(pod: Pod) -> tuple[bool, float, float]:
        since = pod.ready_at or now
        return pod.is_ready(now), -since.timestamp(), -pod.created.timestamp()

    ordered = sorted(pods, key=age)
    return ordered[: max(0, len(ordered) - size)]


def min_ready_of(replica_set: Raw) -> timedelta:
    """Return how long a pod must be ready to count as available."""
    return timedelta(seconds=replica_set["spec"].get("minReadySeconds", 0))


def status_of(replica_set: Raw, pods: Iterable[Pod], now: datetime) -> dict[str, Any]:
    """Return the status that the ReplicaSet controller writes."""
    pods, min_ready = list(pods), min_ready_of(replica_set)
    counts = {
        "replicas": len(pods),
        "fullyLabeledReplicas": len(pods),
        "readyReplicas": sum(pod.is_ready(now) for pod in pods),
        "availableReplicas": sum(pod.is_available(now, min_ready) for pod in pods),
        "observedGeneration": replica_set["metadata"]["generation"],
    }
    return {key: value for key, value in counts.items() if value or key == "replicas"}


def image_of(template: Raw) -> str:
    """Return the image of a pod template's first container; an API server may refuse one without it, we don't."""
    image: str = template["spec"]["containers"][0].get("image", "")
    return image


def observed_pods(here: Observed, pods_of: Callable[[Raw], Iterable[Pod]], now: datetime) -> Iterator[ObservedPod]:
    """Yield the pods of a Rollout as a controller sees them."""
    for each in here.replica_sets:
        for pod in pods_of(each.raw):
            yield ObservedPod(
                pod.name,
                pod.uid,
                pod.owner_uid,
                pod.created,
                pod.is_available(now, min_ready_of(each.raw)),
                is_deleting=False,
                labels=pod.labels,
                annotations=pod.annotations,
            )


def failures(status: Raw) -> dict[str, Any]:
    """Return what a status says once pods have failed."""
    return {name: status.get(name, 0) for name in ("readyReplicas", "availableReplicas")}
