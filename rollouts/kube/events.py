"""How we tell people what happened: Events of core/v1, sent behind the controller's back, in order, never in its way.

Everything about an event is settled when it is recorded (time, name, whether it repeats an earlier one), so that slow
or repeated sending can't change the order: names end in a rising hexadecimal number, so listing by name, by creation
and by time all give the order of the calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from rollouts.api.timestamps import format_micro_time, format_time
from rollouts.kube.backoff import Backoff
from rollouts.kube.errors import AlreadyExists, KubeError, NotFound, ServerError, Unreachable
from rollouts.kube.resources import EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rollouts.kube.client import Api

COMPONENT = "rollouts-controller"
REPEAT_WITHIN = timedelta(minutes=10)
# Per object. More than client-go's spam filter lets through: one update of ten steps tells of some forty things, and an
# incident is when people read them. Warnings always get through.
BURST = 100
REFILL = 1 / 10  # tokens per second
REMEMBERED = 4096  # events and objects that are remembered, as client-go
QUEUE = 5000
LANES = 8
ATTEMPTS = 4
LONGEST_NAME = 253
LONGEST_MESSAGE = 1024

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Told:
    """An event that exists, or is about to: what a repetition counts up."""

    namespace: str
    name: str
    count: int
    last: datetime
    body: dict[str, Any]


@dataclass(slots=True)
class _Bucket:
    """How much more an object may say."""

    tokens: float = float(BURST)
    filled_at: datetime = field(default_factory=lambda: datetime.min.replace(tzinfo=UTC))

    def take(self, now: datetime) -> bool:
        idle = max(0.0, (now - self.filled_at).total_seconds())
        self.tokens = min(float(BURST), self.tokens + idle * REFILL)
        self.filled_at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class EventRecorder:
    """Records events about objects; `run` sends them."""

    def __init__(
        self,
        api: Api,
        *,
        component: str = COMPONENT,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        queue: int = QUEUE,
        flush_timeout: float = 5.0,
        backoff: Callable[[], Backoff] = lambda: Backoff(first=0.5, longest=10.0),
    ) -> None:
        self.sent = 0
        self.dropped = 0
        self.failed = 0
        self._api = api
        self._component = component
        self._now = now
        self._room = queue
        self._flush_timeout = flush_timeout
        self._backoff = backoff
        self._host = socket.gethostname()
        self._serial = 0
        self._told: OrderedDict[tuple[str, ...], _Told] = OrderedDict()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._lanes: list[deque[tuple[bool, dict[str, Any]]]] = [deque() for _ in range(LANES)]
        self._wake = [asyncio.Event() for _ in range(LANES)]

    @property
    def waiting(self) -> int:
        """The number of events that are recorded and not sent yet."""
        return sum(map(len, self._lanes))

    def record(self, regarding: Mapping[str, Any], type: str, reason: str, message: str) -> None:  # noqa: A002
        """Tell people something about an object. Never waits, never raises; what can't be told is counted."""
        try:
            self._record(regarding, type, reason, message)
        except Exception:  # noqa: BLE001 - an event is never worth a failed reconcile
            self.dropped += 1
            _log.exception("event not recorded", reason=reason)

    async def run(self) -> None:
        """Send what is recorded until cancelled, then give what is left `flush_timeout` seconds."""
        try:
            async with asyncio.TaskGroup() as group:
                for lane, wake in zip(self._lanes, self._wake, strict=True):
                    group.create_task(self._serve(lane, wake))
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._flush_timeout):
                    await asyncio.gather(*map(self._drain, self._lanes))
            self.dropped += self.waiting
            for lane in self._lanes:
                lane.clear()

    def _record(self, regarding: Mapping[str, Any], kind: str, reason: str, message: str) -> None:
        now = self._now()
        metadata = regarding["metadata"]
        identity = str(metadata.get("uid") or f"{metadata.get('namespace')}/{metadata['name']}")
        if self.waiting >= self._room or not (kind == "Warning" or self._may_speak(identity, now)):
            self.dropped += 1
            return
        lane = hash(identity) % LANES
        key = (identity, kind, reason, message)
        told = self._told.get(key)
        if told is not None and now - told.last <= REPEAT_WITHIN:
            told.count += 1
            told.last = now
            self._told.move_to_end(key)
            told.body = {**told.body, "count": told.count, "lastTimestamp": format_time(now)}
            self._lanes[lane].append((False, told.body))
        else:
            body = self._event(regarding, kind, reason, message, now)
            at = body["metadata"]
            _remember(self._told, key, _Told(at["namespace"], at["name"], 1, now, body))
            self._lanes[lane].append((True, body))
        self._wake[lane].set()

    def _may_speak(self, identity: str, now: datetime) -> bool:
        bucket = self._buckets.get(identity)
        if bucket is None:
            bucket = _Bucket()
            _remember(self._buckets, identity, bucket)
        else:
            self._buckets.move_to_end(identity)
        return bucket.take(now)

    def _event(
        self, regarding: Mapping[str, Any], kind: str, reason: str, message: str, now: datetime
    ) -> dict[str, Any]:
        metadata = regarding["metadata"]
        self._serial = max(self._serial + 1, int(now.timestamp() * 1_000_000_000))
        suffix = f".{self._serial:x}"
        stem = metadata["name"][: LONGEST_NAME - len(suffix)].rstrip("-.")
        involved = {
            "apiVersion": regarding.get("apiVersion"),
            "kind": regarding.get("kind"),
            "namespace": metadata.get("namespace"),
            "name": metadata["name"],
            "uid": metadata.get("uid"),
            "resourceVersion": metadata.get("resourceVersion"),
        }
        return {
            "apiVersion": EVENTS.api_version,
            "kind": EVENTS.kind,
            "metadata": {"namespace": metadata.get("namespace") or "default", "name": f"{stem}{suffix}"},
            "involvedObject": {key: value for key, value in involved.items() if value},
            "type": kind,
            "reason": reason,
            "action": reason,
            "message": message if len(message) <= LONGEST_MESSAGE else f"{message[: LONGEST_MESSAGE - 3]}...",
            "count": 1,
            "firstTimestamp": format_time(now),
            "lastTimestamp": format_time(now),
            "eventTime": format_micro_time(now),
            "source": {"component": self._component},
            "reportingComponent": self._component,
            "reportingInstance": self._host[:128],
        }

    async def _serve(self, lane: deque[tuple[bool, dict[str, Any]]], wake: asyncio.Event) -> None:
        while True:
            await wake.wait()
            wake.clear()
            await self._drain(lane)

    async def _drain(self, lane: deque[tuple[bool, dict[str, Any]]]) -> None:
        while lane:
            is_new, body = lane[0]
            try:
                await self._send(body, is_new=is_new)
                self.sent += 1
            except (KubeError, TypeError) as error:
                # A namespace that is going away, missing permissions, no JSON: nothing that waiting would cure.
                self.failed += 1
                _log.info("event not sent", name=body["metadata"]["name"], reason=body["reason"], error=str(error))
            lane.popleft()

    async def _send(self, body: dict[str, Any], *, is_new: bool) -> None:
        backoff = self._backoff()
        for left in reversed(range(ATTEMPTS)):
            try:
                await (self._create(body) if is_new else self._count_up(body))
            except (Unreachable, ServerError):
                if not left:
                    raise
                await asyncio.sleep(backoff.next())
            else:
                return

    async def _create(self, body: dict[str, Any]) -> None:
        # The name is ours alone: if it exists, an earlier attempt arrived although its answer didn't.
        with contextlib.suppress(AlreadyExists):
            await self._api.create(EVENTS, body["metadata"]["namespace"], body)

    async def _count_up(self, body: dict[str, Any]) -> None:
        at = body["metadata"]
        change = {"count": body["count"], "lastTimestamp": body["lastTimestamp"]}
        try:
            await self._api.patch(EVENTS, at["namespace"], at["name"], change)
        except NotFound:
            # Events live for an hour; this one is over, or was never accepted.
            await self._create(body)


def _remember(memory: OrderedDict[Any, Any], key: object, value: object) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)
