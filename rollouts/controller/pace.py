"""When is the next pass due if nothing happens before? When time alone changes the answer, or at the next resync."""

from datetime import datetime
from random import uniform

SHORTEST_WAKE = 0.005
"""Seconds between two passes over an object that nobody else has changed."""


def next_pass(resync: float, *others: float | None) -> float:
    """Return the seconds until the next pass: a resync, or the first of what else brings one.

    Resyncs are spread out: all objects of a cluster begin at the same moment.
    """
    spread = resync * uniform(0.9, 1.1)  # noqa: S311 - jitter, not a secret
    return min([spread, *(max(SHORTEST_WAKE, each) for each in others if each is not None)])


def seconds_until(wake_at: datetime | None, now: datetime) -> float | None:
    """Return how long a plan's wake is away; None if there is none."""
    return (wake_at - now).total_seconds() if wake_at is not None else None
