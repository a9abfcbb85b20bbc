"""What does one moment of a rollout look like? Its raw objects, and the planner's reason where that says more."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rollouts.cli.tree import render
from rollouts.view import fields
from rollouts.view.rollout import rollout_view
from rollouts.view.status import HEALTHY, shown_status, waiting

if TYPE_CHECKING:
    from rich.console import RenderableType

    from rollouts.cli.planning import Measured
    from rollouts.cli.session import Session

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Picture:
    """The raw objects of one moment."""

    rollout: Json
    replica_sets: Sequence[Json]
    pods: Sequence[Json]
    because: str = ""
    runs: Sequence[Json] = ()
    experiments: Sequence[Json] = ()

    def drawn(self, now: datetime, *, wide: bool = False, is_short: bool = False) -> "RenderableType":
        """Return what to show at `now`."""
        view = rollout_view(
            self.rollout,
            self.replica_sets,
            self.pods,
            now,
            because=self.because,
            runs=self.runs,
            experiments=self.experiments,
        )
        return render(view, now, wide=wide, is_short=is_short)


async def picture_of(
    session: "Session",
    rollout: Json,
    replica_sets: Sequence[Json],
    pods: Sequence[Json],
    now: datetime,
    beside: "Measured",
) -> Picture:
    """Return the picture; the planner is asked only where the Rollout itself doesn't tell what it waits for."""
    picture = Picture(rollout, replica_sets, pods, runs=beside.runs, experiments=beside.experiments)
    if waiting(rollout) is not None or shown_status(rollout).phase == HEALTHY:
        return picture
    from rollouts.cli.planning import because_of

    own = [dict(each) for each in fields.controlled_by(rollout, replica_sets)]
    return replace(picture, because=await because_of(session, rollout, own, now, beside))
