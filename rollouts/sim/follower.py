"""Which other controllers are at work in a world? What stands behind a traffic router, for one."""

from datetime import datetime
from typing import Any, Protocol


class Follower(Protocol):
    """Another controller; `world` is a `rollouts.sim.world.World`."""

    def follow(self, world: Any) -> bool:
        """Do what is due; tell whether it was anything."""
        ...

    def next_change(self, world: Any) -> datetime | None:
        """Return when something will be due by itself."""
        ...

    def expects_news(self, world: Any) -> bool:
        """Tell whether anything but more of the same may come of that."""
        ...
