"""Which key is next, and when does a key come back? Pure bookkeeping: time comes in as `now`, in seconds.

Every key is in at most one of three places: ready (in the order of arrival, each lane in its turn), running, or asleep
until its earliest wake. A key that is added while it runs becomes ready again when that run is done, so no change is
ever missed and no key ever runs twice at once.
"""

import heapq
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)

FIRST_BACK_OFF = 0.005
LONGEST_BACK_OFF = 10.0
_STALE_WAKES = 64


class Taken(NamedTuple, Generic[K]):
    """A key to work on, and for how many seconds it has been ready."""

    key: K
    waited: float


class Agenda(Generic[K]):
    """Keys that are ready, running or asleep; every operation takes constant or logarithmic time."""

    def __init__(
        self,
        *,
        first_back_off: float = FIRST_BACK_OFF,
        longest_back_off: float = LONGEST_BACK_OFF,
        lane: Callable[[K], Hashable] = lambda _: None,
    ) -> None:
        self._first, self._longest = first_back_off, longest_back_off
        self._lane = lane
        self._ready: dict[K, float] = {}
        self._lanes: OrderedDict[Hashable, OrderedDict[K, None]] = OrderedDict()  # none of them empty
        self._running: set[K] = set()
        self._again: set[K] = set()
        self._wakes: dict[K, float] = {}
        self._alarms: list[tuple[float, int, K]] = []  # a heap; entries that `_wakes` no longer confirms are stale
        self._alarm_count = 0
        self._failures: dict[K, int] = {}

    def __len__(self) -> int:
        return len(self._ready) + len(self._again)

    @property
    def running(self) -> int:
        """How many keys are being worked on."""
        return len(self._running)

    def add(self, key: K, now: float) -> bool:
        """Make `key` ready; False when it already was."""
        if key in self._running:
            if key in self._again:
                return False
            self._again.add(key)
            return True
        if key in self._ready:
            return False
        self._line_up(key, now)
        return True

    def wake(self, key: K, at: float) -> None:
        """Make `key` ready at the given time, unless an earlier one is set already."""
        if self._wakes.get(key, at + 1) <= at:
            return
        self._wakes[key] = at
        self._alarm_count += 1  # keeps the heap from comparing keys
        heapq.heappush(self._alarms, (at, self._alarm_count, key))
        if len(self._alarms) > 2 * len(self._wakes) + _STALE_WAKES:
            self._alarms = [alarm for alarm in self._alarms if self._wakes.get(alarm[2]) == alarm[0]]
            heapq.heapify(self._alarms)

    def next_wake(self) -> float | None:
        """When `ring` will next have something to do."""
        while self._alarms and self._wakes.get(self._alarms[0][2]) != self._alarms[0][0]:
            heapq.heappop(self._alarms)
        return self._alarms[0][0] if self._alarms else None

    def ring(self, now: float) -> int:
        """Make every key ready whose time has come; return how many there were."""
        count = 0
        while (at := self.next_wake()) is not None and at <= now:
            key = heapq.heappop(self._alarms)[2]
            del self._wakes[key]
            count += self.add(key, now)
        return count

    def take(self, now: float) -> Taken[K] | None:
        """Begin with the key of the next lane that has been ready for longest.

        Its wake is dropped: the run decides on the next one.
        """
        if not self._ready:
            return None
        lane, keys = self._lanes.popitem(last=False)
        key, _ = keys.popitem(last=False)
        if keys:
            self._lanes[lane] = keys  # behind the others
        since = self._ready.pop(key)
        self._running.add(key)
        self._wakes.pop(key, None)
        return Taken(key, now - since)

    def done(self, key: K, now: float) -> None:
        """End the run of `key`."""
        self._running.discard(key)
        if key in self._again:
            self._again.discard(key)
            self._line_up(key, now)

    def _line_up(self, key: K, now: float) -> None:
        self._ready[key] = now
        self._lanes.setdefault(self._lane(key), OrderedDict())[key] = None

    def retry(self, key: K, now: float) -> float:
        """Let `key` come back after a delay that doubles with each failure in a row; return the delay."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = min(self._longest, self._first * 2.0 ** min(failures, 32))
        self.wake(key, now + delay)
        return delay

    def succeeded(self, key: K) -> None:
        """End a row of failures."""
        self._failures.pop(key, None)

    def forget(self, key: K) -> None:
        """Drop everything known of `key`, except that it may be running."""
        if self._ready.pop(key, None) is not None:
            lane = self._lane(key)
            del self._lanes[lane][key]
            if not self._lanes[lane]:
                del self._lanes[lane]
        self._again.discard(key)
        self._wakes.pop(key, None)
        self._failures.pop(key, None)
