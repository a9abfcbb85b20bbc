"""What can come of one pass? The loop makes wakes and back-offs of it; and what makes passes for a kind."""

from dataclasses import dataclass
from typing import Protocol

from rollouts.controller.key import Key
from rollouts.kube.errors import ApiError


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left to do before a change, or before `delay` seconds are over.

    `acted` tells that we wrote something or have to look again at once: a row of such passes that nobody else caused
    means that we are going round in circles. `is_well` is false while something that should be done has been refused,
    or nobody knows yet whether it goes well.
    """

    delay: float
    acted: bool = False
    is_well: bool = True


@dataclass(frozen=True, slots=True)
class Waiting:
    """There was nothing to decide: nothing has changed since the last pass, or the cache still owes us something.

    An event brings us back, or else the end of `delay`.
    """

    delay: float


@dataclass(frozen=True, slots=True)
class Conflicted:
    """Somebody else was faster, or the picture was old: look again."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Something went wrong that may go right the next time."""

    errors: tuple[ApiError, ...]


@dataclass(frozen=True, slots=True)
class Gone:
    """There is nothing to look after any more."""


Result = Done | Waiting | Conflicted | Failed | Gone


class Passes(Protocol):
    """Who makes the passes over the objects of one kind.

    All that is remembered of an object may be lost: the objects hold the truth.
    """

    async def reconcile(self, key: Key) -> Result:
        """Make one pass. ApiErrors may be raised; any other exception is a bug, and hurts this object only."""

    def forget(self, key: Key) -> None:
        """Drop everything known of an object that is gone."""
