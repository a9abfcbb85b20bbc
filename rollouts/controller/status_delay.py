"""When is a change of counts in the status worth a write? Once it is a few seconds old, or something urgent goes along.

While pods come up one by one the counts change all the time; several such changes share a write. What people and tools
wait for (phase, steps, pauses, conditions) is never held back.
"""

from rollouts.controller.key import Key


class StatusDelay:
    """Since when each Rollout has counts that are not written yet."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._since: dict[Key, float] = {}

    def left(self, key: Key, now: float) -> float:
        """Return for how many seconds an unwritten change may still wait; 0 when it is due."""
        return max(0.0, self._since.setdefault(key, now) + self._delay - now)

    def settled(self, key: Key) -> None:
        """Note that the status on the server is as it should be."""
        self._since.pop(key, None)
