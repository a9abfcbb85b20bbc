"""Which writes has the API server refused for good, so that the next plan must know of them?

A refusal is remembered until something changes that may change the answer: the owner's spec, the object that
was refused, for a taken name the collision count; or until it is time to try again, after a delay that doubles, for
what we can't see change, such as a quota.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rollouts.controller.key import Key
from rollouts.controller.outcome import Refused
from rollouts.kube.resources import ROLLOUTS
from rollouts.plan import Action, Refusal
from rollouts.plan.hashing import template_digest

Raw = Mapping[str, Any]

_Place = tuple[str, str, str]

FIRST_RETRY = 10.0
LONGEST_RETRY = 300.0


@dataclass(frozen=True, slots=True)
class Remembered:
    """A refusal, with the facts that it holds for and the time until which it does."""

    action: Action
    refusal: Refusal
    generation: str
    collisions: int
    identity: str
    until: float

    def holds(self, rollout: Raw, identity: str, now: float) -> bool:
        """Tell whether nothing has changed that could change the server's mind."""
        if self.refusal.reason == "AlreadyExists" and self.collisions != _collisions(rollout):
            return False
        return now < self.until and self.generation == _version_of_spec(rollout) and self.identity == identity


class Refusals:
    """Refusals by key; attempts outlive them, so that a quota that stays full is asked less and less often."""

    def __init__(self) -> None:
        self._remembered: dict[Key, dict[_Place, Remembered]] = {}
        self._attempts: dict[Key, dict[_Place, tuple[str, int]]] = {}

    def remember(self, key: Key, refused: Refused, rollout: Raw, identity: str, now: float) -> None:
        """Take a refusal in; `identity` changes when the object does."""
        generation = _version_of_spec(rollout)
        refusal = refused.refusal
        place = (refusal.verb, refusal.kind, refusal.subject)
        last_generation, attempts = self._attempts.setdefault(key, {}).get(place, (generation, 0))
        attempts = attempts + 1 if last_generation == generation else 1
        self._attempts[key][place] = (generation, attempts)
        delay = min(LONGEST_RETRY, FIRST_RETRY * 2.0 ** min(attempts - 1, 16))
        self._remembered.setdefault(key, {})[place] = Remembered(
            refused.action, refusal, generation, _collisions(rollout), identity, now + delay
        )

    def subjects(self, key: Key) -> list[tuple[str, str]]:
        """Return kind and name of the objects whose identities `current` needs."""
        return [(kind, subject) for _, kind, subject in self._remembered.get(key, ())]

    def current(self, key: Key, rollout: Raw, identities: Mapping[str, str], now: float) -> tuple[Refusal, ...]:
        """Return the refusals that still hold; `identities` are those of their objects by name."""
        remembered = self._remembered.get(key)
        if not remembered:
            return ()
        for place, each in list(remembered.items()):
            if not each.holds(rollout, identities.get(place[2], ""), now):
                del remembered[place]
        return tuple(each.refusal for each in remembered.values())

    def covers(self, key: Key, action: Action) -> bool:
        """Tell whether this very action has been refused, so that it isn't worth a request before that changes."""
        return any(each.action == action for each in self._remembered.get(key, {}).values())

    def next_retry(self, key: Key) -> float | None:
        """Return when the first refusal of `key` is to be tried again."""
        return min((each.until for each in self._remembered.get(key, {}).values()), default=None)

    def succeeded(self, key: Key) -> None:
        """Begin with the shortest delay again: writes go through."""
        if not self._remembered.get(key):
            self._attempts.pop(key, None)

    def forget(self, key: Key) -> None:
        """Drop what is known of a Rollout that is gone."""
        self._remembered.pop(key, None)
        self._attempts.pop(key, None)


def _version_of_spec(owner: Raw) -> str:
    """Return what changes with an owner's spec: where there is no status subresource, a generation counts more."""
    if owner.get("kind", ROLLOUTS.kind) == ROLLOUTS.kind:
        return str(owner["metadata"].get("generation", 0))
    return template_digest(owner.get("spec") or {})


def _collisions(rollout: Raw) -> int:
    status = rollout.get("status") or {}
    count = status.get("collisionCount") if isinstance(status, Mapping) else None
    return count if isinstance(count, int) else 0
