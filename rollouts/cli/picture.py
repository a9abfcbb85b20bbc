"""What does one moment of a rollout look like? Its raw objects, and the planner's reason where that says more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rollouts.cli.tree import render
from rollouts.view.rollout import rollout_view
from rollouts.view.status import HEALTHY, shown_status, waiting

if TYPE_CHECKING:
    from rich.console import RenderableType

    from rollouts.cli.session import Session

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Picture:
    """The raw objects of one moment."""

    rollout: Json
    replica_sets: Sequence[Json]
    pods: Sequence[Json]
    because: str = ""

    def drawn(self, now: datetime, *, wide: bool = False, is_short: bool = False) -> "RenderableType":
        """Return what to show at `now`."""
        view = rollout_view(self.rollout, self.replica_sets, self.pods, now, because=self.because)
        return render(view, now, wide=wide, is_short=is_short)


async def picture_of(
    session: "Session", rollout: Json, replica_sets: Sequence[Json], pods: Sequence[Json], now: datetime
) -> Picture:
    """Return the picture; the planner is asked only where the Rollout itself doesn't tell what it waits for."""
    if waiting(rollout) is not None or shown_status(rollout).phase == HEALTHY:
        return Picture(rollout, replica_sets, pods)
    from rollouts.cli.planning import because_of

    return Picture(rollout, replica_sets, pods, await because_of(session, rollout, list(replica_sets), now))
