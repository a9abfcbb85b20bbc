"""What does every demo consist of? A beginning, and what is shown from there on."""

from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from rollouts.cli.demos.stage import Stage


class Story(Protocol):
    """What is shown of a strategy."""

    moral: ClassVar[str]

    async def begin(self) -> None:
        """Create everything."""

    async def tell(self, stage: "Stage") -> None:
        """Show its updates."""
