"""Does somebody else change a router's object back each time? Then ours is written again later and later.

Two who want different things of one object, such as two controllers by mistake, would otherwise write as fast as they
can see each other's writes. What is put right once, or a few times, is put right at once.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from rollouts.controller.key import Key
from rollouts.plan import Action
from rollouts.plan.actions import CreateObject, DeleteObject, ObjectAction, PatchObject

if TYPE_CHECKING:
    from rollouts.ports import Reference

AT_ONCE = 5
"""How many times in a row the same is written to an object without a delay."""

LONGEST = 120.0
FORGOTTEN = 600.0
"""Seconds after which nobody counts on."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Written:
    """What was last written to an object, how many times in a row, and when."""

    what: tuple[type, Any]
    times: int
    at: float

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
                written = places[each.reference] = _next(places.get(each.reference), each, now)
                if written.times == AT_ONCE:
                    _log.warning("somebody else changes it back each time", object=str(each.reference), key=str(key))

    def forget(self, key: Key) -> None:
        """Drop what is known of a Rollout that is gone."""
        self._written.pop(key, None)


def _next(before: _Written | None, action: ObjectAction, now: float) -> _Written:
    what = _what(action)
    is_again = before is not None and before.what == what and now - before.at < FORGOTTEN
    return _Written(what, before.times + 1 if is_again and before is not None else 1, now)


def _what(action: ObjectAction) -> tuple[type, Any]:
    return type(action), None if isinstance(action, DeleteObject) else action.body
