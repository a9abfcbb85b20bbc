"""How long to wait after the n-th failure in a row."""

from __future__ import annotations

import random


class Backoff:
    """Exponential delays with jitter; the caller says when things went well again."""

    def __init__(self, first: float = 0.1, longest: float = 15.0) -> None:
        self._first = first
        self._longest = longest
        self._failures = 0

    def next(self) -> float:
        """Return the delay in seconds before the next attempt."""
        delay = min(self._longest, self._first * 2.0**self._failures)
        if delay < self._longest:
            self._failures += 1
        return delay * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret

    def reset(self) -> None:
        """Forget the failures."""
        self._failures = 0
