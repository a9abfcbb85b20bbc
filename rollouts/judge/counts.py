"""What was counted on either side?"""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests of one side, and how many of them were bad: failed, or slower than a threshold."""

    total: int = 0
    bad: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.bad <= self.total:
            raise ValueError(f"{self.bad} of {self.total} requests can't be bad")

    def __add__(self, more: Self) -> Self:
        return type(self)(self.total + more.total, self.bad + more.bad)

    @property
    def rate(self) -> float:
        """The share of bad requests; 0 without any request."""
        return self.bad / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Interval:
    """What came between two looks: new requests only, not totals since the start."""

    canary: Counts
    stable: Counts

    @property
    def compares(self) -> bool:
        """Both sides had requests. Without the other side's a rate says nothing about a difference."""
        return self.canary.total > 0 and self.stable.total > 0
