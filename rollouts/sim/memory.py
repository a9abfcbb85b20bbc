"""What does a controller remember from one pass to the next? All of it may be lost in a crash."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rollouts.plan import Refusal
from rollouts.plan.calls import Returned
from rollouts.sim.world import Raw

FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=10), timedelta(seconds=300)


@dataclass(frozen=True, slots=True)
class Remembered:
    """A refused creation; it is tried again `until` then, or once the spec or the collision count has changed."""

    refusal: Refusal
    generation: int
    collisions: int
    until: datetime


@dataclass(slots=True)
class Memory:
    """One controller's memory.

    `held_since` tells since when a status that may wait has been waiting, `owed` which resourceVersion our last write
    of an object got (by uid): nothing older is believed any more. `returned` are calls whose answers
    aren't written yet.
    """

    held_since: dict[str, datetime] = field(default_factory=dict)
    wakes: dict[str, datetime] = field(default_factory=dict)
    owed: dict[str, int] = field(default_factory=dict)
    refused: dict[str, dict[str, Remembered]] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    returned: dict[str, tuple[Returned, ...]] = field(default_factory=dict)

    def holds(self, name: str, now: datetime, delay: timedelta) -> bool:
        """Tell whether a status that may wait does so still."""
        return now < self.held_since.setdefault(name, now) + delay

    def refuse(self, rollout: Raw, refusal: Refusal, now: datetime) -> None:
        """Remember a refusal; each one is tried again later than the last."""
        name = rollout["metadata"]["name"]
        attempt = self.attempts[name] = self.attempts.get(name, 0) + 1
        delay = min(LONGEST_RETRY, FIRST_RETRY * 2 ** (min(attempt, 16) - 1))
        known = Remembered(refusal, rollout["metadata"]["generation"], _collisions(rollout), now + delay)
        self.refused.setdefault(name, {})[f"{refusal.kind} {refusal.subject}"] = known

    def refusals(self, rollout: Raw, now: datetime) -> tuple[Refusal, ...]:
        """Return what is known to be refused."""
        known = self.refused.get(rollout["metadata"]["name"], {})
        for subject, each in list(known.items()):
            is_taken = each.refusal.reason == "AlreadyExists"
            if (
                now >= each.until
                or each.generation != rollout["metadata"]["generation"]
                or (is_taken and each.collisions != _collisions(rollout))
            ):
                del known[subject]
        return tuple(each.refusal for each in known.values())

    def next_look(self, delay: timedelta) -> datetime | None:
        """Return when something is due without anything having changed."""
        times = [
            *self.wakes.values(),
            *(since + delay for since in self.held_since.values()),
            *(each.until for known in self.refused.values() for each in known.values()),
        ]
        return min(times, default=None)


def _collisions(rollout: Raw) -> int:
    count = (rollout.get("status") or {}).get("collisionCount")
    return count if isinstance(count, int) else 0
