"""What do the tests need that isn't in this repository, and how is one build of it told from another?"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from e2e.progress import Progress


@dataclass(frozen=True, eq=False, kw_only=True)
class Recipe(ABC):
    """Something real from a public registry, pinned by files of ours where the registry keeps old versions."""

    title: str
    takes: str  # how long, cold, on two idle cores
    prefix: str = ""  # of the build's name in the cache
    space: int = 2**30  # bytes needed while it is made

    @property
    @abstractmethod
    def products(self) -> tuple[str, ...]:
        """What is there when it is done."""

    @property
    @abstractmethod
    def version(self) -> str:
        """What people call this version; part of the build's name."""

    @abstractmethod
    def ingredients(self, cache: Path) -> Sequence[bytes]:
        """Everything that the result depends on, but for the machine."""

    @abstractmethod
    def make(self, target: Path, cache: Path, progress: Progress) -> None:
        """Make the products in a directory. Raises BuildError."""
