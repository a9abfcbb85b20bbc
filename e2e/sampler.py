"""How many pods were available at each moment, and whose doing was it when there were fewer?

Watches the real API through a stream of its own while the controller works, is killed or loses its server.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import aiohttp

from e2e.stream import Change, follow
from e2e.waiting import end, eventually

HASH_LABEL = "rollouts-pod-template-hash"


@dataclass(frozen=True)
class Sample:
    """The pods right after one event."""

    at: float  # seconds since the sampler began
    total: int  # all pods that aren't being deleted
    ready: int
    available: int
    by_hash: Mapping[str, int]  # available pods of each revision
    excused: int  # how many are missing because the test took them
    what: str  # the event: `MODIFIED web-7d9f-abcde`


@dataclass(frozen=True)
class Dip:
    """A stretch of time with fewer available pods than there should have been."""

    began: float
    ended: float | None  # None: it lasted until the end
    floor: int
    worst: Sample  # the moment with most missing beyond what is excused
    what: str  # the event that began it

    @property
    def is_ours(self) -> bool:
        """Whether the controller let more go than the test took."""
        return self.worst.available + self.worst.excused < self.floor


@dataclass(frozen=True)
class _Pod:
    """What counts of a pod."""

    ready_since: float  # a timestamp; infinity when it isn't ready, or is on its way out
    hash: str
    leaving: bool


class Sampler:
    """An asynchronous context manager: samples from entering to leaving, no event is skipped.

    `will_take` tells it of pods that the test is about to kill: each one excuses one missing pod from its going until
    the next pod becomes available, for only then can the controller have had its replacement.
    """

    def __init__(
        self,
        api: aiohttp.ClientSession,
        namespace: str,
        selector: str,
        *,
        hash_label: str = HASH_LABEL,
        min_ready_seconds: int = 0,
    ) -> None:
        self._api = api
        self._path = f"/api/v1/namespaces/{namespace}/pods"
        self._selector = selector
        self._hash_label = hash_label
        self._min_ready_seconds = min_ready_seconds
        self._began = time.monotonic()
        self._pods: dict[str, _Pod] = {}
        self._available: set[str] = set()
        self._condemned: set[str] = set()
        self._excused = 0
        self._task: asyncio.Task[None] | None = None
        self.samples: list[Sample] = []
        self.gaps: list[float] = []  # when the history was lost and what happened is known from a list only

    async def __aenter__(self) -> Self:
        self._began = time.monotonic()
        self._task = asyncio.create_task(self._watch())
        await eventually(self._has_begun, what="the sampler's first list")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        await end(self._task)

    def now(self) -> float:
        """The sampler's clock, to cut windows with."""
        return time.monotonic() - self._began

    def will_take(self, names: Iterable[str]) -> None:
        """The test is about to kill these pods."""
        self._condemned.update(names)

    def minimum(self, since: float = 0.0, until: float | None = None) -> int:
        """The fewest available pods in a window; what was true when it began counts."""
        return min(sample.available for sample in self.window(since, until))

    def maximum_total(self, since: float = 0.0, until: float | None = None) -> int:
        """The most pods in a window, to hold against replicas + maxSurge."""
        return max(sample.total for sample in self.window(since, until))

    def window(self, since: float = 0.0, until: float | None = None) -> list[Sample]:
        """The samples of a window, led by the one that was current when it began."""
        before = [sample for sample in self.samples if sample.at <= since][-1:]
        inside = [sample for sample in self.samples if sample.at > since and (until is None or sample.at <= until)]
        if found := before + inside:
            return found
        raise ValueError(f"no sample between {since} and {until}")

    def dips(self, floor: int, since: float = 0.0, until: float | None = None) -> list[Dip]:
        """Every stretch under the floor; `is_ours` tells the controller's doing from the test's."""
        dips: list[Dip] = []
        stretch: list[Sample] = []
        for sample in self.window(since, until):
            if sample.available < floor:
                stretch.append(sample)
            elif stretch:
                dips.append(_dip(stretch, floor, sample.at))
                stretch = []
        if stretch:
            dips.append(_dip(stretch, floor, None))
        return dips

    def report(self, floor: int) -> str:
        """What to print when an assertion fails."""
        lines = [f"{len(self.samples)} samples, fewest available {self.minimum()}, floor {floor}, gaps {self.gaps}"]
        for dip in self.dips(floor):
            ended = "the end" if dip.ended is None else f"{dip.ended:.3f} s"
            whose = "the controller's doing" if dip.is_ours else "the test's doing"
            lines.append(f"{dip.began:.3f} s to {ended}: down to {dip.worst.available}, {whose}, began with {dip.what}")
        return "\n".join(lines)

    async def _has_begun(self) -> bool:
        if self._task is not None and self._task.done():
            self._task.result()
        return bool(self.samples)

    async def _watch(self) -> None:
        async with aclosing(follow(self._api, self._path, labelSelector=self._selector)) as changes:
            async for change in changes:
                self.take_in(change)

    def take_in(self, change: Change) -> None:
        """Sample the pods after one more event."""
        if change.kind == "LOST":
            return
        names = [pod["metadata"]["name"] for pod in change.objects]
        if change.kind == "LISTED":
            if self.samples:
                self.gaps.append(self.now())
            self._pods.clear()
        if change.kind == "DELETED":
            self._pods.pop(names[0], None)
        else:
            self._pods.update({name: self._read(pod) for name, pod in zip(names, change.objects, strict=True)})
        self._settle()
        self.samples.append(self._sample(f"{change.kind} {' '.join(names)}"))

    def _settle(self) -> None:
        """Find who is available now. A condemned pod that went is excused; each pod that came ends one excuse."""
        latest = datetime.now(UTC).timestamp() - self._min_ready_seconds
        available = {name for name, pod in self._pods.items() if pod.ready_since <= latest}
        taken = (self._available - available) & self._condemned
        came = available - self._available
        self._condemned -= taken
        self._excused = max(0, self._excused - len(came)) + len(taken)
        self._available = available

    def _sample(self, what: str) -> Sample:
        return Sample(
            at=self.now(),
            total=sum(not pod.leaving for pod in self._pods.values()),
            ready=sum(pod.ready_since < math.inf for pod in self._pods.values()),
            available=len(self._available),
            by_hash=dict(Counter(self._pods[name].hash for name in self._available)),
            excused=self._excused,
            what=what,
        )

    def _read(self, pod: Mapping[str, Any]) -> _Pod:
        labels: Mapping[str, str] = pod["metadata"].get("labels") or {}
        revision = labels.get(self._hash_label) or labels.get("pod-template-hash", "")
        leaving = "deletionTimestamp" in pod["metadata"]
        return _Pod(math.inf if leaving else _ready_since(pod), revision, leaving)


def _dip(stretch: list[Sample], floor: int, ended: float | None) -> Dip:
    worst = min(stretch, key=lambda sample: (sample.available + sample.excused, sample.available))
    return Dip(stretch[0].at, ended, floor, worst, stretch[0].what)


def _ready_since(pod: Mapping[str, Any]) -> float:
    for condition in pod.get("status", {}).get("conditions", []):
        if condition["type"] == "Ready" and condition["status"] == "True":
            return datetime.fromisoformat(condition["lastTransitionTime"]).timestamp()
    return math.inf
