"""Does somebody else change a router's object back each time? Then ours is written again later and later.

Two who want different things of one object, such as two controllers by mistake, would otherwise write as fast as they
can see each other's writes. What is put right once, or a few times, is put right at once.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rollouts.controller.key import Key
from rollouts.plan import Action
from rollouts.plan.actions import CreateObject, DeleteObject, ObjectAction, PatchObject
from rollouts.ports import Reference

AT_ONCE = 5
"""How many times in a row the same is written to an object without a delay."""

LONGEST = 120.0
FORGOTTEN = 600.0
"""Seconds after which nobody counts on."""


@dataclass(frozen=True, slots=True)
class _Written:
    """What was last written to an object, how many times in a row, and when; `rival` is who changes it back."""

    what: tuple[type, Any]
    times: int
    at: float
    rival: str = ""

    @property
    def due(self) -> float:
        """When the same may be written again."""
        return self.at + min(LONGEST, 2.0 ** min(self.times - AT_ONCE, 16)) if self.times >= AT_ONCE else self.at


class Rivalry:
    """Remembers the last write to each object. All of it may be lost."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._written: dict[Key, dict[Reference, _Written]] = {}

    def held(self, key: Key, action: Action) -> float:
        """Return for how many seconds an action has to wait; 0 where it is due."""
        if not isinstance(action, CreateObject | PatchObject | DeleteObject):
            return 0.0
        before = self._written.get(key, {}).get(action.reference)
        if before is None or before.what != _what(action):
            return 0.0
        return max(0.0, before.due - self._monotonic())

    def wrote(self, key: Key, actions: Iterable[Action]) -> None:
        """Take it that these were performed."""
        now = self._monotonic()
        for each in actions:
            if isinstance(each, CreateObject | PatchObject | DeleteObject):
                places = self._written.setdefault(key, {})
                places[each.reference] = _next(places.get(each.reference), each, now)

    def is_contested(self, key: Key, action: Action) -> bool:
        """Whether an action that is due has been undone each time so far."""
        if not isinstance(action, CreateObject | PatchObject | DeleteObject):
            return False
        before = self._written.get(key, {}).get(action.reference)
        return before is not None and before.times >= AT_ONCE - 1 and _is_again(before, action, self._monotonic())

    def blame(self, key: Key, reference: Reference, rival: str) -> bool:
        """Take it that somebody changes an object back; tell whether that is news."""
        places = self._written[key]
        before = places[reference]
        places[reference] = replace(before, rival=rival)
        return before.rival != rival

    def contested(self, key: Key) -> Mapping[Reference, str]:
        """Return who changes which objects back."""
        now = self._monotonic()
        every = self._written.get(key, {}).items()
        return {place: each.rival for place, each in every if each.rival and now - each.at < FORGOTTEN}

    def forget(self, key: Key) -> None:
        """Drop what is known of a Rollout that is gone."""
        self._written.pop(key, None)


def _next(before: _Written | None, action: ObjectAction, now: float) -> _Written:
    if before is not None and _is_again(before, action, now):
        return replace(before, times=before.times + 1, at=now)
    return _Written(_what(action), 1, now)


def _is_again(before: _Written, action: ObjectAction, now: float) -> bool:
    return before.what == _what(action) and now - before.at < FORGOTTEN


def _what(action: ObjectAction) -> tuple[type, Any]:
    return type(action), None if isinstance(action, DeleteObject) else action.body
