"""What does every demo consist of? A beginning, and what is shown from there on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from rollouts.cli.demos.stage import Beside, Stage


class Story(Protocol):
    """What is shown of a strategy."""

    moral: ClassVar[str]

    def begun(self) -> "AbstractAsyncContextManager[Beside | None]":
        """Create everything, and keep up until the end what is to be seen beside the rollout, if anything."""

    async def tell(self, stage: "Stage") -> None:
        """Show its updates."""

    def to_try(self) -> Sequence[str]:
        """Return commands for a user who goes on by hand, beside those that fit every story."""
